package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is declared stays declared, and what contradicts itself is refused by name. */
class DeclarationTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private static final QueueDefinition QUEUE = QueueDefinition.named("q")
            .withDurability(Durability.BUFFERED)
            .withPriorities(7)
            .withDeliveryLimit(4)
            .withLeaseMillis(5)
            .withTtlMillis(6_000_000)
            .withExpiresMillis(7_000_000)
            .withDedupMillis(8)
            .withDedupLimit(9)
            .withMaxMessages(10)
            .withMaxBytes(11)
            .withOverflow(Overflow.DROP_OLDEST)
            .withDeadLetter(new DeadLetterTarget("t", "k"))
            .withAutoDelete(true)
            .withSingleActiveConsumer(true)
            .withAttributes("kind=command");

    private static final StreamDefinition STREAM = StreamDefinition.named("s", 3)
            .withDurability(Durability.BUFFERED)
            .withRetentionMillis(1_000_000)
            .withRetentionBytes(2_000_000)
            .withCompacted(true)
            .withTombstoneMillis(3)
            .withDedupMillis(4)
            .withDedupLimit(5)
            .withAttributes("kind=event");

    private static final TopicDefinition TOPIC = TopicDefinition.named("t", TopicDefinition.Routing.LEVELS)
            .withAutoDelete(true)
            .withAttributes("x=y");

    @Test
    void everySettingSurvivesACrashACheckpointAndARestart() {
        for (Definition each : List.of(TOPIC, QUEUE, STREAM)) {
            assertThat(rig.declare(each)).isTrue();
        }
        for (int round = 0; round < 2; round++) {
            rig.crash();
            EngineStatus status = rig.inspect();
            assertThat(status.queues())
                    .extracting(EngineStatus.Queue::definition)
                    .containsExactly(QUEUE);
            assertThat(status.streams())
                    .extracting(EngineStatus.Stream::definition)
                    .containsExactly(STREAM);
            assertThat(status.topics()).containsExactly(TOPIC);
            for (Definition each : List.of(TOPIC, QUEUE, STREAM)) {
                assertThat(rig.declare(each)).as("the same again is fine").isFalse();
            }
            rig.checkpoint();
        }
    }

    @Test
    void declaringOtherwiseIsRefusedWithTheDifference() {
        rig.declare(TOPIC);
        rig.declare(QUEUE);
        rig.declare(STREAM);
        assertThat(mismatch(QUEUE.withLeaseMillis(500).withTtlMillis(0)))
                .hasMessageContaining("it has leaseMillis = 5, not leaseMillis = 500")
                .hasMessageContaining("it has ttlMillis = 6000000, not ttlMillis = 0");
        assertThat(mismatch(STREAM.withPartitions(4))).hasMessageContaining("partitions = 3, not partitions = 4");
        assertThat(mismatch(TOPIC.withAttributes(null)))
                .hasMessageContaining("attributes = x=y, not attributes = null");
        assertThat(mismatch(StreamDefinition.named("q", 1))).hasMessageContaining("it is a queue, not a stream");
        assertThat(mismatch(QueueDefinition.named("s"))).hasMessageContaining("it is a stream, not a queue");
    }

    private EngineException mismatch(Definition definition) {
        EngineException refusal = rig.<Boolean>refused(reply -> new Command.Declare(definition, null, reply));
        assertThat(refusal.reason()).isEqualTo(Reason.MISMATCH);
        return refusal;
    }

    @Test
    void whatContradictsItselfIsRefusedByName() {
        QueueDefinition q = QueueDefinition.named("q");
        invalid(() -> q.withPriorities(3).withKeyOrdered(true), "priorities = 3", "keyOrdered = true");
        invalid(
                () -> q.withMaxMessages(1).withOverflow(Overflow.DEAD_LETTER_OLDEST),
                "DEAD_LETTER_OLDEST",
                "dead-letter");
        invalid(
                () -> q.withDeadLetter(DeadLetterTarget.channel("d")).withOverflow(Overflow.DEAD_LETTER_OLDEST),
                "maxMessages",
                "maxBytes");
        invalid(() -> q.withPriorities(0), "priorities is 0", "1 to 256");
        invalid(() -> q.withTtlMillis(-1), "ttlMillis is -1");
        invalid(() -> q.withDedupLimit(0), "dedupLimit is 0");
        invalid(() -> QueueDefinition.named(""), "0 bytes", "1 to 255");
        invalid(() -> QueueDefinition.named("x".repeat(256)), "256 bytes");
        invalid(() -> QueueDefinition.named("a\u0000b"), "U+0000");
        invalid(() -> StreamDefinition.named("s", 0), "partitions is 0");
        invalid(() -> StreamDefinition.named("s", 10_001), "partitions is 10001");
        invalid(
                () -> TopicDefinition.named("t", TopicDefinition.Routing.FANOUT).withAlternate("t"),
                "alternate = t",
                "circle");
    }

    private static void invalid(ThrowingCallable made, String... saying) {
        assertThatThrownBy(made)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .satisfies(e -> assertThat(e.getMessage()).contains(saying));
    }

    @Test
    void aDeclarationThatIsTooLargeIsRefused() {
        QueueDefinition large = QueueDefinition.named("q").withAttributes("x".repeat(70_000));
        assertThat(rig.<Boolean>refused(reply -> new Command.Declare(large, null, reply))
                        .reason())
                .isEqualTo(Reason.TOO_LARGE);
        rig.declare(QueueDefinition.named("q").withAttributes("x".repeat(60_000)));
        rig.checkpoint();
        rig.crash();
        assertThat(rig.status("q").definition().attributes()).hasSize(60_000);
    }

    @Test
    void whatIsDeclaredIsDurableWhenItIsConfirmed() {
        for (int call = 1; call < 12; call++) {
            try (Rig each = new Rig(Rig.SMALL, PayloadFields.NONE, call)) {
                each.killAtCall(call);
                boolean confirmed = false;
                try {
                    each.declare(QueueDefinition.named("q"));
                    confirmed = true;
                } catch (Rig.Killed killed) {
                    assertThat(killed).isNotNull();
                }
                each.crash();
                assertThat(each.exists("q") || !confirmed).isTrue();
            }
        }
    }

    @Test
    void deletingIsRefusedWhereItIsUsedOrNotEmptyAsDemanded() {
        rig.declare(QueueDefinition.named("q"));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 0);
        assertThat(delete("q", true, false).reason()).isEqualTo(Reason.IN_USE);
        assertThat(delete("q", false, true).reason()).isEqualTo(Reason.IN_USE);
        taker.leave();
        assertThat(rig.<Long>call(reply -> new Command.DeleteChannel("q", true, false, null, reply)))
                .isEqualTo(1);
        assertThat(delete("q", false, false).reason()).isEqualTo(Reason.NOT_FOUND);
        rig.declare(StreamDefinition.named("s", 1));
        rig.send("s", "a");
        assertThat(delete("s", false, true).reason()).isEqualTo(Reason.IN_USE);
    }

    private EngineException delete(String name, boolean ifUnused, boolean ifEmpty) {
        return rig.<Long>refused(reply -> new Command.DeleteChannel(name, ifUnused, ifEmpty, null, reply));
    }

    @Test
    void aBindingNeedsBothItsEnds() {
        rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
        for (Binding wrong : List.of(
                Binding.toChannel("t", "no", ""), Binding.toChannel("no", "t", ""), Binding.toTopic("t", "no", ""))) {
            assertThat(rig.<Boolean>refused(reply -> new Command.Bind(wrong, reply))
                            .reason())
                    .isEqualTo(Reason.NOT_FOUND);
        }
    }

    @Test
    void an_exclusive_queue_is_bound_and_unbound_by_its_owner_alone() {
        rig.declare(TOPIC.withAutoDelete(false));
        rig.<Boolean>call(
                reply -> new Command.Declare(QueueDefinition.named("mine").withExclusive(true), "me", reply));
        Binding binding = Binding.toChannel("t", "mine", "k");
        for (String stranger : new String[] {"you", null}) {
            EngineException refused = rig.<Boolean>refused(reply -> new Command.Bind(binding, stranger, reply));
            assertThat(refused.reason()).isEqualTo(Reason.IN_USE);
        }
        assertThat(rig.<Boolean>call(reply -> new Command.Bind(binding, "me", reply)))
                .isTrue();
        assertThat(rig.<Boolean>refused(reply -> new Command.Unbind(binding, "you", reply))
                        .reason())
                .isEqualTo(Reason.IN_USE);
        assertThat(rig.<Boolean>call(reply -> new Command.Unbind(binding, "me", reply)))
                .isTrue();
    }
}
