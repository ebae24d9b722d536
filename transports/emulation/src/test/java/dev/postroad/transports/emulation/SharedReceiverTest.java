package dev.postroad.transports.emulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
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
    private static class Broker implements Settler {
        private final List<Integer> acknowledged = new ArrayList<>();
        private final List<Integer> handedOut = new ArrayList<>();
        private final List<Integer> fetched = new ArrayList<>();
        private Runnable asItIsTold = () -> {};

        @Override
        public CompletableFuture<Void> acknowledge(Held held) {
            asItIsTold.run();
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

    @Test
    void aConsumerThatAsksWhileItIsBeingPausedIsResumedAndWhatCameMeanwhileGoesBack() throws Exception {
        Semaphore pausing = new Semaphore(0);
        Semaphore asked = new Semaphore(0);
        List<String> told = new CopyOnWriteArrayList<>();
        try (SharedReceiver receiver = receiver()) {
            AtomicReference<Inflow> inflow = new AtomicReference<>();
            Settler settler = new Broker() {
                @Override
                public void pause() {
                    pausing.release();
                    asked.acquireUninterruptibly();
                    arrive(inflow.get(), 2);
                    told.add("pause");
                }

                @Override
                public void resume() {
                    told.add("resume");
                }

                @Override
                public CompletableFuture<Void> giveBack(Held held) {
                    told.add("give back " + number(held));
                    return Waiting.done();
                }

                @Override
                public CompletableFuture<Void> retry(Held held, Duration delay) {
                    told.add("retry " + number(held));
                    return Waiting.done();
                }
            };
            inflow.set(receiver.add(UNORDERED, 10, Duration.ofMillis(1), false, settler));
            arrive(inflow.get(), 1);
            assertThat(receiver.receive(1, PATIENCE)).hasSize(1);
            pausing.acquire();

            assertThat(receiver.receive(1, Duration.ZERO)).isEmpty();
            asked.release();

            Await.until("it is resumed", () -> told.contains("resume") && told.contains("retry 1"));
            assertThat(told.stream().filter(each -> !each.equals("retry 1")))
                    .containsExactly("pause", "give back 2", "resume");
        }
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

    /** Whoever gives a partition away in this moment must wait for what is being settled of it. */
    @Test
    void whatIsBeingSettledIsInHandUntilTheTransportKnows() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Inflow inflow = inflow(receiver, ORDERED, 10);
            arrive(inflow, 1);
            arrive(inflow, 2);
            List<Boolean> inHand = new ArrayList<>();
            List<Delivery<byte[], byte[]>> first = receiver.receive(1, PATIENCE);
            broker.asItIsTold = () -> {
                inHand.add(inflow.inHand(held -> number(held) == 1));
                inflow.forgetFetched(held -> true);
                inHand.add(inflow.inHand(held -> number(held) == 1));
                inHand.add(inflow.inHand(held -> number(held) == 2));
            };
            receiver.acknowledge(first).get(1, TimeUnit.SECONDS);
            assertThat(inHand).containsExactly(true, true, false);
            assertThat(inflow.inHand(held -> true)).isFalse();
            assertThat(broker.acknowledged).containsExactly(1);
            // Its key is free again.
            arrive(inflow, 3);
            assertThat(numbers(receiver.receive(1, PATIENCE))).containsExactly(3);
        }
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

    // ── A client that whoever waits works ────────────────────────────────────────────────────────────────────────────

    /** Brings a message each time it is driven, and records what is acknowledged by who drives. */
    private static final class Client implements Driven {
        private final Broker broker = new Broker();
        private final List<Thread> drivers = new CopyOnWriteArrayList<>();
        private final Semaphore woken = new Semaphore(0);
        private final AtomicInteger numbers = new AtomicInteger();
        private volatile @Nullable Inflow inflow;
        private volatile boolean silent;
        private volatile boolean refuses;

        @Override
        public boolean drive(long nanos) throws InterruptedException {
            drivers.add(Thread.currentThread());
            if (refuses) {
                return false;
            }
            if (silent) {
                boolean awake = woken.tryAcquire(nanos, TimeUnit.NANOSECONDS);
                assertThat(awake).isTrue();
                return true;
            }
            arrive(Objects.requireNonNull(inflow), numbers.getAndIncrement());
            return true;
        }

        @Override
        public void wake() {
            woken.release();
        }

        @Override
        public CompletableFuture<Void> acknowledge(Held held) {
            return broker.acknowledge(held);
        }

        @Override
        public CompletableFuture<Void> acknowledgeDriving(List<Held> held) {
            drivers.add(Thread.currentThread());
            return Driven.super.acknowledge(held);
        }

        @Override
        public CompletableFuture<Void> retry(Held held, Duration delay) {
            throw new IllegalStateException("its retries wait with the receiver");
        }

        @Override
        public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
            return Waiting.done();
        }

        @Override
        public void close(List<Held> out, List<Held> unseen) {
            broker.close(out, unseen);
        }
    }

    private static Client client(SharedReceiver receiver) {
        Client client = new Client();
        client.inflow = receiver.add(UNORDERED, 10, null, true, client);
        return client;
    }

    @Test
    void whoWaitsForMessagesAndForAcknowledgementsWorksTheClient() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Client client = client(receiver);
            for (int i = 0; i < 3; i++) {
                List<Delivery<byte[], byte[]>> taken = receiver.receive(10, PATIENCE);
                assertThat(numbers(taken)).containsExactly(i);
                receiver.acknowledgeAndWait(taken);
            }
            assertThat(client.broker.acknowledged).containsExactly(0, 1, 2);
            assertThat(client.drivers).hasSize(6).containsOnly(Thread.currentThread());
        }
    }

    @Test
    void whoHasMessagesInHandWaitsForWhatAnotherThreadBrings() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Client client = client(receiver);
            receiver.receive(10, PATIENCE);
            int driven = client.drivers.size();
            timer.execute(() -> arrive(Objects.requireNonNull(client.inflow), 7));
            assertThat(numbers(receiver.receive(10, PATIENCE))).containsExactly(7);
            assertThat(client.drivers).hasSize(driven);
        }
    }

    @Test
    void whereTheClientCanNotBeWorkedTheReceiverWaits() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Client client = client(receiver);
            client.refuses = true;
            timer.execute(() -> arrive(Objects.requireNonNull(client.inflow), 7));
            assertThat(numbers(receiver.receive(10, PATIENCE))).containsExactly(7);
            assertThat(receiver.receive(10, Duration.ofMillis(1))).isEmpty();
        }
    }

    @Test
    void aThreadThatIsNotOfThePlatformDoesNotWorkTheClient() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Client client = client(receiver);
            arrive(Objects.requireNonNull(client.inflow), 3);
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            receiver.acknowledgeAndWait(receiver.receive(10, PATIENCE));
                            assertThat(receiver.receive(10, Duration.ofMillis(1)))
                                    .isEmpty();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    })
                    .join();
            assertThat(client.broker.acknowledged).containsExactly(3);
            assertThat(client.drivers).isEmpty();
        }
    }

    @Test
    void whatIsDueForAnotherAttemptWakesWhoWorksTheClient() throws Exception {
        try (SharedReceiver receiver = receiver()) {
            Client client = client(receiver);
            Delivery<byte[], byte[]> first = receiver.receive(10, PATIENCE).getFirst();
            client.silent = true;
            first.retry(Duration.ofMillis(100)).get(1, TimeUnit.SECONDS);
            Delivery<byte[], byte[]> again = receiver.receive(10, PATIENCE).getFirst();
            assertThat(number(again)).isZero();
            assertThat(again.attempt()).isEqualTo(2);
        }
    }
}
