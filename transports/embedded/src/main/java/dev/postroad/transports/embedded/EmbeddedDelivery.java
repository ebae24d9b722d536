package dev.postroad.transports.embedded;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A message of a queue, or of a group of a stream, in the hands of one consumer. */
final class EmbeddedDelivery implements Delivery<byte[], byte[]> {
    private static final VarHandle SETTLED;

    static {
        try {
            SETTLED = MethodHandles.lookup().findVarHandle(EmbeddedDelivery.class, "settled", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final QueueSource source;
    private final long number;
    private final int attempt;
    private final long firstFailureMillis;
    private final int partition;
    private final long offset;
    private final Message<byte[], byte[]> message;

    @SuppressWarnings("unused") // by SETTLED
    private volatile boolean settled;

    EmbeddedDelivery(QueueSource source, EngineDelivery delivery) {
        EngineMessage stored = delivery.message();
        this.source = source;
        this.number = delivery.number();
        this.attempt = delivery.attempt();
        this.firstFailureMillis = delivery.firstFailureMillis();
        this.partition = delivery.partition();
        this.offset = delivery.offset();
        this.message = Messages.fromEngine(source.channel(), partition, offset, number, stored);
    }

    QueueSource source() {
        return source;
    }

    long number() {
        return number;
    }

    /** Takes the right to settle. @return false if it was taken before */
    boolean take() {
        return SETTLED.compareAndSet(this, false, true);
    }

    /** The settlement failed: what the delivery has come to shows at the next. */
    void reopen() {
        SETTLED.setVolatile(this, false);
    }

    MessagingException alreadySettled() {
        return new MessagingException(
                Reason.ALREADY_SETTLED,
                "message " + message.id() + " of channel '" + source.channel()
                        + "' was settled before, or is being settled");
    }

    @Override
    public Message<byte[], byte[]> message() {
        return message;
    }

    @Override
    public String channel() {
        return source.channel();
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public @Nullable Instant firstFailure() {
        return firstFailureMillis == 0 ? null : Instant.ofEpochMilli(firstFailureMillis);
    }

    @Override
    public Origin origin() {
        String group = source.group();
        return group == null ? Origin.QUEUE : new Origin(partition, offset, group);
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        return settle(Command.Outcome.Acknowledge.INSTANCE);
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        if (delay.isNegative()) {
            return invalid("the delay of a retry is " + delay + "; it must be zero or more");
        }
        Long millis = Times.millisUp(delay);
        return millis == null
                ? invalid("the delay of a retry is " + delay + "; it must fit into 64 bits of milliseconds")
                : settle(new Command.Outcome.Release(millis, null, true));
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        return settle(new Command.Outcome.Release(0, null, false));
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return settle(new Command.Outcome.DeadLetter(reason));
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        return settle(new Command.Outcome.DeadLetter(reason, failure.getClass().getName()));
    }

    private CompletableFuture<Void> settle(Command.Outcome outcome) {
        if (!take()) {
            return CompletableFuture.failedFuture(alreadySettled());
        }
        return source.settle(this, outcome);
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        Long millis = Times.millisUp(lease);
        if (millis == null || millis < 1) {
            return invalid("the lease is extended by " + lease + "; it must be at least 1 ms");
        }
        if (!source.leased()) {
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "channel '" + source.channel()
                            + "' has no lease, and this consumer asked for none: its deliveries are"
                            + " its own until it closes"));
        }
        if ((boolean) SETTLED.getVolatile(this)) {
            return CompletableFuture.failedFuture(alreadySettled());
        }
        return source.settle(this, new Command.Outcome.Extend(millis));
    }

    private static CompletableFuture<Void> invalid(String why) {
        return CompletableFuture.failedFuture(new MessagingException(Reason.INVALID, why));
    }

    @Override
    public String toString() {
        return "delivery " + attempt + " of message " + message.id() + " of channel '" + source.channel() + "'";
    }
}
