package dev.postroad.simulation.broker;

import dev.postroad.engine.Policy;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The policies of the model, looked through one by one, and what they make of a declaration. */
final class Policies {
    /** A pattern of names, and what it means in plain Java. */
    record Names(String pattern, Predicate<String> meaning) {}

    /** Names of queues without a bound in bytes, and of streams. */
    static final Names[] NAMES = {
        new Names("^q", name -> name.startsWith("q")),
        new Names("^[qb][02]$", name -> name.matches("[qb][02]")),
        new Names("^(q|b|s)", name -> name.matches("[qbs].*")),
        new Names("^b|^s1", name -> name.startsWith("b") || name.startsWith("s1")),
    };

    /** By which words of theirs policies apply to what. */
    private static final Set<Policy.AppliesTo> QUEUE_WORDS =
            EnumSet.of(Policy.AppliesTo.ALL, Policy.AppliesTo.CHANNELS);

    private static final Set<Policy.AppliesTo> STREAM_WORDS =
            EnumSet.of(Policy.AppliesTo.ALL, Policy.AppliesTo.CHANNELS, Policy.AppliesTo.STREAMS);
    private static final Set<Policy.AppliesTo> TOPIC_WORDS = EnumSet.of(Policy.AppliesTo.ALL, Policy.AppliesTo.TOPICS);

    /** What follows the first letter of a name. */
    static final Names SHORT = new Names("^[02]", name -> name.matches("[02].*"));

    /** Names of queues whose bound is in bytes. */
    static final Names HEAVY = new Names("^w", name -> name.startsWith("w"));

    static final Names TOPICS = new Names("^t", name -> name.startsWith("t"));

    final List<Policy> all = new ArrayList<>();

    @Nullable
    Policy get(boolean operator, String name) {
        for (Policy policy : all) {
            if (policy.operator() == operator && policy.name().equals(name)) {
                return policy;
            }
        }
        return null;
    }

    private static boolean takes(Policy policy, String whole) {
        String within = policy.scope().within();
        String except = policy.scope().except();
        if (!whole.startsWith(within) || (except != null && whole.startsWith(except))) {
            return false;
        }
        String name = whole.substring(within.length());
        if (SHORT.pattern().equals(policy.pattern())) {
            return SHORT.meaning().test(name);
        }
        if (HEAVY.pattern().equals(policy.pattern())) {
            return HEAVY.meaning().test(name);
        }
        if (TOPICS.pattern().equals(policy.pattern())) {
            return TOPICS.meaning().test(name);
        }
        for (Names names : NAMES) {
            if (names.pattern().equals(policy.pattern())) {
                return names.meaning().test(name);
            }
        }
        throw new IllegalStateException(policy.pattern());
    }

    /** Where a topic's messages go that its bindings do not take. */
    @Nullable
    String alternate(TopicDefinition declared) {
        Policy said = declared.alternate() == null ? of(declared.name(), false, TOPIC_WORDS) : null;
        String given = said == null ? null : said.settings().alternate();
        return given == null || given.equals(declared.name()) ? declared.alternate() : given;
    }

    /** Of those that match, that of the highest priority; of equals the one whose name comes first. */
    private @Nullable Policy of(String name, boolean operator, Set<Policy.AppliesTo> words) {
        Policy best = null;
        for (Policy policy : all) {
            boolean applies =
                    policy.operator() == operator && words.contains(policy.appliesTo()) && takes(policy, name);
            if (applies
                    && (best == null
                            || policy.priority() > best.priority()
                            || (policy.priority() == best.priority()
                                    && policy.name().compareTo(best.name()) < 0))) {
                best = policy;
            }
        }
        return best;
    }

    private static long least(
            long one,
            @Nullable Policy said,
            @Nullable Policy bounds,
            java.util.function.ToLongFunction<Policy.Settings> of) {
        long least = one;
        for (Policy policy : new Policy[] {said, bounds}) {
            long more = policy == null ? 0 : of.applyAsLong(policy.settings());
            if (more > 0 && (least == 0 || more < least)) {
                least = more;
            }
        }
        return least;
    }

    QueueDefinition effective(QueueDefinition declared) {
        Policy said = of(declared.name(), false, QUEUE_WORDS);
        Policy bounds = of(declared.name(), true, QUEUE_WORDS);
        if (said == null && bounds == null) {
            return declared;
        }
        long messages = least(declared.maxMessages(), said, bounds, Policy.Settings::maxMessages);
        long bytes = least(declared.maxBytes(), said, bounds, Policy.Settings::maxBytes);
        boolean ownBound = declared.maxMessages() > 0 || declared.maxBytes() > 0;
        boolean bounded = messages > 0 || bytes > 0;
        DeadLetterTarget given = said == null ? null : said.settings().deadLetter();
        DeadLetterTarget letters = declared.deadLetter() == null ? given : declared.deadLetter();
        if (declared.deadLetter() != null
                && given != null
                && letters != null
                && letters.topic() != null
                && letters.channel() == null
                && given.topic() != null) {
            letters = new DeadLetterTarget(letters.topic(), given.channel());
        }
        Overflow chosen = declared.overflow();
        Overflow wanted = said == null ? null : said.settings().overflow();
        Overflow other =
                wanted != null || bounds == null ? wanted : bounds.settings().overflow();
        if (!declared.overflowSaid() && other != null) {
            chosen = other;
        } else if (chosen == Overflow.DROP_OLDEST && declared.deadLetter() == null && letters != null && bounded) {
            chosen = Overflow.DEAD_LETTER_OLDEST;
        }
        if (letters == null || !bounded) {
            chosen = switch (chosen) {
                case DEAD_LETTER_OLDEST -> Overflow.DROP_OLDEST;
                case DEAD_LETTER_NEWEST -> Overflow.REJECT_PUBLISH;
                case REJECT_PUBLISH, DROP_OLDEST -> chosen;
            };
        }
        return declared.withDeliveryLimit(
                        (int) least(declared.deliveryLimit(), said, bounds, settings -> settings.deliveryLimit()))
                .withTtlMillis(least(declared.ttlMillis(), said, bounds, Policy.Settings::ttlMillis))
                .withExpiresMillis(least(declared.expiresMillis(), said, bounds, Policy.Settings::expiresMillis))
                .withMaxMessages(messages)
                .withMaxBytes(bytes)
                .withDeadLetter(letters)
                .withOverflow(chosen)
                .withOverflowSaid(declared.overflowSaid())
                .withBoundsWaiting(declared.boundsWaiting() || (bounded && !ownBound));
    }

    StreamDefinition effective(StreamDefinition declared) {
        Policy said = of(declared.name(), false, STREAM_WORDS);
        Policy bounds = of(declared.name(), true, STREAM_WORDS);
        return declared.withRetentionMillis(
                        least(declared.retentionMillis(), said, bounds, Policy.Settings::maxAgeMillis))
                .withRetentionBytes(least(declared.retentionBytes(), said, bounds, Policy.Settings::maxBytes));
    }
}
