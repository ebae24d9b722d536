package dev.postroad.engine;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.routing.NamePattern;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings that an operator gives to queues, streams and topics by the pattern of their names, and takes from them again,
 * without anything being declared anew. Of those that match, the one with the highest priority holds (of equals, the one whose
 * name comes first); one of {@code operator}'s kind holds beside it.
 *
 * <p>Together with what was declared: of bounds and times the smaller holds; of everything else what was declared. Shared
 * groups have no policies.
 *
 * @param name 1 to 255 bytes of UTF-8, unique among its kind
 * @param operator true for bounds that others may not widen: it has no deadLetter and no alternate, and its overflow is for
 *     where nobody else says one
 * @param scope where its names are
 * @param pattern what is found in the names, see {@link NamePattern}
 * @param priority the higher wins
 */
public record Policy(
        String name,
        boolean operator,
        Scope scope,
        String pattern,
        AppliesTo appliesTo,
        int priority,
        Settings settings) {

    /** What a policy is for. */
    public enum AppliesTo {
        /** Queues and streams. */
        CHANNELS,
        /** Streams. */
        STREAMS,
        /** Topics. */
        TOPICS,
        /** All of them. */
        ALL;

        boolean takes(Definition definition) {
            return switch (definition) {
                case QueueDefinition q -> this == CHANNELS || this == ALL;
                case StreamDefinition s -> this != TOPICS;
                case TopicDefinition t -> this == TOPICS || this == ALL;
            };
        }
    }

    /**
     * Which names a policy is for: the pattern sees what follows the beginning.
     *
     * @param within what the names begin with; empty for anything
     * @param except what they do not begin with; null for none such
     */
    public record Scope(String within, @Nullable String except) {
        /** All names. */
        public static final Scope ALL = new Scope("", null);

        boolean has(String name) {
            return name.startsWith(within) && (except == null || !name.startsWith(except));
        }
    }

    /**
     * What a policy sets.
     *
     * @param ttlMillis time to live, at most, of messages that come from now on; 0 says nothing
     * @param expiresMillis how long a queue may be idle at most, counted from when the policy comes; 0 says nothing
     * @param maxMessages messages a queue holds at most; 0 says nothing. A queue without a bound of its own counts what waits
     * @param maxBytes bytes a queue, or a partition of a stream, holds at most; 0 says nothing
     * @param overflow what happens at the bound, where the queue did not choose it; null says nothing. Without a target dead
     *     letters are dropped or refused instead; and what a queue without a target would drop goes to one that a policy gives
     * @param deadLetter where dead letters of queues that say no target go; null says nothing. The routing key is also for
     *     queues that say a topic alone
     * @param deliveryLimit deliveries at most; 0 says nothing
     * @param maxAgeMillis how long a stream keeps messages at most; 0 says nothing
     * @param alternate topic for what a topic's bindings do not take; null says nothing. It does not apply to itself
     * @param attributes what a protocol adds, kept as it is; null for none
     */
    public record Settings(
            long ttlMillis,
            long expiresMillis,
            long maxMessages,
            long maxBytes,
            @Nullable Overflow overflow,
            @Nullable DeadLetterTarget deadLetter,
            int deliveryLimit,
            long maxAgeMillis,
            @Nullable String alternate,
            @Nullable String attributes) {
        /** Nothing said. */
        public static final Settings NONE = new Settings(0, 0, 0, 0, null, null, 0, 0, null, null);

        /** These, with bounds that are no wider than those. */
        Settings within(Settings bounds) {
            return new Settings(
                    least(ttlMillis, bounds.ttlMillis),
                    least(expiresMillis, bounds.expiresMillis),
                    least(maxMessages, bounds.maxMessages),
                    least(maxBytes, bounds.maxBytes),
                    overflow == null ? bounds.overflow : overflow,
                    deadLetter,
                    (int) least(deliveryLimit, bounds.deliveryLimit),
                    least(maxAgeMillis, bounds.maxAgeMillis),
                    alternate,
                    attributes);
        }

        private List<String> ofQueues() {
            List<String> names = new ArrayList<>();
            said(names, "ttlMillis", ttlMillis > 0);
            said(names, "expiresMillis", expiresMillis > 0);
            said(names, "maxMessages", maxMessages > 0);
            said(names, "overflow", overflow != null);
            said(names, "deadLetter", deadLetter != null);
            said(names, "deliveryLimit", deliveryLimit > 0);
            return names;
        }

        private List<String> ofStreams() {
            List<String> names = new ArrayList<>();
            said(names, "maxAgeMillis", maxAgeMillis > 0);
            return names;
        }

        private List<String> ofBoth() {
            List<String> names = new ArrayList<>();
            said(names, "maxBytes", maxBytes > 0);
            return names;
        }

        private List<String> ofTopics() {
            List<String> names = new ArrayList<>();
            said(names, "alternate", alternate != null);
            return names;
        }

        private static void said(List<String> names, String name, boolean said) {
            if (said) {
                names.add(name);
            }
        }

        void encode(ByteBuffer out) {
            Bytes.putVarint(out, ttlMillis);
            Bytes.putVarint(out, expiresMillis);
            Bytes.putVarint(out, maxMessages);
            Bytes.putVarint(out, maxBytes);
            out.put((byte) (overflow == null ? -1 : overflow.ordinal()));
            out.put((byte) (deadLetter == null ? 0 : 1));
            if (deadLetter != null) {
                Bytes.putNullable(out, deadLetter.topic());
                Bytes.putNullable(out, deadLetter.channel());
            }
            Bytes.putVarint(out, deliveryLimit);
            Bytes.putVarint(out, maxAgeMillis);
            Bytes.putNullable(out, alternate);
            Bytes.putNullable(out, attributes);
        }

        static Settings decode(ByteBuffer in) {
            long ttl = Bytes.getVarint(in);
            long expires = Bytes.getVarint(in);
            long messages = Bytes.getVarint(in);
            long bytes = Bytes.getVarint(in);
            int overflow = in.get();
            return new Settings(
                    ttl,
                    expires,
                    messages,
                    bytes,
                    overflow < 0 ? null : Overflow.values()[overflow],
                    in.get() == 0 ? null : new DeadLetterTarget(Bytes.getNullable(in), Bytes.getNullable(in)),
                    (int) Bytes.getVarint(in),
                    Bytes.getVarint(in),
                    Bytes.getNullable(in),
                    Bytes.getNullable(in));
        }
    }

    /** @throws EngineException {@code INVALID} naming what is out of bounds, wrong or can't apply */
    public Policy {
        Definition.checkName("policy", name);
        String what = "policy '" + name + "': ";
        Definition.check(settings.ttlMillis >= 0, what, "ttlMillis", settings.ttlMillis, "0 (none) or more");
        Definition.check(
                settings.expiresMillis >= 0, what, "expiresMillis", settings.expiresMillis, "0 (none) or more");
        Definition.check(settings.maxMessages >= 0, what, "maxMessages", settings.maxMessages, "0 (none) or more");
        Definition.check(settings.maxBytes >= 0, what, "maxBytes", settings.maxBytes, "0 (none) or more");
        Definition.check(
                settings.deliveryLimit >= 0, what, "deliveryLimit", settings.deliveryLimit, "0 (none) or more");
        Definition.check(settings.maxAgeMillis >= 0, what, "maxAgeMillis", settings.maxAgeMillis, "0 (none) or more");
        if (settings.alternate != null) {
            Definition.checkName("alternate topic", settings.alternate);
        }
        try {
            NamePattern.of(pattern);
        } catch (IllegalArgumentException e) {
            throw new EngineException(EngineException.Reason.INVALID, what + e.getMessage(), e);
        }
        checkApplies(what, appliesTo, settings);
        Definition.exclude(
                operator && (settings.deadLetter != null || settings.alternate != null),
                what,
                "operator = true",
                "deadLetter or alternate",
                "an operator's policy bounds, and says nothing else");
    }

    private static void checkApplies(String what, AppliesTo appliesTo, Settings settings) {
        List<String> wrong = new ArrayList<>();
        List<String> all = new ArrayList<>();
        add(settings.ofQueues(), appliesTo == AppliesTo.CHANNELS || appliesTo == AppliesTo.ALL, all, wrong);
        add(settings.ofStreams(), appliesTo != AppliesTo.TOPICS, all, wrong);
        add(settings.ofBoth(), appliesTo != AppliesTo.TOPICS, all, wrong);
        add(settings.ofTopics(), appliesTo == AppliesTo.TOPICS || appliesTo == AppliesTo.ALL, all, wrong);
        if (all.isEmpty() && settings.attributes == null) {
            throw new EngineException(EngineException.Reason.INVALID, what + "it sets nothing; give it a setting");
        }
        if (!wrong.isEmpty()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    what + String.join(", ", wrong) + " can't be set where it applies to " + appliesTo
                            + "; leave it out, or let it apply to ALL");
        }
    }

    private static void add(List<String> said, boolean applies, List<String> all, List<String> wrong) {
        all.addAll(said);
        if (!applies) {
            wrong.addAll(said);
        }
    }

    /** The smaller of two bounds, where 0 is none. */
    static long least(long one, long other) {
        return one == 0 || other == 0 ? Math.max(one, other) : Math.min(one, other);
    }

    void encode(ByteBuffer out) {
        Bytes.putString(out, name);
        out.put((byte) (operator ? 1 : 0));
        Bytes.putString(out, scope.within());
        Bytes.putNullable(out, scope.except());
        Bytes.putString(out, pattern);
        out.put((byte) appliesTo.ordinal());
        Bytes.putSigned(out, priority);
        settings.encode(out);
    }

    static Policy decode(ByteBuffer in) {
        return new Policy(
                Bytes.getString(in),
                in.get() != 0,
                new Scope(Bytes.getString(in), Bytes.getNullable(in)),
                Bytes.getString(in),
                AppliesTo.values()[in.get()],
                (int) Bytes.getSigned(in),
                Settings.decode(in));
    }
}
