package dev.postroad.proof.process;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A kind of broker that runs as a process of its own and keeps its data in a folder. */
interface Broker {
    String name();

    /** What is missing here to run it; null if nothing is. */
    @Nullable
    String missing();

    /**
     * Starts it, and returns when it accepts.
     *
     * @throws AssertionError if it does not, with what it wrote last
     */
    Running start(Path data);

    /** A broker that runs. */
    interface Running extends AutoCloseable {
        /** A new client of the lane's channel. */
        Load load(Lane lane);

        /** The system's id of the process that does the work. */
        long pid();

        /** SIGSTOP; returns when it stands still. */
        void pause();

        /** SIGCONT. */
        void resume();

        /** SIGKILL; returns when it is gone. */
        void kill();

        boolean isAlive();

        /** What it wrote last. */
        List<String> tail();

        /** Kills it if it still runs. */
        @Override
        void close();
    }
}
