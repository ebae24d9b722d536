package dev.postroad.patterns.forward;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A way to a broker that breaks when it is told to: before a batch is sent, or after it was stored and before its confirm. */
final class FlakyTransport implements Transport {
    enum Fault {
        NONE,
        BEFORE,
        AFTER
    }

    private final Transport broker;
    private final Supplier<Fault> faults;

    FlakyTransport(Transport broker, Supplier<Fault> faults) {
        this.broker = broker;
        this.faults = faults;
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages) {
        Fault fault = faults.get();
        if (fault == Fault.BEFORE) {
            return CompletableFuture.failedFuture(new MessagingException(Reason.UNREACHABLE, "the line is cut"));
        }
        CompletableFuture<List<Receipt>> stored = broker.sendBatch(channel, messages);
        return fault == Fault.NONE
                ? stored
                : stored.thenCompose(receipts ->
                        CompletableFuture.failedFuture(new MessagingException(Reason.TIMEOUT, "the confirm was lost")));
    }

    @Override
    public CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message) {
        return sendBatch(channel, List.of(message)).thenApply(List::getFirst);
    }

    @Override
    public String url() {
        return broker.url();
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return broker.capabilities();
    }

    @Override
    public void declare(Channel channel) {
        broker.declare(channel);
    }

    @Override
    public Optional<Channel> find(String channel) {
        return broker.find(channel);
    }

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        return broker.receive(channels, options);
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        return broker.begin();
    }

    @Override
    public Administration administration() {
        return broker.administration();
    }

    /** Only the line is closed; the broker lives on. */
    @Override
    public void close() {}
}
