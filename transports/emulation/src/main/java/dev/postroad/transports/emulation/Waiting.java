package dev.postroad.transports.emulation;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waiting for a future, with the contract's errors. */
public final class Waiting {
    private static final long LIMIT_SECONDS = 60;

    private Waiting() {}

    /**
     * @param what for the error, "entering a channel" for example
     * @throws MessagingException the future's own; {@code TIMEOUT} after a minute, or if interrupted, with the interrupt kept
     */
    public static <T> T await(CompletableFuture<T> future, String what) {
        return await(future, what, LIMIT_SECONDS);
    }

    /** As the other, however long it takes. */
    public static <T> T awaitEnd(CompletableFuture<T> future, String what) {
        return await(future, what, Long.MAX_VALUE);
    }

    private static <T> T await(CompletableFuture<T> future, String what, long seconds) {
        try {
            return future.get(seconds, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof MessagingException messaging
                    ? new MessagingException(messaging.reason(), String.valueOf(messaging.getMessage()), messaging)
                    : new MessagingException(Reason.FAILED, what + " failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new MessagingException(
                    Reason.TIMEOUT, what + " was not answered within " + seconds + " s; the outcome is unknown", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted: " + what, e);
        }
    }

    /** The one value of Void, for futures that tell nothing but their end. */
    @SuppressWarnings("NullAway")
    public static CompletableFuture<Void> done() {
        return CompletableFuture.completedFuture(null);
    }

    /** Completes a future that tells nothing but its end. */
    @SuppressWarnings("NullAway")
    public static void complete(CompletableFuture<Void> future) {
        future.complete(null);
    }
}
