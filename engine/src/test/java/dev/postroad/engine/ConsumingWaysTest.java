package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One active consumer of several, streams read like queues, and what a full broker tells. */
class ConsumingWaysTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private int readers(String stream) {
        return rig.<Command.Described>call(reply -> new Command.Describe(stream, false, reply))
                .consumers();
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
        assertThat(readers("s")).isEqualTo(5);

        rig.crash();
        assertThat(readers("s")).isZero();
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
        assertThat(readers("s")).isZero();
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
