package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.journal.JournalSettings;
import dev.postroad.simulation.disk.Crash;
import dev.postroad.simulation.disk.Fault;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What the engine says and keeps when the disk fails, and what each durability means. */
class StorageFailureTest {
    @Test
    void whatIsDurableIsOnDiskWhenItIsConfirmed() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q"));
            rig.send("q", "a");
            rig.crash(Crash.losingAll());
            assertThat(rig.contents("q")).containsExactly("a");
        }
    }

    @Test
    void whatIsBufferedIsOnDiskWithinASecondAndMayBeLostBefore() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q").withDurability(Durability.BUFFERED));
            rig.send("q", "a");
            rig.advance(1_000);
            long syncs = rig.inspect().journal().syncs();
            rig.send("q", "b");
            assertThat(rig.inspect().journal().syncs()).as("no sync for each").isEqualTo(syncs);
            rig.crash(Crash.losingAll());
            assertThat(rig.contents("q")).containsExactly("a");
            rig.send("q", "c");
            rig.crash(Crash.keepingAll());
            assertThat(rig.contents("q"))
                    .as("the process died, the system did not")
                    .containsExactly("a", "c");
        }
    }

    @Test
    void aBufferedPublishToADurableQueueNeedNotBeForcedAndADurableOneToABufferedQueueIs() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("d"));
            rig.declare(QueueDefinition.named("b").withDurability(Durability.BUFFERED));
            rig.<Command.Published>call(reply ->
                    new Command.Publish(null, "d", List.of(message("1")), Durability.BUFFERED, false, null, reply));
            rig.crash(Crash.losingAll());
            assertThat(rig.contents("d")).isEmpty();
            rig.<Command.Published>call(reply ->
                    new Command.Publish(null, "b", List.of(message("2")), Durability.DURABLE, false, null, reply));
            rig.crash(Crash.losingAll());
            assertThat(rig.contents("b")).containsExactly("2");
        }
    }

    @Test
    void whatIsTransientIsGoneWhenTheEngineStartsAgain() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q").withDurability(Durability.TRANSIENT));
            rig.declare(StreamDefinition.named("s", 2).withDurability(Durability.TRANSIENT));
            rig.send("q", "a");
            rig.send("s", "b");
            assertThat(rig.contents("q")).containsExactly("a");
            rig.restart();
            assertThat(rig.contents("q")).isEmpty();
            assertThat(rig.contents("s")).isEmpty();
            assertThat(rig.inspect().journal().liveBytes()).isZero();
            rig.send("q", "c");
            rig.crash();
            assertThat(rig.contents("q")).isEmpty();
            rig.check();
        }
    }

    @Test
    void aFailedSyncFailsAllThatWaitsAndNothingMoreIsAccepted() {
        for (Fault fault : Fault.values()) {
            try (Rig rig = new Rig()) {
                rig.declare(QueueDefinition.named("q"));
                rig.send("q", "confirmed");
                Rig.Taker taker = rig.consume("q", 1);
                taker.take();
                rig.disk().failCall(1, fault, true);
                Rig.Answer<Command.Published> one = rig.submit(publishing("q", message("x")));
                Rig.Answer<Command.Published> two = rig.submit(publishing("q", message("y")));
                Rig.Answer<Boolean> three =
                        rig.<Boolean>submit(reply -> new Command.Declare(QueueDefinition.named("other"), null, reply));
                rig.run();
                for (Rig.Answer<?> answer : List.of(one, two, three)) {
                    EngineException refusal = answer.refusal();
                    assertThat(refusal).isNotNull();
                    assertThat(refusal == null ? null : refusal.reason()).isEqualTo(Reason.STORAGE_FAILED);
                }
                assertThat(taker.deliveries).isEmpty();
                rig.disk().heal();
                assertThat(rig.refused(publishing("q", message("z"))).reason()).isEqualTo(Reason.STORAGE_FAILED);
                assertThat(rig.inspect().journal().failure()).as("but it tells").isNotNull();
                rig.crash(Crash.losingAll());
                assertThat(rig.contents("q")).containsExactly("confirmed");
                rig.send("q", "again");
                rig.check();
            }
        }
    }

    /** Fails each call on the disk in turn, once and for ever, while messages go in and out. */
    @Test
    void wheneverTheDiskFailsWhatWasConfirmedIsThereAndWhatWasAcknowledgedIsNot() {
        for (boolean forever : new boolean[] {false, true}) {
            for (Fault fault : new Fault[] {Fault.IO_ERROR, Fault.FAILED_SYNC, Fault.NO_SPACE, Fault.SHORT_WRITE}) {
                boolean met = true;
                for (int call = 1; met && call < 300; call += 7) {
                    met = failOnce(call, fault, forever);
                }
            }
        }
    }

    private static boolean failOnce(int call, Fault fault, boolean forever) {
        EngineSettings settings = Rig.SMALL
                .withJournal(JournalSettings.defaults()
                        .withSegmentBytes(128 << 10)
                        .withBufferBytes(64 << 10)
                        .withLowWaterBytes(0))
                .withCheckpoints(100 << 10, 10_000);
        try (Rig rig = new Rig(settings, PayloadFields.NONE, call)) {
            rig.declare(QueueDefinition.named("q"));
            Rig.Taker taker = rig.consume("q", 3);
            rig.disk().failCall(call, fault, forever);
            Set<String> confirmed = new HashSet<>();
            Set<String> sent = new HashSet<>();
            Set<String> acknowledged = new HashSet<>();
            Set<String> maybeAcknowledged = new HashSet<>();
            for (int i = 0; i < 120; i++) {
                String name = i + "-" + "x".repeat(3_000);
                sent.add(name);
                Rig.Answer<Command.Published> answer = rig.submit(publishing("q", message(name)));
                rig.run();
                if (answer.isDone()) {
                    confirmed.add(name);
                }
                if (i % 3 == 2) {
                    for (EngineDelivery each : taker.take()) {
                        maybeAcknowledged.add(Rig.text(each.message()));
                        long[] numbers = {each.number()};
                        Rig.Answer<Integer> settled = rig.<Integer>submit(reply ->
                                new Command.Settle(taker.id, numbers, 1, Command.Outcome.Acknowledge.INSTANCE, reply));
                        rig.run();
                        if (settled.isDone()) {
                            acknowledged.add(Rig.text(each.message()));
                        }
                    }
                }
                rig.clock.advance(java.time.Duration.ofMillis(200));
            }
            boolean met = rig.disk().faultMet();
            rig.disk().heal();
            rig.crash();
            List<String> there = new ArrayList<>(rig.contents("q"));
            assertThat(sent).as("nothing is invented").containsAll(there);
            assertThat(new HashSet<>(there)).as("nothing is there twice").hasSameSizeAs(there);
            Set<String> mustBe = new HashSet<>(confirmed);
            mustBe.removeAll(maybeAcknowledged);
            assertThat(there).as("call %d, %s: what was confirmed", call, fault).containsAll(mustBe);
            assertThat(there)
                    .as("call %d, %s: what was acknowledged", call, fault)
                    .noneMatch(acknowledged::contains);
            rig.check();
            return met;
        }
    }

    @Test
    void aDamagedMessageStandsAsideAndTheOthersAreDelivered() {
        EngineSettings settings = Rig.SMALL
                .withCacheBytes(0)
                .withJournal(Rig.SMALL.journal().withOnDamage(JournalSettings.OnDamage.SERVE_REST));
        try (Rig rig = new Rig(settings)) {
            rig.declare(QueueDefinition.named("dead"));
            rig.declare(QueueDefinition.named("q")
                    .withDeliveryLimit(1)
                    .withDeadLetter(QueueDefinition.DeadLetterTarget.channel("dead")));
            rig.send("q", "first", "DAMAGED-" + "d".repeat(2_000), "last");
            rig.checkpoint();
            damage(rig, "DAMAGED-");
            rig.restart();
            Rig.Taker taker = rig.consume("q", 10);
            List<EngineDelivery> got = taker.take();
            assertThat(got).extracting(d -> Rig.text(d.message())).containsExactly("first", "last");
            assertThat(rig.contents("q")).containsExactly("first", "last");
            rig.send("q", "new");
            assertThat(taker.texts()).containsExactly("new");
            taker.acknowledge(got.toArray(EngineDelivery[]::new));
            assertThat(rig.engine().failure()).isNull();
            assertThat(rig.<Long>call(reply -> new Command.Purge("q", reply)))
                    .as("it can be discarded")
                    .isEqualTo(1);
            rig.check();
        }
    }

    @Test
    void aDamagedIndexPageCostsItsMessagesAndNothingElse() {
        EngineSettings settings = Rig.SMALL
                .withCacheBytes(0)
                .withJournal(Rig.SMALL
                        .journal()
                        .withSegmentBytes(8 << 20)
                        .withOnDamage(JournalSettings.OnDamage.SERVE_REST));
        try (Rig rig = new Rig(settings)) {
            rig.declare(QueueDefinition.named("q"));
            int count = 60 * 1024;
            for (int i = 0; i < count; i++) {
                rig.submit(publishing("q", message("message-" + i)));
                if (i % 2_000 == 0) {
                    rig.run();
                }
            }
            rig.run();
            rig.checkpoint();
            QueueState queue = rig.engine().state.queue("q");
            TreeMap<Long, Integer> pages = new TreeMap<>();
            if (queue != null) {
                queue.lane(0).forEachPageRecord(pages::put);
            }
            assertThat(pages).isNotEmpty();
            long position = pages.firstKey();
            rig.disk()
                    .flip(String.format("segment-%016x.journal", position / (8 << 20)), position % (8 << 20) + 500, 3);
            rig.sound = false;
            rig.restart();
            Rig.Taker taker = rig.consume("q", 10_000);
            int received = 0;
            for (List<EngineDelivery> got = taker.take(); !got.isEmpty(); got = taker.take()) {
                received += got.size();
                taker.acknowledge(got.toArray(EngineDelivery[]::new));
            }
            assertThat(received).isEqualTo(count - 1_024);
            assertThat(rig.engine().failure()).isNull();
            rig.<Long>call(reply -> new Command.Purge("q", reply));
            rig.checkpoint();
            rig.restart();
            assertThat(rig.status("q").ready()).isZero();
            rig.send("q", "after");
            assertThat(rig.drain("q")).containsExactly("after");
        }
    }

    private static void damage(Rig rig, String marker) {
        byte[] wanted = marker.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        for (String file : rig.disk().files()) {
            byte[] bytes = file.startsWith("segment") ? rig.disk().bytes(file) : new byte[0];
            for (int at = 0; at + wanted.length < bytes.length; at++) {
                if (java.util.Arrays.equals(wanted, 0, wanted.length, bytes, at, at + wanted.length)) {
                    rig.disk().flip(file, at + 20, 2);
                    return;
                }
            }
        }
        throw new AssertionError("no file has " + marker);
    }
}
