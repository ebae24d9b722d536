package dev.postroad.api;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The bounds of a channel's settings, and which of them exclude each other. */
final class ChannelRules {
    private static final int MAX_NAME_BYTES = 255;
    private static final String RESERVED_PREFIX = "postroad.";

    private ChannelRules() {}

    static void check(
            String name,
            ChannelKind kind,
            boolean orderedByKey,
            @Nullable String deadLetter,
            @Nullable Duration ttl,
            @Nullable Duration lease,
            int prefetch,
            @Nullable Duration dedupWindow,
            int priorities,
            @Nullable Long maxMessages,
            @Nullable Long maxBytes,
            Channel.Overflow overflow,
            int partitions,
            @Nullable Duration retention,
            boolean compacted,
            int maxMessageBytes,
            @Nullable Duration timeout) {
        checkName("channel", name);
        if (deadLetter != null) {
            checkName("dead-letter channel", deadLetter);
            require(!deadLetter.equals(name), name, "deadLetter", deadLetter, "another channel than itself");
        }
        positive(name, "ttl", ttl);
        positive(name, "lease", lease);
        positive(name, "dedupWindow", dedupWindow);
        positive(name, "retention", retention);
        positive(name, "timeout", timeout);
        require(prefetch >= 1 && prefetch <= 65_535, name, "prefetch", prefetch, "1 to 65,535");
        require(priorities >= 1 && priorities <= 10, name, "priorities", priorities, "1 to 10");
        require(maxMessages == null || maxMessages >= 1, name, "maxMessages", maxMessages, "1 or more");
        require(maxBytes == null || maxBytes >= 1, name, "maxBytes", maxBytes, "1 or more");
        require(partitions >= 1 && partitions <= 1_000, name, "partitions", partitions, "1 to 1,000");
        require(
                maxMessageBytes >= 1 && maxMessageBytes <= Channel.MAX_MESSAGE_BYTES,
                name,
                "maxMessageBytes",
                maxMessageBytes,
                "1 to " + Channel.MAX_MESSAGE_BYTES);
        exclude(
                priorities > 1 && orderedByKey,
                name,
                "priorities = " + priorities,
                "orderedByKey = true",
                "a message of higher priority would overtake earlier ones of its key");
        exclude(
                overflow == Channel.Overflow.DEAD_LETTER_OLDEST && deadLetter == null,
                name,
                "overflow = DEAD_LETTER_OLDEST",
                "deadLetter = null",
                "there is nowhere to put the oldest message");
        if (kind.isStream()) {
            exclude(priorities > 1, name, "priorities = " + priorities, "kind = " + kind, "a stream is read in order");
            exclude(
                    maxMessages != null,
                    name,
                    "maxMessages = " + maxMessages,
                    "kind = " + kind,
                    "a stream is bounded by retention and maxBytes");
            exclude(
                    overflow != Channel.Overflow.REJECT_PUBLISH,
                    name,
                    "overflow = " + overflow,
                    "kind = " + kind,
                    "a stream forgets by retention and maxBytes");
            exclude(ttl != null, name, "ttl = " + ttl, "kind = " + kind, "a stream forgets by retention");
        } else {
            exclude(
                    partitions > 1,
                    name,
                    "partitions = " + partitions,
                    "kind = " + kind,
                    "only streams have partitions");
            exclude(
                    retention != null,
                    name,
                    "retention = " + retention,
                    "kind = " + kind,
                    "a queue keeps each message until it is settled; ttl bounds that");
            exclude(compacted, name, "compacted = true", "kind = " + kind, "only streams are compacted");
        }
        exclude(
                timeout != null && kind != ChannelKind.REQUEST,
                name,
                "timeout = " + timeout,
                "kind = " + kind,
                "only requests wait for a reply");
    }

    /** Checks a channel's or group's name. */
    static void checkName(String what, String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > MAX_NAME_BYTES) {
            throw new IllegalArgumentException(
                    "the name of a " + what + " has " + bytes + " bytes; it must have 1 to " + MAX_NAME_BYTES);
        }
        name.codePoints().filter(Character::isISOControl).findFirst().ifPresent(c -> {
            throw new IllegalArgumentException(
                    String.format("the name of a %s has the control character U+%04X; it must have none", what, c));
        });
        if (name.startsWith(RESERVED_PREFIX)) {
            throw new IllegalArgumentException(
                    what + " '" + name + "': names that begin with '" + RESERVED_PREFIX + "' are reserved");
        }
    }

    private static void positive(String channel, String setting, @Nullable Duration value) {
        require(value == null || value.toMillis() >= 1, channel, setting, value, "at least 1 ms");
    }

    private static void require(boolean holds, String channel, String setting, @Nullable Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "channel '" + channel + "': " + setting + " is " + value + "; it must be " + bounds);
        }
    }

    private static void exclude(boolean both, String channel, String one, String other, String why) {
        if (both) {
            throw new IllegalArgumentException(
                    "channel '" + channel + "': " + one + " contradicts " + other + ": " + why);
        }
    }
}
