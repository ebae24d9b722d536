package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.Durability;
import dev.postroad.api.RetryPolicy;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A channel's declaration as text, {@code setting=value} joined by {@code &}, for a catalog to keep. */
final class ChannelText {
    private ChannelText() {}

    static String write(Channel channel) {
        return settings(channel).entrySet().stream()
                .map(setting -> setting.getKey() + "=" + URLEncoder.encode(setting.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
    }

    /** @throws IllegalArgumentException if that is no channel */
    static Channel read(String text) {
        Map<String, String> of = new LinkedHashMap<>();
        for (String setting : text.split("&", -1)) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("'" + setting + "' is no setting of a channel");
            }
            of.put(
                    setting.substring(0, equals),
                    URLDecoder.decode(setting.substring(equals + 1), StandardCharsets.UTF_8));
        }
        return new Channel(
                required(of, "name"),
                ChannelKind.valueOf(required(of, "kind")),
                Durability.valueOf(required(of, "durability")),
                Boolean.parseBoolean(required(of, "orderedByKey")),
                new RetryPolicy(
                        Integer.parseInt(required(of, "retry.maxAttempts")),
                        Duration.parse(required(of, "retry.initialDelay")),
                        Duration.parse(required(of, "retry.maxDelay")),
                        Double.parseDouble(required(of, "retry.multiplier")),
                        Double.parseDouble(required(of, "retry.jitter"))),
                of.get("deadLetter"),
                duration(of, "ttl"),
                duration(of, "lease"),
                Integer.parseInt(required(of, "prefetch")),
                duration(of, "dedupWindow"),
                Integer.parseInt(required(of, "priorities")),
                number(of, "maxMessages"),
                number(of, "maxBytes"),
                Channel.Overflow.valueOf(required(of, "overflow")),
                Integer.parseInt(required(of, "partitions")),
                duration(of, "retention"),
                Boolean.parseBoolean(required(of, "compacted")),
                Integer.parseInt(required(of, "maxMessageBytes")),
                Boolean.parseBoolean(required(of, "compressed")),
                duration(of, "timeout"));
    }

    /** The first setting that differs, {@code prefetch is 7, not 8}; null if none does. */
    static @Nullable String difference(Channel declared, Channel asked) {
        Map<String, String> there = settings(declared);
        Map<String, String> wanted = settings(asked);
        for (String setting : settings(declared, asked)) {
            String one = there.getOrDefault(setting, "unset");
            String other = wanted.getOrDefault(setting, "unset");
            if (!one.equals(other)) {
                return setting + " is " + one + ", not " + other;
            }
        }
        return null;
    }

    private static Iterable<String> settings(Channel one, Channel other) {
        Map<String, String> all = settings(one);
        all.putAll(settings(other));
        return all.keySet();
    }

    private static Map<String, String> settings(Channel channel) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("name", channel.name());
        settings.put("kind", channel.kind().name());
        settings.put("durability", channel.durability().name());
        settings.put("orderedByKey", Boolean.toString(channel.orderedByKey()));
        RetryPolicy retry = channel.retry();
        settings.put("retry.maxAttempts", Integer.toString(retry.maxAttempts()));
        settings.put("retry.initialDelay", retry.initialDelay().toString());
        settings.put("retry.maxDelay", retry.maxDelay().toString());
        settings.put("retry.multiplier", Double.toString(retry.multiplier()));
        settings.put("retry.jitter", Double.toString(retry.jitter()));
        put(settings, "deadLetter", channel.deadLetter());
        put(settings, "ttl", channel.ttl());
        put(settings, "lease", channel.lease());
        settings.put("prefetch", Integer.toString(channel.prefetch()));
        put(settings, "dedupWindow", channel.dedupWindow());
        settings.put("priorities", Integer.toString(channel.priorities()));
        put(settings, "maxMessages", channel.maxMessages());
        put(settings, "maxBytes", channel.maxBytes());
        settings.put("overflow", channel.overflow().name());
        settings.put("partitions", Integer.toString(channel.partitions()));
        put(settings, "retention", channel.retention());
        settings.put("compacted", Boolean.toString(channel.compacted()));
        settings.put("maxMessageBytes", Integer.toString(channel.maxMessageBytes()));
        settings.put("compressed", Boolean.toString(channel.compressed()));
        put(settings, "timeout", channel.timeout());
        return settings;
    }

    private static void put(Map<String, String> settings, String setting, @Nullable Object value) {
        if (value != null) {
            settings.put(setting, value.toString());
        }
    }

    private static String required(Map<String, String> of, String setting) {
        String value = of.get(setting);
        if (value == null) {
            throw new IllegalArgumentException("the declaration of a channel lacks its " + setting);
        }
        return value;
    }

    private static @Nullable Duration duration(Map<String, String> of, String setting) {
        String value = of.get(setting);
        return value == null ? null : Duration.parse(value);
    }

    private static @Nullable Long number(Map<String, String> of, String setting) {
        String value = of.get(setting);
        return value == null ? null : Long.valueOf(value);
    }
}
