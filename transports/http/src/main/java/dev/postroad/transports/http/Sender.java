package dev.postroad.transports.http;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Receipt;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Sends the messages of one channel: those that come while a request is under way go together in the next. */
final class Sender {
    private static final int MAX_MESSAGES = 2_000;
    private static final long MAX_BATCH_BYTES = 4L * 1024 * 1024;
    private static final long MAX_BYTES = 64L * 1024 * 1024;

    private final Http http;
    private final String channel;
    private final Batches<Sending> batches;

    private record Sending(String id, byte[] json, CompletableFuture<Receipt> receipt) implements Batches.Item {
        @Override
        public int bytes() {
            return json.length + 1;
        }
    }

    Sender(Http http, String channel) {
        this.http = http;
        this.channel = channel;
        this.batches = new Batches<>(MAX_MESSAGES, MAX_BATCH_BYTES, MAX_BYTES, this::carry);
    }

    CompletableFuture<Receipt> send(Message<byte[], byte[]> message) {
        Sending sending = new Sending(id(message), MessageJson.write(channel, message), new CompletableFuture<>());
        batches.add(sending);
        return sending.receipt;
    }

    private static String id(Message<?, ?> message) {
        String id = message.id();
        if (id == null) {
            throw new MessagingException(Reason.INVALID, "the message has no id");
        }
        return id;
    }

    private void carry(List<Sending> batch) {
        try {
            ByteArrayOutputStream body = new ByteArrayOutputStream(
                    batch.stream().mapToInt(Sending::bytes).sum());
            for (Sending sending : batch) {
                body.writeBytes(sending.json);
                body.write('\n');
            }
            JsonNode answer =
                    http.post(Http.channel(channel) + "/messages?atomic=false", body.toByteArray(), Http.LINES);
            JsonNode receipts = answer.path("receipts");
            for (int i = 0; i < batch.size(); i++) {
                complete(batch.get(i), receipts.get(i));
            }
        } catch (MessagingException e) {
            // Refused as a whole, for one line of it perhaps: alone each gets its own answer.
            if (batch.size() > 1 && (e.reason() == Reason.INVALID || e.reason() == Reason.TOO_LARGE)) {
                batch.forEach(sending -> carry(List.of(sending)));
            } else {
                batch.forEach(sending -> sending.receipt.completeExceptionally(e));
            }
        } catch (RuntimeException e) {
            MessagingException failed = new MessagingException(
                    Reason.FAILED, "sending to channel '" + channel + "' failed; the outcome is unknown", e);
            batch.forEach(sending -> sending.receipt.completeExceptionally(failed));
        }
    }

    private void complete(Sending sending, @Nullable JsonNode receipt) {
        if (receipt == null) {
            sending.receipt.completeExceptionally(new MessagingException(
                    Reason.FAILED, "the server's answer lacks a receipt for message " + sending.id));
        } else if (receipt.has("problem")) {
            JsonNode problem = receipt.get("problem");
            sending.receipt.completeExceptionally(
                    Http.problem("message " + sending.id, problem.path("status").intValue(500), problem));
        } else {
            sending.receipt.complete(receipt(channel, sending.id, receipt));
        }
    }

    static Receipt receipt(String channel, String id, JsonNode receipt) {
        return new Receipt(
                id,
                channel,
                receipt.path("partition").intValue(-1),
                receipt.path("offset").longValue(-1),
                receipt.path("duplicate").booleanValue(false));
    }

    /** Sends a batch that is stored whole or not at all; blocks. */
    static List<Receipt> batch(Http http, String channel, List<Message<byte[], byte[]>> messages) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (Message<byte[], byte[]> message : messages) {
            body.writeBytes(MessageJson.write(channel, message));
            body.write('\n');
        }
        JsonNode answer = http.post(Http.channel(channel) + "/messages", body.toByteArray(), Http.LINES);
        JsonNode receipts = answer.path("receipts");
        List<Receipt> list = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
            list.add(receipt(channel, id(messages.get(i)), receipts.path(i)));
        }
        return list;
    }

    /** Waits until what was sent is answered, or the time is over. */
    void drain(long millis) {
        batches.drain(millis);
    }
}
