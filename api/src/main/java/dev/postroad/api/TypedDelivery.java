package dev.postroad.api;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A transport's delivery with its message read, which tells its subscription how it was settled. */
final class TypedDelivery<K, V> implements Delivery<K, V> {
    /** What became of a delivery. */
    enum Outcome {
        ACKNOWLEDGED,
        RETRIED,
        GIVEN_BACK,
        DEAD_LETTERED
    }

    /** Is told how a delivery is settled, as that begins. */
    interface Settlements {
        void settling(Outcome outcome, CompletableFuture<Void> settled);

        /** True once no more deliveries are handled. */
        boolean closing();
    }

    private final Delivery<byte[], byte[]> raw;
    private final Message<K, V> message;
    private final Settlements settlements;

    /** How the delivery was settled first; null while nobody did. */
    private volatile @Nullable Outcome outcome;

    private volatile @Nullable TypedTransaction<?, ?> transaction;

    TypedDelivery(Delivery<byte[], byte[]> raw, Message<K, V> message, Settlements settlements) {
        this.raw = raw;
        this.message = message;
        this.settlements = settlements;
    }

    /** True if there is nothing left to be done about it: settled, or in the hands of a transaction. */
    boolean taken() {
        TypedTransaction<?, ?> enlisted = transaction;
        return outcome != null || (enlisted != null && !enlisted.aborted());
    }

    @Nullable
    Outcome outcome() {
        return outcome;
    }

    Delivery<byte[], byte[]> enlist(TypedTransaction<?, ?> in) {
        transaction = in;
        return raw;
    }

    @Override
    public Message<K, V> message() {
        return message;
    }

    @Override
    public String channel() {
        return raw.channel();
    }

    @Override
    public int attempt() {
        return raw.attempt();
    }

    @Override
    public @Nullable Instant firstFailure() {
        return raw.firstFailure();
    }

    @Override
    public Origin origin() {
        return raw.origin();
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        return settle(Outcome.ACKNOWLEDGED, raw.acknowledge());
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        return settle(Outcome.RETRIED, raw.retry(delay));
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        return settle(Outcome.GIVEN_BACK, raw.giveBack());
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return settle(Outcome.DEAD_LETTERED, raw.deadLetter(reason));
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        return settle(Outcome.DEAD_LETTERED, raw.deadLetter(reason, failure));
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        return raw.extend(lease);
    }

    @Override
    public boolean closing() {
        return settlements.closing();
    }

    private CompletableFuture<Void> settle(Outcome how, CompletableFuture<Void> settled) {
        if (outcome == null) {
            outcome = how;
            settlements.settling(how, settled);
        }
        return settled;
    }
}
