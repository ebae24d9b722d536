package dev.postroad.benchmarks;

import dev.postroad.testkit.KafkaServer;
import dev.postroad.testkit.RabbitMqServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/** Runs the scenarios on a RabbitMQ and a Kafka of its own, in rounds in which every contender, a process each, has its turn. */
final class TransportBench implements Bench {

    private static final Duration LONGEST_REST = Duration.ofSeconds(5);
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final String KAFKA_DATA = "kafka-data";

    /** From a topic's deletion until its files are deleted; Kafka looks that often, and for the first time after half a minute. */
    private static final Duration DELETION_DELAY = Duration.ofSeconds(1);

    private static final Duration LONGEST_DELETION = Duration.ofSeconds(40);

    /** Processor time within a look. */
    private static final Duration AT_REST = Duration.ofMillis(20);

    private final Options options;
    private final TemporaryDirectory directory;
    private final PrintStream progress;
    private final Map<TransportContender, WorkerProcess> workers = new EnumMap<>(TransportContender.class);
    private final List<WorkerProcess> all = new ArrayList<>();

    /** What those at work are at work on. */
    private TransportContender.@Nullable System system;

    private @Nullable RabbitMqServer rabbit;
    private @Nullable KafkaServer kafka;
    private int queues;

    /** @param progress told what is going on, a line at a time */
    TransportBench(Options options, PrintStream progress) throws IOException {
        this.options = options;
        this.directory = new TemporaryDirectory(options.directory());
        this.progress = progress;
    }

    @Override
    public Machine machine() throws IOException {
        return Machine.find(directory.path());
    }

    @Override
    public Results run(String name, int number) throws IOException {
        TransportScenario scenario = TransportScenario.of(name);
        List<TransportContender> contenders = TransportContender.on(scenario.system()).stream()
                .filter(contender -> options.wants(contender.peer()))
                .toList();
        Results results = new Results(scenario.comparison(contenders));
        String place = "[" + number + "/" + options.scenarios().size() + "] " + name;
        if (scenario.system() != system) {
            // Another broker, or other work: it has the machine for itself.
            closeWorkers();
            system = scenario.system();
        }
        try {
            warmUp(scenario, contenders);
            for (int round = 1; round <= options.rounds(); round++) {
                for (TransportContender contender : inTurn(contenders, round)) {
                    Measurement measured =
                            round(worker(scenario, contender), scenario, scenario.messages(options.backlog()));
                    results.add(TransportScenario.entry(contender), measured);
                    progress.println(place + " round " + round + ": " + contender.title() + ", sent "
                            + Report.number(measured.get(TransportScenario.SEND).orElse(0)) + "/s, received "
                            + Report.number(
                                    measured.get(TransportScenario.RECEIVE).orElse(0)) + "/s");
                }
            }
        } catch (AssertionError e) {
            throw new IOException(e.getMessage(), e);
        }
        return results;
    }

    /**
     * The broker warms up as well as its clients: were each to be measured as soon as it is warm itself, whoever comes last would
     * find the fastest broker. Who was at work in the scenario before has only the other size to get used to.
     */
    private void warmUp(TransportScenario scenario, List<TransportContender> contenders) throws IOException {
        int rounds = workers.isEmpty() ? scenario.warmUps() : 1;
        for (int round = 1; round <= rounds; round++) {
            for (TransportContender contender : inTurn(contenders, round)) {
                progress.println("warming up " + contender.title());
                round(worker(scenario, contender), scenario, scenario.messages(options.backlog()));
            }
        }
    }

    /** Each round begins with another one. */
    private static List<TransportContender> inTurn(List<TransportContender> contenders, int round) {
        List<TransportContender> turns = new ArrayList<>(contenders);
        Collections.rotate(turns, -round);
        return turns;
    }

    /** Sends and receives, by a queue or topic that nobody used before. */
    private Measurement round(WorkerProcess worker, TransportScenario scenario, int messages) throws IOException {
        String queue = "bench-" + ++queues;
        comeToRest();
        Measurement sent = worker.run(new Order(Order.Kind.FILL, queue)
                .with("bytes", scenario.bytes())
                .with("messages", messages));
        comeToRest();
        Measurement received = worker.run(new Order(Order.Kind.RECEIVE, queue).with("messages", messages));
        deleteTopic(queue);
        return new Measurement()
                .with(TransportScenario.SEND, sent.get(Measurement.RATE).orElse(0))
                .with(TransportScenario.CPU_SEND, sent.get(Measurement.CPU).orElse(0))
                .with(TransportScenario.RECEIVE, received.get(Measurement.RATE).orElse(0))
                .with(
                        TransportScenario.CPU_RECEIVE,
                        received.get(Measurement.CPU).orElse(0));
    }

    /**
     * Gives back what a round has written: once the kernel's memory was full of it, all rounds that followed were slower by a third. A
     * queue of RabbitMQ that is empty holds little.
     */
    private void deleteTopic(String topic) throws IOException {
        KafkaServer running = kafka;
        if (running == null) {
            return;
        }
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", running.servers()))) {
            admin.deleteTopics(List.of(topic)).all().get();
            long end = System.nanoTime() + LONGEST_DELETION.toNanos();
            while (isOnDisk(topic) && System.nanoTime() < end) {
                Thread.sleep(LOOK);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IOException("topic " + topic + " can't be deleted: " + e.getCause(), e);
        }
    }

    private boolean isOnDisk(String topic) throws IOException {
        Path logs = directory.path().resolve(KAFKA_DATA).resolve("log");
        try (DirectoryStream<Path> partitions = Files.newDirectoryStream(logs, topic + "-*")) {
            return partitions.iterator().hasNext();
        }
    }

    /** What the broker has still to do for one is not to cost the next one time. */
    private void comeToRest() throws IOException {
        ProcessHandle broker = ProcessHandle.of(rabbit != null ? rabbit.pid() : kafka != null ? kafka.pid() : -1)
                .orElseThrow(() -> new IOException("the broker is gone"));
        long end = System.nanoTime() + LONGEST_REST.toNanos();
        Duration before = used(broker);
        Duration meanwhile;
        do {
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            Duration now = used(broker);
            meanwhile = now.minus(before);
            before = now;
        } while (meanwhile.compareTo(AT_REST) > 0 && System.nanoTime() < end);
    }

    private static Duration used(ProcessHandle broker) {
        return broker.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    // ── Processes
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private WorkerProcess worker(TransportScenario scenario, TransportContender contender) throws IOException {
        WorkerProcess running = workers.get(contender);
        if (running == null) {
            String broker = scenario.system() == TransportContender.System.RABBITMQ ? rabbitMq() : kafka();
            running = new WorkerProcess(
                    contender.id(),
                    contender.title(),
                    0,
                    broker,
                    directory.path().resolve(contender.id() + ".log"));
            synchronized (all) {
                all.add(running);
            }
            workers.put(contender, running);
        }
        return running;
    }

    private String rabbitMq() {
        RabbitMqServer running = rabbit;
        if (running == null) {
            stopKafka();
            progress.println("starting RabbitMQ");
            running = RabbitMqServer.start(directory.path().resolve("rabbitmq"));
            rabbit = running;
        }
        return "127.0.0.1:" + running.port();
    }

    private String kafka() {
        KafkaServer running = kafka;
        if (running == null) {
            stopRabbit();
            progress.println("starting Kafka");
            running = KafkaServer.start(
                    directory.path().resolve(KAFKA_DATA),
                    directory.path(),
                    Map.of("log.segment.delete.delay.ms", Long.toString(DELETION_DELAY.toMillis())));
            kafka = running;
        }
        return running.servers();
    }

    private void stopRabbit() {
        if (rabbit != null) {
            rabbit.close();
            rabbit = null;
        }
    }

    private void stopKafka() {
        if (kafka != null) {
            kafka.close();
            kafka = null;
        }
    }

    @Override
    public void abandon() throws IOException, InterruptedException {
        synchronized (all) {
            for (WorkerProcess worker : all) {
                worker.kill();
            }
        }
        close();
    }

    private void closeWorkers() {
        workers.values().forEach(WorkerProcess::close);
        workers.clear();
    }

    @Override
    public void close() throws IOException {
        closeWorkers();
        stopRabbit();
        stopKafka();
        directory.close();
    }
}
