package dev.postroad.proof.process;

import dev.postroad.proof.history.History;
import dev.postroad.proof.history.Transcript;
import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A program with the broker in it: {@link EmbeddingProgram}. */
final class Embedding implements Subject {
    private static final Duration START = Duration.ofSeconds(120);
    private static final Duration DRAIN = Duration.ofSeconds(200);

    private final Path data;
    private final Path transcripts;
    private final int run;
    private final List<Lane> lanes;
    private final List<History> histories = new ArrayList<>();
    private final long[] places;
    private final long seed;
    private final List<String> options;
    private int starts;
    private @Nullable ChildProcess process;

    /**
     * @param data of the broker
     * @param transcripts a folder that is there after whatever happens to the data
     * @param run number of its first lane; the others follow
     */
    Embedding(Path data, Path transcripts, int run, long seed) {
        this(data, transcripts, run, seed, Archive.EMBEDDING.use());
    }

    /** @param options further ones of the JVM */
    Embedding(Path data, Path transcripts, int run, long seed, List<String> options) {
        this.data = data;
        this.transcripts = transcripts;
        this.run = run;
        this.lanes = EmbeddingProgram.lanes(run);
        this.places = new long[lanes.size()];
        this.seed = seed;
        this.options = List.copyOf(options);
        lanes.forEach(lane -> histories.add(lane.history()));
    }

    @Override
    public String name() {
        return "embedded";
    }

    @Override
    public void start() throws IOException {
        read();
        int first = starts * Lane.Mix.USUAL.producers();
        for (int i = 0; i < lanes.size(); i++) {
            List<String> lines =
                    Served.again(histories.get(i), Lane.Mix.USUAL, first - Lane.Mix.USUAL.producers()).stream()
                            .map(message -> message.producer() + " " + message.sequence())
                            .toList();
            Files.write(EmbeddingProgram.again(transcripts, lanes.get(i)), lines);
        }
        launch(first, EmbeddingProgram.RUN);
    }

    private ChildProcess launch(int firstProducer, String what) {
        ChildProcess started = ChildProcess.java(
                        EmbeddingProgram.class,
                        data.toString(),
                        transcripts.toString(),
                        Integer.toString(run),
                        Integer.toString(firstProducer),
                        Long.toString(seed + starts),
                        what)
                .jvm("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                .jvm(options.toArray(String[]::new))
                .start();
        process = started;
        starts++;
        started.awaitLine("that it accepts", line -> line.equals(EmbeddingProgram.ACCEPTING), START);
        return started;
    }

    /** The process that was started last. */
    ChildProcess process() {
        ChildProcess current = process;
        if (current == null) {
            throw new IllegalStateException("not started");
        }
        return current;
    }

    private void read() throws IOException {
        for (int i = 0; i < lanes.size(); i++) {
            places[i] = Transcript.replay(
                    EmbeddingProgram.transcript(transcripts, lanes.get(i)), places[i], histories.get(i));
        }
    }

    @Override
    public boolean awaitDelivery(Duration patience) {
        process().awaitLine("a first delivery", line -> line.equals(EmbeddingProgram.DELIVERING), patience);
        return true;
    }

    @Override
    public long pid() {
        return process().pid();
    }

    @Override
    public void kill() throws IOException {
        process().kill();
        read();
        cutOff();
    }

    /** A line that was cut must not become one with the next. */
    private void cutOff() throws IOException {
        for (int i = 0; i < lanes.size(); i++) {
            Path file = EmbeddingProgram.transcript(transcripts, lanes.get(i));
            if (Files.exists(file) && Files.size(file) > places[i]) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(places[i]);
                }
            }
        }
    }

    @Override
    public void pause() {
        process().pause();
    }

    @Override
    public void resume() {
        process().resume();
    }

    @Override
    public long confirmed() throws IOException {
        read();
        return histories.stream().mapToLong(History::confirmedCount).sum();
    }

    @Override
    public long delivered() throws IOException {
        read();
        return histories.stream().mapToLong(History::deliveredCount).sum();
    }

    @Override
    public @Nullable String refusal() {
        return null;
    }

    @Override
    public List<String> tail() {
        return process().tail();
    }

    @Override
    public void drain() throws IOException {
        ChildProcess started = launch(starts * Lane.Mix.USUAL.producers(), EmbeddingProgram.DRAIN);
        started.awaitLine("that all is drained", line -> line.equals(EmbeddingProgram.DRAINED), DRAIN);
        started.awaitExit();
        read();
    }

    @Override
    public List<Verdict> verdicts() {
        return Served.verdicts(lanes, histories);
    }

    @Override
    public void close() {
        ChildProcess current = process;
        if (current != null) {
            current.close();
        }
    }
}
