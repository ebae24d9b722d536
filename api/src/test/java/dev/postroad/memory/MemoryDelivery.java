package dev.postroad.memory;

import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

final class MemoryDelivery implements Delivery<byte[], byte[]> {
    final Line line;
    final Item item;

    private final MemoryBroker broker;
    private final MemoryReceiver receiver;
    private final int attempt;
    private final @Nullable Instant firstFailure;
    private boolean settled;

    MemoryDelivery(MemoryBroker broker, Line line, Item item, MemoryReceiver receiver) {
        this.broker = broker;
        this.line = line;
        this.item = item;
        this.receiver = receiver;
        this.firstFailure = item.firstFailure;
        this.attempt = broker.bugs.contains(Bug.FORGETS_ATTEMPTS) ? 1 : item.attempts;
    }

    @Override
    public Message<byte[], byte[]> message() {
        return item.message;
    }

    @Override
    public String channel() {
        return line.stored.channel.name();
    }

    @Override
    public int attempt() {
        return attempt;
    }

    @Override
    public Origin origin() {
        return item.partition < 0 ? Origin.QUEUE : new Origin(item.partition, item.offset, line.group);
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        return settle(() -> {
            if (broker.bugs.contains(Bug.FORGETS_ACKNOWLEDGEMENTS)) {
                settled = true;
                line.stored.acknowledged++;
            } else {
                broker.acknowledge(line, item);
            }
        });
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        return settle(() -> broker.retry(line, item, delay));
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        return settle(() -> broker.giveBack(item));
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return bury(reason, null);
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        return bury(
                reason,
                broker.bugs.contains(Bug.FORGETS_EXCEPTIONS)
                        ? null
                        : failure.getClass().getName());
    }

    private CompletableFuture<Void> bury(String reason, @Nullable String exception) {
        return settle(() -> {
            line.items.remove(item);
            broker.failed(item);
            broker.bury(line, item, DeadLetter.Cause.REJECTED, reason, exception);
            broker.changed.signalAll();
        });
    }

    @Override
    public @Nullable Instant firstFailure() {
        return firstFailure;
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        return done(() -> {
            requireHeld();
            if (item.leaseEnds == null) {
                throw new MessagingException(Reason.IMPOSSIBLE_NEED, "channel '" + channel() + "' has no lease");
            }
            item.leaseEnds = broker.clock.instant().plus(lease);
        });
    }

    /** With the broker's lock held. */
    void requireHeld() {
        if (broker.bugs.contains(Bug.SETTLES_TWICE)) {
            return;
        }
        if (settled) {
            throw new MessagingException(Reason.ALREADY_SETTLED, "message " + item.message.id() + " is settled");
        }
        boolean gone = !line.items.contains(item) && !broker.bugs.contains(Bug.ACKNOWLEDGES_ON_DELIVERY);
        if (item.holder != receiver || item.attempts != attemptCounted() || gone) {
            throw new MessagingException(Reason.LEASE_LOST, "message " + item.message.id() + " went elsewhere");
        }
    }

    /** With the broker's lock held. */
    void markSettled() {
        settled = true;
    }

    private int attemptCounted() {
        return broker.bugs.contains(Bug.FORGETS_ATTEMPTS) ? item.attempts : attempt;
    }

    private CompletableFuture<Void> settle(Runnable how) {
        return done(() -> {
            requireHeld();
            how.run();
            settled = true;
        });
    }

    private CompletableFuture<Void> done(Runnable action) {
        CompletableFuture<Void> future = new CompletableFuture<>();
        try {
            broker.locked(action);
            future.complete(null);
        } catch (MessagingException e) {
            future.completeExceptionally(e);
        }
        return future;
    }
}
