package dev.postroad.engine.channel;

import dev.postroad.engine.Definition;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A channel as people declare it: its name, its kind and its settings, in the engine's types. Immutable. Times are in
 * milliseconds, sizes in bytes, and 0 stands for "none".
 *
 * @param name 1 to 255 bytes of UTF-8, no control characters; what people declare must not begin with {@code postroad.}, see
 *     {@link #checkName}
 * @param kind what it is for
 * @param durability what a confirm means
 * @param orderedByKey true if one key has one delivery in flight and keeps its order through failures
 * @param retry how failed deliveries are repeated
 * @param deadLetter the channel for messages given up; null drops them
 * @param ttlMillis time to live of messages that say none; queues only
 * @param leaseMillis how long a delivery may stay unsettled; 0 for as long as its consumer lives
 * @param prefetch deliveries a consumer holds unsettled at most, 1 to 65,535, where it does not say itself
 * @param dedupMillis how long message ids are remembered
 * @param priorities levels of strict priority, 1 (none) to 10; queues only, not with orderedByKey
 * @param maxMessages messages a queue holds at most
 * @param maxBytes bytes held at most; of a stream, what its retention keeps in all partitions together
 * @param overflow what happens at the bound of a queue
 * @param partitions of a stream, 1 to 1,000; 1 for queues
 * @param retentionMillis how long a stream keeps messages
 * @param compacted true if a stream keeps, of each key, the last message only
 * @param maxMessageBytes largest value, 1 byte to 16 MiB
 * @param compressed true if values of over 1 KiB lie gzipped
 * @param timeoutMillis how long a request waits for its reply where it does not say itself; requests only
 */
public record ChannelDeclaration(
        String name,
        Kind kind,
        Durability durability,
        boolean orderedByKey,
        Retry retry,
        @Nullable String deadLetter,
        long ttlMillis,
        long leaseMillis,
        int prefetch,
        long dedupMillis,
        int priorities,
        long maxMessages,
        long maxBytes,
        Overflow overflow,
        int partitions,
        long retentionMillis,
        boolean compacted,
        int maxMessageBytes,
        boolean compressed,
        long timeoutMillis) {

    /** The largest value any channel takes: 16 MiB. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

    private static final int MIB = 1024 * 1024;
    private static final long DAY_MILLIS = 24L * 60 * 60 * 1000;
    private static final String MARK = "channel/1;";
    private static final String RESERVED_PREFIX = "postroad.";

    /** What a channel is for. */
    public enum Kind {
        /** "Do this": a queue; each message goes to one consumer. */
        COMMAND,
        /** "This happened": a keyed, retained stream; each group receives every message. */
        EVENT,
        /** "Tell me": a queue of short-lived messages with a deadline. */
        REQUEST,
        /** "Here is the whole thing": a keyed, retained stream of large values. */
        DOCUMENT;

        /** True if it is carried by a stream, false if by a queue. */
        public boolean isStream() {
            return this == EVENT || this == DOCUMENT;
        }

        /** As people write it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * How failed deliveries are repeated: exponential backoff with jitter, reckoned by whoever handles the deliveries. The
     * engine counts the attempts.
     *
     * @param maxAttempts deliveries in all, 1 to 1,000,000
     * @param initialDelayMillis before the second attempt
     * @param maxDelayMillis no wait is longer; initialDelayMillis or more
     * @param multiplier growth per attempt, 1.0 to 100
     * @param jitter the share of each wait that is random, 0.0 to 1.0
     * @param decorrelated true if each wait grows from the one before it; with jitter 1.0 only
     * @param maxElapsedMillis from the first failure, no attempt begins later; 0 for no bound
     */
    public record Retry(
            int maxAttempts,
            long initialDelayMillis,
            long maxDelayMillis,
            double multiplier,
            double jitter,
            boolean decorrelated,
            long maxElapsedMillis) {
        /** The most attempts that can be asked for. */
        public static final int MOST_ATTEMPTS = 1_000_000;

        /** Five attempts, waiting about 1, 2, 4 and 8 seconds, 30 at most, jitter 0.2. */
        public static final Retry DEFAULT = new Retry(5, 1_000, 30_000, 2.0, 0.2);

        /** One attempt. */
        public static final Retry NONE = new Retry(1, 0, 0, 1.0, 0.0);

        /** @throws EngineException {@code INVALID} naming the value that is out of bounds */
        public Retry {
            check(maxAttempts >= 1 && maxAttempts <= MOST_ATTEMPTS, "maxAttempts", maxAttempts, "1 to 1,000,000");
            check(initialDelayMillis >= 0, "initialDelay", initialDelayMillis + " ms", "0 or more");
            check(
                    maxDelayMillis >= initialDelayMillis,
                    "maxDelay",
                    maxDelayMillis + " ms",
                    "at least initialDelay, " + initialDelayMillis + " ms");
            check(multiplier >= 1.0 && multiplier <= 100, "multiplier", multiplier, "1.0 to 100");
            check(jitter >= 0.0 && jitter <= 1.0, "jitter", jitter, "0.0 to 1.0");
            check(!decorrelated || jitter == 1.0, "jitter", jitter, "1.0 where it is decorrelated");
            check(maxElapsedMillis >= 0, "maxElapsed", maxElapsedMillis + " ms", "0 or more");
        }

        /** Not decorrelated, for as long as there are attempts. */
        public Retry(int maxAttempts, long initialDelayMillis, long maxDelayMillis, double multiplier, double jitter) {
            this(maxAttempts, initialDelayMillis, maxDelayMillis, multiplier, jitter, false, 0);
        }

        private static void check(boolean holds, String setting, Object value, String bounds) {
            Definition.check(holds, "retry.", setting, value, bounds);
        }

        /** This policy with another number of attempts. */
        public Retry withMaxAttempts(int attempts) {
            return new Retry(
                    attempts, initialDelayMillis, maxDelayMillis, multiplier, jitter, decorrelated, maxElapsedMillis);
        }
    }

    /** @throws EngineException {@code INVALID} naming the setting that is out of bounds or contradicts another */
    public ChannelDeclaration {
        Definition.checkName("channel", name);
        String what = "channel '" + name + "': ";
        if (deadLetter != null) {
            Definition.checkName("dead-letter channel", deadLetter);
            Definition.check(!deadLetter.equals(name), what, "deadLetter", deadLetter, "another channel than itself");
        }
        checkTime(what, "ttl", ttlMillis);
        checkTime(what, "lease", leaseMillis);
        checkTime(what, "dedupWindow", dedupMillis);
        checkTime(what, "retention", retentionMillis);
        checkTime(what, "timeout", timeoutMillis);
        Definition.check(prefetch >= 1 && prefetch <= 65_535, what, "prefetch", prefetch, "1 to 65,535");
        Definition.check(priorities >= 1 && priorities <= 10, what, "priorities", priorities, "1 to 10");
        Definition.check(maxMessages >= 0, what, "maxMessages", maxMessages, "1 or more, or left out for no bound");
        Definition.check(maxBytes >= 0, what, "maxBytes", maxBytes, "1 or more, or left out for no bound");
        Definition.check(partitions >= 1 && partitions <= 1_000, what, "partitions", partitions, "1 to 1,000");
        Definition.check(
                maxMessageBytes >= 1 && maxMessageBytes <= MAX_MESSAGE_BYTES,
                what,
                "maxMessageBytes",
                maxMessageBytes,
                "1 to " + MAX_MESSAGE_BYTES);
        Definition.exclude(
                priorities > 1 && orderedByKey,
                what,
                "priorities = " + priorities,
                "orderedByKey = true",
                "a message of higher priority would overtake earlier ones of its key");
        Definition.exclude(
                overflow == Overflow.DEAD_LETTER_OLDEST && deadLetter == null,
                what,
                "overflow = DEAD_LETTER_OLDEST",
                "no deadLetter",
                "there is nowhere to put the oldest message");
        String ofKind = "kind = " + kind.word();
        if (kind.isStream()) {
            Definition.exclude(priorities > 1, what, "priorities = " + priorities, ofKind, "a stream is read in order");
            Definition.exclude(
                    maxMessages != 0,
                    what,
                    "maxMessages = " + maxMessages,
                    ofKind,
                    "a stream is bounded by retention and maxBytes");
            Definition.exclude(
                    overflow != Overflow.REJECT_PUBLISH,
                    what,
                    "overflow = " + overflow,
                    ofKind,
                    "a stream forgets by retention and maxBytes");
            Definition.exclude(
                    ttlMillis != 0, what, "ttl = " + ttlMillis + " ms", ofKind, "a stream forgets by retention");
        } else {
            Definition.exclude(
                    partitions > 1, what, "partitions = " + partitions, ofKind, "only streams have partitions");
            Definition.exclude(
                    retentionMillis != 0,
                    what,
                    "retention = " + retentionMillis + " ms",
                    ofKind,
                    "a queue keeps each message until it is settled; ttl bounds that");
            Definition.exclude(compacted, what, "compacted = true", ofKind, "only streams are compacted");
        }
        Definition.exclude(
                timeoutMillis != 0 && kind != Kind.REQUEST,
                what,
                "timeout = " + timeoutMillis + " ms",
                ofKind,
                "only requests wait for a reply");
    }

    private static void checkTime(String what, String setting, long millis) {
        Definition.check(millis >= 0, what, setting, millis + " ms", "at least 1 ms, or left out for none");
    }

    /**
     * Checks the name of a channel, group or topic that people give.
     *
     * @param what the kind of thing, for the message
     * @throws EngineException {@code INVALID} if it is empty, too long, has control characters or is reserved
     */
    public static void checkName(String what, String name) {
        Definition.checkName(what, name);
        if (name.startsWith(RESERVED_PREFIX)) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    what + " '" + name + "': names that begin with '" + RESERVED_PREFIX + "' are reserved");
        }
    }

    // ── Defaults ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A channel of a kind with the kind's defaults. */
    public static ChannelDeclaration of(Kind kind, String name) {
        String dead = name + ".dead";
        return switch (kind) {
            case COMMAND -> queue(name, kind, Durability.DURABLE, Retry.DEFAULT, dead, 0, 0, 0);
            case REQUEST -> queue(name, kind, Durability.BUFFERED, Retry.NONE, null, 5_000, 100, 5_000);
            case EVENT -> stream(name, kind, dead, 256, 7 * DAY_MILLIS, MIB, false);
            case DOCUMENT -> stream(name, kind, dead, 16, 0, 10 * MIB, true);
        };
    }

    private static ChannelDeclaration queue(
            String name,
            Kind kind,
            Durability durability,
            Retry retry,
            @Nullable String deadLetter,
            long ttlMillis,
            long maxMessages,
            long timeoutMillis) {
        return new ChannelDeclaration(
                name,
                kind,
                durability,
                false,
                retry,
                deadLetter,
                ttlMillis,
                0,
                32,
                0,
                1,
                maxMessages,
                0,
                Overflow.REJECT_PUBLISH,
                1,
                0,
                false,
                MIB,
                false,
                timeoutMillis);
    }

    private static ChannelDeclaration stream(
            String name,
            Kind kind,
            String deadLetter,
            int prefetch,
            long retentionMillis,
            int maxMessageBytes,
            boolean compressed) {
        return new ChannelDeclaration(
                name,
                kind,
                Durability.DURABLE,
                true,
                Retry.DEFAULT,
                deadLetter,
                0,
                0,
                prefetch,
                0,
                1,
                0,
                0,
                Overflow.REJECT_PUBLISH,
                4,
                retentionMillis,
                false,
                maxMessageBytes,
                compressed,
                0);
    }

    /**
     * The declaration of this channel's dead-letter channel, for where there is none of that name: a durable command channel
     * with default settings that gives nothing up in its turn (a dead letter must not be lost by being looked at too often).
     * Empty if this channel has none.
     */
    public Optional<ChannelDeclaration> deadLetterDeclaration() {
        return Optional.ofNullable(deadLetter)
                .map(dead -> queue(
                        dead,
                        Kind.COMMAND,
                        Durability.DURABLE,
                        Retry.DEFAULT.withMaxAttempts(Retry.MOST_ATTEMPTS),
                        null,
                        0,
                        0,
                        0));
    }

    // ── To the engine ────────────────────────────────────────────────────────────────────────────────────────────────

    /** The queue (command, request) or stream (event, document) that carries this channel. */
    public Definition toDefinition() {
        if (kind.isStream()) {
            return new StreamDefinition(
                    name,
                    durability,
                    partitions,
                    retentionMillis,
                    bytesPerPartition(),
                    compacted,
                    StreamDefinition.DEFAULT_TOMBSTONE_MILLIS,
                    dedupMillis,
                    QueueDefinition.DEFAULT_DEDUP_LIMIT,
                    encode());
        }
        return new QueueDefinition(
                name,
                durability,
                priorities,
                orderedByKey,
                retry.maxAttempts(),
                leaseMillis,
                ttlMillis,
                0,
                dedupMillis,
                QueueDefinition.DEFAULT_DEDUP_LIMIT,
                maxMessages,
                maxBytes,
                overflow,
                deadLetterTarget(),
                false,
                false,
                false,
                false,
                false,
                maxMessages > 0 || maxBytes > 0,
                encode());
    }

    /**
     * The queue of a shared group of this stream: ordered by key, retried, leased and dead-lettered as the channel says.
     *
     * @param group the group's name
     * @throws EngineException {@code INVALID} if this is no stream, or the name is out of bounds
     */
    public QueueDefinition groupDefinition(String group) {
        checkName("group", group);
        if (!kind.isStream()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "channel '" + name + "' is a " + kind.word()
                            + " channel: its consumers compete for its messages and" + " have no groups (group '"
                            + group + "'); only event and document channels have groups");
        }
        return new QueueDefinition(
                group,
                durability,
                1,
                orderedByKey,
                retry.maxAttempts(),
                leaseMillis,
                0,
                0,
                0,
                QueueDefinition.DEFAULT_DEDUP_LIMIT,
                0,
                0,
                Overflow.REJECT_PUBLISH,
                deadLetterTarget(),
                false,
                false,
                false,
                false,
                false,
                false,
                null);
    }

    private @Nullable DeadLetterTarget deadLetterTarget() {
        return deadLetter == null ? null : DeadLetterTarget.channel(deadLetter);
    }

    private long bytesPerPartition() {
        return maxBytes == 0 ? 0 : Math.ceilDiv(maxBytes, (long) partitions);
    }

    // ── And back ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What the definition has no place for, as the text of its attributes. */
    public String encode() {
        AttributeText text = new AttributeText(MARK)
                .put("kind", kind.word())
                .put("initialDelay", retry.initialDelayMillis)
                .put("maxDelay", retry.maxDelayMillis)
                .put("multiplier", retry.multiplier)
                .put("jitter", retry.jitter)
                .put("prefetch", prefetch)
                .put("maxMessageBytes", maxMessageBytes)
                .put("compressed", compressed);
        if (retry.decorrelated) {
            text.put("decorrelated", true);
        }
        if (retry.maxElapsedMillis > 0) {
            text.put("maxElapsed", retry.maxElapsedMillis);
        }
        if (kind.isStream()) {
            text.put("orderedByKey", orderedByKey)
                    .put("maxAttempts", retry.maxAttempts)
                    .put("lease", leaseMillis)
                    .put("maxBytes", maxBytes);
            if (deadLetter != null) {
                text.put("deadLetter", deadLetter);
            }
        } else {
            text.put("timeout", timeoutMillis);
        }
        return text.toString();
    }

    /**
     * The declaration that a queue or stream was made from; empty for topics, and for what was declared in another way (by a
     * protocol with words of its own).
     */
    public static Optional<ChannelDeclaration> decode(Definition definition) {
        return switch (definition) {
            case QueueDefinition queue ->
                AttributeText.parse(MARK, queue.attributes()).map(more -> decode(queue, more));
            case StreamDefinition stream ->
                AttributeText.parse(MARK, stream.attributes()).map(more -> decode(stream, more));
            default -> Optional.empty();
        };
    }

    private static ChannelDeclaration decode(QueueDefinition queue, Map<String, String> more) {
        return new ChannelDeclaration(
                queue.name(),
                kind(more),
                queue.durability(),
                queue.keyOrdered(),
                retry(attempts(queue), more),
                queue.deadLetter() == null ? null : queue.deadLetter().channel(),
                queue.ttlMillis(),
                queue.leaseMillis(),
                (int) number(more, "prefetch"),
                queue.dedupMillis(),
                queue.priorities(),
                queue.maxMessages(),
                queue.maxBytes(),
                queue.overflow(),
                1,
                0,
                false,
                (int) number(more, "maxMessageBytes"),
                flag(more, "compressed"),
                number(more, "timeout"));
    }

    private static ChannelDeclaration decode(StreamDefinition stream, Map<String, String> more) {
        return new ChannelDeclaration(
                stream.name(),
                kind(more),
                stream.durability(),
                flag(more, "orderedByKey"),
                retry((int) number(more, "maxAttempts"), more),
                more.get("deadLetter"),
                0,
                number(more, "lease"),
                (int) number(more, "prefetch"),
                stream.dedupMillis(),
                1,
                0,
                number(more, "maxBytes"),
                Overflow.REJECT_PUBLISH,
                stream.partitions(),
                stream.retentionMillis(),
                stream.compacted(),
                (int) number(more, "maxMessageBytes"),
                flag(more, "compressed"),
                0);
    }

    private static Kind kind(Map<String, String> more) {
        return Kind.valueOf(text(more, "kind").toUpperCase(Locale.ROOT));
    }

    private static Retry retry(int maxAttempts, Map<String, String> more) {
        return new Retry(
                maxAttempts,
                number(more, "initialDelay"),
                number(more, "maxDelay"),
                Double.parseDouble(text(more, "multiplier")),
                Double.parseDouble(text(more, "jitter")),
                Boolean.parseBoolean(more.getOrDefault("decorrelated", "false")),
                Long.parseLong(more.getOrDefault("maxElapsed", "0")));
    }

    private static long number(Map<String, String> more, String key) {
        return Long.parseLong(text(more, key));
    }

    private static boolean flag(Map<String, String> more, String key) {
        return Boolean.parseBoolean(text(more, key));
    }

    private static String text(Map<String, String> more, String key) {
        String value = more.get(key);
        if (value == null) {
            throw new EngineException(EngineException.Reason.INVALID, "attributes of a channel lack '" + key + "'");
        }
        return value;
    }

    /**
     * The declaration as near as it comes for any queue or stream, also one that was declared in another way: queues look
     * like command channels, streams like event channels.
     *
     * @throws EngineException {@code INVALID} for a topic
     */
    public static ChannelDeclaration nearest(Definition definition) {
        Optional<ChannelDeclaration> declared = decode(definition);
        if (declared.isPresent()) {
            return declared.get();
        }
        return switch (definition) {
            case QueueDefinition queue -> nearest(queue);
            case StreamDefinition stream -> nearest(stream);
            default ->
                throw new EngineException(
                        EngineException.Reason.INVALID, "'" + definition.name() + "' is a topic, not a channel");
        };
    }

    /** A queue without a limit looks like one with the highest. */
    private static int attempts(QueueDefinition queue) {
        int limit = queue.deliveryLimit();
        return limit == 0 ? Retry.MOST_ATTEMPTS : Math.min(limit, Retry.MOST_ATTEMPTS);
    }

    private static ChannelDeclaration nearest(QueueDefinition queue) {
        String dead = queue.deadLetter() == null ? null : queue.deadLetter().channel();
        boolean deadLetters = dead != null && !dead.equals(queue.name());
        Overflow overflow = queue.overflow() == Overflow.DEAD_LETTER_OLDEST && !deadLetters
                ? Overflow.DROP_OLDEST
                : queue.overflow();
        return new ChannelDeclaration(
                queue.name(),
                Kind.COMMAND,
                queue.durability(),
                queue.keyOrdered(),
                new Retry(attempts(queue), 0, 0, 1.0, 0.0),
                deadLetters ? dead : null,
                queue.ttlMillis(),
                queue.leaseMillis(),
                32,
                queue.dedupMillis(),
                Math.min(queue.priorities(), 10),
                queue.maxMessages(),
                queue.maxBytes(),
                overflow,
                1,
                0,
                false,
                MAX_MESSAGE_BYTES,
                false,
                0);
    }

    private static ChannelDeclaration nearest(StreamDefinition stream) {
        int partitions = Math.min(stream.partitions(), 1_000);
        long bytes = stream.retentionBytes() > Long.MAX_VALUE / partitions
                ? Long.MAX_VALUE
                : stream.retentionBytes() * partitions;
        return new ChannelDeclaration(
                stream.name(),
                Kind.EVENT,
                stream.durability(),
                false,
                Retry.NONE,
                null,
                0,
                0,
                256,
                stream.dedupMillis(),
                1,
                0,
                bytes,
                Overflow.REJECT_PUBLISH,
                partitions,
                stream.retentionMillis(),
                stream.compacted(),
                MAX_MESSAGE_BYTES,
                false,
                0);
    }

    /** In which settings another declaration differs, for people: {@code prefetch is 32 and would become 64}. */
    public List<String> differences(ChannelDeclaration other) {
        Map<String, @Nullable Object> mine = ChannelSettings.toMap(this);
        Map<String, @Nullable Object> its = ChannelSettings.toMap(other);
        List<String> found = new ArrayList<>();
        ChannelSettings.flatten(mine).forEach((setting, value) -> {
            Object newer = ChannelSettings.flatten(its).get(setting);
            if (!String.valueOf(value).equals(String.valueOf(newer))) {
                found.add(setting + " is " + value + " and would become " + newer);
            }
        });
        return found;
    }
}
