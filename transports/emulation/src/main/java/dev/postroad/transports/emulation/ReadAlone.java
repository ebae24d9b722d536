package dev.postroad.transports.emulation;

import dev.postroad.api.DeadLetter;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Settles the deliveries of a stream that is read alone: only acknowledging them means anything, and that is nothing. */
public final class ReadAlone implements Settler {
    private final Runnable whenClosed;

    /** @param whenClosed ends the reading */
    public ReadAlone(Runnable whenClosed) {
        this.whenClosed = whenClosed;
    }

    @Override
    public CompletableFuture<Void> acknowledge(Held held) {
        return Waiting.done();
    }

    @Override
    public CompletableFuture<Void> retry(Held held, Duration delay) {
        return impossible(held, "be retried");
    }

    @Override
    public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
        return impossible(held, "be dead-lettered or retried again");
    }

    private static CompletableFuture<Void> impossible(Held held, String what) {
        return CompletableFuture.failedFuture(new MessagingException(
                Reason.IMPOSSIBLE_NEED,
                "message " + held.message().id() + " of channel '" + held.channel() + "' can't " + what
                        + ": the stream is read alone, and nothing is remembered of it. Name a group"
                        + " (ConsumerOptions.withGroup) to have deliveries settled"));
    }

    @Override
    public void close(List<Held> handedOut, List<Held> fetched) {
        whenClosed.run();
    }
}
