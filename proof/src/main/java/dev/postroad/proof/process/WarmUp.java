package dev.postroad.proof.process;

import dev.postroad.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Makes the archives of the programs that the book starts: each recovers what a killed one has left, and takes and gives messages
 * until it is asked to end.
 */
final class WarmUp {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final long LOAD_MILLIS = 300;

    private WarmUp() {}

    /** Arguments: the folder for the archives. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        try (Workplace place = Workplace.make("warm-up")) {
            serve(place.at("served"), Archive.SERVE.make(folder));
            embedding(place, Archive.EMBEDDING.make(folder));
        }
        // Threads of clients whose server is gone must not keep the program.
        System.exit(0);
    }

    private static void serve(Path data, List<String> options) throws Exception {
        try (Served first = new Served(new ServeBroker(), data, EmbeddingProgram.lanes(0), 0)) {
            live(first);
            first.kill();
        }
        ServeBroker broker = new ServeBroker().withOptions(options.toArray(String[]::new));
        try (ServeBroker.Server server = broker.start(data)) {
            for (Lane lane : EmbeddingProgram.lanes(1)) {
                drive(lane, server.load(lane));
            }
            drive(
                    new Lane("queue", Lane.Kind.PLAIN, 0, Lane.Mix.USUAL),
                    new AmqpLoad(server.amqpPort(), "queue", Map.of(), true));
            end(server.process());
        }
    }

    private static void embedding(Workplace place, List<String> options) throws Exception {
        Path data = place.at("embedded");
        try (Embedding first = new Embedding(data, place.folder(), 0, 0)) {
            live(first);
            first.kill();
        }
        Path transcripts = Files.createDirectory(place.at("transcripts"));
        try (Embedding second = new Embedding(data, transcripts, 2, 0, options)) {
            live(second);
            end(second.process());
        }
    }

    private static void live(Subject subject) throws Exception {
        subject.start();
        subject.awaitDelivery(PATIENCE);
        KillExperiment.linger(LOAD_MILLIS);
    }

    private static void drive(Lane lane, Load load) throws Exception {
        try (load;
                Traffic traffic = new Traffic(lane, load, lane.history())) {
            load.declare();
            traffic.start(0, List.of(), 0);
            traffic.awaitDelivery(PATIENCE);
            KillExperiment.linger(LOAD_MILLIS);
        }
    }

    private static void end(ChildProcess process) {
        process.terminate();
        process.awaitExit(PATIENCE);
    }
}
