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
    private final Inflow.Arrival arrival;
    private final int attempt;

    /** Read when somebody looks: on the consumer's thread, where the one that reads from the broker has enough to do. */
    private @Nullable Message<byte[], byte[]> message;

    State state = State.FETCHED;

    /** Its neighbours: among what nobody has looked at yet, then in {@link Unsettled}. */
    @Nullable
    Held before;

    @Nullable
    Held after;

    boolean chained;

    @Nullable
    ScheduledFuture<?> lease;

    Held(Inflow inflow, Inflow.Arrival arrival) {
        this(inflow, arrival, arrival.attempt());
    }

    private Held(Inflow inflow, Inflow.Arrival arrival, int attempt) {
        this.inflow = inflow;
        this.arrival = arrival;
        this.attempt = attempt;
    }

    /** The same message, for its next delivery. */
    Held again(int nextAttempt) {
        Held again = new Held(inflow, arrival, nextAttempt);
        again.message = message;
        return again;
    }

    byte @Nullable [] key() {
        return arrival.key();
    }

    Inflow inflow() {
        return inflow;
    }

    /** What the transport knows it by. */
    public Object handle() {
        return arrival.handle();
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
        Message<byte[], byte[]> known = message;
        if (known == null) {
            known = arrival.message();
            message = known;
        }
        return known;
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
        return arrival.origin();
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
            inflow.keep(this, attempt + 1, delay);
            return Waiting.done();
        }
        try {
            return inflow.settler().retry(this, delay);
        } finally {
            inflow.gone(this);
        }
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        MessagingException refused = inflow.settle(this);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        if (inflow.readAlone()) {
            return Waiting.done();
        }
        if (inflow.keepsRetries()) {
            inflow.keep(this, attempt, Duration.ZERO);
            return Waiting.done();
        }
        try {
            return inflow.settler().giveBack(this);
        } finally {
            inflow.gone(this);
        }
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return giveUp(DeadLetter.Cause.REJECTED, reason);
    }

    private CompletableFuture<Void> giveUp(DeadLetter.Cause cause, String reason) {
        return inflow.giveUp(this, letter(cause, reason));
    }

    DeadLetter letter(DeadLetter.Cause cause, String reason) {
        return new DeadLetter(
                channel(),
                arrival.origin().group(),
                cause,
                reason,
                attempt,
                Instant.ofEpochMilli(System.currentTimeMillis()));
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
                        "message " + message().id() + " of channel '" + channel()
                                + "' is no longer this consumer's: the lease ran out, the receiver closed or the"
                                + " connection broke, and the message went back")
                : new MessagingException(
                        Reason.ALREADY_SETTLED,
                        "message " + message().id() + " of channel '" + channel() + "' was settled before");
    }
}
