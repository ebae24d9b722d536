package dev.postroad.transports.http;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A delivery that came through a stream of the server's, and is gone when that breaks. */
final class HttpDelivery implements Delivery<byte[], byte[]> {
    private static final int MAX_REASON = 1_000;
    private static final int MAX_EXCEPTION = 255;

    private final ConsumeSource.Connection connection;
    private final String name;
    private final int attempt;
    private final @Nullable Instant firstFailure;
    private final Origin origin;
    private final Message<byte[], byte[]> message;
    private final AtomicBoolean settled = new AtomicBoolean();

    /** @param name what the server knows it by */
    HttpDelivery(
            ConsumeSource.Connection connection,
            String name,
            int attempt,
            @Nullable Instant firstFailure,
            Origin origin,
            Message<byte[], byte[]> message) {
        this.connection = connection;
        this.name = name;
        this.attempt = attempt;
        this.firstFailure = firstFailure;
        this.origin = origin;
        this.message = message;
    }

    String name() {
        return name;
    }

    ConsumeSource.Connection connection() {
        return connection;
    }

    /** Takes the right to settle. @return false if it was taken before */
    boolean take() {
        return settled.compareAndSet(false, true);
    }

    /** Gives the right to settle back: the settlement was refused. */
    void reopen() {
        settled.set(false);
    }

    MessagingException alreadySettled() {
        return new MessagingException(
                Reason.ALREADY_SETTLED,
                "message " + message.id() + " of channel '" + channel() + "' was settled before, or is being settled");
    }

    @Override
    public Message<byte[], byte[]> message() {
        return message;
    }

    @Override
    public String channel() {
        return connection.channel();
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public @Nullable Instant firstFailure() {
        return firstFailure;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        return take() ? connection.settle(List.of(name), null) : failed(alreadySettled());
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        if (delay.isNegative()) {
            return failed(new MessagingException(
                    Reason.INVALID, "the delay of a retry is " + delay + "; it must be zero or more"));
        }
        return settle("release", "delay", ChannelJson.time(delay), null);
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        return settle("release", "counts", false, null);
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return settle("deadLetter", "reason", cut(reason, MAX_REASON), null);
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        String exception = cut(failure.getClass().getName(), MAX_EXCEPTION);
        return settle("deadLetter", "reason", cut(reason, MAX_REASON), exception);
    }

    private static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most);
    }

    private CompletableFuture<Void> settle(String outcome, String member, Object value, @Nullable String exception) {
        return take()
                ? connection.settle(List.of(name), new Settler.Outcome(outcome, member, value, exception))
                : failed(alreadySettled());
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        if (lease.toMillis() < 1) {
            return failed(new MessagingException(
                    Reason.INVALID, "the lease is extended by " + lease + "; it must be at least 1 ms"));
        }
        if (!connection.leased()) {
            return failed(new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "channel '" + channel()
                            + "' has no lease, and this consumer asked for none: its deliveries are its own"
                            + " until it closes"));
        }
        return settled.get()
                ? failed(alreadySettled())
                : connection.settle(
                        List.of(name), new Settler.Outcome("extend", "lease", ChannelJson.time(lease), null));
    }

    private static CompletableFuture<Void> failed(MessagingException why) {
        return CompletableFuture.failedFuture(why);
    }

    @Override
    public String toString() {
        return "delivery " + attempt + " of message " + message.id() + " of channel '" + channel() + "'";
    }
}
