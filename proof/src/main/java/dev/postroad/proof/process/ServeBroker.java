package dev.postroad.proof.process;

import dev.postroad.api.Channel;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.ChildProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code postroad serve}, driven over HTTP.
 *
 * @param heap its largest heap, as the JVM's option has it
 * @param options further ones of the JVM
 * @param environment variables to set
 * @param arguments further ones of {@code serve}
 */
record ServeBroker(String heap, List<String> options, Map<String, String> environment, List<String> arguments)
        implements Broker {
    private static final String MAIN = "dev.postroad.cli.Main";
    private static final String AMQP_PORT = "--amqp-port";
    private static final Duration START = Duration.ofSeconds(120);
    private static final Pattern READY = Pattern.compile("ready http=(\\S+) (?:amqp=\\S+:(\\d+) )?.*");

    ServeBroker {
        options = List.copyOf(options);
        environment = Map.copyOf(environment);
        arguments = List.copyOf(arguments);
    }

    /** The same, driven over AMQP. */
    Broker overAmqp() {
        ServeBroker serve = this;
        return new Broker() {
            @Override
            public String name() {
                return "postroad serve over AMQP";
            }

            @Override
            public @Nullable String missing() {
                return null;
            }

            @Override
            public Running start(Path data) {
                Server server = serve.start(data);
                return new PeerProcess(
                        server.process(), lane -> new AmqpLoad(server.amqpPort(), lane.channel(), Map.of(), true));
            }
        };
    }

    /** As it comes, with a JVM that starts fast. */
    ServeBroker() {
        this("256m", fast(), Map.of(), List.of());
    }

    private static List<String> fast() {
        List<String> options = new ArrayList<>(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        options.addAll(Archive.SERVE.use());
        return options;
    }

    ServeBroker withHeap(String newHeap) {
        return new ServeBroker(newHeap, options, environment, arguments);
    }

    ServeBroker withOptions(String... more) {
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of(more));
        return new ServeBroker(heap, all, environment, arguments);
    }

    ServeBroker withEnvironment(String variable, String value) {
        Map<String, String> all = new LinkedHashMap<>(environment);
        all.put(variable, value);
        return new ServeBroker(heap, options, all, arguments);
    }

    @Override
    public String name() {
        return "postroad serve";
    }

    @Override
    public @Nullable String missing() {
        return null;
    }

    @Override
    public Server start(Path data) {
        return start(data, 0);
    }

    /** On a port of one's choice. */
    Server start(Path data, int port) {
        List<String> words =
                new ArrayList<>(List.of("serve", "--http-port", Integer.toString(port), "--data", data.toString()));
        if (!arguments.contains(AMQP_PORT)) {
            // Several run at once.
            words.addAll(List.of(AMQP_PORT, "0"));
        }
        words.addAll(arguments);
        ChildProcess.Builder builder = ChildProcess.java(MAIN, words.toArray(String[]::new))
                .jvm("-Xmx" + heap)
                .jvm(options.toArray(String[]::new))
                .environment("POSTROAD_LOG_LEVEL", "WARN");
        environment.forEach(builder::environment);
        ChildProcess process = builder.start();
        boolean ready = false;
        try {
            String line = process.awaitLine(
                    "the ready line", text -> READY.matcher(text).matches(), START);
            Matcher matcher = READY.matcher(line);
            if (!matcher.matches()) {
                throw new AssertionError(line);
            }
            ready = true;
            String amqp = matcher.group(2);
            return new Server(process, matcher.group(1), amqp == null ? 0 : Integer.parseInt(amqp));
        } finally {
            if (!ready) {
                process.close();
            }
        }
    }

    /**
     * One that runs.
     *
     * @param authority host and port
     * @param amqpPort 0 without AMQP
     */
    record Server(ChildProcess process, String authority, int amqpPort) implements Running {
        String url() {
            return "http://" + authority;
        }

        @Override
        public Load load(Lane lane) {
            Channel channel = switch (lane.kind()) {
                case QUEUE, PLAIN -> ApiLoad.queue(lane.channel());
                case STREAM -> ApiLoad.stream(lane.channel());
            };
            return new ApiLoad(Postroad.connect(url()), channel);
        }

        @Override
        public long pid() {
            return process.pid();
        }

        @Override
        public void pause() {
            process.pause();
        }

        @Override
        public void resume() {
            process.resume();
        }

        @Override
        public void kill() {
            process.kill();
        }

        @Override
        public boolean isAlive() {
            return process.isAlive();
        }

        @Override
        public List<String> tail() {
            return process.tail();
        }

        @Override
        public void close() {
            process.close();
        }
    }
}
