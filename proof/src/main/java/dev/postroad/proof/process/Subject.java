package dev.postroad.proof.process;

import dev.postroad.proof.history.Verdict;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Something with a data folder that is put under load, that things are done to, and that must keep its promises. */
interface Subject extends AutoCloseable {
    String name();

    /** Starts the process and its load, and returns when it accepts. */
    void start() throws Exception;

    /** Waits for the first delivery since the start. @return false if there was none in time */
    boolean awaitDelivery(Duration patience) throws Exception;

    /** The system's id of the process that has the data. */
    long pid();

    /** SIGKILL, if it is not gone yet; the load ends with it. */
    void kill() throws Exception;

    /** SIGSTOP; returns when it stands still. */
    void pause();

    void resume();

    /** Messages confirmed so far, in all. */
    long confirmed() throws Exception;

    /** Deliveries so far, in all. */
    long delivered() throws Exception;

    /** What the broker said last when it refused a message; null if it did not. */
    @Nullable
    String refusal();

    /** What the process wrote last. */
    List<String> tail();

    /**
     * Starts it without producers, and returns when nothing is left; then ends it.
     *
     * @throws AssertionError if something stays
     */
    void drain() throws Exception;

    /** What came of each channel. After {@link #drain}. */
    List<Verdict> verdicts() throws Exception;

    /** Kills what still runs. */
    @Override
    void close();
}
