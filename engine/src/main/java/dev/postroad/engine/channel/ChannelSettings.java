package dev.postroad.engine.channel;

import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.channel.ChannelDeclaration.Kind;
import dev.postroad.engine.channel.ChannelDeclaration.Retry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a channel by their names, as YAML and JSON write them. Times are texts with a unit ({@code 30s}), sizes
 * numbers of bytes or texts with a unit ({@code 10MB}); {@code none} or null stands for no value.
 */
public final class ChannelSettings {

    /** The names of all settings; those of {@code retry} follow in {@link #RETRY}. */
    public static final List<String> NAMES = List.of(
            "kind",
            "durability",
            "orderedByKey",
            "retry",
            "deadLetter",
            "ttl",
            "lease",
            "prefetch",
            "dedupWindow",
            "priorities",
            "maxMessages",
            "maxBytes",
            "overflow",
            "partitions",
            "retention",
            "compacted",
            "maxMessageBytes",
            "compressed",
            "timeout");

    /** The names of the settings within {@code retry}. */
    public static final List<String> RETRY =
            List.of("maxAttempts", "initialDelay", "maxDelay", "multiplier", "jitter", "maxElapsed");

    private static final String DECORRELATED = "decorrelated";

    private ChannelSettings() {}

    /** All settings of a channel, ready to be written as JSON or YAML; what is 0 for none is null. */
    public static Map<String, @Nullable Object> toMap(ChannelDeclaration channel) {
        Map<String, @Nullable Object> retry = new LinkedHashMap<>();
        retry.put("maxAttempts", channel.retry().maxAttempts());
        retry.put("initialDelay", Quantity.time(channel.retry().initialDelayMillis()));
        retry.put("maxDelay", Quantity.time(channel.retry().maxDelayMillis()));
        retry.put("multiplier", channel.retry().multiplier());
        retry.put(
                "jitter",
                channel.retry().decorrelated() ? DECORRELATED : channel.retry().jitter());
        retry.put("maxElapsed", timeOrNone(channel.retry().maxElapsedMillis()));
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("kind", channel.kind().word());
        map.put("durability", word(channel.durability()));
        map.put("orderedByKey", channel.orderedByKey());
        map.put("retry", retry);
        map.put("deadLetter", channel.deadLetter());
        map.put("ttl", timeOrNone(channel.ttlMillis()));
        map.put("lease", timeOrNone(channel.leaseMillis()));
        map.put("prefetch", channel.prefetch());
        map.put("dedupWindow", timeOrNone(channel.dedupMillis()));
        map.put("priorities", channel.priorities());
        map.put("maxMessages", channel.maxMessages() == 0 ? null : channel.maxMessages());
        map.put("maxBytes", channel.maxBytes() == 0 ? null : channel.maxBytes());
        map.put("overflow", word(channel.overflow()));
        map.put("partitions", channel.partitions());
        map.put("retention", timeOrNone(channel.retentionMillis()));
        map.put("compacted", channel.compacted());
        map.put("maxMessageBytes", channel.maxMessageBytes());
        map.put("compressed", channel.compressed());
        map.put("timeout", timeOrNone(channel.timeoutMillis()));
        return map;
    }

    private static @Nullable String timeOrNone(long millis) {
        return millis == 0 ? null : Quantity.time(millis);
    }

    /** The same with the settings of {@code retry} named {@code retry.maxAttempts} and so on. */
    static Map<String, @Nullable Object> flatten(Map<String, @Nullable Object> settings) {
        Map<String, @Nullable Object> flat = new LinkedHashMap<>();
        settings.forEach((name, value) -> {
            if (value instanceof Map<?, ?> inner) {
                inner.forEach((innerName, innerValue) -> flat.put(name + "." + innerName, innerValue));
            } else {
                flat.put(name, value);
            }
        });
        return flat;
    }

    /**
     * A channel from its settings; what is not given has the kind's default. All problems are reported, not only the first.
     *
     * @param name the channel's
     * @param settings values of the names in {@link #NAMES}: texts, numbers, booleans, null, and a map for {@code retry}
     * @param problems called with the path of a setting ({@code retry.maxDelay}, or empty for the channel as a whole) and
     *     what is wrong with it
     * @return the channel; null if there were problems
     */
    public static @Nullable ChannelDeclaration fromMap(
            String name, Map<String, ? extends @Nullable Object> settings, BiConsumer<String, String> problems) {
        Reader reader = new Reader(settings, "", problems);
        reader.refuseUnknown(NAMES);
        Kind kind = reader.choice("kind", Kind.values(), Kind.COMMAND);
        if (!settings.containsKey("kind")) {
            reader.problem("kind", "is missing; it must be one of " + words(Kind.values()));
        }
        ChannelDeclaration basis = basis(kind, name, reader);
        if (basis == null) {
            return null;
        }
        Retry retry = retry(reader, basis.retry());
        Values v = new Values(
                reader.choice("durability", Durability.values(), basis.durability()),
                reader.flag("orderedByKey", basis.orderedByKey()),
                reader.text("deadLetter", basis.deadLetter()),
                reader.time("ttl", basis.ttlMillis()),
                reader.time("lease", basis.leaseMillis()),
                reader.whole("prefetch", basis.prefetch()),
                reader.time("dedupWindow", basis.dedupMillis()),
                reader.whole("priorities", basis.priorities()),
                reader.count("maxMessages", basis.maxMessages()),
                reader.size("maxBytes", basis.maxBytes()),
                reader.choice("overflow", Overflow.values(), basis.overflow()),
                reader.whole("partitions", basis.partitions()),
                reader.time("retention", basis.retentionMillis()),
                reader.flag("compacted", basis.compacted()),
                (int) Math.min(Integer.MAX_VALUE, reader.size("maxMessageBytes", basis.maxMessageBytes())),
                reader.flag("compressed", basis.compressed()),
                reader.time("timeout", basis.timeoutMillis()));
        if (reader.failed() || retry == null) {
            return null;
        }
        try {
            if (v.deadLetter != null) {
                ChannelDeclaration.checkName("dead-letter channel", v.deadLetter);
            }
            return new ChannelDeclaration(
                    name,
                    kind,
                    v.durability,
                    v.orderedByKey,
                    retry,
                    v.deadLetter,
                    v.ttl,
                    v.lease,
                    v.prefetch,
                    v.dedup,
                    v.priorities,
                    v.maxMessages,
                    v.maxBytes,
                    v.overflow,
                    v.partitions,
                    v.retention,
                    v.compacted,
                    v.maxMessageBytes,
                    v.compressed,
                    v.timeout);
        } catch (EngineException e) {
            reader.problem("", e.getMessage());
            return null;
        }
    }

    private record Values(
            Durability durability,
            boolean orderedByKey,
            @Nullable String deadLetter,
            long ttl,
            long lease,
            int prefetch,
            long dedup,
            int priorities,
            long maxMessages,
            long maxBytes,
            Overflow overflow,
            int partitions,
            long retention,
            boolean compacted,
            int maxMessageBytes,
            boolean compressed,
            long timeout) {}

    private static @Nullable ChannelDeclaration basis(Kind kind, String name, Reader reader) {
        try {
            ChannelDeclaration.checkName("channel", name);
            return ChannelDeclaration.of(kind, name);
        } catch (EngineException e) {
            reader.problem("", e.getMessage());
            return null;
        }
    }

    private static @Nullable Retry retry(Reader outer, Retry basis) {
        Object given = outer.settings.get("retry");
        if (given == null) {
            return outer.settings.containsKey("retry") ? Retry.NONE : basis;
        }
        if (!(given instanceof Map<?, ?> map)) {
            outer.problem(
                    "retry", "is " + shown(given) + "; it must have settings of its own: " + String.join(", ", RETRY));
            return null;
        }
        Map<String, @Nullable Object> settings = new LinkedHashMap<>();
        map.forEach((key, value) -> settings.put(String.valueOf(key), value));
        Reader reader = new Reader(settings, "retry.", outer.problems);
        reader.refuseUnknown(RETRY);
        int maxAttempts = reader.whole("maxAttempts", basis.maxAttempts());
        long initialDelay = reader.time("initialDelay", basis.initialDelayMillis());
        long maxDelay = reader.time("maxDelay", Math.max(basis.maxDelayMillis(), initialDelay));
        double multiplier = reader.number("multiplier", basis.multiplier());
        boolean decorrelated =
                settings.containsKey("jitter") ? DECORRELATED.equals(settings.get("jitter")) : basis.decorrelated();
        double jitter = decorrelated ? 1.0 : reader.jitter(basis.jitter());
        long maxElapsed = reader.time("maxElapsed", basis.maxElapsedMillis());
        if (reader.failed()) {
            outer.failed = true;
            return null;
        }
        try {
            return new Retry(maxAttempts, initialDelay, maxDelay, multiplier, jitter, decorrelated, maxElapsed);
        } catch (EngineException e) {
            outer.problem("retry", e.getMessage());
            return null;
        }
    }

    /** As people write a constant: {@code reject-publish}. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String words(Enum<?>[] constants) {
        return String.join(", ", Stream.of(constants).map(ChannelSettings::word).toList());
    }

    private static String shown(@Nullable Object value) {
        String text = String.valueOf(value);
        return "'" + (text.length() <= 40 ? text : text.substring(0, 40) + "…") + "'";
    }

    /** Reads values of the types that are wanted and reports those that are not. */
    private static final class Reader {
        private final Map<String, ? extends @Nullable Object> settings;
        private final String path;
        private final BiConsumer<String, String> problems;
        private boolean failed;

        Reader(Map<String, ? extends @Nullable Object> settings, String path, BiConsumer<String, String> problems) {
            this.settings = settings;
            this.path = path;
            this.problems = problems;
        }

        boolean failed() {
            return failed;
        }

        void problem(String name, @Nullable String what) {
            failed = true;
            problems.accept(path + name, String.valueOf(what));
        }

        void refuseUnknown(List<String> known) {
            for (String name : settings.keySet()) {
                if (!known.contains(name)) {
                    problem(name, "is not a setting" + Words.hint(name, known));
                }
            }
        }

        private boolean none(@Nullable Object value) {
            return value == null || "none".equals(value);
        }

        @Nullable
        String text(String name, @Nullable String otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (none(value)) {
                return null;
            }
            if (value instanceof String text) {
                return text;
            }
            problem(name, "is " + shown(value) + "; it must be a text");
            return otherwise;
        }

        boolean flag(String name, boolean otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (value instanceof Boolean flag) {
                return flag;
            }
            problem(name, "is " + shown(value) + "; it must be true or false");
            return otherwise;
        }

        int whole(String name, int otherwise) {
            long value = count(name, otherwise);
            if (value > Integer.MAX_VALUE) {
                problem(name, "is " + value + "; it must be at most " + Integer.MAX_VALUE);
                return otherwise;
            }
            return (int) value;
        }

        long count(String name, long otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (none(value)) {
                return 0;
            }
            if (value instanceof Integer || value instanceof Long) {
                return nonNegative(name, ((Number) value).longValue(), otherwise);
            }
            problem(name, "is " + shown(value) + "; it must be a whole number");
            return otherwise;
        }

        double number(String name, double otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (value instanceof Number number) {
                return number.doubleValue();
            }
            problem(name, "is " + shown(value) + "; it must be a number");
            return otherwise;
        }

        /** A share, or a word that stands for one. */
        double jitter(double otherwise) {
            Object value = settings.get("jitter");
            if (value instanceof String word) {
                switch (word) {
                    case "full":
                        return 1.0;
                    case "equal":
                        return 0.5;
                    default:
                        problem(
                                "jitter",
                                "is " + shown(word) + "; it must be a number, full, equal or " + DECORRELATED);
                        return otherwise;
                }
            }
            return number("jitter", otherwise);
        }

        long time(String name, long otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (none(value)) {
                return 0;
            }
            try {
                return Quantity.millis(String.valueOf(value));
            } catch (IllegalArgumentException e) {
                problem(name, "is " + e.getMessage());
                return otherwise;
            }
        }

        long size(String name, long otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (none(value)) {
                return 0;
            }
            try {
                return nonNegative(name, Quantity.bytes(String.valueOf(value)), otherwise);
            } catch (IllegalArgumentException e) {
                problem(name, "is " + e.getMessage());
                return otherwise;
            }
        }

        private long nonNegative(String name, long value, long otherwise) {
            if (value < 0) {
                problem(name, "is " + value + "; it must be 0 or more");
                return otherwise;
            }
            return value;
        }

        <E extends Enum<E>> E choice(String name, E[] constants, E otherwise) {
            if (!settings.containsKey(name)) {
                return otherwise;
            }
            Object value = settings.get(name);
            if (value instanceof String text) {
                String plain = text.strip().toUpperCase(Locale.ROOT).replace('-', '_');
                for (E constant : constants) {
                    if (constant.name().equals(plain)) {
                        return constant;
                    }
                }
            }
            List<String> known = Stream.of(constants).map(ChannelSettings::word).toList();
            problem(name, "is " + shown(value) + "; it must be one of " + String.join(", ", known));
            return otherwise;
        }
    }
}
