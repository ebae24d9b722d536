package dev.postroad.patterns.overload;

import java.time.Duration;

/** A handler was still at work when its time was up. */
public final class TimeLimitException extends RuntimeException {
    private static final long serialVersionUID = 1;

    TimeLimitException(Duration limit, boolean ended) {
        super("the handler was at work for longer than " + limit
                + (ended ? "" : " and does not heed its interrupt: it is left to itself"));
    }
}
