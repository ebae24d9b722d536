package dev.postroad.engine.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.testkit.Await;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The broker under many threads. */
@Timeout(120)
class BrokerTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    private Broker open() {
        return Broker.open(BrokerSettings.directory(directory.resolve("data")));
    }

    private static void declare(Broker broker, String name) {
        broker.<Boolean>await(reply -> new Command.Declare(QueueDefinition.named(name), null, reply));
    }

    private static Command publish(String queue, String text, Reply<Command.Published> reply) {
        EngineMessage message = EngineMessage.of(text.getBytes(StandardCharsets.UTF_8));
        return new Command.Publish(null, queue, List.of(message), null, false, null, reply);
    }

    private static String text(EngineMessage message) {
        byte[] payload = message.payload();
        return payload == null ? "" : new String(payload, StandardCharsets.UTF_8);
    }

    private static List<String> contents(Broker broker, String queue) {
        return broker
                .<List<Command.Browsed>>await(reply -> new Command.Browse(queue, null, null, 10_000, reply))
                .stream()
                .map(b -> text(b.message()))
                .toList();
    }

    /** Acknowledges what it gets, and remembers it. */
    private static final class Consumer implements DeliverySink {
        private final Broker broker;
        private final CountDownLatch expected;
        final List<String> got = new ArrayList<>();
        final AtomicReference<@Nullable Throwable> wrong = new AtomicReference<>();

        Consumer(Broker broker, CountDownLatch expected) {
            this.broker = broker;
            this.expected = expected;
        }

        @Override
        public void deliver(EngineDelivery delivery) {
            got.add(text(delivery.message()));
            broker.submit(new Command.Settle(
                    delivery.consumerId(),
                    new long[] {delivery.number()},
                    1,
                    Command.Outcome.Acknowledge.INSTANCE,
                    new Reply<>() {
                        @Override
                        public void done(Integer late) {
                            expected.countDown();
                        }

                        @Override
                        public void failed(EngineException cause) {
                            wrong.set(cause);
                        }
                    }));
        }

        @Override
        public void cancelled(String reason) {
            wrong.set(new IllegalStateException(reason));
        }
    }

    @Test
    void manyThreadsSendAndEachMessageArrivesOnceInItsSendersOrder() throws Exception {
        int senders = 8;
        int each = 300;
        CountDownLatch all = new CountDownLatch(senders * each);
        try (Broker broker = open();
                ExecutorService threads = Executors.newFixedThreadPool(senders)) {
            declare(broker, "q");
            Consumer consumer = new Consumer(broker, all);
            broker.<Long>await(reply ->
                    new Command.Subscribe("q", null, Command.ConsumerSettings.prefetch(100, "c"), consumer, reply));
            List<Future<?>> sending = new ArrayList<>();
            for (int s = 0; s < senders; s++) {
                String name = "sender" + s + "-";
                sending.add(threads.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        String text = name + i;
                        broker.<Command.Published>await(reply -> publish("q", text, reply));
                    }
                }));
            }
            for (Future<?> one : sending) {
                one.get();
            }
            assertThat(all.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(consumer.wrong.get()).isNull();
            List<String> got = broker.<List<String>>await(reply -> inspected(reply, consumer.got));
            assertThat(got).hasSize(senders * each).doesNotHaveDuplicates();
            for (int s = 0; s < senders; s++) {
                String name = "sender" + s + "-";
                assertThat(got.stream()
                                .filter(t -> t.startsWith(name))
                                .map(t -> Integer.parseInt(t.substring(name.length())))
                                .toList())
                        .isSorted();
            }
            assertThat(contents(broker, "q")).isEmpty();
        }
    }

    /** Copies what only the broker's thread touches, on the broker's thread. */
    private static Command inspected(Reply<List<String>> reply, List<String> of) {
        return new Command.Inspect(new Reply<>() {
            @Override
            public void done(dev.postroad.engine.EngineStatus status) {
                reply.done(List.copyOf(of));
            }

            @Override
            public void failed(EngineException cause) {
                reply.failed(cause);
            }
        });
    }

    @Test
    void virtualThreadsWaitForTheirReplies() throws Exception {
        try (Broker broker = open();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            declare(broker, "q");
            List<Future<Command.Published>> sent = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                String text = "m" + i;
                sent.add(threads.submit(() -> broker.<Command.Published>await(reply -> publish("q", text, reply))));
            }
            for (Future<Command.Published> one : sent) {
                assertThat(one.get().routed()).isEqualTo(1);
            }
            assertThat(contents(broker, "q")).hasSize(2_000);
        }
    }

    @Test
    void closeCarriesOutWhatWasSubmittedAndRefusesWhatComesLater() {
        List<CompletableFuture<Command.Published>> replies = new ArrayList<>();
        Broker broker = open();
        declare(broker, "q");
        for (int i = 0; i < 5_000; i++) {
            String text = "m" + i;
            replies.add(broker.<Command.Published>call(reply -> publish("q", text, reply)));
        }
        broker.close();
        broker.close();
        assertThat(replies).allSatisfy(reply -> assertThat(reply).isCompleted());
        CompletableFuture<Command.Published> late =
                broker.<Command.Published>call(reply -> publish("q", "late", reply));
        assertThat(late).isCompletedExceptionally();
        assertThatThrownBy(() -> broker.<Command.Published>await(reply -> publish("q", "late", reply)))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.CLOSED));
        try (Broker again = open()) {
            assertThat(contents(again, "q")).hasSize(5_000).first().isEqualTo("m0");
            assertThat(again.recovery().tailCut()).isFalse();
        }
    }

    @Test
    void aDirectoryIsOpenedOnceAtATime() {
        try (Broker broker = open()) {
            declare(broker, "q");
            assertThatThrownBy(this::open)
                    .isInstanceOfSatisfying(
                            EngineException.class,
                            e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.IN_USE));
        }
        try (Broker again = open()) {
            assertThat(contents(again, "q")).isEmpty();
        }
    }

    @Test
    void aWaitingCallerThatIsInterruptedLeavesTheBrokerWhole() throws Exception {
        try (Broker broker = open()) {
            declare(broker, "q");
            broker.<Boolean>await(reply -> new Command.Declare(StreamDefinition.named("s", 1), null, reply));
            AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
            AtomicReference<Boolean> kept = new AtomicReference<>(false);
            CountDownLatch begun = new CountDownLatch(1);
            Thread waiting = Thread.ofPlatform().start(() -> {
                try {
                    begun.countDown();
                    broker.<Command.Fetched>await(
                            reply -> new Command.Fetch("s", 0, 0, 1, 1, System.currentTimeMillis() + 600_000, reply));
                } catch (EngineException e) {
                    thrown.set(e);
                    kept.set(Thread.currentThread().isInterrupted());
                }
            });
            begun.await();
            for (int i = 0; i < 20; i++) {
                String text = "m" + i;
                broker.<Command.Published>await(reply -> publish("q", text, reply));
            }
            waiting.interrupt();
            waiting.join();
            assertThat(thrown.get()).isInstanceOf(EngineException.class);
            assertThat(kept.get()).isTrue();
            assertThat(broker.failure()).isEmpty();
            assertThat(contents(broker, "q")).hasSize(20);
        }
    }

    @Test
    void callersThatAreInterruptedAlreadyDoNotBreakTheJournal() throws Exception {
        try (Broker broker = open()) {
            declare(broker, "q");
            for (int i = 0; i < 50; i++) {
                String text = "m" + i;
                Thread caller = Thread.ofPlatform().start(() -> {
                    Thread.currentThread().interrupt();
                    try {
                        broker.<Command.Published>await(reply -> publish("q", text, reply));
                    } catch (EngineException e) {
                        assertThat(e.reason()).isEqualTo(EngineException.Reason.CLOSED);
                    }
                });
                caller.join();
            }
            assertThat(broker.failure()).isEmpty();
            broker.<Command.Published>await(reply -> publish("q", "last", reply));
            assertThat(contents(broker, "q")).contains("last").hasSize(51);
        }
        try (Broker again = open()) {
            assertThat(contents(again, "q")).hasSize(51);
        }
    }

    @Test
    void waitingForWhatIsToComeCostsNoProcessorTime() throws Exception {
        try (Broker broker = open()) {
            broker.<Boolean>await(reply -> new Command.Declare(StreamDefinition.named("s", 1), null, reply));
            AtomicReference<Long> nanos = new AtomicReference<>(0L);
            Thread waiting = Thread.ofPlatform().start(() -> {
                broker.<Command.Fetched>await(
                        reply -> new Command.Fetch("s", 0, 0, 1, 1, System.currentTimeMillis() + 1_500, reply));
                nanos.set(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
            });
            waiting.join();
            assertThat(nanos.get()).isLessThan(500_000_000L);
        }
    }

    @Test
    void whenTheQueueOfCommandsIsFullCallersWaitAndNothingIsLost() throws Exception {
        BrokerSettings plain = BrokerSettings.directory(directory.resolve("data"));
        BrokerSettings settings =
                new BrokerSettings(plain.location(), plain.engine(), plain.payloads(), 64, plain.clock());
        int senders = 6;
        int each = 200;
        AtomicInteger replies = new AtomicInteger();
        AtomicInteger submitted = new AtomicInteger();
        CountDownLatch hold = new CountDownLatch(1);
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch all = new CountDownLatch(senders * each);
        try (Broker broker = Broker.open(settings);
                ExecutorService threads = Executors.newFixedThreadPool(senders)) {
            declare(broker, "q");
            broker.submit(new Command.Inspect(new Reply<>() {
                @Override
                public void done(dev.postroad.engine.EngineStatus result) {
                    held.countDown();
                    try {
                        hold.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                }

                @Override
                public void failed(EngineException cause) {}
            }));
            held.await();
            List<Future<?>> sending = new ArrayList<>();
            for (int s = 0; s < senders; s++) {
                sending.add(threads.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        broker.submit(publish("q", "m", new Reply<>() {
                            @Override
                            public void done(Command.Published result) {
                                replies.incrementAndGet();
                                all.countDown();
                            }

                            @Override
                            public void failed(EngineException cause) {
                                all.countDown();
                            }
                        }));
                        submitted.incrementAndGet();
                    }
                }));
            }
            Await.until("the queue of commands is full", () -> submitted.get() >= 64);
            assertThat(submitted.get()).as("bounded while the broker is held").isLessThanOrEqualTo(64 + senders);
            hold.countDown();
            for (Future<?> one : sending) {
                one.get();
            }
            assertThat(all.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(replies.get()).isEqualTo(senders * each);
        }
    }

    @Test
    void whileItClosesEveryReplyComesOnceAndWhatWasConfirmedIsThere() throws Exception {
        for (int round = 0; round < 3; round++) {
            Path data = directory.resolve("round" + round);
            Set<String> confirmed = ConcurrentHashMap.newKeySet();
            AtomicInteger asked = new AtomicInteger();
            AtomicInteger answered = new AtomicInteger();
            Set<String> twice = ConcurrentHashMap.newKeySet();
            try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
                Broker broker = Broker.open(BrokerSettings.directory(data));
                declare(broker, "q");
                CountDownLatch running = new CountDownLatch(4);
                List<Future<?>> sending = new ArrayList<>();
                for (int s = 0; s < 4; s++) {
                    int sender = s;
                    sending.add(threads.submit(() -> {
                        for (int i = 0; i < 2_000; i++) {
                            String text = sender + "-" + i;
                            AtomicInteger times = new AtomicInteger();
                            asked.incrementAndGet();
                            Reply<Command.Published> reply = new Reply<>() {
                                private void count() {
                                    answered.incrementAndGet();
                                    if (times.incrementAndGet() > 1) {
                                        twice.add(text);
                                    }
                                }

                                @Override
                                public void done(Command.Published result) {
                                    confirmed.add(text);
                                    count();
                                }

                                @Override
                                public void failed(EngineException cause) {
                                    count();
                                }
                            };
                            if (sender % 2 == 0) {
                                broker.submit(publish("q", text, reply));
                            } else {
                                awaitAnyway(broker, text, reply);
                            }
                            if (i == 20) {
                                running.countDown();
                            }
                        }
                    }));
                }
                running.await();
                broker.close();
                for (Future<?> one : sending) {
                    one.get();
                }
                assertThat(answered.get()).isEqualTo(asked.get());
                assertThat(twice).isEmpty();
                assertThat(broker.failure()).isEmpty();
            }
            try (Broker again = Broker.open(BrokerSettings.directory(data))) {
                assertThat(new HashSet<>(contents(again, "q"))).isEqualTo(confirmed);
            }
        }
    }

    private static void awaitAnyway(Broker broker, String text, Reply<Command.Published> reply) {
        try {
            reply.done(broker.<Command.Published>await(inner -> publish("q", text, inner)));
        } catch (EngineException e) {
            reply.failed(e);
        }
    }

    @Test
    void aCallbackThatWouldWaitForTheBrokerIsToldSo() throws Exception {
        try (Broker broker = open()) {
            CompletableFuture<@Nullable Throwable> told = new CompletableFuture<>();
            broker.submit(new Command.Inspect(new Reply<>() {
                @Override
                public void done(dev.postroad.engine.EngineStatus result) {
                    try {
                        declare(broker, "q");
                        told.complete(null);
                    } catch (IllegalStateException e) {
                        told.complete(e);
                    }
                }

                @Override
                public void failed(EngineException cause) {
                    told.complete(null);
                }
            }));
            assertThat(told.get(30, TimeUnit.SECONDS)).isInstanceOf(IllegalStateException.class);
            declare(broker, "q");
        }
    }
}
