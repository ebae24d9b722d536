package dev.postroad.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Runs the scenarios over AMQP 0-9-1, each in rounds in which every contender has its turn, all of them processes. */
final class AmqpBench implements Bench {
    private static final String BACKLOG = "bench-backlog";
    private static final long IDLE_MILLIS = 5_000;

    private final Options options;
    private final TemporaryDirectory directory;
    private final PrintStream progress;
    private final Map<AmqpContender, AmqpBroker> brokers = new EnumMap<>(AmqpContender.class);
    private final List<AmqpBroker> all = new ArrayList<>();
    private int started;
    private int quorumQueues;

    /** @param progress told what is going on, a line at a time */
    AmqpBench(Options options, PrintStream progress) throws IOException {
        this.options = options;
        this.directory = new TemporaryDirectory(options.directory());
        this.progress = progress;
    }

    @Override
    public Machine machine() throws IOException {
        return Machine.find(directory.path());
    }

    @Override
    public Results run(String name, int number) throws IOException, InterruptedException {
        AmqpScenario scenario = AmqpScenario.of(name);
        List<AmqpContender> contenders = scenario.contenders().stream()
                .filter(contender -> options.wants(contender.peer()))
                .toList();
        Results results = new Results(scenario.comparison(contenders));
        String place = "[" + number + "/" + options.scenarios().size() + "] " + name;
        int rounds = switch (scenario.shape()) {
            case LOAD, REQUEST_REPLY -> options.rounds();
            case BACKLOG, CONNECTIONS -> 1;
        };
        try {
            for (int round = 1; round <= rounds; round++) {
                for (AmqpContender contender : contenders) {
                    Measurement measured = measure(scenario, contender);
                    results.add(scenario.entry(contender), measured);
                    double main = measured.get(scenario.main()).orElse(0);
                    progress.println(place + " round " + round + ": " + contender.title() + ", " + scenario.main() + " "
                            + Report.number(main));
                }
            }
        } catch (AssertionError e) {
            throw new IOException(e.getMessage(), e);
        }
        return results;
    }

    private Measurement measure(AmqpScenario scenario, AmqpContender contender)
            throws IOException, InterruptedException {
        return switch (scenario.shape()) {
            case LOAD -> load(scenario, contender);
            case REQUEST_REPLY -> AmqpClients.requestReply(broker(contender), options.warmMillis(), options.seconds());
            case BACKLOG -> backlog(contender);
            case CONNECTIONS -> connections(contender);
        };
    }

    private Measurement load(AmqpScenario scenario, AmqpContender contender) throws IOException {
        List<String> arguments = new ArrayList<>(scenario.perfTest());
        if (contender == AmqpContender.RABBITMQ_QUORUM) {
            arguments.addAll(List.of("--quorum-queue", "-u", "bench-quorum-" + ++quorumQueues));
        }
        AmqpBroker broker = broker(contender);
        int warm = options.warmMillis() / 1000;
        try {
            return PerfTest.run(broker, arguments, warm, (int) options.seconds());
        } catch (IOException e) {
            // One hour of figures is not thrown away for one run of the tool that ended early.
            progress.println("again, because " + e.getMessage());
            return PerfTest.run(broker, arguments, warm, (int) options.seconds());
        }
    }

    private Measurement backlog(AmqpContender contender) throws IOException, InterruptedException {
        Path home = newHome(contender);
        int messages = options.backlog();
        Measurement measured = new Measurement();
        List<String> queue =
                List.of("-u", BACKLOG, "-k", BACKLOG, "-e", "amq.direct", "-ad", "false", "-f", "persistent");
        try (AmqpBroker broker = start(contender, home)) {
            Stopwatch.waitMillis(IDLE_MILLIS);
            double before = broker.residentMegabytes();
            List<String> fill = new ArrayList<>(queue);
            fill.addAll(List.of("-x", "1", "-y", "0", "-c", "1000", "-C", String.valueOf(messages)));
            fill.addAll(List.of("-s", String.valueOf(AmqpScenario.BACKLOG_BYTES)));
            measured.with("fill", PerfTest.runToEnd(broker, fill));
            measured.with("rss.message", (broker.residentMegabytes() - before) * (1 << 20) / messages);
            broker.kill();
        }
        long begun = System.nanoTime();
        try (AmqpBroker broker = start(contender, home)) {
            AmqpClients.awaitMessage(broker, BACKLOG);
            measured.with("restart.ms", (System.nanoTime() - begun) / 1e6);
            measured.with("rss.restarted", broker.residentMegabytes());
            long left = AmqpClients.depth(broker, BACKLOG);
            if (left < messages) {
                throw new IOException(contender.title() + " lost messages: of " + messages + " there are " + left);
            }
            List<String> drain = new ArrayList<>(queue);
            drain.addAll(List.of("-x", "0", "-y", "1", "-q", "1000", "-A", "500", "-D", String.valueOf(messages)));
            // After the restart: before it a cache of the newest messages, which does not grow with the backlog, is
            // filled.
            double heap = broker.liveHeapBytes().orElse(0);
            double cpu = broker.cpuMicros();
            measured.with(Measurement.DRAIN, PerfTest.runToEnd(broker, drain));
            measured.with("cpu.broker", (broker.cpuMicros() - cpu) / messages);
            broker.liveHeapBytes()
                    .ifPresent(without -> measured.with("heap.message", Math.max(0, heap - without) / messages));
        }
        TemporaryDirectory.delete(home);
        return measured;
    }

    private Measurement connections(AmqpContender contender) throws IOException, InterruptedException {
        Path home = newHome(contender);
        int count = options.connections();
        try (AmqpBroker broker = start(contender, home)) {
            Stopwatch.waitMillis(IDLE_MILLIS);
            Measurement measured = new Measurement().with("rss.mb", broker.residentMegabytes());
            // Asking for the live heap collects it: the memory with the connections is compared with what is left then.
            double heap = broker.liveHeapBytes().orElse(0);
            double before = broker.residentMegabytes();
            try (AmqpClients.Crowd crowd = new AmqpClients.Crowd(broker, count)) {
                Stopwatch.waitMillis(IDLE_MILLIS);
                measured.with("connections", count).with(Measurement.RATE, crowd.rate());
                measured.with("rss.connection", (broker.residentMegabytes() - before) * 1024 / count);
                broker.liveHeapBytes()
                        .ifPresent(live -> measured.with("heap.connection", (live - heap) / 1024 / count));
            }
            return measured;
        }
    }

    // ── Processes
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private AmqpBroker broker(AmqpContender contender) throws IOException {
        AmqpContender process = contender.process();
        AmqpBroker running = brokers.get(process);
        if (running == null) {
            running = start(process, newHome(process));
            brokers.put(process, running);
            progress.println("warming up " + process.title());
            PerfTest.warmUp(running, AmqpScenario.all().getFirst().perfTest(), options.firstWarmMillis() / 1000);
        }
        return running;
    }

    private Path newHome(AmqpContender contender) throws IOException {
        return Files.createDirectories(directory.path().resolve(contender.name() + "-" + ++started));
    }

    private AmqpBroker start(AmqpContender contender, Path home) {
        AmqpBroker broker = AmqpBroker.start(contender, home);
        synchronized (all) {
            all.add(broker);
        }
        return broker;
    }

    @Override
    public void abandon() throws IOException {
        close();
    }

    @Override
    public void close() throws IOException {
        synchronized (all) {
            all.forEach(AmqpBroker::close);
            all.clear();
        }
        directory.close();
    }
}
