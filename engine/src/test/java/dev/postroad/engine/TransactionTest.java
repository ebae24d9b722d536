package dev.postroad.engine;

import static dev.postroad.engine.Rig.keyed;
import static dev.postroad.engine.Rig.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Publishes, settlements and offsets as one. */
class TransactionTest {
    private final Rig rig = new Rig();

    @BeforeEach
    void declare() {
        rig.declare(QueueDefinition.named("in"));
        rig.declare(QueueDefinition.named("out"));
        rig.declare(StreamDefinition.named("log", 2));
    }

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private static Command publish(String channel, EngineMessage... messages) {
        return new Command.Publish(null, channel, List.of(messages), null, false, null, Reply.ignored());
    }

    private static Command settle(long consumer, Command.Outcome outcome, EngineDelivery... deliveries) {
        long[] numbers = new long[deliveries.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = deliveries[i].number();
        }
        return new Command.Settle(consumer, numbers, numbers.length, outcome, Reply.ignored());
    }

    private static Command offsets(String group) {
        return new Command.CommitOffsets(
                group, null, List.of(new Command.Position("log", 0, 0, "here")), Reply.ignored());
    }

    private List<Command.Published> transact(Command... commands) {
        return rig.<List<Command.Published>>call(reply -> new Command.Transact(List.of(commands), reply));
    }

    private EngineException refused(Command... commands) {
        return rig.<List<Command.Published>>refused(reply -> new Command.Transact(List.of(commands), reply));
    }

    private List<Command.Position> offsetsOf(String group) {
        return rig.<List<Command.Position>>call(reply -> new Command.GroupOffsets(group, reply));
    }

    @Test
    void publishesSettlementsAndOffsetsTakeEffectTogetherAndSurviveACrash() {
        rig.send("in", "a");
        Rig.Taker taker = rig.consume("in", 1);
        EngineDelivery delivery = taker.one();

        List<Command.Published> published = transact(
                publish("out", message("b")),
                publish("log", message("c"), message("d")),
                settle(taker.id, Command.Outcome.Acknowledge.INSTANCE, delivery),
                offsets("readers"));
        rig.crash();

        assertThat(published).hasSize(2);
        assertThat(published.get(1).offsets()).hasSize(4);
        assertThat(rig.contents("in")).isEmpty();
        assertThat(rig.contents("out")).containsExactly("b");
        assertThat(rig.contents("log")).containsExactlyInAnyOrder("c", "d");
        assertThat(offsetsOf("readers")).containsExactly(new Command.Position("log", 0, 0, "here"));
    }

    @Test
    void ifOnePartIsRefusedNothingIsDone() {
        rig.declare(QueueDefinition.named("full").withMaxMessages(1));
        rig.send("full", "x");
        rig.send("in", "a", "b");
        Rig.Taker taker = rig.consume("in", 2);
        List<EngineDelivery> held = taker.take();
        Command ack = settle(taker.id, Command.Outcome.Acknowledge.INSTANCE, held.get(0));

        assertThat(refused(publish("out", message("1")), ack, publish("full", message("2")))
                        .reason())
                .isEqualTo(Reason.FULL);
        assertThat(refused(publish("out", message("1")), ack, publish("nowhere", message("2")))
                        .reason())
                .isEqualTo(Reason.NOT_FOUND);
        assertThat(refused(publish("out", message("1")), ack, ack).reason()).isEqualTo(Reason.NOT_DELIVERED);
        assertThat(refused(publish("out", message("1")), ack, offsets("")).reason())
                .isEqualTo(Reason.INVALID);
        assertThat(refused().reason()).isEqualTo(Reason.INVALID);
        assertThat(refused(publish("out", message("1")), new Command.Purge("in", Reply.ignored()))
                        .reason())
                .isEqualTo(Reason.INVALID);

        assertThat(rig.contents("out")).isEmpty();
        assertThat(rig.status("in").inFlight()).isEqualTo(2);
        assertThat(offsetsOf("")).isEmpty();
        assertThat(taker.acknowledge(held.get(0))).isZero();
    }

    @Test
    void aSettlementOfADeliveryThatIsNoLongerHeldRefusesTheWhole() {
        rig.declare(QueueDefinition.named("leased").withLeaseMillis(1_000));
        rig.send("leased", "a");
        Rig.Taker taker = rig.consume("leased", 1);
        EngineDelivery delivery = taker.one();
        Rig.Taker other = rig.consume(
                "leased", null, new Command.ConsumerSettings(1, true, false, false, 5, 0, null, null, "other"));
        rig.advance(1_000);
        assertThat(other.one().attempt()).isEqualTo(2);

        EngineException refusal =
                refused(publish("out", message("1")), settle(taker.id, Command.Outcome.Acknowledge.INSTANCE, delivery));

        assertThat(refusal.reason()).isEqualTo(Reason.NOT_DELIVERED);
        assertThat(rig.contents("out")).isEmpty();
    }

    @Test
    void aTransactionMayKillAKeyAndPublishBehindIt() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(
                QueueDefinition.named("keyed").withKeyOrdered(true).withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("keyed", keyed("a", "a1"), keyed("a", "a2"));
        Rig.Taker taker = rig.consume("keyed", 1);
        EngineDelivery delivery = taker.one();

        transact(
                settle(taker.id, new Command.Outcome.DeadLetter("no"), delivery),
                publish("keyed", keyed("a", "a3".repeat(2_000)), keyed("b", "b1")));

        assertThat(rig.contents("dead")).containsExactly("a1", "a2", "a3".repeat(2_000));
        assertThat(rig.contents("keyed")).containsExactly("b1");
    }

    @Test
    void aKillAnywhereLeavesATransactionWholeOrNotAtAll() {
        int whole = 0;
        int none = 0;
        for (int call = 1; call < 12; call++) {
            for (int seed = 0; seed < 6; seed++) {
                try (Rig each = new Rig(Rig.SMALL, PayloadFields.NONE, 100L * call + seed)) {
                    each.declare(QueueDefinition.named("in"));
                    each.declare(QueueDefinition.named("out"));
                    each.declare(StreamDefinition.named("log", 2));
                    each.send("in", "a");
                    Rig.Taker taker = each.consume("in", 1);
                    EngineDelivery delivery = taker.one();
                    EngineMessage large = message("x".repeat(70_000));
                    each.killAtCall(call);
                    boolean confirmed = false;
                    try {
                        each.<List<Command.Published>>call(reply -> new Command.Transact(
                                List.of(
                                        publish("out", large),
                                        publish("log", message("c")),
                                        settle(taker.id, Command.Outcome.Acknowledge.INSTANCE, delivery),
                                        offsets("readers")),
                                reply));
                        confirmed = true;
                    } catch (Rig.Killed killed) {
                        assertThat(killed).isNotNull();
                    }
                    each.crash();
                    boolean done = each.browse("in").isEmpty();
                    assertThat(each.browse("out")).hasSize(done ? 1 : 0);
                    assertThat(each.browse("log")).hasSize(done ? 1 : 0);
                    assertThat(each.<List<Command.Position>>call(reply -> new Command.GroupOffsets("readers", reply)))
                            .hasSize(done ? 1 : 0);
                    assertThat(done || !confirmed)
                            .as("what was confirmed is there")
                            .isTrue();
                    whole += done ? 1 : 0;
                    none += done ? 0 : 1;
                    each.check();
                }
            }
        }
        assertThat(whole).isPositive();
        assertThat(none).isPositive();
    }
}
