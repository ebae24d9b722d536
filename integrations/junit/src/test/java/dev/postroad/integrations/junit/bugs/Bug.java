package dev.postroad.integrations.junit.bugs;

import dev.postroad.integrations.junit.Fault;
import java.util.List;

/**
 * A bug of the catalogue.
 *
 * @param name as in docs/messaging-bugs.md
 * @param faults that bring it to light; none where an ordinary failure or a restart of the program does
 * @param program runs with the bug, or without it, and asserts what its users expect
 */
record Bug(String name, List<Fault> faults, Sample program) {
    /** A small program. */
    @FunctionalInterface
    interface Sample {
        void run(Program program, boolean sound) throws Exception;
    }

    static Bug of(String name, Sample program, Fault... faults) {
        return new Bug(name, List.of(faults), program);
    }

    @Override
    public String toString() {
        return name;
    }
}
