package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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

    @Test
    void the_letters_of_a_newcomer_find_room_wherever_the_key_it_came_with_leads_them() {
        try (Rig rig = new Rig()) {
            rig.declare(TopicDefinition.named("letters", TopicDefinition.Routing.DIRECT));
            for (int i = 0; i < 5; i++) {
                rig.declare(StreamDefinition.named("s" + i, 1));
                rig.bind(Binding.toChannel("letters", "s" + i, "key"));
            }
            rig.declare(TopicDefinition.named("in", TopicDefinition.Routing.FANOUT));
            rig.declare(QueueDefinition.named("q")
                    .withMaxMessages(1)
                    .withDeadLetter(new DeadLetterTarget("letters", null))
                    .withOverflow(Overflow.DEAD_LETTER_NEWEST));
            rig.bind(Binding.toChannel("in", "q", ""));
            String large = "x".repeat(100_000);
            rig.sendTo("in", "key", message("1"));
            rig.sendTo("in", "key", message(large));
            assertThat(rig.contents("q")).containsExactly("1");
            for (int i = 0; i < 5; i++) {
                assertThat(rig.contents("s" + i)).containsExactly(large);
            }
        }
    }

    /** A key-ordered queue whose dead letters go where the topic leads them; the key "k" is dead. */
    private static void killKey(Rig rig, String... behind) {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(QueueDefinition.named("more"));
        rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.DIRECT));
        rig.bind(Binding.toChannel("t", "dead", "first"));
        rig.declare(TopicDefinition.named("in", TopicDefinition.Routing.FANOUT));
        rig.declare(QueueDefinition.named("q").withKeyOrdered(true).withDeadLetter(new DeadLetterTarget("t", null)));
        rig.bind(Binding.toChannel("in", "q", ""));
        rig.sendTo("in", "first", Rig.keyed("k", "1"));
        for (String text : behind) {
            rig.sendTo("in", "other", Rig.keyed("k", text));
        }
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("no", taker.one());
        taker.leave();
    }

    @Test
    void what_is_behind_a_dead_letter_and_has_no_place_among_the_letters_stays() {
        try (Rig rig = new Rig()) {
            killKey(rig, "2", "3");
            assertThat(rig.contents("dead")).containsExactly("1");
            assertThat(rig.contents("q")).containsExactly("2", "3");
            assertThat(rig.drain("q")).containsExactly("2", "3");
        }
    }

    @Test
    void what_came_behind_a_dead_letter_and_found_no_place_among_the_letters_outlives_restarts() {
        try (Rig rig = new Rig()) {
            killKey(rig);
            rig.sendTo("in", "other", Rig.keyed("k", "2"));
            rig.restart();
            rig.bind(Binding.toChannel("t", "dead", "other"));
            rig.restart();
            assertThat(rig.contents("q")).containsExactly("2");
            assertThat(rig.contents("dead")).containsExactly("1");
        }
    }

    @Test
    void what_follows_a_dead_letter_does_not_come_back_in_front_of_it() {
        try (Rig rig = new Rig()) {
            killKey(rig);
            rig.bind(Binding.toChannel("t", "q", "other"));
            rig.bind(Binding.toChannel("t", "more", "other"));
            rig.sendTo("in", "other", Rig.keyed("k", "2"));
            assertThat(rig.contents("q")).isEmpty();
            assertThat(rig.contents("more")).containsExactly("2");
        }
    }

    @Test
    void dead_letters_in_a_queue_where_their_key_is_dead_do_not_multiply_with_restarts() {
        try (Rig rig = new Rig()) {
            killKey(rig);
            rig.bind(Binding.toChannel("t", "more", "other"));
            rig.declare(QueueDefinition.named("p").withDeadLetter(DeadLetterTarget.channel("q")));
            rig.sendTo("in", "other", Rig.keyed("k", "2"));
            rig.send("p", Rig.keyed("k", "3"));
            Rig.Taker taker = rig.consume("p", 1);
            taker.deadLetter("no", taker.one());
            List<String> letters = rig.contents("more");
            List<String> queue = rig.contents("q");
            for (int i = 0; i < 3; i++) {
                rig.restart();
                assertThat(rig.contents("more")).isEqualTo(letters);
                assertThat(rig.contents("q")).isEqualTo(queue);
            }
        }
    }

    @Test
    void queues_that_can_remember_no_more_ids_refuse_messages_also_where_full_queues_are_passed_over() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q").withDedupMillis(60_000).withDedupLimit(2));
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "q", ""));
            List<EngineMessage> messages = List.of(
                    Rig.message("1").withId("a"),
                    Rig.message("2").withId("b"),
                    Rig.message("3").withId("c"),
                    Rig.message("4").withId("a"),
                    Rig.message("5"));
            List<List<EngineException.Reason>> reasons = new ArrayList<>();
            for (EngineMessage message : messages) {
                Command.EachPublished outcome = rig.call(reply -> new Command.PublishEach(
                        new Command.Publish("t", "", List.of(message), null, false, null, true, rig.new Answer<>()),
                        reply));
                reasons.add(outcome.refusals().stream()
                        .filter(Objects::nonNull)
                        .map(EngineException::reason)
                        .toList());
            }
            assertThat(reasons)
                    .containsExactly(List.of(), List.of(), List.of(EngineException.Reason.FULL), List.of(), List.of());
            assertThat(rig.contents("q")).containsExactly("1", "2", "5");
        }
    }

    @Test
    void what_follows_a_dead_key_to_several_queues_is_a_duplicate_when_it_comes_again() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("one"));
            rig.declare(QueueDefinition.named("other"));
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "one", ""));
            rig.declare(QueueDefinition.named("q")
                    .withKeyOrdered(true)
                    .withDedupMillis(60_000)
                    .withDeadLetter(new DeadLetterTarget("t", "")));
            rig.send("q", Rig.keyed("k", "1"));
            Rig.Taker taker = rig.consume("q", 1);
            taker.deadLetter("no", taker.one());
            rig.bind(Binding.toChannel("t", "other", ""));
            EngineMessage behind = Rig.keyed("k", "2").withId("a");
            assertThat(rig.send("q", behind).duplicates()).isZero();
            assertThat(rig.send("q", behind).duplicates()).isEqualTo(1);
            rig.crash();
            assertThat(rig.send("q", behind).duplicates()).isEqualTo(1);
            assertThat(rig.contents("one")).containsExactly("1", "2");
            assertThat(rig.contents("other")).containsExactly("2");
            rig.check();
        }
    }

    @Test
    void ids_that_came_at_once_beyond_the_bound_count_for_it_when_the_oldest_is_over() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q").withDedupMillis(1_000).withDedupLimit(2));
            rig.send("q", Rig.message("1").withId("a"));
            rig.advance(500);
            rig.send("q", Rig.message("2").withId("b"), Rig.message("3").withId("c"));
            rig.advance(500);
            assertThat(rig.refused(Rig.publishing("q", Rig.message("4").withId("d")))
                            .reason())
                    .isEqualTo(EngineException.Reason.FULL);
            assertThat(rig.send("q", Rig.message("2").withId("b")).duplicates()).isEqualTo(1);
            rig.advance(500);
            rig.send("q", Rig.message("4").withId("d"));
            assertThat(rig.contents("q")).containsExactly("1", "2", "3", "4");
        }
    }

    @Test
    void streams_that_can_remember_no_more_ids_refuse_messages_that_come_through_topics_too() {
        try (Rig rig = new Rig()) {
            rig.declare(StreamDefinition.named("s", 1).withDedupMillis(1_000).withDedupLimit(1));
            rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.FANOUT));
            rig.bind(Binding.toChannel("t", "s", ""));
            rig.sendTo("t", "", Rig.message("1").withId("a"));
            assertThat(rig.refused(Rig.publishingTo("t", "", Rig.message("2").withId("b")))
                            .reason())
                    .isEqualTo(EngineException.Reason.FULL);
            rig.sendTo("t", "", Rig.message("1").withId("a"), Rig.message("3"));
            rig.advance(1_000);
            rig.sendTo("t", "", Rig.message("2").withId("b"));
            assertThat(rig.<Command.Fetched>call(reply -> new Command.Fetch("s", 0, 0, 10, 1_000, 0, reply))
                            .records())
                    .extracting(r -> Rig.text(r.message()))
                    .containsExactly("1", "3", "2");
        }
    }
}
