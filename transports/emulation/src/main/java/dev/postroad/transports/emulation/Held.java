package dev.postroad.transports.emulation;

import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import org.jspecify.annotations.Nullable;

/** A message that a receiver has from the broker, unacknowledged. */
public final class Held implements Delivery<byte[], byte[]> {

    /** Where a delivery stands. Guarded by the receiver's lock. */
    enum State {
        FETCHED,
        OUT,
        WAITING,
        SETTLED,
        LOST
    }

    private final Inflow inflow;
    private final Message<byte[], byte[]> message;
    private final int attempt;
    private final Origin origin;
    private final Object handle;
    State state = State.FETCHED;

    @Nullable
    ScheduledFuture<?> lease;

    Held(Inflow inflow, Message<byte[], byte[]> message, int attempt, Origin origin, Object handle) {
        this.inflow = inflow;
        this.message = message;
        this.attempt = attempt;
        this.origin = origin;
        this.handle = handle;
    }

    /** The same message, delivered once more. */
    Held again() {
        return new Held(inflow, message, attempt + 1, origin, handle);
    }

    Inflow inflow() {
        return inflow;
    }

    /** What the transport knows it by. */
    public Object handle() {
        return handle;
    }

    /** Carries out what becomes of it. */
    public Settler settler() {
        return inflow.settler();
    }

    /**
     * Takes it out of the consumer's hands for a transaction.
     *
     * @throws MessagingException if it is not there
     */
    public void enlist() {
        MessagingException refused = inflow.settle(this);
        if (refused != null) {
            throw refused;
        }
    }

    /**
     * The transaction is over.
     *
     * @param committed false to give it back into the consumer's hands
     */
    public void release(boolean committed) {
        if (committed) {
            inflow.gone(this);
        } else {
            inflow.unsettle(this);
        }
    }

    @Override
    public Message<byte[], byte[]> message() {
        return message;
    }

    @Override
    public String channel() {
        return inflow.channel().name();
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public Origin origin() {
        return origin;
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        MessagingException refused = inflow.settle(this);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        try {
            return inflow.settler().acknowledge(this);
        } finally {
            inflow.gone(this);
        }
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        if (delay.isNegative()) {
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.INVALID, "a retry's delay is " + delay + "; it must be zero or more"));
        }
        int most = inflow.channel().retry().maxAttempts();
        if (attempt >= most) {
            return giveUp(DeadLetter.Cause.DELIVERY_LIMIT, "its last attempt failed: it had " + most);
        }
        MessagingException refused = inflow.settle(this);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        if (inflow.keepsRetries()) {
            inflow.keep(this, delay);
            return Waiting.done();
        }
        try {
            return inflow.settler().retry(this, delay);
        } finally {
            inflow.gone(this);
        }
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return giveUp(DeadLetter.Cause.REJECTED, reason);
    }

    private CompletableFuture<Void> giveUp(DeadLetter.Cause cause, String reason) {
        MessagingException refused = inflow.settle(this);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        try {
            return inflow.settler().bury(this, letter(cause, reason));
        } finally {
            inflow.gone(this);
        }
    }

    DeadLetter letter(DeadLetter.Cause cause, String reason) {
        return new DeadLetter(
                channel(), origin.group(), cause, reason, attempt, Instant.ofEpochMilli(System.currentTimeMillis()));
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        MessagingException refused = inflow.extend(this, lease);
        return refused == null ? Waiting.done() : CompletableFuture.failedFuture(refused);
    }

    MessagingException notOurs() {
        return state == State.LOST
                ? new MessagingException(
                        Reason.LEASE_LOST,
                        "message " + message.id() + " of channel '" + channel()
                                + "' is no longer this consumer's: the lease ran out, the receiver closed or the"
                                + " connection broke, and the message went back")
                : new MessagingException(
                        Reason.ALREADY_SETTLED,
                        "message " + message.id() + " of channel '" + channel() + "' was settled before");
    }
}
