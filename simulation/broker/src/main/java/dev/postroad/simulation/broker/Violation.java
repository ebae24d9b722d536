package dev.postroad.simulation.broker;

import java.util.function.Supplier;

/** A promise found broken. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String what) {
        super(what);
    }

    /** @param what for people; asked for only where it does not hold */
    static void unless(boolean holds, Supplier<String> what) {
        if (!holds) {
            throw new Violation(what.get());
        }
    }
}
