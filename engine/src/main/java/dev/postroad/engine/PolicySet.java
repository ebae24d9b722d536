package dev.postroad.engine;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.routing.NamePattern;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** All policies at one moment, and what they make of declarations. Never changes; for any thread. */
public final class PolicySet {
    /** No policies. */
    static final PolicySet EMPTY = new PolicySet(List.of());

    /** Policies there may be: each declaration asks them all. */
    static final int MOST = 1_000;

    private static final Comparator<Entry> ORDER = Comparator.comparingInt((Entry entry) -> entry.policy.priority())
            .reversed()
            .thenComparing(entry -> entry.policy.name());

    /** With its pattern, read. */
    private record Entry(Policy policy, NamePattern pattern) {
        boolean matches(Definition definition) {
            Policy.Scope scope = policy.scope();
            return policy.appliesTo().takes(definition)
                    && scope.has(definition.name())
                    && pattern.matches(
                            definition.name().substring(scope.within().length()));
        }
    }

    /** Those of higher priority first. */
    private final List<Entry> entries;

    private PolicySet(List<Entry> entries) {
        this.entries = entries;
    }

    /** Those of higher priority first. */
    public List<Policy> all() {
        return entries.stream().map(Entry::policy).toList();
    }

    /** The policy of this name and kind; null if there is none. */
    public @Nullable Policy get(boolean operator, String name) {
        for (Entry entry : entries) {
            if (entry.policy.operator() == operator && entry.policy.name().equals(name)) {
                return entry.policy;
            }
        }
        return null;
    }

    /** The policy that holds for what is declared so, of the operator's or of the others; null if none does. */
    public @Nullable Policy of(Definition declared, boolean operator) {
        for (Entry entry : entries) {
            if (entry.policy.operator() == operator && entry.matches(declared)) {
                return entry.policy;
            }
        }
        return null;
    }

    int size() {
        return entries.size();
    }

    PolicySet with(Policy policy) {
        List<Entry> more = new ArrayList<>(without(policy.operator(), policy.name()).entries);
        more.add(new Entry(policy, NamePattern.of(policy.pattern())));
        more.sort(ORDER);
        return new PolicySet(more);
    }

    PolicySet without(boolean operator, String name) {
        List<Entry> rest = new ArrayList<>(entries);
        rest.removeIf(entry ->
                entry.policy.operator() == operator && entry.policy.name().equals(name));
        return new PolicySet(rest);
    }

    // ── What they make of declarations ───────────────────────────────────────────────────────────────────────────────

    private Policy.@Nullable Settings settings(Definition declared) {
        if (entries.isEmpty()) {
            return null;
        }
        Policy said = of(declared, false);
        Policy bounds = of(declared, true);
        if (said == null) {
            return bounds == null ? null : bounds.settings();
        }
        return bounds == null ? said.settings() : said.settings().within(bounds.settings());
    }

    /** A declaration with what its policies add to it; the same where none does. */
    public QueueDefinition effective(QueueDefinition declared) {
        Policy.Settings settings = settings(declared);
        if (settings == null) {
            return declared;
        }
        long maxMessages = Policy.least(declared.maxMessages(), settings.maxMessages());
        long maxBytes = Policy.least(declared.maxBytes(), settings.maxBytes());
        boolean bounded = maxMessages > 0 || maxBytes > 0;
        boolean ownBound = declared.maxMessages() > 0 || declared.maxBytes() > 0;
        DeadLetterTarget deadLetter = deadLetter(declared.deadLetter(), settings.deadLetter());
        return new QueueDefinition(
                declared.name(),
                declared.durability(),
                declared.priorities(),
                declared.keyOrdered(),
                (int) Policy.least(declared.deliveryLimit(), settings.deliveryLimit()),
                declared.leaseMillis(),
                Policy.least(declared.ttlMillis(), settings.ttlMillis()),
                Policy.least(declared.expiresMillis(), settings.expiresMillis()),
                declared.dedupMillis(),
                declared.dedupLimit(),
                maxMessages,
                maxBytes,
                overflow(declared, settings.overflow(), bounded && deadLetter != null),
                deadLetter,
                declared.exclusive(),
                declared.autoDelete(),
                declared.singleActiveConsumer(),
                declared.temporary(),
                declared.boundsWaiting() || (bounded && !ownBound),
                declared.overflowSaid(),
                declared.attributes());
    }

    private static @Nullable DeadLetterTarget deadLetter(
            @Nullable DeadLetterTarget declared, @Nullable DeadLetterTarget added) {
        if (declared == null || added == null) {
            return declared == null ? added : declared;
        }
        boolean keyWanted = declared.topic() != null && declared.channel() == null && added.topic() != null;
        return keyWanted ? new DeadLetterTarget(declared.topic(), added.channel()) : declared;
    }

    private static Overflow overflow(QueueDefinition declared, @Nullable Overflow added, boolean letters) {
        if (added == null || declared.overflowSaid()) {
            boolean gained = letters && declared.deadLetter() == null;
            return gained && declared.overflow() == Overflow.DROP_OLDEST
                    ? Overflow.DEAD_LETTER_OLDEST
                    : possible(declared.overflow(), letters);
        }
        return possible(added, letters);
    }

    private static Overflow possible(Overflow overflow, boolean letters) {
        return switch (overflow) {
            case DEAD_LETTER_OLDEST -> letters ? overflow : Overflow.DROP_OLDEST;
            case DEAD_LETTER_NEWEST -> letters ? overflow : Overflow.REJECT_PUBLISH;
            case REJECT_PUBLISH, DROP_OLDEST -> overflow;
        };
    }

    /** A declaration with what its policies add to it; the same where none does. */
    public StreamDefinition effective(StreamDefinition declared) {
        Policy.Settings settings = settings(declared);
        return settings == null
                ? declared
                : declared.withRetentionMillis(Policy.least(declared.retentionMillis(), settings.maxAgeMillis()))
                        .withRetentionBytes(Policy.least(declared.retentionBytes(), settings.maxBytes()));
    }

    /** A declaration with what its policies add to it; the same where none does. */
    public TopicDefinition effective(TopicDefinition declared) {
        Policy.Settings settings = settings(declared);
        String alternate = settings == null ? null : settings.alternate();
        return declared.alternate() != null || alternate == null || alternate.equals(declared.name())
                ? declared
                : declared.withAlternate(alternate);
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    void write(Snapshot snapshot) {
        Bytes.putVarint(snapshot.room(10), entries.size());
        for (Entry entry : entries) {
            snapshot.write(entry.policy::encode);
        }
    }

    static PolicySet read(ByteBuffer in) {
        List<Entry> all = new ArrayList<>();
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            Policy policy = Policy.decode(in);
            all.add(new Entry(policy, NamePattern.of(policy.pattern())));
        }
        all.sort(ORDER);
        return new PolicySet(all);
    }
}
