package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishingTo;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.TopicDefinition.Routing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Where topics send what is published to them. */
class TopicTest {
    private final Rig rig = new Rig(Rig.SMALL, TopicTest::field, 1);

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    /** Payloads of lines {@code name=value}, whole numbers being numbers. */
    private static @Nullable Object field(EngineMessage message, String path) {
        for (String line : Rig.text(message).split("\n", -1)) {
            if (line.startsWith(path + "=")) {
                String value = line.substring(path.length() + 1);
                return value.matches("-?\\d+") ? (Object) Long.valueOf(value) : value;
            }
        }
        return null;
    }

    private void topic(String name, Routing routing) {
        rig.declare(TopicDefinition.named(name, routing));
    }

    private void queues(String... names) {
        for (String name : names) {
            rig.declare(QueueDefinition.named(name));
        }
    }

    private void bind(String topic, String queue, String pattern) {
        rig.bind(Binding.toChannel(topic, queue, pattern));
    }

    @Test
    void aDirectTopicGoesByTheRoutingKeyAlsoAfterACrash() {
        topic("t", Routing.DIRECT);
        queues("a", "b");
        bind("t", "a", "red");
        bind("t", "b", "red");
        bind("t", "b", "blue");
        rig.crash();

        assertThat(rig.sendTo("t", "red", message("1")).routed()).isEqualTo(2);
        rig.sendTo("t", "blue", message("2"));
        assertThat(rig.sendTo("t", "green", message("3")).routed()).isZero();

        assertThat(rig.contents("a")).containsExactly("1");
        assertThat(rig.contents("b")).containsExactly("1", "2");
    }

    @Test
    void aFanoutTopicGoesToAllAndStoresTheMessageOnce() {
        topic("t", Routing.FANOUT);
        for (int i = 0; i < 50; i++) {
            queues("q" + i);
            bind("t", "q" + i, "");
        }
        long before = rig.inspect().journal().appendPosition();
        rig.sendTo("t", "", message("x".repeat(10_000)));
        assertThat(rig.inspect().journal().appendPosition() - before).isLessThan(20_000);
        rig.crash();

        for (int i = 0; i < 50; i++) {
            assertThat(rig.drain("q" + i)).hasSize(1);
        }
    }

    @Test
    void aThousandQueuesAreServedByOneMessage() {
        topic("t", Routing.FANOUT);
        for (int i = 0; i < 1_000; i++) {
            int n = i;
            rig.<Boolean>submit(reply -> new Command.Declare(QueueDefinition.named("q" + n), null, reply));
            rig.<Boolean>submit(reply -> new Command.Bind(Binding.toChannel("t", "q" + n, ""), reply));
        }
        rig.run();
        assertThat(rig.sendTo("t", "", message("x")).routed()).isEqualTo(1_000);
        rig.crash();

        assertThat(rig.contents("q0")).containsExactly("x");
        assertThat(rig.contents("q999")).containsExactly("x");
        rig.<Boolean>call(reply -> new Command.DeleteTopic("t", false, reply));
        assertThat(rig.inspect().bindings()).isEmpty();
    }

    @Test
    void patternsOfWordsAndOfLevelsMatchAsTheirProtocolsSay() {
        topic("words", Routing.PATTERN);
        topic("levels", Routing.LEVELS);
        queues("one", "any", "plus", "hash");
        bind("words", "one", "order.*.created");
        bind("words", "any", "order.#");
        bind("levels", "plus", "home/+/temp");
        bind("levels", "hash", "home/#");
        rig.crash();
        rig.sendTo("words", "order.eu.created", message("1"));
        rig.sendTo("words", "order", message("2"));
        rig.sendTo("words", "order.eu.north.created", message("3"));
        rig.sendTo("levels", "home/kitchen/temp", message("4"));
        rig.sendTo("levels", "home", message("5"));
        rig.sendTo("levels", "home/kitchen/oven/temp", message("6"));

        assertThat(rig.contents("one")).containsExactly("1");
        assertThat(rig.contents("any")).containsExactly("1", "2", "3");
        assertThat(rig.contents("plus")).containsExactly("4");
        assertThat(rig.contents("hash")).containsExactly("4", "5", "6");
    }

    @Test
    void aHeadersTopicGoesByAllOrAnyOfTheHeaders() {
        topic("t", Routing.HEADERS);
        queues("all", "any");
        Map<String, Object> all = new LinkedHashMap<>(Map.of("x-match", "all", "color", "red", "size", 3L));
        Map<String, Object> any = new LinkedHashMap<>(Map.of("x-match", "any", "color", "red", "size", 3L));
        rig.bind(new Binding("t", "all", false, "", all));
        rig.bind(new Binding("t", "any", false, "", any));
        rig.crash();
        rig.sendTo("t", "", message("1").withHeaders(Map.of("color", "red", "size", 3L)));
        rig.sendTo("t", "", message("2").withHeaders(Map.of("color", "red")));
        rig.sendTo("t", "", message("3").withHeaders(Map.of("color", "blue")));

        assertThat(rig.contents("all")).containsExactly("1");
        assertThat(rig.contents("any")).containsExactly("1", "2");
    }

    @Test
    void aRuleTopicLooksIntoHeadersAndPayloads() {
        topic("t", Routing.RULE);
        queues("large", "contains", "regex", "equals");
        bind("t", "large", "eventType == 'OrderCreated' AND amount > 1000");
        bind("t", "contains", "customer contains 'gmbh'");
        bind("t", "regex", "sku matches_regex '^A-[0-9]+$'");
        bind("t", "equals", "region equals 'EU'");
        rig.crash();
        rig.sendTo("t", "", message("amount=1500\nsku=A-17").withHeaders(Map.of("eventType", "OrderCreated")));
        rig.sendTo("t", "", message("amount=900\ncustomer=acme gmbh").withHeaders(Map.of("eventType", "OrderCreated")));
        rig.sendTo("t", "", message("region=EU\namount=5000").withHeaders(Map.of("eventType", "OrderPaid")));

        assertThat(rig.browse("large")).hasSize(1);
        assertThat(rig.browse("contains")).hasSize(1);
        assertThat(rig.browse("regex")).hasSize(1);
        assertThat(rig.browse("equals")).hasSize(1);
    }

    @Test
    void aRuleThatIsNotUnderstoodIsRefusedWithItsPlace() {
        topic("t", Routing.RULE);
        queues("q");
        EngineException refusal =
                rig.<Boolean>refused(reply -> new Command.Bind(Binding.toChannel("t", "q", "amount >"), reply));
        assertThat(refusal.reason()).isEqualTo(Reason.INVALID);
        assertThat(refusal).hasMessageContaining("'t'").hasMessageContaining("'q'");
        assertThat(rig.inspect().bindings()).isEmpty();
    }

    @Test
    void whatNoBindingTakesGoesToTheAlternateOrIsRefusedWhenItMustNot() {
        topic("unrouted", Routing.FANOUT);
        queues("lost", "q");
        bind("unrouted", "lost", "");
        rig.declare(TopicDefinition.named("t", Routing.DIRECT).withAlternate("unrouted"));
        bind("t", "q", "known");
        rig.crash();
        rig.sendTo("t", "known", message("1"));
        rig.sendTo("t", "unknown", message("2"));
        assertThat(rig.contents("q")).containsExactly("1");
        assertThat(rig.contents("lost")).containsExactly("2");
        topic("bare", Routing.DIRECT);
        EngineException refusal = rig.<Command.Published>refused(
                reply -> new Command.Publish("bare", "k", List.of(message("3")), null, true, null, reply));

        assertThat(refusal.reason()).isEqualTo(Reason.UNROUTABLE);
        assertThat(rig.refused(publishingTo("nowhere", "", message("4"))).reason())
                .isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void topicsBoundToTopicsPassOnAndCirclesEnd() {
        topic("a", Routing.FANOUT);
        topic("b", Routing.FANOUT);
        topic("c", Routing.DIRECT);
        queues("q");
        rig.bind(Binding.toTopic("a", "b", ""));
        rig.bind(Binding.toTopic("b", "a", ""));
        rig.bind(Binding.toTopic("b", "c", ""));
        bind("c", "q", "k");
        bind("b", "q", "");
        rig.crash();

        assertThat(rig.sendTo("a", "k", message("1")).routed()).isEqualTo(1);
        assertThat(rig.contents("q")).as("once, by whatever ways").containsExactly("1");
    }

    @Test
    void aTopicReachedOnTwoWaysIsNoReasonForAnAlternate() {
        topic("lost", Routing.FANOUT);
        queues("q", "unrouted");
        bind("lost", "unrouted", "");
        topic("end", Routing.FANOUT);
        bind("end", "q", "");
        topic("left", Routing.FANOUT);
        rig.declare(TopicDefinition.named("right", Routing.FANOUT).withAlternate("lost"));
        topic("begin", Routing.FANOUT);
        rig.bind(Binding.toTopic("begin", "left", ""));
        rig.bind(Binding.toTopic("begin", "right", ""));
        rig.bind(Binding.toTopic("left", "end", ""));
        rig.bind(Binding.toTopic("right", "end", ""));
        rig.sendTo("begin", "", message("1"));

        assertThat(rig.contents("q")).containsExactly("1");
        assertThat(rig.contents("unrouted")).isEmpty();
    }

    @Test
    void manyTopicsBehindOneAreAllReached() {
        topic("hub", Routing.FANOUT);
        for (int i = 0; i < 300; i++) {
            topic("t" + i, Routing.FANOUT);
            queues("q" + i);
            rig.bind(Binding.toTopic("hub", "t" + i, ""));
            bind("t" + i, "q" + i, "");
        }
        assertThat(rig.sendTo("hub", "", message("1")).routed()).isEqualTo(300);
    }

    @Test
    void aLongChainOfTopicsDoesNotStopTheBroker() {
        for (int i = 0; i < 2_000; i++) {
            topic("t" + i, Routing.FANOUT);
            if (i > 0) {
                rig.bind(Binding.toTopic("t" + (i - 1), "t" + i, ""));
            }
        }
        rig.sendTo("t0", "", message("1"));

        queues("q");
        rig.send("q", "still here");
    }

    @Test
    void aMessageGoesToStreamsAndQueuesAtOnce() {
        topic("t", Routing.FANOUT);
        queues("q1", "q2");
        rig.declare(StreamDefinition.named("s1", 2));
        rig.declare(StreamDefinition.named("s2", 1));
        rig.declareGroup("s1", QueueDefinition.named("g"), new Command.Start.Latest());
        for (String channel : List.of("q1", "s1", "q2", "s2")) {
            bind("t", channel, "");
        }
        String large = "x".repeat(100_000);
        rig.sendTo("t", "", message(large));
        rig.crash();

        for (String channel : List.of("q1", "s1", "q2", "s2")) {
            assertThat(rig.contents(channel)).containsExactly(large);
        }
        assertThat(rig.consumeGroup("s1", "g", 5).texts()).containsExactly(large);
    }

    @Test
    void deadLettersThroughATopicReachEveryQueueAndStream() {
        topic("letters", Routing.DIRECT);
        queues("d1", "d2");
        rig.declare(StreamDefinition.named("s1", 1));
        rig.declare(StreamDefinition.named("s2", 1));
        for (String channel : List.of("d1", "s1", "d2", "s2")) {
            bind("letters", channel, "q");
        }
        rig.declare(QueueDefinition.named("q")
                .withKeyOrdered(true)
                .withDeadLetter(new QueueDefinition.DeadLetterTarget("letters", null)));
        rig.send("q", Rig.keyed("a", "x".repeat(50_000)), Rig.keyed("a", "next"));
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("no", taker.one());
        assertThat(taker.texts())
                .as("letters in several places can't be put in line")
                .containsExactly("next");
        rig.crash();

        for (String channel : List.of("d1", "s1", "d2", "s2")) {
            assertThat(rig.contents(channel)).containsExactly("x".repeat(50_000));
        }
    }

    @Test
    void bindingsGoWithTheirQueueAndAutoDeleteTopicsWithTheirLastBinding() {
        rig.declare(TopicDefinition.named("auto", Routing.DIRECT).withAutoDelete(true));
        topic("kept", Routing.DIRECT);
        queues("q");
        for (int i = 0; i < 2_000; i++) {
            int n = i;
            rig.<Boolean>submit(reply ->
                    new Command.Bind(Binding.toChannel(n % 2 == 0 ? "auto" : "kept", "q", "key" + n), reply));
        }
        rig.run();
        assertThat(rig.inspect().bindings()).hasSize(2_000);
        rig.<Long>call(reply -> new Command.DeleteChannel("q", false, false, null, reply));

        List<String> topics = new ArrayList<>();
        rig.inspect().topics().forEach(t -> topics.add(t.name()));
        assertThat(topics).containsExactly("kept");
        rig.crash();
        assertThat(rig.inspect().bindings()).isEmpty();
        assertThat(rig.inspect().topics()).hasSize(1);
        queues("q");
        assertThat(rig.sendTo("kept", "key1", message("x")).routed()).isZero();
    }

    @Test
    void unbindingEndsItAlsoAfterACrash() {
        topic("t", Routing.PATTERN);
        queues("q");
        bind("t", "q", "a.#");
        assertThat(rig.bind(Binding.toChannel("t", "q", "a.#")))
                .as("again is fine")
                .isFalse();
        assertThat(rig.<Boolean>call(reply -> new Command.Unbind(Binding.toChannel("t", "q", "a.#"), reply)))
                .isTrue();
        rig.crash();
        assertThat(rig.sendTo("t", "a.b", message("1")).routed()).isZero();
        assertThat(rig.<Boolean>call(reply -> new Command.Unbind(Binding.toChannel("t", "q", "a.#"), reply)))
                .isFalse();
    }
}
