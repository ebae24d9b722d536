package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.Policy.AppliesTo;
import dev.postroad.engine.Policy.Scope;
import dev.postroad.engine.Policy.Settings;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Policies: what an operator gives to queues, streams and topics by their names, and takes again. */
class PolicyTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private static Policy policy(String name, String pattern, AppliesTo appliesTo, int priority, Settings settings) {
        return new Policy(name, false, Scope.ALL, pattern, appliesTo, priority, settings);
    }

    private static Settings length(long most, @Nullable Overflow overflow) {
        return new Settings(0, 0, most, 0, overflow, null, 0, 0, null, null);
    }

    private static Settings ttl(long millis) {
        return new Settings(millis, 0, 0, 0, null, null, 0, 0, null, null);
    }

    private static Settings expires(long millis) {
        return new Settings(0, millis, 0, 0, null, null, 0, 0, null, null);
    }

    private static Settings letters(@Nullable String topic, @Nullable String channel) {
        return new Settings(0, 0, 0, 0, null, new DeadLetterTarget(topic, channel), 0, 0, null, null);
    }

    private static Settings alternate(String topic) {
        return new Settings(0, 0, 0, 0, null, null, 0, 0, topic, null);
    }

    private boolean set(Policy policy) {
        return rig.call(reply -> new Command.SetPolicy(policy, reply));
    }

    private boolean delete(String name) {
        return rig.call(reply -> new Command.DeletePolicy(false, name, reply));
    }

    private QueueDefinition effective(QueueDefinition declared, Policy... policies) {
        PolicySet all = PolicySet.EMPTY;
        for (Policy policy : policies) {
            all = all.with(policy);
        }
        return all.effective(declared);
    }

    // ── At once, and for good ────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void a_bound_shortens_queues_that_are_there_and_holds_after_a_crash_until_it_is_taken_away() {
        rig.declare(QueueDefinition.named("jobs.a"));
        rig.declare(QueueDefinition.named("other"));
        rig.send("jobs.a", "1", "2", "3", "4");
        rig.send("other", "1", "2", "3");

        assertThat(set(policy("short", "^jobs\\.", AppliesTo.CHANNELS, 0, length(2, Overflow.DROP_OLDEST))))
                .isTrue();
        assertThat(rig.contents("jobs.a")).containsExactly("3", "4");
        for (int round = 0; round < 3; round++) {
            rig.crash();
            rig.send("jobs.a", "round " + round);
            assertThat(rig.contents("jobs.a")).hasSize(2).endsWith("round " + round);
            rig.checkpoint();
        }
        rig.declare(QueueDefinition.named("jobs.later"));
        rig.send("jobs.later", "1", "2", "3");
        assertThat(rig.contents("jobs.later")).containsExactly("2", "3");
        assertThat(rig.contents("other")).containsExactly("1", "2", "3");

        assertThat(delete("short")).isTrue();
        assertThat(delete("short")).isFalse();
        rig.crash();
        rig.send("jobs.a", "5", "6");
        assertThat(rig.contents("jobs.a")).hasSize(4);
        assertThat(rig.inspect().policies().all()).isEmpty();
    }

    @Test
    void a_queue_is_compared_as_it_was_declared() {
        QueueDefinition declared = QueueDefinition.named("q");
        rig.declare(declared);
        set(policy("p", "q", AppliesTo.ALL, 0, length(2, Overflow.DROP_OLDEST)));

        assertThat(rig.declare(declared)).isFalse();
        assertThat(rig.engine().definition("q")).isEqualTo(declared);
        assertThat(rig.status("q").definition()).isEqualTo(declared);
        assertThat(rig.<Command.Described>call(reply -> new Command.Describe("q", false, reply))
                        .definition())
                .isEqualTo(declared);
        EngineException refused = rig.<Boolean>refused(reply ->
                new Command.Declare(declared.withMaxMessages(2).withOverflow(Overflow.DROP_OLDEST), null, reply));
        assertThat(refused.reason()).isEqualTo(Reason.MISMATCH);
        assertThat(rig.inspect().policies().effective(declared).maxMessages()).isEqualTo(2);
    }

    @Test
    void the_time_to_live_is_for_what_comes_from_then_on_and_outlives_a_crash() {
        rig.declare(QueueDefinition.named("q"));
        rig.send("q", "before");
        set(policy("p", "q", AppliesTo.CHANNELS, 0, ttl(1_000)));
        rig.send("q", "after");
        rig.crash();
        rig.advance(1_100);
        assertThat(rig.contents("q")).containsExactly("before");

        delete("p");
        rig.send("q", "later");
        rig.advance(2_000);
        rig.crash();
        assertThat(rig.contents("q")).containsExactly("before", "later");
    }

    @Test
    void a_queue_is_idle_from_when_the_policy_came() {
        rig.declare(QueueDefinition.named("q"));
        rig.advance(10_000);
        set(policy("p", "q", AppliesTo.CHANNELS, 0, expires(1_000)));
        rig.advance(900);
        assertThat(rig.exists("q")).isTrue();
        rig.advance(200);
        assertThat(rig.exists("q")).isFalse();
    }

    @Test
    void dead_letters_go_where_the_policy_says_also_what_is_too_much() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(QueueDefinition.named("q").withMaxMessages(2).withOverflow(Overflow.DROP_OLDEST));
        set(policy("p", "^q$", AppliesTo.CHANNELS, 0, letters(null, "dead")));
        rig.crash();

        rig.send("q", "1", "2", "3");
        assertThat(rig.contents("dead")).containsExactly("1");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("no good", taker.one());
        assertThat(rig.contents("dead")).containsExactly("1", "2");

        delete("p");
        rig.send("q", "4", "5", "6");
        assertThat(rig.contents("dead")).containsExactly("1", "2");
    }

    @Test
    void a_delivery_limit_is_for_what_was_delivered_before_as_well() {
        rig.declare(QueueDefinition.named("q"));
        rig.send("q", "m");
        Rig.Taker taker = rig.consume("q", 1);
        taker.release(taker.one());
        taker.release(taker.one());
        EngineDelivery third = taker.one();
        set(policy("p", "q", AppliesTo.CHANNELS, 0, new Settings(0, 0, 0, 0, null, null, 3, 0, null, null)));
        taker.release(third);
        assertThat(rig.contents("q")).isEmpty();
    }

    @Test
    void a_bound_that_a_policy_brings_counts_what_waits_and_refuses_where_the_queue_says_so() {
        rig.declare(QueueDefinition.named("q"));
        rig.send("q", "1", "2");
        rig.consume("q", 2).take();
        set(policy("p", "q", AppliesTo.CHANNELS, 0, length(1, null)));

        rig.send("q", "3");
        EngineException refused = rig.<Command.Published>refused(Rig.publishing("q", Rig.message("4")));
        assertThat(refused.reason()).isEqualTo(Reason.FULL);
        assertThat(rig.contents("q")).containsExactly("1", "2", "3");
    }

    @Test
    void a_topic_gets_an_alternate_and_loses_it_and_none_leads_to_itself() {
        rig.declare(QueueDefinition.named("rest"));
        rig.declare(TopicDefinition.named("t", TopicDefinition.Routing.DIRECT));
        rig.declare(TopicDefinition.named("unrouted", TopicDefinition.Routing.FANOUT));
        rig.bind(Binding.toChannel("unrouted", "rest", ""));
        rig.sendTo("t", "k", Rig.message("lost"));
        set(policy("p", "", AppliesTo.TOPICS, 0, alternate("unrouted")));
        rig.sendTo("t", "k", Rig.message("1"));
        rig.crash();
        rig.sendTo("t", "k", Rig.message("2"));
        rig.checkpoint();
        rig.crash();
        rig.sendTo("t", "k", Rig.message("3"));
        delete("p");
        rig.sendTo("t", "k", Rig.message("lost too"));
        assertThat(rig.contents("rest")).containsExactly("1", "2", "3");
    }

    @Test
    void a_stream_forgets_what_is_too_old_for_its_policy() {
        rig.declare(StreamDefinition.named("s", 1));
        rig.send("s", "old");
        rig.advance(60_000);
        rig.send("s", "young");
        set(policy("p", "s", AppliesTo.STREAMS, 0, new Settings(0, 0, 0, 0, null, null, 0, 30_000, null, null)));
        rig.advance(3_000);
        assertThat(rig.contents("s")).containsExactly("young");
        rig.crash();
        rig.advance(60_000);
        assertThat(rig.contents("s")).isEmpty();
    }

    // ── Which holds, and what it makes ───────────────────────────────────────────────────────────────────────────────

    @Test
    void one_policy_holds_the_matching_one_of_the_highest_priority() {
        QueueDefinition queue = QueueDefinition.named("vhost:a:orders.eu");
        Policy low = policy("low", "orders", AppliesTo.ALL, 1, ttl(7));
        Policy high = policy("high", "eu$", AppliesTo.CHANNELS, 2, length(9, null));
        assertThat(effective(queue, low, high))
                .isEqualTo(queue.withMaxMessages(9).withBoundsWaiting(true));
        assertThat(effective(queue, high, low, policy("topics", "", AppliesTo.TOPICS, 3, alternate("x"))))
                .isEqualTo(queue.withMaxMessages(9).withBoundsWaiting(true));
        Policy same = policy("a", "eu", AppliesTo.ALL, 2, ttl(8));
        assertThat(effective(queue, high, same).ttlMillis()).isEqualTo(8);
    }

    @Test
    void a_scope_keeps_a_policy_to_its_names_and_shows_it_what_follows_them() {
        Policy inside = new Policy("p", false, new Scope("a:", null), "^q", AppliesTo.ALL, 0, ttl(1));
        Policy outside = new Policy("o", false, new Scope("", "a:"), "q", AppliesTo.ALL, 0, ttl(2));
        assertThat(effective(QueueDefinition.named("a:q"), inside, outside).ttlMillis())
                .isEqualTo(1);
        assertThat(effective(QueueDefinition.named("a:xq"), inside, outside).ttlMillis())
                .isZero();
        assertThat(effective(QueueDefinition.named("q"), inside, outside).ttlMillis())
                .isEqualTo(2);
    }

    @Test
    void of_bounds_and_times_the_smaller_holds_and_of_the_rest_what_was_declared() {
        QueueDefinition own = QueueDefinition.named("q")
                .withTtlMillis(10)
                .withExpiresMillis(10)
                .withMaxMessages(10)
                .withMaxBytes(10)
                .withDeliveryLimit(10)
                .withOverflow(Overflow.REJECT_PUBLISH)
                .withDeadLetter(new DeadLetterTarget("mine", "k"));
        for (int bound : new int[] {5, 20}) {
            QueueDefinition made = effective(
                    own,
                    policy(
                            "p",
                            "q",
                            AppliesTo.CHANNELS,
                            0,
                            new Settings(
                                    bound,
                                    bound,
                                    bound,
                                    bound,
                                    Overflow.DROP_OLDEST,
                                    new DeadLetterTarget("theirs", "k2"),
                                    bound,
                                    0,
                                    null,
                                    null)));
            int least = Math.min(10, bound);
            assertThat(made)
                    .isEqualTo(own.withTtlMillis(least)
                            .withExpiresMillis(least)
                            .withMaxMessages(least)
                            .withMaxBytes(least)
                            .withDeliveryLimit(least));
        }
    }

    @Test
    void overflow_that_was_not_chosen_is_the_policys_and_never_one_that_lacks_a_target() {
        QueueDefinition own = QueueDefinition.named("q").withMaxMessages(3);
        assertThat(effective(own, policy("p", "q", AppliesTo.ALL, 0, length(2, Overflow.DEAD_LETTER_OLDEST)))
                        .overflow())
                .isEqualTo(Overflow.DROP_OLDEST);
        assertThat(effective(own, policy("p", "q", AppliesTo.ALL, 0, length(2, Overflow.DEAD_LETTER_NEWEST)))
                        .overflow())
                .isEqualTo(Overflow.REJECT_PUBLISH);
        assertThat(effective(
                                own.withDeadLetter(DeadLetterTarget.channel("d")),
                                policy("p", "q", AppliesTo.ALL, 0, length(2, Overflow.DEAD_LETTER_OLDEST)))
                        .overflow())
                .isEqualTo(Overflow.DEAD_LETTER_OLDEST);
        assertThat(effective(
                                own.withOverflow(Overflow.REJECT_PUBLISH),
                                policy("p", "q", AppliesTo.ALL, 0, length(2, Overflow.DROP_OLDEST)))
                        .overflow())
                .isEqualTo(Overflow.REJECT_PUBLISH);
    }

    @Test
    void a_routing_key_is_also_for_queues_that_say_a_dead_letter_topic_alone() {
        QueueDefinition own = QueueDefinition.named("q").withDeadLetter(new DeadLetterTarget("mine", null));
        assertThat(effective(own, policy("p", "q", AppliesTo.ALL, 0, letters("theirs", "k")))
                        .deadLetter())
                .isEqualTo(new DeadLetterTarget("mine", "k"));
        assertThat(effective(own, policy("p", "q", AppliesTo.ALL, 0, letters(null, "channel")))
                        .deadLetter())
                .isEqualTo(own.deadLetter());
    }

    @Test
    void an_operators_bounds_hold_beside_another_policy() {
        QueueDefinition queue = QueueDefinition.named("q");
        Policy operators = new Policy("p", true, Scope.ALL, "q", AppliesTo.CHANNELS, 0, length(5, null));
        Policy wide = policy("p", "q", AppliesTo.CHANNELS, 0, length(9, Overflow.DROP_OLDEST));
        assertThat(effective(queue, operators, wide).maxMessages()).isEqualTo(5);
        assertThat(effective(queue, operators, wide).overflow()).isEqualTo(Overflow.DROP_OLDEST);
        assertThat(effective(queue, operators).maxMessages()).isEqualTo(5);
        PolicySet both = PolicySet.EMPTY.with(operators).with(wide);
        assertThat(both.of(queue, true)).isEqualTo(operators);
        assertThat(both.of(queue, false)).isEqualTo(wide);
        assertThat(both.without(false, "p").all()).containsExactly(operators);
    }

    @Test
    void shared_groups_have_none() {
        rig.declare(StreamDefinition.named("s", 1));
        rig.declareGroup("s", QueueDefinition.named("g"), new Command.Start.Earliest());
        set(policy("p", "", AppliesTo.ALL, 0, length(1, Overflow.DROP_OLDEST)));
        rig.send("s", "1", "2", "3");
        rig.crash();
        assertThat(rig.inspect().groups().getFirst().shared()).satisfies(shared -> {
            assertThat(shared).isNotNull();
            assertThat(shared.ready()).isEqualTo(3);
        });
    }

    // ── Refused ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void what_could_never_apply_is_refused_by_name() {
        refused("it sets nothing", () -> policy("p", "q", AppliesTo.ALL, 0, Settings.NONE));
        refused("maxMessages", () -> policy("p", "q", AppliesTo.STREAMS, 0, length(1, null)));
        refused("alternate", () -> policy("p", "q", AppliesTo.CHANNELS, 0, alternate("a")));
        refused("ttlMillis", () -> policy("p", "q", AppliesTo.TOPICS, 0, ttl(1)));
        refused("ttlMillis is -1", () -> policy("p", "q", AppliesTo.ALL, 0, ttl(-1)));
        refused("'a)(b'", () -> policy("p", "a)(b", AppliesTo.ALL, 0, ttl(1)));
        refused("no pattern", () -> policy("p", "(a{1000}){1000}", AppliesTo.ALL, 0, ttl(1)));
        refused("operator", () -> new Policy("p", true, Scope.ALL, "q", AppliesTo.ALL, 0, letters("t", "k")));
    }

    private static void refused(String what, org.assertj.core.api.ThrowableAssert.ThrowingCallable making) {
        assertThatThrownBy(making)
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .hasMessageContaining(what);
    }

    @Test
    void there_may_be_so_many_and_the_next_is_refused_but_one_may_be_replaced() {
        for (int n = 0; n < PolicySet.MOST; n++) {
            set(policy("p" + n, "none", AppliesTo.ALL, n, ttl(1)));
        }
        EngineException full = rig.<Boolean>refused(
                reply -> new Command.SetPolicy(policy("more", "none", AppliesTo.ALL, 0, ttl(1)), reply));
        assertThat(full.reason()).isEqualTo(Reason.FULL);
        assertThat(set(policy("p7", "none", AppliesTo.ALL, 0, ttl(2)))).isFalse();
    }

    // ── Whatever happens ─────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void whatever_was_set_deleted_and_declared_holds_after_any_crash() {
        Property.forAll("policies are durable", 30, gen -> {
            try (Rig each = new Rig(Rig.SMALL, PayloadFields.NONE, gen.nextLong())) {
                Map<String, Policy> expected = new TreeMap<>();
                int queues = 0;
                for (int step = 0; step < 40; step++) {
                    switch (gen.between(0, 5)) {
                        case 0, 1 -> {
                            Policy policy = random(gen);
                            each.<Boolean>call(reply -> new Command.SetPolicy(policy, reply));
                            expected.put(policy.operator() + policy.name(), policy);
                        }
                        case 2 -> {
                            String name = "p" + gen.between(0, 5);
                            boolean operator = gen.flip();
                            boolean was = each.call(reply -> new Command.DeletePolicy(operator, name, reply));
                            assertThat(was).isEqualTo(expected.remove(operator + name) != null);
                        }
                        case 3 -> each.declare(QueueDefinition.named("q" + queues++));
                        case 4 -> each.checkpoint();
                        default -> each.crash();
                    }
                }
                each.crash();
                assertThat(sorted(each.engine().policies().all())).isEqualTo(sorted(expected.values()));
                PolicySet all = PolicySet.EMPTY;
                for (Policy policy : expected.values()) {
                    all = all.with(policy);
                }
                for (int n = 0; n < queues; n++) {
                    QueueDefinition made = all.effective(QueueDefinition.named("q" + n));
                    QueueState queue = each.engine().state.queue("q" + n);
                    assertThat(queue).isNotNull();
                    assertThat(queue.definition()).isEqualTo(made);
                }
            }
        });
    }

    private static List<Policy> sorted(java.util.Collection<Policy> policies) {
        List<Policy> sorted = new ArrayList<>(policies);
        sorted.sort(Comparator.comparing(Policy::operator).thenComparing(Policy::name));
        return sorted;
    }

    private static Policy random(Generator gen) {
        boolean operator = gen.flip();
        return new Policy(
                "p" + gen.between(0, 5),
                operator,
                Scope.ALL,
                "^q" + gen.between(0, 3),
                AppliesTo.CHANNELS,
                gen.between(-3, 3),
                operator ? length(gen.between(1, 9), null) : gen.flip() ? ttl(gen.between(1, 99)) : letters("t", null));
    }
}
