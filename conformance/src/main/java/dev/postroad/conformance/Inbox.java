package dev.postroad.conformance;

import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A receiver that waits for what must come, and says what came instead. */
final class Inbox implements AutoCloseable {
    private static final int BATCH = 100;

    private final Probe probe;
    private final Transport.Receiver receiver;
    private final ArrayDeque<Delivery<byte[], byte[]>> received = new ArrayDeque<>();

    Inbox(Probe probe, Transport.Receiver receiver) {
        this.probe = probe;
        this.receiver = receiver;
    }

    Transport.Receiver receiver() {
        return receiver;
    }

    /** The value of a delivery, as text. */
    static String value(Delivery<byte[], byte[]> delivery) {
        byte[] value = delivery.message().value();
        return value == null ? "(none)" : new String(value, StandardCharsets.UTF_8);
    }

    /** The key of a delivery, as text. */
    static String key(Delivery<byte[], byte[]> delivery) {
        byte[] key = delivery.message().key();
        return key == null ? "(none)" : new String(key, StandardCharsets.UTF_8);
    }

    /** The next delivery, which must come. */
    Delivery<byte[], byte[]> next(String what) {
        if (received.isEmpty()) {
            received.addAll(receive(BATCH, probe.patience()));
        }
        Delivery<byte[], byte[]> delivery = received.poll();
        if (delivery == null) {
            throw new CheckFailed(what + " did not come within " + probe.patience());
        }
        return delivery;
    }

    /** The next delivery, which must carry this value. Left unsettled. */
    Delivery<byte[], byte[]> nextIs(String value) {
        Delivery<byte[], byte[]> delivery = next("'" + value + "'");
        probe.equal("the next message", value, value(delivery));
        return delivery;
    }

    /** The next deliveries, which must carry these values in this order. Each is acknowledged. */
    void nextAre(String... values) {
        nextAre(List.of(values));
    }

    /** As the other. */
    void nextAre(List<String> values) {
        for (String value : values) {
            acknowledge(nextIs(value));
        }
    }

    /** So many values, in order of delivery. Each is acknowledged. */
    List<String> take(int count) {
        List<String> values = new ArrayList<>();
        while (values.size() < count) {
            Delivery<byte[], byte[]> delivery =
                    next("message " + (values.size() + 1) + " of " + count + ", after " + values + ",");
            acknowledge(delivery);
            values.add(value(delivery));
        }
        return values;
    }

    /** These values, in any order. Each is acknowledged. */
    void takeInAnyOrder(Collection<String> values) {
        List<String> taken = take(values.size());
        probe.equal(
                "the messages, sorted",
                values.stream().sorted().toList(),
                taken.stream().sorted().toList());
    }

    /** What is there or comes within the time. */
    List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) {
        try {
            return receiver.receive(max, timeout);
        } catch (InterruptedException e) {
            throw Probe.interrupted(e);
        }
    }

    void acknowledge(Delivery<byte[], byte[]> delivery) {
        settled(delivery.acknowledge());
    }

    void settled(CompletableFuture<Void> settlement) {
        try {
            probe.await(settlement, "a settlement");
        } catch (MessagingException e) {
            CheckFailed failed =
                    new CheckFailed("a delivery could not be settled: " + e.reason() + " " + e.getMessage());
            failed.initCause(e);
            throw failed;
        }
    }

    @Override
    public void close() {
        receiver.close();
    }
}
