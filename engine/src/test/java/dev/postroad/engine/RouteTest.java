package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static dev.postroad.engine.Rig.publishingTo;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.TopicDefinition.Routing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which way messages came, and the ways that topics send them. */
class RouteTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private void topic(String name, Routing routing) {
        rig.declare(TopicDefinition.named(name, routing));
    }

    private void bound(String topic, String pattern, String... queues) {
        for (String queue : queues) {
            rig.declare(QueueDefinition.named(queue));
            rig.bind(Binding.toChannel(topic, queue, pattern));
        }
    }

    @Test
    void aDeliveryTellsTopicAndRoutingKeyAlsoAfterACrashAndToEveryQueue() {
        topic("t", Routing.PATTERN);
        topic("behind", Routing.FANOUT);
        rig.bind(Binding.toTopic("t", "behind", "orders.#"));
        bound("t", "orders.*", "a");
        bound("behind", "", "b");
        rig.sendTo("t", "orders.eu", message("m"));
        rig.send("a", "straight");
        assertThat(rig.browse("a").getFirst().message().route()).isEqualTo(Route.of("t", "orders.eu"));
        rig.crash();
        List<EngineDelivery> got = rig.consume("a", 10).take();
        assertThat(got).extracting(d -> d.message().route()).containsExactly(Route.of("t", "orders.eu"), null);
        assertThat(rig.consume("b", 10).one().message().route()).isEqualTo(Route.of("t", "orders.eu"));
    }

    @Test
    void aMessageWithSeveralKeysGoesToEachQueueOnceAndAlternatesSeeAllKeysTogether() {
        topic("lost", Routing.FANOUT);
        bound("lost", "", "unrouted");
        rig.declare(TopicDefinition.named("t", Routing.DIRECT).withAlternate("lost"));
        bound("t", "red", "a", "both");
        bound("t", "blue", "b", "both");
        Route copies = new Route("t", List.of("red", "blue", "green"), 1);
        rig.sendTo("t", "red", message("m").withRoute(copies));
        rig.sendTo("t", "none", message("n").withRoute(new Route("t", List.of("none", "nothing"), 0)));
        rig.crash();
        assertThat(rig.contents("a")).containsExactly("m");
        assertThat(rig.contents("b")).containsExactly("m");
        assertThat(rig.contents("both")).containsExactly("m");
        assertThat(rig.contents("unrouted")).containsExactly("n");
        Route kept = rig.browse("both").getFirst().message().route();
        assertThat(kept).isEqualTo(copies);
        assertThat(kept.visibleKeys()).containsExactly("red", "blue");
    }

    @Test
    void severalKeysWithoutATopicNameQueuesAndThoseThatAreThereGetIt() {
        rig.declare(QueueDefinition.named("a"));
        rig.declare(QueueDefinition.named("b"));
        EngineMessage copied = message("m").withRoute(new Route(null, List.of("a", "b", "gone", "a"), 0));
        assertThat(rig.send("a", copied).routed()).isEqualTo(2);
        assertThat(rig.contents("a")).containsExactly("m");
        assertThat(rig.contents("b")).containsExactly("m");
        EngineMessage nowhere = message("m").withRoute(new Route(null, List.of("no", "gone"), 0));
        assertThat(rig.send("no", nowhere).routed()).isZero();
        EngineException unroutable = rig.<Command.Published>refused(
                reply -> new Command.Publish(null, "no", List.of(nowhere), null, true, null, reply));
        assertThat(unroutable.reason()).isEqualTo(Reason.UNROUTABLE);
        assertThat(rig.refused(publishing("no", message("m"))).reason()).isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void aHashSharesByWeightKeepsKeysTogetherAndMovesNoMoreThanItMust() {
        topic("t", Routing.HASH);
        bound("t", "1", "one");
        bound("t", "3", "three");
        for (int i = 0; i < 2_000; i++) {
            rig.sendTo("t", "key" + i, message("key" + i));
        }
        Map<String, String> before = places("one", "three");
        assertThat(before).hasSize(2_000);
        long ones = before.values().stream().filter("one"::equals).count();
        assertThat(ones).isBetween(400L, 600L);
        rig.crash();
        bound("t", "1", "late");
        for (String queue : List.of("one", "three")) {
            rig.call((Reply<Long> reply) -> new Command.Purge(queue, reply));
        }
        for (int i = 0; i < 2_000; i++) {
            rig.sendTo("t", "key" + i, message("key" + i));
        }
        Map<String, String> after = places("one", "three", "late");
        after.forEach((key, queue) -> assertThat(queue).isIn(before.get(key), "late"));
        assertThat(after.values().stream().filter("late"::equals).count()).isBetween(300L, 500L);
    }

    private Map<String, String> places(String... queues) {
        Map<String, String> places = new HashMap<>();
        for (String queue : queues) {
            rig.contents(queue)
                    .forEach(text -> assertThat(places.put(text, queue)).isNull());
        }
        return places;
    }

    @Test
    void aHashMayBeOfAHeaderOrAPropertyAndItsWeightsAreChecked() {
        rig.declare(TopicDefinition.named("t", Routing.HASH).withHashOn("header:customer"));
        rig.declare(TopicDefinition.named("p", Routing.HASH).withHashOn("messageId"));
        List<String> queues = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            bound("t", "1", "q" + i);
            rig.bind(Binding.toChannel("p", "q" + i, "1"));
            queues.add("q" + i);
        }
        for (int i = 0; i < 20; i++) {
            rig.sendTo("t", "k" + i, message("same").withHeaders(Map.of("customer", 7)));
            rig.sendTo("p", "k" + i, message("id").withId("x"));
        }
        assertThat(queues.stream().filter(q -> rig.contents(q).contains("same")))
                .hasSize(1);
        assertThat(queues.stream().filter(q -> rig.contents(q).contains("id"))).hasSize(1);
        EngineException weight =
                rig.<Boolean>refused(reply -> new Command.Bind(Binding.toChannel("t", "q0", "much"), reply));
        assertThat(weight.reason()).isEqualTo(Reason.INVALID);
        assertThat(weight).hasMessageContaining("'much'").hasMessageContaining("whole number");
    }

    @Test
    void anInternalTopicIsReachedThroughOthersOnly() {
        rig.declare(TopicDefinition.named("inside", Routing.FANOUT).withInternal(true));
        topic("outside", Routing.FANOUT);
        rig.bind(Binding.toTopic("outside", "inside", ""));
        bound("inside", "", "q");
        rig.crash();
        assertThat(rig.refused(publishingTo("inside", "", message("m")))).hasMessageContaining("'inside' is internal");
        rig.sendTo("outside", "", message("m"));
        assertThat(rig.contents("q")).containsExactly("m");
        assertThat(rig.engine().topic("inside")).isNotNull();
    }

    @Test
    void whatIsTemporaryDoesNotOutliveTheEngine() {
        rig.declare(TopicDefinition.named("t", Routing.FANOUT).withTemporary(true));
        topic("kept", Routing.FANOUT);
        rig.declare(QueueDefinition.named("passing").withTemporary(true));
        rig.declare(QueueDefinition.named("staying"));
        rig.bind(Binding.toChannel("t", "staying", ""));
        rig.bind(Binding.toChannel("kept", "passing", ""));
        rig.bind(Binding.toChannel("kept", "staying", ""));
        rig.crash();
        assertThat(rig.inspect().topics()).extracting(TopicDefinition::name).containsExactly("kept");
        assertThat(rig.exists("passing")).isFalse();
        assertThat(rig.inspect().bindings()).containsExactly(Binding.toChannel("kept", "staying", ""));
    }

    @Test
    void bindingsThatDifferInTheirArgumentsAreDifferent() {
        topic("t", Routing.DIRECT);
        rig.declare(QueueDefinition.named("q"));
        assertThat(rig.bind(new Binding("t", "q", false, "k", Map.of("a", 1)))).isTrue();
        assertThat(rig.bind(new Binding("t", "q", false, "k", Map.of("a", 2)))).isTrue();
        assertThat(rig.bind(new Binding("t", "q", false, "k", Map.of("a", 1)))).isFalse();
        rig.crash();
        assertThat(rig.inspect().bindings()).hasSize(2);
        rig.sendTo("t", "k", message("m"));
        assertThat(rig.contents("q")).containsExactly("m");
    }

    @Test
    void fullQueuesArePassedOverWhereThatIsAskedAndTheOthersGetTheMessage() {
        topic("t", Routing.FANOUT);
        rig.declare(QueueDefinition.named("small").withMaxMessages(1));
        rig.bind(Binding.toChannel("t", "small", ""));
        bound("t", "", "large");
        assertThat(passing("one").refused()).isZero();
        assertThat(passing("two").refused()).isEqualTo(1);
        rig.crash();
        assertThat(rig.contents("small")).containsExactly("one");
        assertThat(rig.contents("large")).containsExactly("one", "two");
        assertThat(rig.refused(publishingTo("t", "", message("three"))).reason())
                .isEqualTo(Reason.FULL);
        assertThat(rig.contents("large")).containsExactly("one", "two");
    }

    private Command.Published passing(String text) {
        return rig.call(reply -> new Command.Publish("t", "", List.of(message(text)), null, false, null, true, reply));
    }
}
