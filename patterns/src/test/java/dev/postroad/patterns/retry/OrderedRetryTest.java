package dev.postroad.patterns.retry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.deadletters.DeadLetters;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.deadletters.Run;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Order per key, through failing and poisonous messages, consumers that come and go, and a broker that is opened again. */
class OrderedRetryTest {
    /** Messages a second. */
    private static final int RATE = Integer.getInteger("postroad.retry.rate", 1_000);

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Channel ORDERS = Channel.command("orders")
            .withOrderedByKey(true)
            .withRetry(new RetryPolicy(4, Duration.ofMillis(1), Duration.ofMillis(20), 2.0, RetryPolicy.FULL_JITTER));

    /** One world: what is sent, what fails, and what was handled. */
    private static final class World {
        private final String url;
        private final int keys;
        private final int perKey;
        private final Generator random;
        private final Set<String> failsFirst = new HashSet<>();
        private final Set<String> poison = new HashSet<>();
        private final Set<String> unhealthy = new HashSet<>();
        private final Map<String, Integer> last = new ConcurrentHashMap<>();
        private final ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
        private final AtomicLong handled = new AtomicLong();
        private final AtomicLong failures = new AtomicLong();
        private volatile boolean mended;
        private @Nullable Postroad postroad;

        World(Path directory, int keys, int perKey, Generator random, boolean failing) {
            this.url = "embedded:" + directory.resolve("data");
            this.keys = keys;
            this.perKey = perKey;
            this.random = random;
            for (int key = 0; key < keys; key++) {
                for (int number = 0; number < perKey && failing; number++) {
                    if (random.chance(5, 100)) {
                        failsFirst.add(key + "/" + number);
                    }
                    if (random.chance(5, 1_000)) {
                        poison.add(key + "/" + number);
                    }
                    if (failsFirst.contains(key + "/" + number) || poison.contains(key + "/" + number)) {
                        unhealthy.add("k" + key);
                    }
                }
            }
        }

        Postroad open() {
            Postroad opened = Postroad.connect(url);
            postroad = opened;
            opened.declare(ORDERS);
            return opened;
        }

        Postroad current() {
            Postroad opened = postroad;
            return opened == null ? open() : opened;
        }

        void send(Postroad to) {
            try (MessageProducer<String, String> producer = to.producer(Format.strings())) {
                for (int number = 0; number < perKey; number++) {
                    List<Message<String, String>> batch = new ArrayList<>();
                    for (int key = 0; key < keys; key++) {
                        batch.add(Message.of("k" + key, key + "/" + number));
                        if (batch.size() == 1_000) {
                            producer.sendBatch("orders", batch);
                            batch.clear();
                        }
                    }
                    producer.sendBatch("orders", batch);
                }
            }
        }

        void handle(Delivery<String, String> delivery) throws IOException {
            String key = String.valueOf(delivery.message().key());
            String value = String.valueOf(delivery.message().value());
            if (!mended && (poison.contains(value) || failsFirst.contains(value) && delivery.attempt() == 1)) {
                failures.incrementAndGet();
                throw new IOException("not now");
            }
            int number = Integer.parseInt(value.substring(value.indexOf('/') + 1));
            boolean[] ended = new boolean[1];
            last.compute(key, (k, before) -> {
                // A consumer that was ended is interrupted before its messages go to another: what it does then does
                // not count.
                ended[0] = Thread.currentThread().isInterrupted();
                int at = before == null ? -1 : before;
                if (ended[0] || number == at) {
                    return before;
                }
                if (number != at + 1) {
                    violations.add(key + " was at " + at + " as " + number + " came");
                }
                handled.incrementAndGet();
                return number;
            });
            if (ended[0]) {
                throw new IOException("the consumer was ended");
            }
        }

        Subscription listen(Postroad on, Handler<String, String> handler) {
            return on.listen("orders", Format.strings(), ConsumerOptions.DEFAULT.withConcurrency(4), handler);
        }

        static long waiting(Postroad at) {
            return at.administration().channels().stream()
                    .filter(status -> status.channel().name().equals("orders"))
                    .mapToLong(status -> status.ready() + status.inFlight() + status.delayed())
                    .sum();
        }

        /** Works until nothing waits, while consumers end without warning and the broker is opened again. */
        void workWithChurn(Handler<String, String> handler, int churns) {
            Postroad open = current();
            List<Subscription> consumers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                consumers.add(listen(open, handler));
            }
            for (int churn = 0; churn < churns; churn++) {
                long until = handled.get() + random.between(1, keys * perKey / churns);
                Postroad at = open;
                Await.until("some more are handled", PATIENCE, () -> handled.get() >= until || waiting(at) == 0);
                if (random.chance(1, 3)) {
                    consumers.forEach(consumer -> consumer.close(Duration.ofNanos(1)));
                    consumers.clear();
                    open.close();
                    open = open();
                    while (consumers.size() < 3) {
                        consumers.add(listen(open, handler));
                    }
                } else {
                    consumers.remove(random.between(0, 2)).close(Duration.ofNanos(1));
                    consumers.add(listen(open, handler));
                }
            }
            Postroad at = open;
            Await.until("nothing waits", PATIENCE, () -> waiting(at) == 0);
            consumers.forEach(Subscription::close);
        }

        void close() {
            if (postroad != null) {
                postroad.close();
            }
        }
    }

    private static void orderHolds(Path directory, int keys, int perKey, int churns, int churnsAfterwards)
            throws Exception {
        Generator random = Generator.announced("ordered retry");
        World world = new World(directory, keys, perKey, random, true);
        // At least one, so that the way back is walked.
        world.poison.add("0/1");
        try {
            world.send(world.open());
            Retry retry = new Retry(RetrySettings.DEFAULT);
            Handler<String, String> handler = retry.around(world::handle);
            world.workWithChurn(handler, churns);
            assertThat(world.violations).isEmpty();
            assertThat(retry.retried()).isPositive();
            long dead = (long) keys * perKey - world.handled.get();
            assertThat(dead).isPositive();

            world.mended = true;
            Run run = new DeadLetters(world.current(), "orders.dead").redrive(RedriveSettings.DEFAULT.withBatch(500));
            assertThat(run.putBack()).isEqualTo(dead);
            world.workWithChurn(handler, churnsAfterwards);
            assertThat(world.violations).isEmpty();
            assertThat(world.handled).as("none is lost").hasValue((long) keys * perKey);
            assertThat(world.last)
                    .hasSize(keys)
                    .allSatisfy((key, number) -> assertThat(number).isEqualTo(perKey - 1));
            System.getLogger("dev.postroad.patterns")
                    .log(
                            System.Logger.Level.INFO,
                            "ordered retry: {0} keys, {1} messages, {2} failures, {3} put back",
                            keys,
                            (long) keys * perKey,
                            world.failures.get(),
                            dead);
        } finally {
            world.close();
        }
    }

    @Test
    void keys_stay_in_order_through_failures_and_churn_and_a_redrive_restores_those_that_died(@TempDir Path directory)
            throws Exception {
        orderHolds(directory, 300, 4, 4, 0);
    }

    @Test
    @Tag("soak")
    void ten_thousand_keys_stay_in_order(@TempDir Path directory) throws Exception {
        orderHolds(directory, 10_000, 5, 40, 2);
    }

    /**
     * Healthy keys must not feel that others fail: the same messages at the same rate, far below what the broker can do, with
     * and without failures, a second of each in turns, so that what the disk does at the time happens to both. Told everywhere;
     * judged where nothing else is at work ({@code -Dpostroad.quiet=true}).
     */
    @Test
    @Tag("soak")
    void messages_of_healthy_keys_take_as_long_with_failures_as_without(@TempDir Path directory) throws Exception {
        List<Long> without = new ArrayList<>();
        List<Long> with = new ArrayList<>();
        try (Paced calm = new Paced(directory.resolve("without"), false);
                Paced failing = new Paced(directory.resolve("with"), true)) {
            for (int turn = 0; turn < Paced.TURNS; turn++) {
                // Who is first changes, so that neither always has the other's leftovers.
                long first = (turn % 2 == 0 ? calm : failing).turn(turn);
                long second = (turn % 2 == 0 ? failing : calm).turn(turn);
                if (turn >= Paced.TURNS / 5) {
                    without.add(turn % 2 == 0 ? first : second);
                    with.add(turn % 2 == 0 ? second : first);
                }
            }
        }
        double ratio = (double) median(with) / median(without);
        System.out.printf(
                Locale.ROOT,
                "p99 of healthy keys at %,d messages a second, median of %d turns of %,d messages: without failures %,d us,"
                        + " with failures %,d us, as 1 : %.3f%n",
                RATE,
                with.size(),
                Paced.EACH_TURN,
                median(without),
                median(with),
                ratio);
        if (Boolean.getBoolean("postroad.quiet")) {
            assertThat(ratio).isLessThanOrEqualTo(1.10);
        }
    }

    private static long median(List<Long> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    /** A broker of its own whose consumer notes how long messages of keys without a failure take, from when they were due. */
    private static final class Paced implements AutoCloseable {
        static final int KEYS = 10_000;
        static final int EACH_KEY = 12;
        static final int EACH_TURN = 1_000;
        static final int TURNS = KEYS * EACH_KEY / EACH_TURN;

        private final World world;
        private final boolean failing;
        private final long[] due = new long[KEYS * EACH_KEY];
        private final AtomicLongArray took = new AtomicLongArray(KEYS * EACH_KEY);
        private final AtomicLong left = new AtomicLong();
        private final Subscription subscription;
        private final MessageProducer<String, String> producer;

        Paced(Path directory, boolean failing) {
            this.failing = failing;
            // The same keys are healthy in both.
            world = new World(directory, KEYS, EACH_KEY, Generator.of(7), true);
            world.mended = !failing;
            Postroad open = world.open();
            producer = open.producer(Format.strings());
            subscription = world.listen(open, delivery -> {
                String key = String.valueOf(delivery.message().key());
                if (!world.unhealthy.contains(key)) {
                    String value = String.valueOf(delivery.message().value());
                    int at = Integer.parseInt(key.substring(1))
                            + KEYS * Integer.parseInt(value.substring(value.indexOf('/') + 1));
                    took.set(at, System.nanoTime() - due[at]);
                    left.decrementAndGet();
                }
                world.handle(delivery);
            });
        }

        private boolean healthy(int at) {
            return !world.unhealthy.contains("k" + at % KEYS);
        }

        /** Sends what is next at its rate until all of it is handled. @return 99th percentile in microseconds */
        long turn(int turn) {
            int from = turn * EACH_TURN;
            long begin = System.nanoTime();
            for (int at = from; at < from + EACH_TURN; at++) {
                due[at] = begin + (at - from) * 1_000_000_000L / RATE;
                while (System.nanoTime() < due[at]) {
                    LockSupport.parkNanos(due[at] - System.nanoTime());
                }
                if (healthy(at)) {
                    left.incrementAndGet();
                }
                producer.sendAsync("orders", Message.of("k" + at % KEYS, at % KEYS + "/" + at / KEYS));
            }
            Await.until("all are handled", PATIENCE, () -> subscription.active() && left.get() == 0);
            long[] sorted = IntStream.range(from, from + EACH_TURN)
                    .filter(this::healthy)
                    .mapToLong(took::get)
                    .sorted()
                    .toArray();
            return sorted[sorted.length * 99 / 100] / 1_000;
        }

        @Override
        public void close() {
            producer.close();
            subscription.close();
            world.close();
            assertThat(world.violations).isEmpty();
            assertThat(world.failures.get() > 0).isEqualTo(failing);
        }
    }
}
