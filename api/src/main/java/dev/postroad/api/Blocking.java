package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** From futures of a transport to calls that return or throw. */
final class Blocking {
    private Blocking() {}

    /**
     * What the future becomes. A failure is thrown anew, with the caller's stack and the original as its cause.
     *
     * @param what is waited for, as in "waiting for the confirmation of message 7 on channel 'orders'"
     */
    static <T> T await(CompletableFuture<T> future, String what) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT, "interrupted while " + what + "; it may or may not take effect", e);
        } catch (ExecutionException | java.util.concurrent.CancellationException e) {
            throw rethrowable(e, what);
        }
    }

    /** The failure as a {@link MessagingException} made here. */
    static MessagingException rethrowable(Throwable failure, String what) {
        Throwable cause = unwrap(failure);
        if (cause instanceof MessagingException messaging) {
            return new MessagingException(messaging.reason(), String.valueOf(messaging.getMessage()), messaging);
        }
        return new MessagingException(Reason.FAILED, "failed while " + what + ": " + cause, cause);
    }

    static Throwable unwrap(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
