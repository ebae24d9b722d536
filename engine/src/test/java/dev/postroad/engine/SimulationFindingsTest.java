package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import org.junit.jupiter.api.Test;

/** What simulated runs found, each as small as it can be said. */
class SimulationFindingsTest {
    @Test
    void keys_go_on_where_deliveries_are_acknowledged_by_being_taken() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q").withKeyOrdered(true));
            rig.send("q", Rig.keyed("k", "1"), Rig.keyed("k", "2"), Rig.keyed("k", "3"));
            Rig.Taker taker = rig.consume(
                    "q", null, new Command.ConsumerSettings(10, false, true, false, 0, 0, null, null, "automatic"));
            assertThat(taker.texts()).containsExactly("1", "2", "3");
        }
    }

    @Test
    void a_fetch_that_waits_outlives_a_stream_declared_anew_with_fewer_partitions() {
        try (Rig rig = new Rig()) {
            rig.declare(StreamDefinition.named("s", 3));
            Rig.Answer<Command.Fetched> fetch =
                    rig.submit(reply -> new Command.Fetch("s", 2, 0, 10, 1000, rig.now() + 10_000, reply));
            rig.submit((Reply<Long> reply) -> new Command.DeleteChannel("s", false, false, null, reply));
            rig.submit((Reply<Boolean> reply) -> new Command.Declare(StreamDefinition.named("s", 1), null, reply));
            rig.run();
            EngineException refusal = fetch.refusal();
            assertThat(refusal).isNotNull();
            assertThat(rig.engine().failure()).isNull();
        }
    }

    @Test
    void a_dead_letter_that_dies_again_in_a_queue_names_no_group() {
        try (Rig rig = new Rig()) {
            rig.declare(StreamDefinition.named("s", 1));
            rig.declare(QueueDefinition.named("later"));
            rig.declare(QueueDefinition.named("dead").withDeadLetter(DeadLetterTarget.channel("later")));
            rig.declareGroup(
                    "s",
                    QueueDefinition.named("g").withDeadLetter(DeadLetterTarget.channel("dead")),
                    new Command.Start.Earliest());
            rig.send("s", "1");
            Rig.Taker group = rig.consumeGroup("s", "g", 1);
            group.deadLetter("no", group.one());
            Rig.Taker dead = rig.consume("dead", 1);
            dead.deadLetter("no", dead.one());
            dead.leave();
            assertThat(rig.browse("later").getFirst().message().headers())
                    .containsEntry(DeadLetterHeaders.ORIGIN, "dead")
                    .doesNotContainKey(DeadLetterHeaders.GROUP);
            assertThat(rig.<Long>call(reply -> new Command.Redrive("later", null, 10, reply)))
                    .isEqualTo(1);
        }
    }

    @Test
    void a_letter_of_a_queue_and_a_stream_has_an_offset_in_the_stream_only() {
        try (Rig rig = new Rig()) {
            rig.declare(StreamDefinition.named("s", 1));
            rig.declare(QueueDefinition.named("copy"));
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "s", ""));
            rig.bind(Binding.toChannel("t", "copy", ""));
            rig.declare(QueueDefinition.named("q").withDeadLetter(new DeadLetterTarget("t", null)));
            rig.send("q", "1");
            Rig.Taker taker = rig.consume("q", 1);
            taker.deadLetter("no", taker.one());
            assertThat(rig.browse("copy").getFirst().offset()).isEqualTo(-1);
            assertThat(rig.consume("copy", 1).one().offset()).isEqualTo(-1);
        }
    }

    @Test
    void a_full_queue_whose_letters_come_back_to_it_comes_to_rest() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q")
                    .withMaxMessages(2)
                    .withDeadLetter(DeadLetterTarget.channel("q"))
                    .withOverflow(Overflow.DEAD_LETTER_OLDEST));
            rig.send("q", "1", "2", "3");
            assertThat(rig.contents("q")).hasSize(2);
        }
    }
}
