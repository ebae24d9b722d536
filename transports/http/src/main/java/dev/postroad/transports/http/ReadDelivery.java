package dev.postroad.transports.http;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** A message of a stream that is read alone: nothing is remembered of it, so there is nothing to give back either. */
final class ReadDelivery implements Delivery<byte[], byte[]> {
    private final String channel;
    private final Origin origin;
    private final Message<byte[], byte[]> message;
    private final AtomicBoolean settled = new AtomicBoolean();

    ReadDelivery(String channel, Origin origin, Message<byte[], byte[]> message) {
        this.channel = channel;
        this.origin = origin;
        this.message = message;
    }

    @Override
    public Message<byte[], byte[]> message() {
        return message;
    }

    @Override
    public String channel() {
        return channel;
    }

    @Override
    public int attempt() {
        return 1;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    @SuppressWarnings("NullAway") // the one value of Void
    public CompletableFuture<Void> acknowledge() {
        return settled.compareAndSet(false, true)
                ? CompletableFuture.completedFuture(null)
                : CompletableFuture.failedFuture(new MessagingException(
                        Reason.ALREADY_SETTLED,
                        "message " + message.id() + " of channel '" + channel + "' was acknowledged before"));
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        return impossible("be retried");
    }

    /** Who is through with it need not say how. */
    @Override
    public CompletableFuture<Void> giveBack() {
        return acknowledge();
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return impossible("be dead-lettered");
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        return impossible("have its lease extended");
    }

    private CompletableFuture<Void> impossible(String what) {
        return CompletableFuture.failedFuture(
                new MessagingException(
                        Reason.IMPOSSIBLE_NEED,
                        "message " + message.id() + " of channel '" + channel + "' can't " + what
                                + ": the stream is read alone, and"
                                + " nothing is remembered of it. Name a group (ConsumerOptions.withGroup) to have deliveries settled"));
    }
}
