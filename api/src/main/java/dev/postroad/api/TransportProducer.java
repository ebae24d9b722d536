package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The producer of every transport. A send costs a place in the room, one encoded message, and, where it is not waited for, one
 * callback: at half a million messages a second there is room for little more.
 */
final class TransportProducer<K, V> implements MessageProducer<K, V> {
    /** Sends under way at most; the next one waits for one of them. */
    static final int MAX_UNDER_WAY = 16_384;

    private static final long CLOSE_SECONDS = 60;

    private final Transport transport;
    private final MessageCodec<K, V> codec;
    private final SendRoom room = new SendRoom(MAX_UNDER_WAY);
    private final Runnable leave = room::leave;
    private final Runnable onClose;
    private volatile boolean closed;

    TransportProducer(Transport transport, MessageCodec<K, V> codec, Runnable onClose) {
        this.transport = transport;
        this.codec = codec;
        this.onClose = onClose;
    }

    @Override
    public void send(String channel, Message<K, V> message) {
        Message<byte[], byte[]> encoded = codec.encode(channel, message);
        enter(channel);
        try {
            transport.sendAndWait(channel, encoded);
        } finally {
            room.leave();
        }
    }

    @Override
    public void sendBatch(String channel, List<Message<K, V>> messages) {
        List<Message<byte[], byte[]>> encoded = new ArrayList<>(messages.size());
        for (Message<K, V> message : messages) {
            encoded.add(codec.encode(channel, message));
        }
        enter(channel);
        try {
            if (!encoded.isEmpty()) {
                transport.sendBatchAndWait(channel, encoded);
            }
        } finally {
            room.leave();
        }
    }

    @Override
    public CompletableFuture<Receipt> sendAsync(String channel, Message<K, V> message) {
        try {
            Message<byte[], byte[]> encoded = codec.encode(channel, message);
            enter(channel);
            return sendEntered(channel, encoded);
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private CompletableFuture<Receipt> sendEntered(String channel, Message<byte[], byte[]> encoded) {
        try {
            return transport.send(channel, encoded, leave);
        } catch (RuntimeException e) {
            room.leave();
            throw Blocking.rethrowable(e, "sending to channel '" + channel + "'");
        }
    }

    private void enter(String channel) {
        try {
            room.enter();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.FULL,
                    "interrupted while " + MAX_UNDER_WAY + " earlier sends were under way; the message for channel '"
                            + channel + "' was not sent",
                    e);
        }
        if (closed) {
            room.leave();
            throw new MessagingException(
                    Reason.CLOSED, "the producer is closed; the message for channel '" + channel + "' was not sent");
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        onClose.run();
        try {
            if (!room.awaitEmpty(CLOSE_SECONDS)) {
                throw new MessagingException(
                        Reason.TIMEOUT,
                        room.underWay() + " sends were neither confirmed nor refused within " + CLOSE_SECONDS
                                + " s of closing the producer; they may or may not have been stored");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT, "interrupted while waiting for the last confirmations of a producer", e);
        }
    }
}
