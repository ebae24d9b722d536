package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.patterns.breaker.BreakerSettings;
import dev.postroad.patterns.breaker.RateSettings;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.inbox.ChannelInboxSettings;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.inbox.RedisInboxSettings;
import dev.postroad.patterns.overload.TimeLimitSettings;
import dev.postroad.patterns.settings.PatternSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PatternSectionTest {
    private static final String WHOLE = """
            channels:
              orders:
                kind: command
                lease: 1m
                patterns:
                  timeLimit: {limit: 20s, grace: 500ms, lease: 1m, max-abandoned: 4, giveUp: true}
                  circuit_breaker:
                    window: 50
                    minCalls: 25
                    failureRate: 0.25
                    openFor: 1s
                    maxOpenFor: 30s
                    probes: 2
                    triesPerMessage: 5
                    lease: 2m
                  rateLimit: {permits: 100, period: 1m, burst: 10, lease: 3m}
                  inbox: {consumer: billing, window: 3d, table: shop.handled, cleanupInterval: 5m}
                  claimCheck: {threshold: 64KiB, lifetime: 14d, cleanupInterval: 10m, folder: blobs}
                  deadLetters: {perSecond: 50, batch: 10, max: 1000, by: on-call}
              mails:
                kind: command
                patterns:
                  inbox: {consumer: mailing, store: redis, window: 1d, prefix: mails, claim: 2m, busyDelay: 3s}
                  timeLimit: {}
              invoices:
                kind: event
                patterns:
                  inbox: {consumer: books, store: broker, window: 2h}
              plain: {kind: command}
            """;

    private static List<String> problems(String channel) {
        ConfigException refused = catchThrowableOfType(
                ConfigException.class,
                () -> ConfigFile.parse("postroad.yaml", "channels:\n  orders:\n" + channel.indent(4), Map.of()));
        return refused == null ? List.of() : refused.problems();
    }

    @Test
    void all_settings_of_all_patterns_are_read(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("postroad.yaml"), WHOLE);
        Map<String, PatternSettings> patterns = ConfigFile.patterns(file);
        assertThat(patterns.keySet()).containsExactly("orders", "mails", "invoices");
        PatternSettings orders = patterns.get("orders");
        assertThat(orders.timeLimit())
                .isEqualTo(new TimeLimitSettings(
                        Duration.ofSeconds(20), Duration.ofMillis(500), Duration.ofMinutes(1), 4, true));
        assertThat(orders.circuitBreaker())
                .isEqualTo(new BreakerSettings(
                        50,
                        25,
                        0.25,
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(30),
                        2,
                        5,
                        BreakerSettings.DEFAULT.failures(),
                        Duration.ofMinutes(2)));
        assertThat(orders.rateLimit())
                .isEqualTo(new RateSettings(100, Duration.ofMinutes(1), 10, Duration.ofMinutes(3)));
        assertThat(orders.inbox())
                .isEqualTo(new InboxSettings("billing", "shop.handled", Duration.ofDays(3), Duration.ofMinutes(5)));
        assertThat(orders.claimCheck())
                .isEqualTo(new ClaimSettings(64 * 1024, Duration.ofDays(14), Duration.ofMinutes(10)));
        assertThat(orders.blobs()).isEqualTo(Path.of("blobs"));
        assertThat(orders.redrive())
                .isEqualTo(RedriveSettings.DEFAULT
                        .withPerSecond(50)
                        .withBatch(10)
                        .withMax(1000)
                        .withBy("on-call"));
        assertThat(patterns.get("mails"))
                .isEqualTo(PatternSettings.NONE
                        .withTimeLimit(TimeLimitSettings.DEFAULT)
                        .withInbox(new RedisInboxSettings(
                                "mailing", "mails", Duration.ofDays(1), Duration.ofMinutes(2), Duration.ofSeconds(3))));
        assertThat(patterns.get("invoices"))
                .isEqualTo(PatternSettings.NONE.withInbox(new ChannelInboxSettings("books", Duration.ofHours(2))));
        assertThat(ConfigFile.load(file).channels()).hasSize(4);
    }

    @Test
    void what_takes_effect_is_shown_so_that_it_can_be_read_back() {
        ServerSettings settings = ConfigFile.parse("postroad.yaml", WHOLE, Map.of());
        Map<String, PatternSettings> patterns = ConfigFile.patterns("postroad.yaml", WHOLE, Map.of());
        Object channels = EffectiveConfig.of(settings, patterns).get("channels");
        assertThat(ConfigFile.patterns("shown.yaml", "channels: " + yaml(channels), Map.of()))
                .isEqualTo(patterns);
        assertThat(yaml(channels))
                .contains("timeLimit: {limit: 20s, grace: 500ms, lease: 1m, maxAbandoned: 4, giveUp: true}")
                .contains("inbox: {consumer: books, store: broker, window: 2h}");
    }

    private static String yaml(Object value) {
        return value instanceof Map<?, ?> map
                ? map.entrySet().stream()
                        .map(entry -> entry.getKey() + ": " + yaml(entry.getValue()))
                        .collect(Collectors.joining(", ", "{", "}"))
                : value == null ? "none" : value.toString();
    }

    @Test
    void unknown_keys_and_values_are_refused_by_name_with_the_line() {
        assertThat(problems("""
                kind: command
                patterns:
                  timeLimits: {}
                  circuitBreaker: {failureRate: 2, windw: 10}
                  rateLimit: {period: 1s}
                  inbox: {store: mongo}
                  timeLimit: {limit: soon}
                """))
                .containsExactlyInAnyOrder(
                        "postroad.yaml:5:7: 'channels.orders.patterns.timeLimits' is not known; did you mean 'timeLimit'?",
                        "postroad.yaml:6:40: 'channels.orders.patterns.circuitBreaker.windw' is not known; did you mean 'window'?",
                        "postroad.yaml:6:37: 'channels.orders.patterns.circuitBreaker.failureRate' is '2'; it must be a number over 0 to 1",
                        "postroad.yaml:7:18: 'channels.orders.patterns.rateLimit.permits' is missing; it must be the calls in each 'period'",
                        "postroad.yaml:8:14: 'channels.orders.patterns.inbox.consumer' is missing; it must name who handles the messages",
                        "postroad.yaml:9:26: 'channels.orders.patterns.timeLimit.limit' can't be read: 'soon' is no time; "
                                + "write a number and a unit, like 500ms, 30s, 5m, 12h, 7d or 1h30m");
    }

    @Test
    void what_contradicts_each_other_is_refused_by_name_with_the_line() {
        assertThat(problems("""
                kind: command
                patterns:
                  circuitBreaker: {window: 10, minCalls: 20}
                """))
                .containsExactly("postroad.yaml:5:23: 'channels.orders.patterns.circuitBreaker' can't be used so: "
                        + "minCalls is 20; it must be 1 to the window, 10");
        assertThat(problems("""
                kind: command
                patterns:
                  inbox: {consumer: billing, store: redis, table: handled}
                """))
                .containsExactly("postroad.yaml:5:55: 'channels.orders.patterns.inbox.table' belongs to an inbox with "
                        + "'store: database'; this one's is redis");
        assertThat(problems("""
                kind: command
                deadLetter: null
                patterns:
                  deadLetters: {perSecond: 5}
                  timeLimit: {lease: 1m}
                """))
                .containsExactly(
                        "postroad.yaml:6:20: 'channels.orders.patterns.deadLetters' has nothing to put back: the channel has no 'deadLetter'",
                        "postroad.yaml:7:18: 'channels.orders.patterns.timeLimit' has a 'lease' to extend, but the channel has none");
        assertThat(problems("""
                kind: request
                patterns:
                  inbox: {consumer: billing, store: broker}
                """))
                .containsExactly(
                        "postroad.yaml:5:14: 'channels.orders.patterns.inbox' can't be in the broker: a request "
                                + "must be replied to each time it comes");
        assertThat(problems("""
                kind: command
                patterns: all
                """))
                .containsExactly("postroad.yaml:4:15: 'channels.orders.patterns' must have keys and values");
    }

    @Test
    void the_docs_show_what_can_be_read() throws Exception {
        String page =
                Files.readString(Path.of(System.getProperty("basedir", "")).resolve("../docs/configuration.md"));
        String example = page.substring(page.indexOf("```yaml\nchannels:\n  orders:") + 8);
        assertThat(ConfigFile.patterns("page", example.substring(0, example.indexOf("```")), Map.of()))
                .hasSize(2);
    }
}
