package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Taking one message, one active consumer of several, streams read like queues, and what a full broker tells. */
class ConsumingWaysTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private Command.Got get(String queue, @Nullable Object owner, Object holder, boolean autoAcknowledge) {
        return rig.call(reply -> new Command.Get(queue, autoAcknowledge, owner, holder, reply));
    }

    private static EngineDelivery taken(Command.Got got) {
        EngineDelivery delivery = got.delivery();
        if (delivery == null) {
            throw new AssertionError("nothing was ready");
        }
        return delivery;
    }

    private Command.Counted count(String channel) {
        return rig.call(reply -> new Command.Count(channel, null, reply));
    }

    private int settle(EngineDelivery delivery, Command.Outcome outcome) {
        return rig.call(reply -> new Command.Settle(
                delivery.consumerId(), new long[] {delivery.number()}, 1, outcome, reply));
    }

    @Test
    void oneMessageIsTakenAtATimeAndTellsHowManyAreLeft() {
        rig.declare(QueueDefinition.named("q"));
        assertThat(get("q", null, "me", false).delivery()).isNull();
        rig.send("q", "a", "b", "c");
        Command.Got first = get("q", null, "me", false);
        assertThat(Rig.text(taken(first).message())).isEqualTo("a");
        assertThat(first.ready()).isEqualTo(2);
        EngineDelivery second = taken(get("q", null, "me", true));
        assertThat(Rig.text(second.message())).isEqualTo("b");
        assertThat(count("q")).isEqualTo(new Command.Counted(1, 0));
        assertThat(settle(taken(first), Command.Outcome.Acknowledge.INSTANCE)).isZero();
        rig.crash();
        assertThat(rig.contents("q")).containsExactly("c");
    }

    @Test
    void whatWasTakenAndNotSettledComesBackWhenItsHolderEndsOrTheBrokerCrashes() {
        rig.declare(QueueDefinition.named("q").withAutoDelete(true));
        rig.send("q", "a", "b");
        EngineDelivery held = taken(get("q", "connection", "channel", false));
        assertThat(taken(get("q", "connection", "channel", false)).consumerId()).isEqualTo(held.consumerId());
        assertThat(rig.<Integer>call(reply -> new Command.Unsubscribe(held.consumerId(), true, reply)))
                .isEqualTo(2);
        EngineDelivery again = taken(get("q", "connection", "channel", false));
        assertThat(Rig.text(again.message())).isEqualTo("a");
        assertThat(again.attempt()).isEqualTo(2);
        rig.crash();
        assertThat(taken(get("q", null, "x", false)).attempt()).isEqualTo(3);
        rig.<Integer>call(reply -> new Command.CloseOwner("connection", reply));
        assertThat(rig.exists("q")).isTrue();
    }

    @Test
    void nobodyTakesFromSomebodyElsesQueueNorFromAStreamAndWhatHasExpiredIsPassedOver() {
        rig.call((Reply<Boolean> reply) ->
                new Command.Declare(QueueDefinition.named("mine").withExclusive(true), "me", reply));
        assertThat(refusedGet("mine")).isEqualTo(Reason.IN_USE);
        assertThat(rig.<Long>refused(reply -> new Command.Purge("mine", "other", reply)).reason())
                .isEqualTo(Reason.IN_USE);
        rig.declare(StreamDefinition.named("s", 1));
        assertThat(refusedGet("s")).isEqualTo(Reason.INVALID);
        assertThat(refusedGet("none")).isEqualTo(Reason.NOT_FOUND);
        rig.declare(QueueDefinition.named("q"));
        rig.consume("q", null, new Command.ConsumerSettings(0, true, false, true, 0, 0, null, null, "alone"));
        assertThat(refusedGet("q")).isEqualTo(Reason.IN_USE);
        rig.declare(QueueDefinition.named("late"));
        rig.submit(publishing("late", message("old").withTtlMillis(1), message("new")));
        rig.clock.advance(java.time.Duration.ofMillis(5));
        assertThat(Rig.text(taken(get("late", null, "me", true)).message())).isEqualTo("new");
    }

    private Reason refusedGet(String channel) {
        return rig.<Command.Got>refused(reply -> new Command.Get(channel, false, "other", "x", reply))
                .reason();
    }

    private final class Active implements DeliverySink {
        final List<String> events = new ArrayList<>();

        @Override
        public void deliver(EngineDelivery delivery) {
            events.add(Rig.text(delivery.message()));
        }

        @Override
        public void activated() {
            events.add("active");
        }

        @Override
        public void cancelled(String reason) {
            events.add("cancelled");
        }

        long subscribe(String queue, int priority) {
            return rig.call(reply -> new Command.Subscribe(
                    queue,
                    null,
                    new Command.ConsumerSettings(10, true, false, false, priority, 0, null, null, "c"),
                    this,
                    reply));
        }
    }

    @Test
    void aSingleActiveConsumerStaysTheOneUntilItGoesAndTheNextIsTold() {
        rig.declare(QueueDefinition.named("q").withSingleActiveConsumer(true));
        Active first = new Active();
        Active second = new Active();
        Active important = new Active();
        long firstId = first.subscribe("q", 0);
        second.subscribe("q", 0);
        important.subscribe("q", 5);
        rig.send("q", "1");
        assertThat(first.events).containsExactly("active", "1");
        assertThat(rig.status("q").consumers())
                .filteredOn(EngineStatus.Consumer::active)
                .extracting(EngineStatus.Consumer::id)
                .containsExactly(firstId);
        rig.<Integer>call(reply -> new Command.Unsubscribe(firstId, true, reply));
        rig.send("q", "2");
        assertThat(important.events).containsExactly("active", "1", "2");
        assertThat(second.events).isEmpty();
        rig.<Long>call(reply -> new Command.DeleteChannel("q", false, false, null, reply));
        assertThat(second.events).containsExactly("cancelled");
    }

    private Rig.Taker read(String stream, Command.Start start, int credit) {
        return rig.consume(
                stream,
                null,
                new Command.ConsumerSettings(credit, true, false, false, 0, 0, null, "owner", "reader", start));
    }

    @Test
    void aStreamIsReadFromWhereTheConsumerSaysAsItsCreditAllowsAndKeepsItsMessages() {
        rig.declare(StreamDefinition.named("s", 1));
        rig.send("s", "0", "1", "2");
        rig.advance(1000);
        long later = rig.now();
        rig.send("s", "3", "4");
        Rig.Taker all = read("s", new Command.Start.Earliest(), 2);
        List<EngineDelivery> two = all.take();
        assertThat(two).extracting(d -> Rig.text(d.message())).containsExactly("0", "1");
        assertThat(two).extracting(EngineDelivery::offset).containsExactly(0L, 1L);
        assertThat(all.acknowledge(two.getFirst())).isZero();
        assertThat(all.texts()).containsExactly("2");
        assertThat(all.acknowledge(two.getFirst())).isEqualTo(1);
        assertThat(all.deadLetter("no", two.get(1))).isZero();
        assertThat(all.texts()).containsExactly("3");
        assertThat(read("s", new Command.Start.Last(), 9).texts()).containsExactly("4");
        assertThat(read("s", new Command.Start.Offset(2), 9).texts()).containsExactly("2", "3", "4");
        assertThat(read("s", new Command.Start.Timestamp(later), 9).texts()).containsExactly("3", "4");
        Rig.Taker next = read("s", new Command.Start.Latest(), 9);
        assertThat(next.texts()).isEmpty();
        rig.send("s", "5");
        assertThat(next.texts()).containsExactly("5");
        assertThat(count("s")).isEqualTo(new Command.Counted(6, 5));

        rig.crash();
        assertThat(count("s")).isEqualTo(new Command.Counted(6, 0));
        Rig.Taker again = read("s", new Command.Start.Earliest(), 100);
        assertThat(again.texts()).containsExactly("0", "1", "2", "3", "4", "5");
        rig.<Long>call(reply -> new Command.DeleteChannel("s", false, false, null, reply));
        assertThat(again.cancelled).contains("deleted");
    }

    @Test
    void readersOfAStreamEndWithTheirConnectionAndAreNotForQueues() {
        rig.declare(StreamDefinition.named("s", 2));
        rig.declare(QueueDefinition.named("q"));
        read("s", new Command.Start.Earliest(), 9);
        assertThat(rig.<Integer>call(reply -> new Command.CloseOwner("owner", reply)))
                .isEqualTo(1);
        assertThat(count("s").consumers()).isZero();
        EngineException place = rig.<Long>refused(reply -> new Command.Subscribe(
                "q",
                null,
                new Command.ConsumerSettings(
                        1, true, false, false, 0, 0, null, null, "c", new Command.Start.Earliest()),
                rig.new Taker(),
                reply));
        assertThat(place.reason()).isEqualTo(Reason.INVALID);
    }

    @Test
    void whoWatchesIsToldWhenPublishesAreRefusedAndWhenTheyAreNotAnyMore() {
        List<String> told = new ArrayList<>();
        rig.engine().watch(new FlowSink() {
            @Override
            public void blocked(String reason) {
                told.add(reason);
            }

            @Override
            public void unblocked() {
                told.add("unblocked");
            }
        });
        rig.declare(QueueDefinition.named("q"));
        rig.advance(500);
        assertThat(told).isEmpty();
        rig.disk().capacity(3 << 20);
        for (int i = 0; i < 200 && told.isEmpty(); i++) {
            Rig.Answer<Command.Published> answer = rig.submit(publishing("q", message("x".repeat(20_000))));
            rig.advance(100);
            assertThat(answer.hasCome()).isTrue();
        }
        assertThat(told).hasSize(1);
        assertThat(told.getFirst()).contains("disk");
        rig.disk().capacity(1L << 40);
        rig.advance(1000);
        assertThat(told).hasSize(2).endsWith("unblocked");
    }
}
