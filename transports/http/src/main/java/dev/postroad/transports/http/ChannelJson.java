package dev.postroad.transports.http;

import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.Durability;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.RetryPolicy;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Channels as the server's JSON, and back. */
final class ChannelJson {
    private static final Pattern PART = Pattern.compile("(\\d+)(ms|s|m|h|d)");

    private ChannelJson() {}

    static byte[] write(Channel channel) {
        Map<String, @Nullable Object> retry = new LinkedHashMap<>();
        retry.put("maxAttempts", channel.retry().maxAttempts());
        retry.put("initialDelay", time(channel.retry().initialDelay()));
        retry.put("maxDelay", time(channel.retry().maxDelay()));
        retry.put("multiplier", channel.retry().multiplier());
        retry.put(
                "jitter",
                channel.retry().decorrelated()
                        ? "decorrelated"
                        : channel.retry().jitter());
        retry.put("maxElapsed", timeOrNull(channel.retry().maxElapsed()));
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("kind", word(channel.kind()));
        map.put("durability", word(channel.durability()));
        map.put("orderedByKey", channel.orderedByKey());
        map.put("retry", retry);
        map.put("deadLetter", channel.deadLetter());
        map.put("ttl", timeOrNull(channel.ttl()));
        map.put("lease", timeOrNull(channel.lease()));
        map.put("prefetch", channel.prefetch());
        map.put("dedupWindow", timeOrNull(channel.dedupWindow()));
        map.put("priorities", channel.priorities());
        map.put("maxMessages", channel.maxMessages());
        map.put("maxBytes", channel.maxBytes());
        map.put("overflow", word(channel.overflow()));
        map.put("partitions", channel.partitions());
        map.put("retention", timeOrNull(channel.retention()));
        map.put("compacted", channel.compacted());
        map.put("maxMessageBytes", channel.maxMessageBytes());
        map.put("compressed", channel.compressed());
        map.put("timeout", timeOrNull(channel.timeout()));
        return Http.write(map);
    }

    /** From the server's description of a channel: its {@code name} and {@code settings}. */
    static Channel read(JsonNode described) {
        JsonNode s = described.path("settings");
        JsonNode retry = s.path("retry");
        try {
            return new Channel(
                    described.path("name").stringValue(""),
                    choice(ChannelKind.class, s.path("kind")),
                    choice(Durability.class, s.path("durability")),
                    s.path("orderedByKey").booleanValue(false),
                    new RetryPolicy(
                            retry.path("maxAttempts").intValue(1),
                            durationOrZero(retry.path("initialDelay")),
                            durationOrZero(retry.path("maxDelay")),
                            retry.path("multiplier").doubleValue(1.0),
                            retry.path("jitter").doubleValue(RetryPolicy.FULL_JITTER),
                            retry.path("jitter").isString(),
                            duration(retry.path("maxElapsed"))),
                    s.path("deadLetter").stringValue(null),
                    duration(s.path("ttl")),
                    duration(s.path("lease")),
                    s.path("prefetch").intValue(1),
                    duration(s.path("dedupWindow")),
                    s.path("priorities").intValue(1),
                    whole(s.path("maxMessages")),
                    whole(s.path("maxBytes")),
                    choice(Channel.Overflow.class, s.path("overflow")),
                    s.path("partitions").intValue(1),
                    duration(s.path("retention")),
                    s.path("compacted").booleanValue(false),
                    s.path("maxMessageBytes").intValue(1),
                    s.path("compressed").booleanValue(false),
                    duration(s.path("timeout")));
        } catch (IllegalArgumentException e) {
            throw new MessagingException(
                    Reason.FAILED, "the server describes a channel that this version can't read: " + e.getMessage(), e);
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static <E extends Enum<E>> E choice(Class<E> type, JsonNode node) {
        return Enum.valueOf(type, node.stringValue("").toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    static String time(Duration duration) {
        return millisUp(duration) + "ms";
    }

    /** Never shorter than was said: a fraction of a millisecond counts as a whole one. */
    static long millisUp(Duration duration) {
        try {
            return Math.addExact(duration.toMillis(), duration.toNanosPart() % 1_000_000 == 0 ? 0 : 1);
        } catch (ArithmeticException e) {
            throw new MessagingException(Reason.INVALID, duration + " does not fit into 64 bits of milliseconds", e);
        }
    }

    private static @Nullable String timeOrNull(@Nullable Duration duration) {
        return duration == null ? null : time(duration);
    }

    private static @Nullable Long whole(JsonNode node) {
        return node.isIntegralNumber() ? Long.valueOf(node.longValue()) : null;
    }

    private static Duration durationOrZero(JsonNode node) {
        Duration duration = duration(node);
        return duration == null ? Duration.ZERO : duration;
    }

    /** A time as the server writes it, {@code 1h30m}. */
    static @Nullable Duration duration(JsonNode node) {
        if (!node.isString()) {
            return null;
        }
        Duration sum = Duration.ZERO;
        Matcher part = PART.matcher(node.stringValue());
        while (part.find()) {
            long count = Long.parseLong(part.group(1));
            sum = sum.plus(
                    switch (part.group(2)) {
                        case "ms" -> Duration.ofMillis(count);
                        case "s" -> Duration.ofSeconds(count);
                        case "m" -> Duration.ofMinutes(count);
                        case "h" -> Duration.ofHours(count);
                        default -> Duration.ofDays(count);
                    });
        }
        return sum;
    }
}
