package dev.postroad.proof.process;

import dev.postroad.api.Postroad;
import dev.postroad.proof.history.History.Unresolved;
import dev.postroad.proof.history.Transcript;
import dev.postroad.testkit.Await;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A program with the broker in it, which puts load on itself until it is killed. What its clients see goes to files that outlive
 * it. It says on stdout what it does: {@code accepting}, {@code delivering}, {@code drained}.
 */
final class EmbeddingProgram {
    static final String ACCEPTING = "accepting";
    static final String DELIVERING = "delivering";
    static final String DRAINED = "drained";
    static final String RUN = "run";
    static final String DRAIN = "drain";

    private static final Duration PATIENCE = Duration.ofSeconds(180);

    private EmbeddingProgram() {}

    static Path transcript(Path folder, Lane lane) {
        return folder.resolve("transcript-" + lane.channel());
    }

    static Path again(Path folder, Lane lane) {
        return folder.resolve("again-" + lane.channel());
    }

    /** The lanes that it drives. */
    static List<Lane> lanes(int run) {
        return List.of(
                new Lane("orders", Lane.Kind.QUEUE, run, Lane.Mix.USUAL),
                new Lane("events", Lane.Kind.STREAM, run + 1, Lane.Mix.USUAL));
    }

    /** Arguments: the data, the folder of transcripts, the first run, the first producer, a seed, {@code run} or {@code drain}. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[1]);
        int firstProducer = Integer.parseInt(arguments[3]);
        long seed = Long.parseLong(arguments[4]);
        boolean produce = arguments[5].equals(RUN);
        List<Traffic> traffics = new ArrayList<>();
        List<Load> loads = new ArrayList<>();
        List<Transcript> transcripts = new ArrayList<>();
        List<Lane> lanes = lanes(Integer.parseInt(arguments[2]));
        try (Postroad postroad = Postroad.connect("embedded:" + arguments[0])) {
            say(ACCEPTING);
            for (Lane lane : lanes) {
                Load load = new ApiLoad(
                        postroad,
                        lane.kind() == Lane.Kind.QUEUE
                                ? ApiLoad.queue(lane.channel())
                                : ApiLoad.stream(lane.channel()));
                load.declare();
                Transcript transcript = new Transcript(transcript(folder, lane));
                transcripts.add(transcript);
                Traffic traffic = new Traffic(lane, load, transcript);
                traffics.add(traffic);
                loads.add(load);
                if (produce) {
                    traffic.start(firstProducer, again(again(folder, lane)), seed);
                } else {
                    traffic.startConsumers(seed);
                }
            }
            if (produce) {
                Transacting transacting =
                        new Transacting(loads.getFirst(), lanes, transcripts, firstProducer + Lane.Mix.USUAL.alone());
                if (traffics.getFirst().awaitDelivery(PATIENCE)) {
                    say(DELIVERING);
                }
                // Until it is killed, or whoever started it is gone.
                while (System.in.read() >= 0) {
                    say(ACCEPTING);
                }
                transacting.close();
            } else {
                for (Load load : loads) {
                    Await.value("nothing is left", PATIENCE, load::left, left -> left == 0);
                }
                traffics.forEach(Traffic::close);
                say(DRAINED);
            }
        }
    }

    private static List<Unresolved> again(Path file) throws IOException {
        List<Unresolved> messages = new ArrayList<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                String[] numbers = line.split(" ", 2);
                messages.add(new Unresolved(Integer.parseInt(numbers[0]), Long.parseLong(numbers[1])));
            }
        }
        return messages;
    }

    private static void say(String word) throws IOException {
        try (OutputStream out = new FileOutputStream(FileDescriptor.out) {
            @Override
            public void close() {} // stdout stays open
        }) {
            out.write((word + "\n").getBytes(StandardCharsets.US_ASCII));
        }
    }
}
