package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.RetryPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Order per key, while handlers fail. */
final class OrderChecks {
    private static final int KEYS = 5;
    private static final int MESSAGES = 150;
    private static final int CONSUMERS = 3;

    private OrderChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(Need.ORDER_PER_KEY, "a key keeps its order", OrderChecks::plainOrder),
                Check.of(Need.ORDER_PER_KEY, "one key has one delivery in flight", OrderChecks::oneInFlight),
                Check.of(
                                Need.ORDER_PER_KEY,
                                "a key keeps its order on a queue while handlers fail at random",
                                probe -> underFailures(probe, probe.queue(), ConsumerOptions.DEFAULT))
                        .using(Need.DELIVERY_COUNT, Need.RETRY_DELAY),
                Check.of(
                                Need.ORDER_PER_KEY,
                                "a key keeps its order on a stream while handlers fail at random",
                                probe -> underFailures(
                                        probe,
                                        probe.stream().withPartitions(3),
                                        ConsumerOptions.DEFAULT.withGroup("g")))
                        .using(Need.DELIVERY_COUNT, Need.RETRY_DELAY, Need.GROUPS, Need.REPLAY),
                Check.of(Need.ORDER_PER_KEY, "a failing key waits alone", OrderChecks::failingKeyWaitsAlone)
                        .using(Need.DELIVERY_COUNT, Need.RETRY_DELAY));
    }

    private static void plainOrder(Probe probe) {
        Channel channel = probe.declare(probe.queue().withOrderedByKey(true));
        List<String> values = BaseChecks.numbered("m", 50);
        values.forEach(value -> probe.sendKeyed(channel, "k", value));
        Inbox inbox = probe.inbox(channel);
        inbox.nextAre(values);
        List<Message<String, String>> batch =
                values.stream().map(value -> Message.of("k", value)).toList();
        probe.producer().sendBatch(channel.name(), batch);
        inbox.nextAre(values);
    }

    private static void oneInFlight(Probe probe) {
        Channel channel = probe.declare(probe.queue().withOrderedByKey(true));
        probe.sendKeyed(channel, "k", "k1", "k2");
        probe.sendKeyed(channel, "other", "o1");
        Inbox inbox = probe.inbox(channel);
        Delivery<byte[], byte[]> first = inbox.nextIs("k1");
        inbox.nextAre("o1");
        probe.sendKeyed(channel, "other", "o2");
        inbox.nextAre("o2");
        inbox.acknowledge(first);
        inbox.nextAre("k2");
    }

    private static void failingKeyWaitsAlone(Probe probe) {
        Channel channel = probe.declare(probe.queue().withOrderedByKey(true));
        probe.sendKeyed(channel, "failing", "f1", "f2");
        probe.sendKeyed(channel, "other", "o1", "o2");
        Inbox inbox = probe.inbox(channel);
        Delivery<byte[], byte[]> failing = inbox.nextIs("f1");
        inbox.settled(failing.retry(Duration.ofMillis(400)));
        inbox.nextAre("o1", "o2", "f1", "f2");
    }

    private static void underFailures(Probe probe, Channel plain, ConsumerOptions options) {
        RetryPolicy policy = new RetryPolicy(1_000, Duration.ofMillis(1), Duration.ofMillis(5), 2, 0.5);
        Channel channel = probe.declare(plain.withOrderedByKey(true).withRetry(policy));
        Witness witness = new Witness(new Random(probe.random().nextLong()));
        for (int i = 0; i < CONSUMERS; i++) {
            probe.listen(channel, options.withConcurrency(4), witness);
        }
        List<CompletableFuture<Receipt>> sent = new ArrayList<>();
        for (int i = 0; i < MESSAGES; i++) {
            String key = "key-" + probe.random().nextInt(KEYS);
            sent.add(probe.producer().sendAsync(channel.name(), Message.of(key, Integer.toString(i))));
        }
        sent.forEach(receipt -> probe.await(receipt, "a confirmation"));
        probe.await(
                () -> witness.handled.get() + " of " + MESSAGES + " messages were handled, " + witness.wrong,
                () -> witness.handled.get() >= MESSAGES);
        probe.equal("what went wrong", List.of(), witness.wrong());
        probe.equal("messages handled", MESSAGES, witness.handled.get());
    }

    /** A handler that fails at random and writes down what should not have happened. */
    private static final class Witness implements Handler<String, String> {
        private final Random random;
        private final Set<String> atWork = ConcurrentHashMap.newKeySet();
        private final Map<String, Integer> lastHandled = new ConcurrentHashMap<>();
        private final Map<String, Integer> lastSeen = new ConcurrentHashMap<>();
        private final AtomicInteger handled = new AtomicInteger();
        private final List<String> wrong = new ArrayList<>();

        Witness(Random random) {
            this.random = random;
        }

        @Override
        public void handle(Delivery<String, String> delivery) {
            String key = String.valueOf(delivery.message().key());
            int number = Integer.parseInt(String.valueOf(delivery.message().value()));
            if (!atWork.add(key)) {
                wrong(key + " was handled twice at once, with message " + number);
            }
            try {
                int seen = lastSeen.getOrDefault(key, -1);
                if (seen > number) {
                    wrong("message " + number + " of " + key + " came after " + seen);
                }
                lastSeen.put(key, Math.max(seen, number));
                if (fails()) {
                    throw new IllegalStateException("a failure that the check plans");
                }
                Integer before = lastHandled.put(key, number);
                if (before != null && before >= number) {
                    wrong("message " + number + " of " + key + " was handled after " + before);
                }
                handled.incrementAndGet();
            } finally {
                atWork.remove(key);
            }
        }

        private boolean fails() {
            synchronized (random) {
                return random.nextInt(4) == 0;
            }
        }

        private void wrong(String what) {
            synchronized (wrong) {
                wrong.add(what);
            }
        }

        private List<String> wrong() {
            synchronized (wrong) {
                return List.copyOf(wrong);
            }
        }
    }
}
