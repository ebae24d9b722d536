package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static dev.postroad.engine.Rig.publishingTo;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.journal.JournalSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Duplicates, and what happens at each bound. */
class QueueBoundsTest {
    private static void with(Rig rig, Runnable test) {
        try (rig) {
            test.run();
            rig.check();
        }
    }

    @Test
    void aMessageIdIsTakenOnceWithinItsWindowAlsoAcrossCrashes() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withDedupMillis(60_000));
            assertThat(rig.send("q", message("a").withId("1")).duplicates()).isZero();
            rig.crash();
            assertThat(rig.send("q", message("again").withId("1")).duplicates()).isEqualTo(1);
            rig.checkpoint();
            rig.crash();
            rig.advance(59_999);
            assertThat(rig.send("q", message("again").withId("1"), message("b").withId("2"))
                            .duplicates())
                    .isEqualTo(1);
            assertThat(rig.drain("q")).containsExactly("a", "b");
            rig.advance(1);
            assertThat(rig.send("q", message("c").withId("1")).duplicates()).isZero();
            assertThat(rig.drain("q")).containsExactly("c");
        });
    }

    @Test
    void twoOfOneIdInOneBatchAreOne() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withDedupMillis(60_000));
            assertThat(rig.send("q", message("a").withId("1"), message("b").withId("1"))
                            .duplicates())
                    .isEqualTo(1);
            assertThat(rig.contents("q")).containsExactly("a");
        });
    }

    @Test
    void whatIsInFlightTakesNoRoomFromWhatIsMovedWhereTheBoundIsOnWhatWaits() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("from"));
            rig.declare(QueueDefinition.named("to").withMaxMessages(2).withBoundsWaiting(true));
            rig.send("to", message("a"), message("b"));
            rig.consume("to", 2);
            rig.send("from", message("c"), message("d"), message("e"));
            assertThat(rig.<Long>call(reply -> new Command.Move("from", "to", null, 10, reply)))
                    .isEqualTo(2);
            assertThat(rig.contents("from")).containsExactly("e");
        });
    }

    @Test
    void aFullDedupWindowRefusesNewIdsAndConfirmsKnownOnes() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withDedupMillis(60_000).withDedupLimit(2));
            rig.send("q", message("a").withId("1"), message("b").withId("2"));
            EngineException refusal = rig.refused(publishing("q", message("c").withId("3")));
            assertThat(refusal.reason()).isEqualTo(Reason.FULL);
            assertThat(refusal).hasMessageContaining("2 message ids");
            assertThat(rig.send("q", message("a").withId("1")).duplicates()).isEqualTo(1);
            rig.advance(60_000);
            rig.send("q", message("c").withId("3"));
            assertThat(rig.contents("q")).containsExactly("a", "b", "c");
        });
    }

    @Test
    void aFullQueueRefusesWholeBatchesAndConfirmsDuplicates() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withMaxMessages(3).withDedupMillis(60_000));
            rig.send("q", message("a").withId("1"), message("b").withId("2"));
            EngineException refusal = rig.refused(publishing("q", message("c"), message("d")));
            assertThat(refusal.reason()).isEqualTo(Reason.FULL);
            assertThat(refusal).hasMessageContaining("2 messages of 3");
            rig.send("q", message("c").withId("3"));
            assertThat(rig.send("q", message("a").withId("1"), message("b").withId("2"))
                            .duplicates())
                    .isEqualTo(2);
            rig.crash();
            assertThat(rig.contents("q")).containsExactly("a", "b", "c");
            assertThat(rig.refused(publishing("q", message("d"))).reason()).isEqualTo(Reason.FULL);
            Rig.Taker taker = rig.consume("q", 1);
            taker.acknowledge(taker.one());
            rig.send("q", "d");
        });
    }

    @Test
    void aQueueOfSoManyBytesRefusesMore() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withMaxBytes(1_000));
            String half = "x".repeat(500);
            rig.send("q", half, half);
            assertThat(rig.refused(publishing("q", message("y"))).reason()).isEqualTo(Reason.FULL);
            assertThat(rig.drain("q")).hasSize(2);
            rig.send("q", "y");
        });
    }

    @Test
    void aBatchThroughATopicOrATransactionDoesNotOverfillAQueue() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withMaxMessages(2));
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "q", ""));
            assertThat(rig.refused(publishingTo("t", "", message("a"), message("b"), message("c")))
                            .reason())
                    .isEqualTo(Reason.FULL);
            List<Command> three = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                three.add(new Command.Publish(null, "q", List.of(message("m")), null, false, null, Reply.ignored()));
            }
            assertThat(rig.<List<Command.Published>>refused(reply -> new Command.Transact(three, reply))
                            .reason())
                    .isEqualTo(Reason.FULL);
            assertThat(rig.contents("q")).isEmpty();
        });
    }

    @Test
    void aQueueThatDropsItsOldestKeepsTheNewest() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withMaxMessages(3).withOverflow(Overflow.DROP_OLDEST));
            rig.send("q", "a", "b");
            Rig.Taker taker = rig.consume("q", 1);
            taker.one();
            rig.send("q", "c", "d", "e");
            assertThat(rig.contents("q")).as("what is held is not dropped").containsExactly("a", "d", "e");
            assertThat(rig.status("q").counters().dropped()).isEqualTo(2);
            rig.crash();
            assertThat(rig.contents("q")).containsExactly("a", "d", "e");
        });
    }

    @Test
    void aQueueThatDeadLettersItsOldestLosesNothing() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("dead"));
            rig.declare(QueueDefinition.named("q")
                    .withMaxMessages(2)
                    .withDeadLetter(DeadLetterTarget.channel("dead"))
                    .withOverflow(Overflow.DEAD_LETTER_OLDEST));
            rig.send("q", "a", "b", "c", "d");
            rig.crash();
            assertThat(rig.contents("q")).containsExactly("c", "d");
            assertThat(rig.contents("dead")).containsExactly("a", "b");
            assertThat(rig.browse("dead"))
                    .extracting(b -> b.message().headers().get(DeadLetterHeaders.CAUSE))
                    .containsOnly("overflow");
        });
    }

    @Test
    void deadLettersCountAgainstTheBoundOfTheirQueue() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("dead").withMaxMessages(2).withOverflow(Overflow.DROP_OLDEST));
            rig.declare(QueueDefinition.named("q").withDeadLetter(DeadLetterTarget.channel("dead")));
            rig.send("q", "a", "b", "c", "d");
            Rig.Taker taker = rig.consume("q", 10);
            taker.deadLetter("no", taker.take().toArray(EngineDelivery[]::new));
            assertThat(rig.contents("dead")).containsExactly("c", "d");
        });
    }

    @Test
    void queuesThatDeadLetterIntoEachOtherComeToRest() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("a")
                    .withMaxMessages(2)
                    .withDeadLetter(DeadLetterTarget.channel("b"))
                    .withOverflow(Overflow.DEAD_LETTER_OLDEST));
            rig.declare(QueueDefinition.named("b")
                    .withMaxMessages(2)
                    .withDeadLetter(DeadLetterTarget.channel("a"))
                    .withOverflow(Overflow.DEAD_LETTER_OLDEST));
            for (int i = 0; i < 10; i++) {
                rig.send("a", "m" + i);
            }
            assertThat(rig.contents("a")).hasSize(2);
            assertThat(rig.contents("b")).hasSize(2);
        });
    }

    @Test
    void aMessageOverTheLimitIsRefusedWithItsSizeAndTheLimit() {
        Rig rig = new Rig(Rig.SMALL.withMaxMessageBytes(10_000));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q"));
            EngineException refusal = rig.refused(publishing("q", message("x".repeat(10_001))));
            assertThat(refusal.reason()).isEqualTo(Reason.TOO_LARGE);
            assertThat(refusal).hasMessageContaining("10000");
            Map<String, Object> many = new LinkedHashMap<>();
            for (int i = 0; i <= 1_000; i++) {
                many.put("h" + i, 1L);
            }
            assertThat(rig.refused(publishing("q", message("x").withHeaders(many)))
                            .reason())
                    .isEqualTo(Reason.TOO_LARGE);
            rig.send("q", "x".repeat(9_000));
        });
    }

    @Test
    void theLargestMessageThatIsTakenCanBecomeADeadLetter() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("dead"));
            rig.declare(QueueDefinition.named("q").withDeadLetter(DeadLetterTarget.channel("dead")));
            int size = 1 << 20;
            while (size > 0) {
                Rig.Answer<Command.Published> answer = rig.submit(publishing("q", message("x".repeat(size))));
                rig.run();
                if (answer.isDone()) {
                    break;
                }
                EngineException refusal = answer.refusal();
                assertThat(refusal).isNotNull();
                assertThat(refusal == null ? null : refusal.reason()).isEqualTo(Reason.TOO_LARGE);
                size -= 512;
            }
            Rig.Taker taker = rig.consume("q", 1);
            taker.deadLetter("z".repeat(5_000), taker.one());
            assertThat(rig.contents("dead")).containsExactly("x".repeat(size));
        });
    }

    @Test
    void badHeadersAndIdsAreRefusedByName() {
        Rig rig = new Rig();
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q"));
            EngineException refusal =
                    rig.refused(publishing("q", message("x").withHeaders(Map.of("size", Thread.State.NEW))));
            assertThat(refusal.reason()).isEqualTo(Reason.INVALID);
            assertThat(refusal).hasMessageContaining("size").hasMessageContaining("java.lang.Thread$State");
            assertThat(rig.refused(publishing("q", message("x").withId(""))).reason())
                    .isEqualTo(Reason.INVALID);
            assertThat(rig.refused(publishing("q", message("x").withId("y".repeat(256))))
                            .reason())
                    .isEqualTo(Reason.INVALID);
            assertThat(rig.refused(publishing("nowhere", message("x"))).reason())
                    .isEqualTo(Reason.NOT_FOUND);
        });
    }

    @Test
    void channelsAndConsumersHaveTheirBounds() {
        Rig rig = new Rig(Rig.SMALL.withMaxChannels(2).withMaxConsumers(2, 3));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q1"));
            rig.declare(QueueDefinition.named("q2"));
            EngineException refusal =
                    rig.<Boolean>refused(reply -> new Command.Declare(QueueDefinition.named("q3"), null, reply));
            assertThat(refusal.reason()).isEqualTo(Reason.FULL);
            Command.ConsumerSettings owned =
                    new Command.ConsumerSettings(1, true, false, false, 0, 0, null, "connection", "c");
            rig.consume("q1", null, owned);
            rig.consume("q1", null, owned);
            assertThat(rig.<Long>refused(reply -> new Command.Subscribe("q1", null, owned, rig.new Taker(), reply))
                            .reason())
                    .as("per queue")
                    .isEqualTo(Reason.FULL);
            rig.consume("q2", null, owned);
            assertThat(rig.<Long>refused(reply -> new Command.Subscribe("q2", null, owned, rig.new Taker(), reply))
                            .reason())
                    .as("per owner")
                    .isEqualTo(Reason.FULL);
            rig.<Integer>call(reply -> new Command.CloseOwner("connection", reply));
            rig.consume("q2", null, owned);
        });
    }

    @Test
    void atTheMemoryCeilingPublishesAreRefusedAndConsumersGoOn() {
        Rig rig = new Rig(Rig.SMALL.withIndexBytes(200_000));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q").withDedupMillis(10_000));
            int taken = 0;
            EngineException refusal = null;
            while (refusal == null && taken < 50_000) {
                List<Rig.Answer<Command.Published>> answers = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    answers.add(rig.submit(publishing("q", message("m" + taken).withId("id" + taken))));
                    taken++;
                }
                rig.advance(100);
                refusal = answers.stream()
                        .map(Rig.Answer::refusal)
                        .filter(r -> r != null)
                        .findFirst()
                        .orElse(null);
            }
            assertThat(refusal).isNotNull();
            assertThat(refusal == null ? null : refusal.reason()).isEqualTo(Reason.FULL);
            assertThat(refusal).hasMessageContaining("200000");
            assertThat(rig.drain("q")).isNotEmpty();
            rig.advance(12_000);
            rig.advance(100); // memory is looked at now and then
            rig.send("q", "there is room again");
        });
    }

    @Test
    void onAFullDiskPublishesAreRefusedConsumersGoOnAndSpaceComesBack() {
        Rig rig = new Rig(Rig.SMALL
                .withJournal(JournalSettings.defaults()
                        .withSegmentBytes(256 << 10)
                        .withBufferBytes(64 << 10)
                        .withSpareSegments(0)
                        .withLowWaterBytes(1 << 20))
                .withCheckpoints(512 << 10, 5_000));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q"));
            rig.disk().capacity(3 << 20);
            int sent = fill(rig);
            assertThat(sent).isGreaterThan(1_000);
            rig.crash();
            assertThat(rig.refused(publishing("q", message("x".repeat(1_000)))).reason())
                    .isEqualTo(Reason.FULL);
            Rig.Taker taker = rig.consume("q", 1);
            int received = 0;
            for (List<EngineDelivery> got = taker.take(); !got.isEmpty(); got = taker.take()) {
                received += got.size();
                rig.advance(100);
                taker.acknowledge(got.toArray(EngineDelivery[]::new));
            }
            assertThat(received).as("one by one, with the disk full").isEqualTo(sent);
            taker.leave();
            rig.advance(30_000);
            assertThat(fill(rig)).as("and the space is there again").isGreaterThan(sent / 2);
            assertThat(rig.engine().failure()).isNull();
        });
    }

    @Test
    void spare_segments_do_not_keep_a_disk_full_and_its_space_is_back_soon() {
        Rig rig = new Rig(Rig.SMALL
                .withJournal(JournalSettings.defaults()
                        .withSegmentBytes(256 << 10)
                        .withBufferBytes(64 << 10)
                        .withSpareSegments(2)
                        .withLowWaterBytes(256 << 10))
                .withCheckpoints(1L << 40, 30_000));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("q"));
            rig.disk().capacity(900 << 10);
            int sent = fill(rig);
            assertThat(rig.drain("q")).hasSize(sent);
            int seconds = 0;
            while (sent == 0 || fill(rig) < sent / 2) {
                rig.advance(1_000);
                assertThat(++seconds).as("seconds until there is space").isLessThan(10);
            }
        });
    }

    private static int fill(Rig rig) {
        for (int sent = 0; ; sent++) {
            Rig.Answer<Command.Published> answer =
                    rig.submit(publishing("q", message(String.format("%04d", sent) + "x".repeat(1_000))));
            if (sent % 20 == 0 || answer.hasCome()) {
                rig.run();
            }
            EngineException refusal = answer.refusal();
            if (refusal != null) {
                assertThat(refusal.reason()).isEqualTo(Reason.FULL);
                assertThat(refusal).hasMessageContaining("disk");
                return sent;
            }
        }
    }

    @Test
    void aDiskThatIsTrulyFullStopsNobodyForGood() {
        Rig rig = new Rig(Rig.SMALL.withJournal(JournalSettings.defaults()
                .withSegmentBytes(64 << 10)
                .withBufferBytes(64 << 10)
                .withSpareSegments(0)
                .withLowWaterBytes(0)));
        with(rig, () -> {
            rig.declare(QueueDefinition.named("dead"));
            rig.declare(
                    QueueDefinition.named("q").withLeaseMillis(1_000).withDeadLetter(DeadLetterTarget.channel("dead")));
            rig.disk().capacity(256 << 10);
            fill(rig);
            Rig.Taker taker = rig.consume("q", 1);
            for (int i = 0; i < 2_000; i++) {
                rig.advance(1_000);
            }
            assertThat(rig.engine().failure()).isNull();
            rig.disk().capacity(4 << 20);
            rig.crash();
            rig.advance(5_000);
            assertThat(rig.drain("q")).isNotEmpty();
            assertThat(taker.deliveries).isNotNull();
        });
    }
}
