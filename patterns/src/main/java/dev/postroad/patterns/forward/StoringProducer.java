package dev.postroad.patterns.forward;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Receipt;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** Sends to the local channel, whole messages as the value, so that nothing of them means anything to the local broker. */
final class StoringProducer<K, V> implements MessageProducer<K, V> {
    static final String TO_HEADER = "postroad-forward-to";

    private final MessageProducer<byte[], byte[]> local;
    private final Format<K, V> format;
    private final String store;

    StoringProducer(MessageProducer<byte[], byte[]> local, Format<K, V> format, String store) {
        this.local = local;
        this.format = format;
        this.store = store;
    }

    @Override
    public void send(String channel, Message<K, V> message) {
        local.send(store, envelope(channel, message));
    }

    @Override
    public void sendBatch(String channel, List<Message<K, V>> messages) {
        local.sendBatch(
                store,
                messages.stream().map(message -> envelope(channel, message)).toList());
    }

    @Override
    public CompletableFuture<Receipt> sendAsync(String channel, Message<K, V> message) {
        Message<byte[], byte[]> envelope;
        try {
            envelope = envelope(channel, message);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        return local.sendAsync(store, envelope)
                .thenApply(stored -> new Receipt(stored.messageId(), channel, -1, -1, stored.duplicate()));
    }

    private Message<byte[], byte[]> envelope(String channel, Message<K, V> message) {
        String id = message.id() == null ? UUID.randomUUID().toString() : message.id();
        Message<byte[], byte[]> bytes = MessageBytes.serialize(format, message.withId(id));
        return Message.<byte[], byte[]>of(MessageBytes.encode(bytes)).withId(id).withHeader(TO_HEADER, channel);
    }

    @Override
    public void close() {
        local.close();
    }
}
