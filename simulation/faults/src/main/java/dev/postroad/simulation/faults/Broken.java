package dev.postroad.simulation.faults;

import org.jspecify.annotations.Nullable;

/** A promise was found broken: what was seen, and what may be seen. */
final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1;

    Broken(String what) {
        this(what, null);
    }

    Broken(String what, @Nullable Throwable cause) {
        super(what, cause);
    }
}
