package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.MemoryStorage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Deep queues, the space they leave behind, and what a restart costs. */
class BacklogTest {
    private static final EngineSettings TINY = Rig.SMALL
            .withJournal(JournalSettings.defaults()
                    .withSegmentBytes(128 << 10)
                    .withBufferBytes(64 << 10)
                    .withLowWaterBytes(0))
            .withCheckpoints(256 << 10, 60_000);

    @Test
    void aBacklogCostsDiskAndLittleHeap() throws IOException {
        backlog(2_000_000, 8);
    }

    @Test
    @Tag("soak")
    void tenMillionMessagesCostLessThan64MiBOfHeap() throws IOException {
        backlog(10_000_000, 64);
    }

    private static void backlog(int count, int mostMiB) throws IOException {
        try (MemoryStorage storage = new MemoryStorage(4L << 30)) {
            EngineSettings settings = EngineSettings.DEFAULTS.withJournal(
                    JournalSettings.defaults().withLowWaterBytes(0).withMaxBatchBytes(16 << 20));
            Random random = new Random(1);
            Engine engine = Engine.open(storage, settings, PayloadFields.NONE, 1, random::nextLong, d -> {});
            engine.submit(new Command.Declare(QueueDefinition.named("q"), null, Reply.ignored()), 1);
            engine.turn(1);
            List<EngineMessage> batch = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                batch.add(message("twenty bytes or so.."));
            }
            int[] refused = new int[1];
            for (int i = 0; i < count / 1_000; i++) {
                engine.submit(
                        new Command.Publish(null, "q", batch, null, false, null, new Reply<>() {
                            @Override
                            public void done(Command.Published result) {}

                            @Override
                            public void failed(EngineException cause) {
                                refused[0]++;
                            }
                        }),
                        2 + i);
                run(engine, 2 + i);
            }
            assertThat(refused[0]).isZero();
            QueueState queue = engine.state.queue("q");
            assertThat(queue).isNotNull();
            assertThat(queue == null ? 0 : queue.messages()).isEqualTo(count);
            long heap = engine.state.heapBytes();
            assertThat(heap).isLessThan((long) mostMiB << 20);
            int[] taken = new int[1];
            engine.submit(
                    new Command.Subscribe(
                            "q",
                            null,
                            new Command.ConsumerSettings(5_000, false, true, false, 0, 0, null, null, "c"),
                            new DeliverySink() {
                                @Override
                                public void deliver(EngineDelivery delivery) {
                                    taken[0]++;
                                }

                                @Override
                                public void cancelled(String reason) {}
                            },
                            Reply.ignored()),
                    10_000_000);
            for (int i = 0; i < 20; i++) {
                engine.submit(new Command.Credit(1, 5_000, Reply.ignored()), 10_000_000);
                run(engine, 10_000_000);
            }
            assertThat(taken[0]).isGreaterThanOrEqualTo(100_000);
            engine.close();
        }
    }

    private static void run(Engine engine, long now) throws IOException {
        while (engine.turn(now) <= now) {
            assertThat(engine.failure()).isNull();
            Engine.CheckpointTask task = engine.checkpoint(false);
            if (task != null) {
                task.write();
                engine.checkpointed(task);
            }
        }
    }

    @Test
    void aDeepQueueIsDrainedInOrderThroughItsPagesAlsoAfterACrash() {
        try (Rig rig = new Rig(TINY)) {
            rig.declare(QueueDefinition.named("q"));
            int count = 70_000;
            for (int i = 0; i < count; i++) {
                rig.submit(Rig.publishing("q", message(String.valueOf(i))));
                if (i % 2_000 == 0) {
                    rig.run();
                }
            }
            rig.run();
            rig.check();
            assertThat(rig.engine().state.heapBytes()).isLessThan(2_000_000);
            rig.crash();
            Rig.Taker taker = rig.consume("q", 5_000);
            int next = 0;
            for (List<EngineDelivery> got = taker.take(); !got.isEmpty(); got = taker.take()) {
                for (EngineDelivery each : got) {
                    assertThat(Rig.text(each.message())).isEqualTo(String.valueOf(next++));
                }
                taker.acknowledge(got.toArray(EngineDelivery[]::new));
            }
            assertThat(next).isEqualTo(count);
            rig.check();
        }
    }

    @Test
    void manyShortBacklogsStayBelowTheMemoryTheirIndexesMayTake() {
        int queues = 50;
        int each = 3_500;
        long whole = 12L * queues * each;
        try (Rig rig = new Rig(TINY.withIndexBytes(whole * 3 / 4))) {
            List<Rig.Answer<Command.Published>> answers = new ArrayList<>();
            for (int q = 0; q < queues; q++) {
                rig.declare(QueueDefinition.named("q" + q));
            }
            for (int i = 0; i < each; i += 100) {
                EngineMessage[] batch = IntStream.range(i, i + 100)
                        .mapToObj(n -> message(String.valueOf(n)))
                        .toArray(EngineMessage[]::new);
                for (int q = 0; q < queues; q++) {
                    answers.add(rig.submit(Rig.publishing("q" + q, batch)));
                }
                rig.advance(100);
            }
            rig.check();
            assertThat(answers)
                    .allSatisfy(answer -> assertThat(answer.refusal()).isNull());
            rig.crash();
            for (int q = 0; q < queues; q += 7) {
                assertThat(rig.drain("q" + q))
                        .containsExactlyElementsOf(IntStream.range(0, each)
                                .mapToObj(String::valueOf)
                                .toList());
            }
            rig.check();
        }
    }

    @Test
    void fillingAndDrainingOverAndOverKeepsTheNumberOfSegmentsBounded() {
        try (Rig rig = new Rig(TINY)) {
            rig.declare(QueueDefinition.named("q"));
            int most = 0;
            for (int round = 0; round < 40; round++) {
                for (int i = 0; i < 100; i++) {
                    rig.send("q", "x".repeat(2_000));
                }
                assertThat(rig.drain("q")).hasSize(100);
                rig.advance(1_000);
                most = Math.max(most, rig.inspect().journal().segments());
                if (round % 9 == 5) {
                    rig.crash();
                }
            }
            rig.check();
            assertThat(most).isLessThan(20);
        }
    }

    @Test
    void longLivedMessagesInEverySegmentAreCopiedForwardAndTheSpaceComesBack() {
        try (Rig rig = new Rig(TINY)) {
            rig.declare(QueueDefinition.named("q"));
            rig.declare(QueueDefinition.named("kept"));
            rig.declare(StreamDefinition.named("s", 1).withCompacted(true));
            List<String> kept = new ArrayList<>();
            int most = 0;
            for (int round = 0; round < 60; round++) {
                kept.add("kept-" + round);
                rig.send("kept", kept.getLast());
                rig.send("s", Rig.keyed("k" + round, "v" + round));
                for (int i = 0; i < 60; i++) {
                    rig.send("q", "x".repeat(2_000));
                }
                rig.drain("q");
                rig.advance(2_000);
                most = Math.max(most, rig.inspect().journal().segments());
                if (round % 13 == 7) {
                    rig.crash();
                    rig.check();
                }
            }
            rig.check();
            assertThat(rig.engine().state.store.movedEntries())
                    .as("some were copied")
                    .isPositive();
            assertThat(most).as("of about 75 that were written").isLessThan(30);
            assertThat(rig.contents("kept")).isEqualTo(kept);
            assertThat(rig.contents("s")).hasSize(60);
            rig.crash();
            assertThat(rig.drain("kept")).isEqualTo(kept);
            rig.check();
        }
    }

    @Test
    void aKillInTheMiddleOfCheckpointsRollsAndCompactionLosesNothing() {
        Random random = new Random(5);
        for (int round = 0; round < 25; round++) {
            try (Rig rig = new Rig(TINY.withCheckpoints(40 << 10, 2_000), PayloadFields.NONE, round)) {
                rig.declare(QueueDefinition.named("q"));
                rig.declare(QueueDefinition.named("kept"));
                List<String> kept = new ArrayList<>();
                boolean open = true;
                for (int kill = 0; kill < 6; kill++) {
                    String name = "kept-" + kill;
                    rig.killAtCall(1 + random.nextInt(120));
                    try {
                        for (int i = 0; i < 40; i++) {
                            name = "kept-" + kill + "-" + i;
                            rig.send("kept", name);
                            kept.add(name);
                            rig.send("q", "x".repeat(2_000), "y".repeat(2_000), "z".repeat(2_000));
                            rig.drain("q");
                            rig.advance(1_000);
                        }
                    } catch (Rig.Killed killed) {
                        open = false;
                    }
                    rig.crash();
                    rig.check();
                    List<String> there = new ArrayList<>(rig.contents("kept"));
                    if (!there.isEmpty()
                            && there.size() == kept.size() + 1
                            && there.getLast().equals(name)) {
                        kept.add(name);
                    }
                    assertThat(there).isEqualTo(kept);
                }
                assertThat(open).isFalse();
                assertThat(rig.drain("kept")).isEqualTo(kept);
                rig.check();
            }
        }
    }

    @Test
    void spaceComesBackInAnIdleBrokerToo() {
        try (Rig rig = new Rig(TINY)) {
            rig.declare(QueueDefinition.named("q"));
            rig.declare(QueueDefinition.named("kept"));
            for (int i = 0; i < 1_000; i++) {
                rig.send("q", "x".repeat(2_000));
                if (i % 60 == 0) {
                    rig.send("kept", "k" + i);
                }
            }
            rig.drain("q");
            int before = rig.inspect().journal().segments();
            rig.advance(600_000);

            assertThat(rig.inspect().journal().segments()).isLessThan(before / 2);
            assertThat(rig.contents("kept")).hasSize(17);
        }
    }

    @Test
    void aRestartReplaysOnlyWhatCameSinceTheCheckpoint() {
        try (Rig rig = new Rig(Rig.SMALL)) {
            rig.declare(QueueDefinition.named("q"));
            for (int i = 0; i < 1_000; i++) {
                rig.send("q", "m" + i);
            }
            rig.checkpoint();
            rig.send("q", "last");
            rig.crash();

            assertThat(rig.engine().recovery().records()).isLessThan(20);
            assertThat(rig.browse("q")).hasSize(1_001);
        }
    }

    @Test
    void everyKindOfStateIsTheSameFromACheckpointAsFromTheLog() {
        try (Rig rig = new Rig(Rig.SMALL)) {
            rig.declare(QueueDefinition.named("dead"));
            rig.declare(QueueDefinition.named("q")
                    .withKeyOrdered(true)
                    .withDedupMillis(60_000)
                    .withDeadLetter(QueueDefinition.DeadLetterTarget.channel("dead")));
            rig.declare(StreamDefinition.named("s", 2));
            rig.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "q", ""));
            rig.bind(Binding.toChannel("t", "s", ""));
            for (int i = 0; i < 20; i++) {
                rig.sendTo("t", "", Rig.keyed("k" + i % 4, "m" + i).withId("id" + i));
            }
            Rig.Taker taker = rig.consume("q", 2);
            taker.deadLetter("no", taker.take().getFirst());
            taker.releaseAfter(100_000, taker.take().getFirst());
            rig.<Long>call(reply -> new Command.Redrive("dead", null, 2, reply));
            taker.leave();
            EngineStatus before = rig.inspect();
            List<String> contents = rig.contents("q");
            rig.checkpoint();
            rig.crash();
            EngineStatus after = rig.inspect();

            assertThat(rig.contents("q")).isEqualTo(contents);
            assertThat(after.bindings()).isEqualTo(before.bindings());
            assertThat(after.streams())
                    .extracting(EngineStatus.Stream::partitions)
                    .isEqualTo(before.streams().stream()
                            .map(EngineStatus.Stream::partitions)
                            .toList());
            assertThat(after.queues())
                    .extracting(EngineStatus.Queue::delayed)
                    .isEqualTo(before.queues().stream()
                            .map(EngineStatus.Queue::delayed)
                            .toList());
            assertThat(rig.sendTo("t", "", Rig.keyed("k0", "again").withId("id0"))
                            .routed())
                    .isEqualTo(2);
            assertThat(rig.contents("q")).doesNotContain("again");
            rig.check();
        }
    }
}
