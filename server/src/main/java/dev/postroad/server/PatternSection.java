package dev.postroad.server;

import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.patterns.breaker.BreakerSettings;
import dev.postroad.patterns.breaker.RateSettings;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.inbox.ChannelInboxSettings;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.inbox.InboxStore;
import dev.postroad.patterns.inbox.RedisInboxSettings;
import dev.postroad.patterns.overload.TimeLimitSettings;
import dev.postroad.patterns.settings.PatternSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code patterns} of a channel: what the settings of each pattern are called in {@code postroad.yaml}, with the same
 * names, units and bounds as the records have.
 */
final class PatternSection {
    private static final long LONGEST = Duration.ofDays(3650).toMillis();
    private static final int MOST = 1_000_000_000;

    private static final List<String> PATTERNS =
            List.of("timeLimit", "circuitBreaker", "rateLimit", "inbox", "claimCheck", "deadLetters");
    private static final List<String> TIME_LIMIT = List.of("limit", "grace", "lease", "maxAbandoned", "giveUp");
    private static final List<String> CIRCUIT_BREAKER =
            List.of("window", "minCalls", "failureRate", "openFor", "maxOpenFor", "probes", "triesPerMessage", "lease");
    private static final List<String> RATE_LIMIT = List.of("permits", "period", "burst", "lease");
    private static final List<String> INBOX =
            List.of("consumer", "store", "window", "table", "cleanupInterval", "prefix", "claim", "busyDelay");
    private static final List<String> CLAIM_CHECK = List.of("threshold", "lifetime", "cleanupInterval", "folder");
    private static final List<String> DEAD_LETTERS = List.of("perSecond", "batch", "max", "by");

    private final Section patterns;
    private final String path;
    private final List<String> problems;

    private enum Store {
        DATABASE(List.of("table", "cleanupInterval")),
        BROKER(List.of()),
        REDIS(List.of("prefix", "claim", "busyDelay"));

        /** What it has besides consumer and window. */
        private final List<String> own;

        Store(List<String> own) {
            this.own = own;
        }
    }

    private record Claims(ClaimSettings settings, @Nullable Path folder) {}

    private PatternSection(Section patterns, String path, List<String> problems) {
        this.patterns = patterns;
        this.path = path;
        this.problems = problems;
    }

    /**
     * @param path of the channel, ending with a dot
     * @param channel as its other keys declare it; null if they have problems
     */
    static PatternSettings read(
            String path, Yaml.Item item, @Nullable ChannelDeclaration channel, List<String> problems) {
        String own = path + "patterns.";
        Section section = Section.of(own, item, item.place(), PATTERNS, problems);
        PatternSection read = new PatternSection(section, own, problems);
        PatternSettings settings = read.settings();
        if (channel != null) {
            read.requireFitting(settings, channel);
        }
        return settings;
    }

    /** What contradicts the channel's other settings. */
    private void requireFitting(PatternSettings settings, ChannelDeclaration channel) {
        if (settings.redrive() != null && channel.deadLetter() == null) {
            patterns.problem("deadLetters", "has nothing to put back: the channel has no 'deadLetter'");
        }
        TimeLimitSettings limit = settings.timeLimit();
        if (limit != null && limit.lease() != null && channel.leaseMillis() == 0) {
            patterns.problem("timeLimit", "has a 'lease' to extend, but the channel has none");
        }
        if (settings.inbox() instanceof ChannelInboxSettings && channel.kind() == ChannelDeclaration.Kind.REQUEST) {
            patterns.problem("inbox", "can't be in the broker: a request must be replied to each time it comes");
        }
    }

    private PatternSettings settings() {
        Claims claims = pattern("claimCheck", CLAIM_CHECK, this::claimCheck);
        return PatternSettings.NONE
                .withTimeLimit(pattern("timeLimit", TIME_LIMIT, this::timeLimit))
                .withCircuitBreaker(pattern("circuitBreaker", CIRCUIT_BREAKER, this::circuitBreaker))
                .withRateLimit(pattern("rateLimit", RATE_LIMIT, this::rateLimit))
                .withInbox(pattern("inbox", INBOX, this::inbox))
                .withClaimCheck(claims == null ? null : claims.settings(), claims == null ? null : claims.folder())
                .withRedrive(pattern("deadLetters", DEAD_LETTERS, this::deadLetters));
    }

    /** Reads a pattern's settings. */
    @FunctionalInterface
    private interface Reader<S> {
        @Nullable
        S read(Section section);
    }

    /** A pattern that is named, if only by {@code timeLimit: {}}; null if not, or if it has problems. */
    private <S> @Nullable S pattern(String name, List<String> known, Reader<S> reader) {
        if (patterns.item(name) == null) {
            return null;
        }
        int before = problems.size();
        Section section = Section.of(path + name + ".", patterns.item(name), patterns.place(), known, problems);
        S settings = checked(name, () -> reader.read(section));
        return problems.size() == before ? settings : null;
    }

    /** What contradicts each other the record itself says. */
    private <S> @Nullable S checked(String name, Supplier<@Nullable S> settings) {
        try {
            return settings.get();
        } catch (IllegalArgumentException e) {
            patterns.problem(name, "can't be used so: " + e.getMessage());
            return null;
        }
    }

    private static Duration time(Section section, String key, Duration otherwise) {
        return Duration.ofMillis(section.time(key, 1, LONGEST, otherwise.toMillis()));
    }

    private static int whole(Section section, String key, int otherwise) {
        return (int) section.whole(key, 1, MOST, otherwise);
    }

    private TimeLimitSettings timeLimit(Section section) {
        TimeLimitSettings usual = TimeLimitSettings.DEFAULT;
        Duration lease = section.item("lease") == null ? usual.lease() : time(section, "lease", Duration.ofMinutes(1));
        return new TimeLimitSettings(
                time(section, "limit", usual.limit()),
                Duration.ofMillis(
                        section.time("grace", 0, LONGEST, usual.grace().toMillis())),
                lease,
                whole(section, "maxAbandoned", usual.maxAbandoned()),
                section.flag("giveUp", usual.giveUp()));
    }

    private BreakerSettings circuitBreaker(Section section) {
        BreakerSettings usual = BreakerSettings.DEFAULT;
        return new BreakerSettings(
                whole(section, "window", usual.window()),
                whole(section, "minCalls", usual.minCalls()),
                section.fraction("failureRate", usual.failureRate()),
                time(section, "openFor", usual.openFor()),
                time(section, "maxOpenFor", usual.maxOpenFor()),
                whole(section, "probes", usual.probes()),
                whole(section, "triesPerMessage", usual.triesPerMessage()),
                usual.failures(),
                time(section, "lease", usual.lease()));
    }

    private @Nullable RateSettings rateLimit(Section section) {
        if (section.item("permits") == null) {
            section.problem("permits", "is missing; it must be the calls in each 'period'");
            return null;
        }
        RateSettings usual =
                RateSettings.of(whole(section, "permits", 1), time(section, "period", Duration.ofSeconds(1)));
        return usual.withBurst(whole(section, "burst", usual.burst())).withLease(time(section, "lease", usual.lease()));
    }

    private @Nullable InboxStore inbox(Section section) {
        String consumer = section.text("consumer");
        if (consumer == null) {
            section.problem("consumer", "is missing; it must name who handles the messages");
            return null;
        }
        Store chosen = section.choice("store", Store.class);
        Store store = chosen == null ? Store.DATABASE : chosen;
        for (Store other : Store.values()) {
            for (String key : other.own) {
                if (other != store && section.item(key) != null) {
                    section.problem(
                            key, "belongs to an inbox with 'store: " + word(other) + "'; this one's is " + word(store));
                }
            }
        }
        return switch (store) {
            case DATABASE -> {
                InboxSettings usual = InboxSettings.of(consumer);
                String table = section.text("table");
                yield usual.withTable(table == null ? usual.table() : table)
                        .withWindow(time(section, "window", usual.window()))
                        .withCleanupInterval(time(section, "cleanupInterval", usual.cleanupInterval()));
            }
            case BROKER -> {
                ChannelInboxSettings usual = ChannelInboxSettings.of(consumer);
                yield usual.withWindow(time(section, "window", usual.window()));
            }
            case REDIS -> {
                RedisInboxSettings usual = RedisInboxSettings.of(consumer);
                String prefix = section.text("prefix");
                yield usual.withPrefix(prefix == null ? usual.prefix() : prefix)
                        .withWindow(time(section, "window", usual.window()))
                        .withClaim(time(section, "claim", usual.claim()))
                        .withBusyDelay(time(section, "busyDelay", usual.busyDelay()));
            }
        };
    }

    private Claims claimCheck(Section section) {
        ClaimSettings usual = ClaimSettings.DEFAULT;
        String folder = section.text("folder");
        return new Claims(
                new ClaimSettings(
                        (int) section.size("threshold", 0, 16 << 20, usual.threshold()),
                        time(section, "lifetime", usual.lifetime()),
                        time(section, "cleanupInterval", usual.cleanupInterval())),
                folder == null ? null : Path.of(folder));
    }

    private RedriveSettings deadLetters(Section section) {
        RedriveSettings usual = RedriveSettings.DEFAULT;
        String by = section.text("by");
        return usual.withMax(section.whole("max", 1, Long.MAX_VALUE, usual.max()))
                .withPerSecond(
                        section.item("perSecond") == null ? null : Integer.valueOf(whole(section, "perSecond", 1)))
                .withBatch((int) section.whole("batch", 1, 1_000, usual.batch()))
                .withBy(by == null ? usual.by() : by);
    }

    /** The keys and values that {@link #read} makes these settings of. */
    static Map<String, @Nullable Object> toMap(PatternSettings settings) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>();
        TimeLimitSettings limit = settings.timeLimit();
        if (limit != null) {
            Map<String, @Nullable Object> map = put(all, "timeLimit");
            map.put("limit", time(limit.limit()));
            map.put("grace", time(limit.grace()));
            Duration lease = limit.lease();
            if (lease != null) {
                map.put("lease", time(lease));
            }
            map.put("maxAbandoned", limit.maxAbandoned());
            map.put("giveUp", limit.giveUp());
        }
        BreakerSettings breaker = settings.circuitBreaker();
        if (breaker != null) {
            Map<String, @Nullable Object> map = put(all, "circuitBreaker");
            map.put("window", breaker.window());
            map.put("minCalls", breaker.minCalls());
            map.put("failureRate", breaker.failureRate());
            map.put("openFor", time(breaker.openFor()));
            map.put("maxOpenFor", time(breaker.maxOpenFor()));
            map.put("probes", breaker.probes());
            map.put("triesPerMessage", breaker.triesPerMessage());
            map.put("lease", time(breaker.lease()));
        }
        RateSettings rate = settings.rateLimit();
        if (rate != null) {
            Map<String, @Nullable Object> map = put(all, "rateLimit");
            map.put("permits", rate.permits());
            map.put("period", time(rate.period()));
            map.put("burst", rate.burst());
            map.put("lease", time(rate.lease()));
        }
        InboxStore inbox = settings.inbox();
        if (inbox != null) {
            put(all, "inbox").putAll(toMap(inbox));
        }
        ClaimSettings claims = settings.claimCheck();
        if (claims != null) {
            Map<String, @Nullable Object> map = put(all, "claimCheck");
            map.put("threshold", claims.threshold());
            map.put("lifetime", time(claims.lifetime()));
            map.put("cleanupInterval", time(claims.cleanupInterval()));
            if (settings.blobs() != null) {
                map.put("folder", settings.blobs().toString());
            }
        }
        RedriveSettings redrive = settings.redrive();
        if (redrive != null) {
            Map<String, @Nullable Object> map = put(all, "deadLetters");
            if (redrive.perSecond() != null) {
                map.put("perSecond", redrive.perSecond());
            }
            map.put("batch", redrive.batch());
            map.put("max", redrive.max());
            map.put("by", redrive.by());
        }
        return all;
    }

    private static Map<String, @Nullable Object> toMap(InboxStore inbox) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("consumer", inbox.consumer());
        switch (inbox) {
            case InboxSettings database -> {
                map.put("store", word(Store.DATABASE));
                map.put("window", time(database.window()));
                map.put("table", database.table());
                map.put("cleanupInterval", time(database.cleanupInterval()));
            }
            case ChannelInboxSettings broker -> {
                map.put("store", word(Store.BROKER));
                map.put("window", time(broker.window()));
            }
            case RedisInboxSettings redis -> {
                map.put("store", word(Store.REDIS));
                map.put("window", time(redis.window()));
                map.put("prefix", redis.prefix());
                map.put("claim", time(redis.claim()));
                map.put("busyDelay", time(redis.busyDelay()));
            }
        }
        return map;
    }

    private static Map<String, @Nullable Object> put(Map<String, @Nullable Object> all, String pattern) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        all.put(pattern, map);
        return map;
    }

    private static String time(Duration time) {
        return Quantity.time(time.toMillis());
    }

    private static String word(Store store) {
        return store.name().toLowerCase(Locale.ROOT);
    }
}
