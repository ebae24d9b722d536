package dev.postroad.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * RabbitMQ's load tool as a process. It tells every second what it sent and received; what counts is a window of such seconds,
 * after it and the broker have had time to get warm.
 */
final class PerfTest implements AutoCloseable {
    private static final String CLASS_PATH = "perftest.classpath";
    private static final Pattern TIME = Pattern.compile("time:? ([\\d.]+) ?s,");
    private static final Pattern RECEIVED = Pattern.compile("received: ([\\d.]+) msg/s");
    private static final Pattern SENT = Pattern.compile("sent: ([\\d.]+) msg/s");
    private static final Pattern CONSUMER = Pattern.compile("consumer latency: ([\\d/]+) (\\S+)");
    private static final Pattern CONFIRM = Pattern.compile("confirm latency: ([\\d/]+) (\\S+)");
    private static final Pattern AVERAGE = Pattern.compile("(sending|receiving) rate avg: ([\\d.]+) msg/s");
    private static final int LAST_WORDS = 20;

    private final Process process;
    private final BufferedReader output;
    private final Deque<String> lastWords = new ArrayDeque<>();
    private final List<String> arguments;

    PerfTest(AmqpBroker broker, List<String> arguments) throws IOException {
        this.arguments = arguments;
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath(),
                "com.rabbitmq.perf.PerfTest",
                "--uri",
                "amqp://guest:guest@127.0.0.1:" + broker.port()));
        command.addAll(arguments);
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    private static String classPath() throws IOException {
        try (InputStream file = PerfTest.class.getResourceAsStream(CLASS_PATH)) {
            if (file == null) {
                throw new IOException("there is no " + CLASS_PATH + " beside " + PerfTest.class + "; ./postroad build");
            }
            return new String(file.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    /**
     * Lets it run for a while and measures the seconds at its end.
     *
     * @param warm seconds that do not count
     * @param seconds that do
     */
    static Measurement run(AmqpBroker broker, List<String> arguments, int warm, int seconds) throws IOException {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("-z", String.valueOf(warm + seconds + 1)));
        try (PerfTest perfTest = new PerfTest(broker, all)) {
            return perfTest.measure(broker, warm, seconds);
        }
    }

    /** Lets it run for a while; what it measures does not count. */
    static void warmUp(AmqpBroker broker, List<String> arguments, int seconds) throws IOException {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("-z", String.valueOf(seconds)));
        try (PerfTest perfTest = new PerfTest(broker, all)) {
            boolean ran = false;
            for (String line = perfTest.line(); line != null; line = perfTest.line()) {
                ran |= AVERAGE.matcher(line).find();
            }
            if (!ran) {
                throw perfTest.failed("did nothing");
            }
        }
    }

    private Measurement measure(AmqpBroker broker, int warm, int seconds) throws IOException {
        List<Measurement> window = new ArrayList<>();
        Supplier<double[]> cpu = () -> new double[] {broker.cpuMicros(), AmqpBroker.cpuMicros(process.pid())};
        double[] begun = cpu.get();
        double last = 0;
        double messages = 0;
        double length = 0;
        for (String line = line(); line != null; line = line()) {
            OptionalDouble time = number(TIME, line);
            if (time.isEmpty()) {
                continue;
            }
            double interval = time.getAsDouble() - last;
            last = time.getAsDouble();
            if (last < warm + 0.5) {
                begun = cpu.get();
                continue;
            }
            double rate = number(RECEIVED, line).orElse(number(SENT, line).orElse(0));
            messages += rate * interval;
            length += interval;
            Measurement second = new Measurement();
            percentiles(CONSUMER, Measurement.END_TO_END, line, second);
            percentiles(CONFIRM, Measurement.CONFIRM, line, second);
            window.add(second);
            if (window.size() == seconds) {
                break;
            }
        }
        if (window.size() < seconds || messages == 0) {
            throw failed("gave " + window.size() + " of " + seconds + " seconds, with " + messages + " messages");
        }
        double[] ended = cpu.get();
        Measurement result = new Measurement()
                .with(Measurement.RATE, messages / length)
                .with("cpu.broker", (ended[0] - begun[0]) / messages)
                .with("cpu.client", (ended[1] - begun[1]) / messages)
                .with("rss.mb", broker.residentMegabytes());
        for (String name : List.of("confirm.p50", "confirm.p99", "e2e.p50", "e2e.p99")) {
            Figure.of(window, name).ifPresent(figure -> result.with(name, figure.median()));
        }
        return result;
    }

    /**
     * Sends, or receives, so many messages and ends.
     *
     * @return messages a second, as the tool tells at its end
     */
    static double runToEnd(AmqpBroker broker, List<String> arguments) throws IOException {
        double rate = 0;
        try (PerfTest perfTest = new PerfTest(broker, arguments)) {
            for (String line = perfTest.line(); line != null; line = perfTest.line()) {
                Matcher average = AVERAGE.matcher(line);
                if (average.find()) {
                    rate = Math.max(rate, Double.parseDouble(average.group(2)));
                }
            }
            if (rate == 0) {
                throw perfTest.failed("did not tell a rate");
            }
        }
        return rate;
    }

    private @org.jspecify.annotations.Nullable String line() throws IOException {
        String line = output.readLine();
        if (line != null) {
            if (lastWords.size() == LAST_WORDS) {
                lastWords.remove();
            }
            lastWords.add(line);
        }
        return line;
    }

    private static OptionalDouble number(Pattern pattern, String line) {
        Matcher matcher = pattern.matcher(line);
        return matcher.find() ? OptionalDouble.of(Double.parseDouble(matcher.group(1))) : OptionalDouble.empty();
    }

    /** From {@code min/median/75th/95th/99th}. */
    private static void percentiles(Pattern pattern, String name, String line, Measurement into) {
        Matcher matcher = pattern.matcher(line);
        if (matcher.find()) {
            double[] numbers = Arrays.stream(matcher.group(1).split("/"))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
            double micros = matcher.group(2).toLowerCase(Locale.ROOT).startsWith("ms") ? 1000 : 1;
            into.with(name + ".p50", numbers[1] * micros).with(name + ".p99", numbers[4] * micros);
        }
    }

    private IOException failed(String what) {
        return new IOException("PerfTest " + String.join(" ", arguments) + " " + what + "; it said:\n  "
                + String.join("\n  ", lastWords));
    }

    /** Ends it, and returns when it is gone: the next contender is to have the machine for itself. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(5, java.util.concurrent.TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
