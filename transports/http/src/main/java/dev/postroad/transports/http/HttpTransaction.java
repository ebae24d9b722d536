package dev.postroad.transports.http;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transaction;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** Gathers what it is told, and sends it as one request. */
final class HttpTransaction implements Transaction<byte[], byte[]> {
    private static final int MOST_OPERATIONS = 10_000;

    private final Http http;
    private final List<Sending> sends = new ArrayList<>();
    private final List<HttpDelivery> acknowledged = new ArrayList<>();
    private int operations;
    private boolean over;

    private record Sending(String channel, Message<byte[], byte[]> message) {}

    HttpTransaction(Http http) {
        this.http = http;
    }

    @Override
    public void send(String channel, Message<byte[], byte[]> message) {
        count();
        sends.add(new Sending(channel, message));
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        count();
        if (delivery instanceof HttpDelivery ours) {
            acknowledged.add(ours);
        } else if (!(delivery instanceof ReadDelivery)) {
            throw new MessagingException(
                    Reason.INVALID,
                    "a delivery of channel '" + delivery.channel()
                            + "' was not received through this transport, but is a "
                            + delivery.getClass().getName());
        }
    }

    private void count() {
        requireOpen();
        if (operations == MOST_OPERATIONS) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "the transaction has " + operations + " operations already, the most it may have");
        }
        operations++;
    }

    private void requireOpen() {
        if (over) {
            throw new MessagingException(Reason.CLOSED, "the transaction is over: it was committed or closed");
        }
    }

    @Override
    public void commit() {
        requireOpen();
        over = true;
        if (sends.isEmpty() && acknowledged.isEmpty()) {
            return;
        }
        List<HttpDelivery> taken = new ArrayList<>();
        boolean committed = false;
        try {
            for (HttpDelivery delivery : acknowledged) {
                if (!delivery.take()) {
                    throw delivery.alreadySettled();
                }
                taken.add(delivery);
            }
            http.post("/api/v1/transactions", body(), Http.JSON);
            committed = true;
        } finally {
            if (!committed) {
                taken.forEach(HttpDelivery::reopen);
            }
        }
    }

    private byte[] body() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
        try (JsonGenerator json = Http.MAPPER.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeArrayPropertyStart("publishes");
            for (Sending sending : sends) {
                json.writeStartObject();
                json.writeStringProperty("channel", sending.channel);
                json.writeName("message");
                MessageJson.write(json, sending.channel, sending.message);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeArrayPropertyStart("acknowledge");
            acknowledged.forEach(delivery -> json.writeString(delivery.name()));
            json.writeEndArray();
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() {
        over = true;
    }
}
