package dev.postroad.engine;

import static dev.postroad.engine.Rig.keyed;
import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams, what reads them by offset, and the groups that share them. */
class StreamTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private Command.Fetched fetch(int partition, long offset) {
        return rig.<Command.Fetched>call(reply -> new Command.Fetch("s", partition, offset, 1_000, 1 << 20, 0, reply));
    }

    private static List<String> texts(Command.Fetched fetched) {
        return fetched.records().stream().map(r -> text(r.message())).toList();
    }

    private long offsetAt(long millis) {
        return rig.<Long>call(reply -> new Command.OffsetAt("s", 0, millis, reply));
    }

    private EngineStatus.Group group(String name) {
        return rig.inspect().groups().stream()
                .filter(g -> g.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void offsetsCountUpAndAreNeverGivenTwiceAlsoAcrossCrashesAndPurges() {
        rig.declare(StreamDefinition.named("s", 1));
        Command.Published published = rig.send("s", "a", "b");
        assertThat(published.firstOffset()).isZero();
        assertThat(published.offsets()).containsExactly(0, 0, 0, 1);
        rig.crash();
        assertThat(rig.send("s", "c").firstOffset()).isEqualTo(2);
        assertThat(rig.<Long>call(reply -> new Command.Purge("s", reply))).isEqualTo(3);
        rig.checkpoint();
        rig.crash();
        assertThat(rig.send("s", "d").firstOffset()).isEqualTo(3);

        Command.Fetched fetched = fetch(0, 0);
        assertThat(texts(fetched)).containsExactly("d");
        assertThat(fetched.earliest()).isEqualTo(3);
        assertThat(fetched.next()).isEqualTo(4);
        assertThat(fetched.nextFetch()).isEqualTo(4);
    }

    @Test
    void oneKeyIsInOnePartitionInOrder() {
        rig.declare(StreamDefinition.named("s", 8));
        for (int i = 0; i < 100; i++) {
            rig.send("s", keyed("k" + i % 10, "k" + i % 10 + "-" + i / 10));
        }
        rig.crash();
        Set<String> partitionsOfKeys = new HashSet<>();
        int count = 0;
        for (int p = 0; p < 8; p++) {
            String last = "";
            for (String each : texts(fetch(p, 0)).stream().sorted().toList()) {
                count++;
                if (!each.substring(0, 2).equals(last)) {
                    last = each.substring(0, 2);
                    assertThat(partitionsOfKeys.add(last))
                            .as("%s in one partition only", last)
                            .isTrue();
                }
            }
        }
        assertThat(count).isEqualTo(100);
    }

    @Test
    void anIdempotentProducersBatchIsStoredOnceAndGapsAndOldEpochsAreRefused() {
        rig.declare(StreamDefinition.named("s", 1));
        long id = rig.<Long>call(Command.NewProducer::new);
        assertThat(produce(id, 0, 0, "a", "b").firstOffset()).isZero();
        rig.crash();
        Command.Published again = produce(id, 0, 0, "a", "b");
        assertThat(again.firstOffset()).isZero();
        assertThat(again.duplicates()).isEqualTo(2);
        assertThat(produce(id, 0, 2, "c").firstOffset()).isEqualTo(2);
        assertThat(refusedProduce(id, 0, 4).reason()).isEqualTo(Reason.OUT_OF_SEQUENCE);
        produce(id, 1, 0, "d");
        rig.checkpoint();
        rig.crash();
        assertThat(refusedProduce(id, 0, 3).reason()).isEqualTo(Reason.FENCED);
        assertThat(rig.<Long>call(Command.NewProducer::new)).isNotEqualTo(id);
        assertThat(texts(fetch(0, 0))).containsExactly("a", "b", "c", "d");
    }

    private Command.Published produce(long id, int epoch, int sequence, String... texts) {
        List<EngineMessage> messages = new ArrayList<>();
        for (String each : texts) {
            messages.add(message(each));
        }
        return rig.<Command.Published>call(reply -> new Command.Publish(
                null, "s", messages, null, false, new Command.Producer(id, (short) epoch, sequence, 0), reply));
    }

    private EngineException refusedProduce(long id, int epoch, int sequence) {
        return rig.<Command.Published>refused(reply -> new Command.Publish(
                null,
                "s",
                List.of(message("x")),
                null,
                false,
                new Command.Producer(id, (short) epoch, sequence, 0),
                reply));
    }

    @Test
    void anIdempotentProducerGoesOnThoughAnIdWasSeenBefore() {
        rig.declare(StreamDefinition.named("s", 1).withDedupMillis(60_000));
        rig.send("s", message("a").withId("1"));
        long id = rig.<Long>call(Command.NewProducer::new);
        for (int sequence = 0; sequence < 3; sequence++) {
            int n = sequence;
            rig.<Command.Published>call(reply -> new Command.Publish(
                    null,
                    "s",
                    List.of(message("b" + n).withId(n == 1 ? "1" : "new" + n)),
                    null,
                    false,
                    new Command.Producer(id, (short) 0, n, 0),
                    reply));
        }
        assertThat(texts(fetch(0, 0))).contains("a", "b0", "b2");
    }

    @Test
    void messageIdsAreTakenOnceWithinTheWindow() {
        rig.declare(StreamDefinition.named("s", 3).withDedupMillis(60_000));
        rig.send("s", message("a").withId("1"));
        rig.crash();
        assertThat(rig.send("s", message("a").withId("1")).duplicates()).isEqualTo(1);
        assertThat(rig.browse("s")).hasSize(1);
    }

    @Test
    void retentionByTimeAndBySizeTrimsAndGivesOffsetsOn() {
        rig.declare(StreamDefinition.named("s", 1).withRetentionMillis(600_000));
        rig.send("s", "old");
        rig.advance(300_000);
        rig.send("s", "young");
        rig.crash();
        rig.advance(310_000);
        assertThat(texts(fetch(0, 0))).containsExactly("young");
        assertThat(fetch(0, 0).earliest()).isEqualTo(1);

        rig.declare(StreamDefinition.named("small", 1).withRetentionBytes(100_000));
        for (int i = 0; i < 300; i++) {
            rig.send("small", "x".repeat(1_000));
        }
        rig.advance(120_000);
        assertThat(rig.browse("small")).hasSizeBetween(80, 110);
    }

    @Test
    void compactionKeepsTheLastOfEachKeyAndTombstonesForTheirTime() {
        rig.declare(StreamDefinition.named("s", 1).withCompacted(true).withTombstoneMillis(60_000));
        for (int i = 0; i < 20; i++) {
            rig.send("s", keyed("k" + i % 3, "v" + i));
        }
        rig.send(
                "s",
                new EngineMessage(
                        null,
                        new byte[] {'k', '0'},
                        null,
                        java.util.Map.of(),
                        EngineMessage.Properties.NONE,
                        0,
                        0,
                        0,
                        0));
        rig.crash();
        assertThat(texts(fetch(0, 0))).containsExactly("v17", "v19", "(tombstone)");
        rig.advance(200_000);
        rig.checkpoint();
        rig.crash();
        assertThat(texts(fetch(0, 0))).containsExactly("v17", "v19");
        assertThat(rig.refused(Rig.publishing("s", message("no key"))).reason()).isEqualTo(Reason.INVALID);
    }

    @Test
    void aFetchWaitsForTheFirstMessageUntilItsDeadline() {
        rig.declare(StreamDefinition.named("s", 1));
        Rig.Answer<Command.Fetched> waits = rig.<Command.Fetched>submit(
                reply -> new Command.Fetch("s", 0, 0, 10, 1_000, rig.now() + 60_000, reply));
        Rig.Answer<Command.Fetched> inVain =
                rig.<Command.Fetched>submit(reply -> new Command.Fetch("s", 0, 0, 10, 1_000, rig.now() + 1_000, reply));
        rig.run();
        assertThat(waits.hasCome()).isFalse();
        rig.advance(1_000);
        assertThat(inVain.get().records()).isEmpty();
        rig.send("s", "a");
        assertThat(texts(waits.get())).containsExactly("a");
        Rig.Answer<Command.Fetched> deleted = rig.<Command.Fetched>submit(
                reply -> new Command.Fetch("s", 0, 1, 10, 1_000, rig.now() + 60_000, reply));
        rig.<Long>call(reply -> new Command.DeleteChannel("s", false, false, null, reply));
        assertThat(deleted.refusal()).isNotNull();
    }

    @Test
    void aFetchOutOfRangeIsRefusedWithTheRange() {
        rig.declare(StreamDefinition.named("s", 1));
        rig.send("s", "a");
        EngineException refusal =
                rig.<Command.Fetched>refused(reply -> new Command.Fetch("s", 0, 5, 10, 1_000, 0, reply));
        assertThat(refusal.reason()).isEqualTo(Reason.INVALID);
        assertThat(refusal).hasMessageContaining("from 0 to 1");
        assertThat(rig.<Command.Fetched>refused(reply -> new Command.Fetch("s", 1, 0, 10, 1_000, 0, reply))
                        .reason())
                .isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void theOffsetAtATimeIsTheFirstAcceptedThen() {
        rig.declare(StreamDefinition.named("s", 1));
        long begin = rig.now();
        for (int i = 0; i < 5; i++) {
            rig.send("s", "m" + i);
            rig.advance(1_000);
        }
        rig.crash();
        assertThat(offsetAt(0)).isZero();
        assertThat(offsetAt(begin + 2_000)).isEqualTo(2);
        assertThat(offsetAt(begin + 2_001)).isEqualTo(3);
        assertThat(offsetAt(begin + 100_000)).isEqualTo(5);
    }

    @Test
    void aSharedGroupStartsWhereItIsTold() {
        rig.declare(StreamDefinition.named("s", 2));
        for (int i = 0; i < 6; i++) {
            rig.send("s", "m" + i);
            rig.advance(1_000);
        }
        long third = fetchTimeOf("m3");
        rig.declareGroup("s", QueueDefinition.named("earliest"), new Command.Start.Earliest());
        rig.declareGroup("s", QueueDefinition.named("latest"), new Command.Start.Latest());
        rig.declareGroup("s", QueueDefinition.named("offset"), new Command.Start.Offset(2));
        rig.declareGroup("s", QueueDefinition.named("time"), new Command.Start.Timestamp(third));
        assertThat(rig.declareGroup("s", QueueDefinition.named("earliest"), new Command.Start.Earliest()))
                .isFalse();
        rig.crash();
        rig.send("s", "m6");

        assertThat(rig.consumeGroup("s", "earliest", 10).texts())
                .containsExactly("m0", "m1", "m2", "m3", "m4", "m5", "m6");
        assertThat(rig.consumeGroup("s", "latest", 10).texts()).containsExactly("m6");
        assertThat(rig.consumeGroup("s", "offset", 10).texts()).containsExactly("m4", "m5", "m6");
        assertThat(rig.consumeGroup("s", "time", 10).texts()).containsExactly("m3", "m4", "m5", "m6");
    }

    private long fetchTimeOf(String text) {
        for (int p = 0; p < 2; p++) {
            for (Command.StreamRecord each : fetch(p, 0).records()) {
                if (text(each.message()).equals(text)) {
                    return each.acceptedMillis();
                }
            }
        }
        throw new AssertionError("no " + text);
    }

    @Test
    void aSharedGroupAcknowledgesOneByOneAndTellsPartitionAndOffset() {
        rig.declare(StreamDefinition.named("s", 2));
        rig.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
        rig.send("s", "a", "b", "c");
        Rig.Taker taker = rig.consumeGroup("s", "g", 10);
        List<EngineDelivery> got = taker.take();
        assertThat(got).extracting(EngineDelivery::partition).containsExactly(0, 1, 0);
        assertThat(got).extracting(EngineDelivery::offset).containsExactly(0L, 0L, 1L);
        taker.acknowledge(got.get(1));
        rig.crash();
        List<EngineDelivery> again = rig.consumeGroup("s", "g", 10).take();
        assertThat(again).extracting(d -> text(d.message())).containsExactly("a", "c");
        assertThat(again).extracting(EngineDelivery::partition).containsExactly(0, 0);
        assertThat(again).extracting(EngineDelivery::offset).containsExactly(0L, 1L);
        List<Command.Browsed> browsed =
                rig.<List<Command.Browsed>>call(reply -> new Command.Browse("s", "g", null, 10, reply));
        assertThat(browsed).extracting(Command.Browsed::partition).containsExactly(0, 0);
        EngineStatus.Queue shared = group("g").shared();
        assertThat(shared == null ? -1 : shared.inFlight()).isEqualTo(2);
    }

    @Test
    void aGroupKeepsWhatItsStreamHasTrimmed() {
        rig.declare(StreamDefinition.named("s", 1));
        rig.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
        rig.send("s", "a", "b");
        rig.<Long>call(reply -> new Command.Purge("s", reply));
        rig.checkpoint();
        rig.crash();

        assertThat(rig.browse("s")).isEmpty();
        assertThat(rig.consumeGroup("s", "g", 10).texts()).containsExactly("a", "b");
    }

    @Test
    void aKeyOrderedGroupKeepsOrderThroughFailureAndRedrive() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(StreamDefinition.named("s", 3));
        rig.send("s", keyed("a", "a0"), keyed("b", "b0"));
        rig.declareGroup(
                "s",
                QueueDefinition.named("g").withKeyOrdered(true).withDeadLetter(DeadLetterTarget.channel("dead")),
                new Command.Start.Earliest());
        rig.send("s", keyed("a", "a1"), keyed("a", "a2"), keyed("b", "b1"));
        Rig.Taker taker = rig.consumeGroup("s", "g", 1);
        EngineDelivery first = taker.one();
        assertThat(text(first.message())).isEqualTo("a0");
        taker.deadLetter("no", first);
        rig.send("s", keyed("a", "a3"));
        rig.crash();
        assertThat(rig.contents("dead")).containsExactly("a0", "a1", "a2", "a3");
        assertThat(rig.<Long>call(reply -> new Command.Redrive("dead", null, 2, reply)))
                .isEqualTo(2);
        rig.crash();
        assertThat(rig.<Long>call(reply -> new Command.Redrive("dead", null, 100, reply)))
                .isEqualTo(2);
        Rig.Taker all = rig.consumeGroup("s", "g", 1);
        List<String> order = new ArrayList<>();
        for (List<EngineDelivery> got = all.take(); !got.isEmpty(); got = all.take()) {
            order.add(text(got.getFirst().message()));
            all.acknowledge(got.getFirst());
        }
        assertThat(order)
                .containsSubsequence("a0", "a1", "a2", "a3")
                .containsSubsequence("b0", "b1")
                .hasSize(6);
        assertThat(rig.browse("s")).as("the stream keeps everything").hasSize(6);
    }

    @Test
    void aKillWhileAGroupIsFilledLeavesItWholeOrNotThere() {
        int there = 0;
        int notThere = 0;
        for (int call = 1; call < 14; call++) {
            for (int seed = 0; seed < 3; seed++) {
                try (Rig each = new Rig(Rig.SMALL, PayloadFields.NONE, 50L * call + seed)) {
                    each.declare(StreamDefinition.named("s", 2));
                    for (int i = 0; i < 8_000; i++) {
                        each.submit(Rig.publishing("s", keyed("k" + i, "m" + i)));
                    }
                    each.run();
                    each.killAtCall(call);
                    boolean confirmed = false;
                    try {
                        each.declareGroup(
                                "s", QueueDefinition.named("g").withKeyOrdered(true), new Command.Start.Earliest());
                        confirmed = true;
                    } catch (Rig.Killed killed) {
                        assertThat(killed).isNotNull();
                    }
                    each.crash();
                    boolean exists = !each.inspect().groups().isEmpty();
                    assertThat(exists || !confirmed).isTrue();
                    if (exists) {
                        there++;
                        assertThat(each.inspect().groups().getFirst().shared())
                                .satisfies(q ->
                                        assertThat(q == null ? 0 : q.ready()).isEqualTo(8_000));
                    } else {
                        notThere++;
                        each.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
                    }
                    each.check();
                }
            }
        }
        assertThat(there).isPositive();
        assertThat(notThere).isPositive();
    }

    @Test
    void deletingAStreamTakesItsGroupsWithIt() {
        rig.declare(StreamDefinition.named("s", 2));
        rig.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
        rig.send("s", "a", "b");
        Rig.Taker taker = rig.consumeGroup("s", "g", 1);
        taker.take();
        rig.<Long>call(reply -> new Command.DeleteChannel("s", false, false, null, reply));
        assertThat(taker.cancelled).isNotNull();
        rig.crash();
        assertThat(rig.inspect().groups()).isEmpty();
        assertThat(rig.inspect().journal().liveBytes()).isZero();
    }

    @Test
    void aGroupOfPositionsKeepsItsOffsetsAndTellsItsLag() {
        rig.declare(StreamDefinition.named("s", 2));
        rig.send("s", "a", "b", "c", "d", "e", "f");
        Command.Joined joined =
                rig.<Command.Joined>call(reply -> new Command.JoinGroup("g", null, List.of("s"), 10_000, reply));
        assertThat(joined.partitions().get("s")).containsExactly(0, 1);
        Command.Member member = new Command.Member(joined.memberId(), joined.generation());
        rig.<Command.Done>call(reply ->
                new Command.CommitOffsets("g", member, List.of(new Command.Position("s", 0, 2, "note")), reply));
        assertThat(group("g").positions()).anySatisfy(p -> {
            assertThat(p.partition()).isZero();
            assertThat(p.offset()).isEqualTo(2);
            assertThat(p.lag()).isEqualTo(1);
        });
        Command.Joined second =
                rig.<Command.Joined>call(reply -> new Command.JoinGroup("g", null, List.of("s"), 10_000, reply));
        assertThat(second.generation()).isGreaterThan(joined.generation());
        assertThat(rig.<Command.Done>refused(reply -> new Command.CommitOffsets(
                                "g", member, List.of(new Command.Position("s", 0, 3, null)), reply))
                        .reason())
                .isEqualTo(Reason.FENCED);
        rig.crash();
        assertThat(rig.<List<Command.Position>>call(reply -> new Command.GroupOffsets("g", reply)))
                .containsExactly(new Command.Position("s", 0, 2, "note"));
    }

    @Test
    void aMemberThatFallsSilentIsOutAndItsPartitionsGoToTheOthers() {
        rig.declare(StreamDefinition.named("s", 4));
        Command.Joined one =
                rig.<Command.Joined>call(reply -> new Command.JoinGroup("g", null, List.of("s"), 10_000, reply));
        Command.Joined two =
                rig.<Command.Joined>call(reply -> new Command.JoinGroup("g", null, List.of("s"), 60_000, reply));
        rig.advance(11_000);
        Command.Joined now = rig.<Command.Joined>call(
                reply -> new Command.Heartbeat("g", new Command.Member(two.memberId(), two.generation()), reply));

        assertThat(now.partitions().get("s")).containsExactly(0, 1, 2, 3);
        assertThat(rig.<Command.Joined>refused(reply ->
                                new Command.Heartbeat("g", new Command.Member(one.memberId(), one.generation()), reply))
                        .reason())
                .isEqualTo(Reason.FENCED);
    }
}
