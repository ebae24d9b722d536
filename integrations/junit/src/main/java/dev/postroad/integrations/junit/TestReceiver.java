package dev.postroad.integrations.junit;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** A receiver that outlives the broker behind it, and whose deliveries come with faults. */
final class TestReceiver implements Transport.Receiver {
    private final TestTransport transport;
    private final List<String> channels;
    private final ConsumerOptions options;
    private volatile Opened opened;
    private volatile boolean closed;

    private record Opened(Transport.Receiver receiver, int generation) {}

    TestReceiver(TestTransport transport, List<String> channels, ConsumerOptions options, Transport.Receiver receiver) {
        this.transport = transport;
        this.channels = List.copyOf(channels);
        this.options = options;
        this.opened = new Opened(receiver, transport.generation());
    }

    /** On the broker that has just been opened; by who restarts it. */
    void reopen() {
        if (!closed) {
            opened = new Opened(transport.openInner(channels, options), transport.generation());
        }
    }

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + Math.min(timeout.toMillis(), 1_000_000_000L) * 1_000_000;
        while (true) {
            Opened now = opened;
            try {
                Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
                List<Delivery<byte[], byte[]>> got = now.receiver().receive(max, left);
                if (!got.isEmpty()) {
                    transport.happened();
                }
                return reordered(got.stream()
                        .map(delivery -> received(delivery, now.generation()))
                        .toList());
            } catch (MessagingException e) {
                if (closed || !restarted(now)) {
                    throw e;
                }
            }
        }
    }

    /** Waits for a restart that is under way. */
    private boolean restarted(Opened before) {
        return transport.locked(() -> opened != before);
    }

    private Delivery<byte[], byte[]> received(Delivery<byte[], byte[]> delivery, int generation) {
        String id = delivery.message().id();
        transport.story().tell(delivery.channel(), id, "delivered, attempt " + delivery.attempt());
        TestDelivery received = new TestDelivery(transport, delivery, generation);
        if (transport.strikes(Fault.LEASE_LOSS, delivery.channel(), id) && transport.forgiving(delivery)) {
            received.lose();
        }
        return received;
    }

    /** In another order; what has a key keeps its order among its own, where somebody might count on it. */
    private List<Delivery<byte[], byte[]>> reordered(List<Delivery<byte[], byte[]>> deliveries) {
        if (deliveries.size() < 2
                || !transport.strikes(
                        Fault.REORDER,
                        deliveries.getFirst().channel(),
                        deliveries.getFirst().message().id())) {
            return deliveries;
        }
        Map<Object, Deque<Delivery<byte[], byte[]>>> byKey = new LinkedHashMap<>();
        List<Object> turns = new ArrayList<>();
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            byte[] bytes = delivery.message().key();
            Object key = bytes == null ? "none" : Arrays.hashCode(bytes);
            byKey.computeIfAbsent(key, each -> new ArrayDeque<>()).add(delivery);
            turns.add(key);
        }
        Random random = new Random(transport.faults().seed());
        Collections.shuffle(turns, random);
        Map<Object, Deque<Delivery<byte[], byte[]>>> left = new HashMap<>(byKey);
        List<Delivery<byte[], byte[]>> out = new ArrayList<>(deliveries.size());
        for (Object key : turns) {
            Deque<Delivery<byte[], byte[]>> line = left.get(key);
            if (line != null && !line.isEmpty()) {
                out.add(line.poll());
            }
        }
        return out;
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
        return CompletableFuture.allOf(
                deliveries.stream().map(Delivery::acknowledge).toArray(CompletableFuture[]::new));
    }

    @Override
    public void close() {
        closed = true;
        transport.ended(this);
        transport.locked(() -> {
            opened.receiver().close();
            return true;
        });
        transport.happened();
    }
}
