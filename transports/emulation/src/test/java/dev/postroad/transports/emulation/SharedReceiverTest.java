package dev.postroad.transports.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How what a transport brings gets to the consumer. */
@Timeout(60)
class SharedReceiverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Channel UNORDERED = Channel.command("jobs").withDeadLetter(null);
    private static final Channel ORDERED = UNORDERED.withOrderedByKey(true);

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final Broker broker = new Broker();

    @AfterEach
    void end() {
        timer.shutdownNow();
    }

    /** What it is told, by the numbers of the messages. */
    private static final class Broker implements Settler {
        private final List<Integer> acknowledged = new ArrayList<>();
        private final List<Integer> handedOut = new ArrayList<>();
        private final List<Integer> fetched = new ArrayList<>();

        @Override
        public CompletableFuture<Void> acknowledge(Held held) {
            acknowledged.add(number(held));
            return Waiting.done();
        }

        @Override
        public CompletableFuture<Void> retry(Held held, Duration delay) {
            return Waiting.done();
        }

        @Override
        public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
            return Waiting.done();
        }

        @Override
        public void close(List<Held> out, List<Held> unseen) {
            handedOut.addAll(numbers(out));
            fetched.addAll(numbers(unseen));
        }
    }

    private static int number(Delivery<byte[], byte[]> delivery) {
        return (Integer) ((Held) delivery).handle();
    }

    private static List<Integer> numbers(List<? extends Delivery<byte[], byte[]>> deliveries) {
        return deliveries.stream().map(SharedReceiverTest::number).toList();
    }

    private SharedReceiver receiver() {
        return new SharedReceiver(timer, closed -> {});
    }

    private static void arrive(Inflow inflow, int number) {
        arrive(inflow, number, "key");
    }

    private static void arrive(Inflow inflow, int number, String key) {
        Message<byte[], byte[]> message = Message.of(key.getBytes(StandardCharsets.UTF_8), new byte[] {1});
        inflow.arrived(message.withId("id-" + number), 1, Delivery.Origin.QUEUE, number);
    }

    private Inflow inflow(SharedReceiver receiver, Channel channel, int prefetch) {
        return receiver.add(channel, prefetch, null, channel.orderedByKey(), broker);
    }

    /** The one that brings is at times faster and at times slower than the one that takes, who then waits to be woken. */
    @Test
    void allThatComesIsTakenOnceAndInOrderHoweverFastItComes() throws Exception {
        int many = 300_000;
        List<Integer> taken = new ArrayList<>();
        try (SharedReceiver receiver = receiver()) {
            Inflow inflow = inflow(receiver, UNORDERED, 500);
            AtomicInteger done = new AtomicInteger();
            CompletableFuture<Void> bringing = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < many; i++) {
                    arrive(inflow, i);
                    // Now and then not before all was taken: the next one finds its consumer waiting.
                    IntPredicate behind = i % 1_000 == 0 ? at -> at <= done.get() : at -> true;
                    while (!behind.test(i)) {
                        Thread.onSpinWait();
                    }
                }
            });
            while (taken.size() < many) {
                List<Delivery<byte[], byte[]>> some = receiver.receive(64, PATIENCE);
                assertThat(some).as("after " + taken.size()).isNotEmpty();
                taken.addAll(numbers(some));
                receiver.acknowledge(some).get(1, TimeUnit.SECONDS);
                done.set(taken.size());
            }
            bringing.get(1, TimeUnit.SECONDS);
        }
        for (int i = 0; i < many; i++) {
            assertThat(taken.get(i)).isEqualTo(i);
        }
        assertThat(broker.acknowledged).isEqualTo(taken);
        assertThat(broker.fetched).isEmpty();
    }

    @Test
    void whatNobodyHasLookedAtGoesBackWhenTheReceiverCloses() throws Exception {
        SharedReceiver receiver = receiver();
        Inflow inflow = inflow(receiver, UNORDERED, 2);
        arrive(inflow, 1);
        arrive(inflow, 2);
        assertThat(numbers(receiver.receive(1, Duration.ZERO))).containsExactly(1);
        arrive(inflow, 3);
        receiver.close();
        assertThat(broker.handedOut).containsExactly(1);
        assertThat(broker.fetched).containsExactly(2, 3);
    }

    @Test
    void whatCameThroughABrokenConnectionIsForgottenAndWhatComesThroughTheNextIsNot() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Inflow inflow = inflow(receiver, UNORDERED, 10);
            arrive(inflow, 1);
            inflow.forget();
            arrive(inflow, 2);
            assertThat(numbers(receiver.receive(10, Duration.ZERO))).containsExactly(2);
        }
    }

    @Test
    void noMoreThanThePrefetchIsHandedOutAndNoMoreThanOneOfAKey() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Inflow inflow = inflow(receiver, ORDERED, 2);
            arrive(inflow, 1, "a");
            arrive(inflow, 2, "a");
            arrive(inflow, 3, "b");
            arrive(inflow, 4, "c");
            List<Delivery<byte[], byte[]>> first = receiver.receive(10, Duration.ZERO);
            assertThat(numbers(first)).containsExactly(1, 3);
            arrive(inflow, 5, "a");
            assertThat(receiver.receive(10, Duration.ZERO)).isEmpty();
            receiver.acknowledge(first).get(1, TimeUnit.SECONDS);
            assertThat(numbers(receiver.receive(10, Duration.ZERO))).containsExactly(4, 2);
        }
    }

    @Test
    void whoeverWaitsForRoomGoesOnWhenSomethingIsTaken() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Inflow inflow = inflow(receiver, UNORDERED, 10);
            arrive(inflow, 1);
            assertThat(inflow.holds(1)).isTrue();
            CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> {
                try {
                    inflow.awaitRoom(1);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(waiting).isNotDone();
            assertThat(receiver.receive(1, PATIENCE)).hasSize(1);
            waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }
}
