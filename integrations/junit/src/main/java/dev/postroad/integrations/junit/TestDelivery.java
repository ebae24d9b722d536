package dev.postroad.integrations.junit;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A delivery that may be lost while it is worked on, or whose settlement may be cut short. */
final class TestDelivery implements Delivery<byte[], byte[]> {
    private final TestTransport transport;
    private final Delivery<byte[], byte[]> inner;
    private final int generation;
    private final AtomicBoolean settled = new AtomicBoolean();
    private volatile boolean lost;

    TestDelivery(TestTransport transport, Delivery<byte[], byte[]> inner, int generation) {
        this.transport = transport;
        this.inner = inner;
        this.generation = generation;
    }

    /** Its lease runs out at once: the message goes to somebody else. */
    void lose() {
        lost = true;
        transport.story().fault(channel(), message().id(), "its lease runs out while it is worked on");
        comeAgain();
    }

    /** To be delivered again, as if its consumer had gone. */
    CompletableFuture<Void> comeAgain() {
        return transport.settling(generation, () -> inner.retry(), this::nothing);
    }

    private CompletableFuture<Void> nothing() {
        return CompletableFuture.completedFuture(null);
    }

    Delivery<byte[], byte[]> inner() {
        return inner;
    }

    /** True if the message is still this consumer's. */
    boolean held() {
        return !lost && generation == transport.generation();
    }

    /** True for who settles it first. */
    boolean take() {
        return settled.compareAndSet(false, true);
    }

    void reopen() {
        settled.set(false);
    }

    /** Whether the program dies around this settlement. */
    boolean crashes(Fault when) {
        return transport.strikes(when, channel(), message().id()) && transport.forgiving(inner);
    }

    TestTransport transport() {
        return transport;
    }

    void acknowledged() {
        transport.ledger().acknowledged(channel(), String.valueOf(message().id()));
        transport.story().tell(channel(), message().id(), "acknowledged");
        transport.happened();
    }

    MessagingException lostException() {
        return new MessagingException(
                Reason.LEASE_LOST,
                "message " + message().id() + " of channel '" + channel()
                        + "' was delivered again meanwhile, to whoever asked first");
    }

    @Override
    public CompletableFuture<Void> acknowledge() {
        if (settled.get()) {
            return alreadySettled();
        }
        if (held() && crashes(Fault.CRASH_BEFORE_SETTLE) && take()) {
            comeAgain();
            throw transport.crash(channel(), message().id(), "before the delivery is acknowledged");
        }
        CompletableFuture<Void> done = settle("acknowledged", inner::acknowledge);
        if (held() && crashes(Fault.CRASH_AFTER_SETTLE)) {
            throw transport.crash(channel(), message().id(), "when the delivery has been acknowledged");
        }
        return done;
    }

    @Override
    public CompletableFuture<Void> retry(Duration delay) {
        return settle("given back, to be tried again in " + delay, () -> inner.retry(delay));
    }

    @Override
    public CompletableFuture<Void> giveBack() {
        return settle("given back untouched", inner::giveBack);
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason) {
        return settle("dead-lettered: " + reason, () -> inner.deadLetter(reason));
    }

    @Override
    public CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        return settle("dead-lettered: " + reason, () -> inner.deadLetter(reason, failure));
    }

    private CompletableFuture<Void> settle(String how, Supplier<CompletableFuture<Void>> settlement) {
        if (!take()) {
            return alreadySettled();
        }
        if (!held()) {
            transport.story().tell(channel(), message().id(), "too late to be " + how);
            return CompletableFuture.failedFuture(lostException());
        }
        if (how.equals("acknowledged")) {
            transport.ledger().acknowledged(channel(), String.valueOf(message().id()));
        }
        transport.story().tell(channel(), message().id(), how);
        CompletableFuture<Void> done =
                transport.settling(generation, settlement, () -> CompletableFuture.failedFuture(lostException()));
        transport.happened();
        return done;
    }

    private CompletableFuture<Void> alreadySettled() {
        return CompletableFuture.failedFuture(new MessagingException(
                Reason.ALREADY_SETTLED,
                "message " + message().id() + " of channel '" + channel() + "' was settled before"));
    }

    @Override
    public CompletableFuture<Void> extend(Duration lease) {
        if (!held()) {
            return CompletableFuture.failedFuture(lostException());
        }
        return transport.settling(
                generation, () -> inner.extend(lease), () -> CompletableFuture.failedFuture(lostException()));
    }

    @Override
    public Message<byte[], byte[]> message() {
        return inner.message();
    }

    @Override
    public String channel() {
        return inner.channel();
    }

    @Override
    public int attempt() {
        return inner.attempt();
    }

    @Override
    public @Nullable Instant firstFailure() {
        return inner.firstFailure();
    }

    @Override
    public Origin origin() {
        return inner.origin();
    }
}
