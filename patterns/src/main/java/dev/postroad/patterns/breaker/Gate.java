package dev.postroad.patterns.breaker;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Says whether a handler may be called now, and is told what became of it. Safe for use by many threads. */
interface Gate {
    /** The answer to who wants to call. */
    sealed interface Entry {
        /** Call, and tell the result with this entry, which knows in which era it was given. */
        record Go(long era) implements Entry {}

        /** Ask again after this time, or when the future completes. */
        record Wait(Duration time, CompletableFuture<?> change) implements Entry {}
    }

    Entry enter();

    void succeeded(Entry.Go entry, Duration took);

    /** @return true if what is called is out of order, so that the message is not to blame and is kept for later */
    boolean failed(Entry.Go entry, Duration took, Throwable failure);
}
