package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Durability;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.journal.JournalSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigFileTest {

    private static final String WHOLE = """
            server:
              data: /var/lib/postroad
              bind: 127.0.0.1
              http-port: 9000
              on-damage: serve-rest
              disk-low-water: 1GiB
              durability: durable
              drain: 30s
              memory:
                cache: 64MiB
                indexes: 512MiB
              limits:
                body: 2MiB
                batch-body: 8MiB
                batch-messages: 500
                message: 4MiB
            channels:
              user-commands:
                kind: command
                ttl: 5m
                deadLetter: user-commands-dlx
                prefetch: 1
                retry:
                  maxAttempts: 3
                  initial_delay: 1000ms
                  max_delay: 30s
                  multiplier: 2.0
              user-events:
                kind: event
                partitions: 12
                retention: 7d
              user.service.requests:
                kind: request
                timeout: 5s
                max-messages: 100
              customer-documents:
                kind: document
                compressed: true
                maxMessageBytes: 10MB
              high-value-orders-queue: {kind: command}
              payment-retry-queue: {kind: command}
            topics:
              orders:
                routing: rule
                bindings:
                  - condition: "eventType == 'OrderCreated' AND amount > 1000"
                    destination: high-value-orders-queue
                  - condition: "eventType == 'PaymentFailed'"
                    destination: payment-retry-queue
              places:
                bindings:
                  - {pattern: "eu.*", destination: user-events}
              by-header:
                routing: headers
                bindings:
                  - arguments: {x-match: any, region: EU, amount: 5}
                    topic: orders
            """;

    @Test
    void everySettingOfTheExampleIsRead() {
        ServerSettings settings = parse(WHOLE);
        assertThat(settings.data()).isEqualTo(Path.of("/var/lib/postroad"));
        assertThat(settings.http().port()).isEqualTo(9000);
        assertThat(settings.http().maxBodyBytes()).isEqualTo(2 << 20);
        assertThat(settings.http().maxBatchMessages()).isEqualTo(500);
        assertThat(settings.drain()).isEqualTo(Duration.ofSeconds(30));
        assertThat(settings.engine().cacheBytes()).isEqualTo(64 << 20);
        assertThat(settings.engine().journal().onDamage()).isEqualTo(JournalSettings.OnDamage.SERVE_REST);
        assertThat(settings.engine().journal().lowWaterBytes()).isEqualTo(1L << 30);

        ChannelDeclaration commands = channel(settings, "user-commands");
        assertThat(commands.ttlMillis()).isEqualTo(300_000);
        assertThat(commands.deadLetter()).isEqualTo("user-commands-dlx");
        assertThat(commands.prefetch()).isEqualTo(1);
        assertThat(commands.retry()).isEqualTo(new ChannelDeclaration.Retry(3, 1_000, 30_000, 2.0, 0.2));
        ChannelDeclaration events = channel(settings, "user-events");
        assertThat(events.partitions()).isEqualTo(12);
        assertThat(events.retentionMillis()).isEqualTo(Duration.ofDays(7).toMillis());
        ChannelDeclaration requests = channel(settings, "user.service.requests");
        assertThat(requests.timeoutMillis()).isEqualTo(5_000);
        assertThat(requests.maxMessages()).isEqualTo(100);
        assertThat(requests.durability()).isEqualTo(Durability.DURABLE);
        assertThat(channel(settings, "customer-documents").maxMessageBytes()).isEqualTo(10_000_000);

        assertThat(settings.topics())
                .extracting(TopicDefinition::routing)
                .containsExactly(
                        TopicDefinition.Routing.RULE, TopicDefinition.Routing.PATTERN, TopicDefinition.Routing.HEADERS);
        assertThat(settings.bindings())
                .contains(
                        Binding.toChannel(
                                "orders", "high-value-orders-queue", "eventType == 'OrderCreated' AND amount > 1000"),
                        new Binding(
                                "by-header",
                                "orders",
                                true,
                                "",
                                Map.of("x-match", "any", "region", "EU", "amount", 5L)));
    }

    @Test
    void allProblemsAreReportedAtOnceWithLineColumnAndTheNearestKey() {
        ConfigException e = catchThrowableOfType(ConfigException.class, () -> parse("""
                        server:
                          http-prot: 9000
                          drain: 30
                        channels:
                          orders:
                            kind: command
                            prefetchh: 3
                            partitions: 4
                          events:
                            kind: event
                            retry:
                              max-atempts: 3
                              jitter: lots
                        """));
        assertThat(e.problems())
                .anyMatch(
                        p -> p.equals("postroad.yaml:2:3: 'server.http-prot' is not known; did you mean 'http-port'?"))
                .anyMatch(p -> p.startsWith("postroad.yaml:3:10: 'server.drain' can't be read: '30' has no unit"))
                .anyMatch(p -> p.equals(
                        "postroad.yaml:7:5: 'channels.orders.prefetchh' is not known; did you mean 'prefetch'?"))
                .anyMatch(p -> p.equals("postroad.yaml:12:7: 'channels.events.retry.max-atempts' is not known;"
                        + " did you mean 'maxAttempts'?"))
                .anyMatch(p -> p.startsWith("postroad.yaml:13:15: 'channels.events.retry.jitter' is 'lots'"));
    }

    @Test
    void contradictionsAreReportedAtTheChannel() {
        assertThatThrownBy(() -> parse("channels:\n  orders: {kind: command, partitions: 4}\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("postroad.yaml:2:3: channel 'orders': partitions = 4 contradicts kind = command");
    }

    @Test
    void brokenYamlIsToldWithItsPlace() {
        assertThatThrownBy(() -> parse("server:\n  data: [1, 2\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("postroad.yaml:3:1: no valid YAML");
        assertThatThrownBy(() -> parse("channels:\n  a: {kind: command}\n  a: {kind: event}\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> parse("server: 5")).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> parse("- a\n- b\n")).isInstanceOf(ConfigException.class);
    }

    @Test
    void aRuleThatIsNoneIsToldWithItsPlace() {
        assertThatThrownBy(() -> parse("topics:\n  t:\n    routing: rule\n    bindings:\n"
                        + "      - {condition: \"amount => 1\", destination: x}\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("postroad.yaml:5:21: 'topics.t.bindings[0].condition' is no rule");
    }

    @Test
    void variablesOfTheEnvironmentAreFilledIn() {
        ServerSettings settings = ConfigFile.parse(
                "postroad.yaml",
                "server: {data: \"${HOME_DIR}/data\", http-port: \"${PORT:-7000}\"}",
                Map.of("HOME_DIR", "/home/x"));
        assertThat(settings.data()).isEqualTo(Path.of("/home/x/data"));
        assertThatThrownBy(() -> parse("server: {data: \"${NO_SUCH}\"}"))
                .hasMessageContaining("the environment has no variable NO_SUCH");
        assertThat(ConfigFile.parse("x", "server: {http-port: \"${PORT}\"}", Map.of("PORT", "81"))
                        .http()
                        .port())
                .isEqualTo(81);
    }

    @Test
    void postroadVariablesGoBeforeTheFile() {
        ServerSettings settings = ConfigFile.parse(
                "postroad.yaml",
                WHOLE,
                Map.of("POSTROAD_HTTP_PORT", "1234", "POSTROAD_LIMITS_BODY", "3MiB", "POSTROAD_DATA", "memory"));
        assertThat(settings.http().port()).isEqualTo(1234);
        assertThat(settings.http().maxBodyBytes()).isEqualTo(3 << 20);
        assertThat(settings.data()).isNull();
        assertThatThrownBy(() -> ConfigFile.fromEnvironment(Map.of("POSTROAD_HTTP_PROT", "1")))
                .hasMessageContaining("POSTROAD_HTTP_PROT is not known; did you mean POSTROAD_HTTP_PORT?");
    }

    @Test
    void anEmptyFileMeansTheDefaults() {
        assertThat(parse("")).isEqualTo(ServerSettings.DEFAULT);
        assertThat(parse("# nothing\n")).isEqualTo(ServerSettings.DEFAULT);
    }

    @Test
    void deepNestingAndManyAliasesAreRefused() {
        assertThatThrownBy(() -> parse("a: ".repeat(1) + "[".repeat(200) + "]".repeat(200)))
                .isInstanceOf(ConfigException.class);
        StringBuilder bomb = new StringBuilder("a: &a [x,x,x,x,x,x,x,x,x]\n");
        for (char c = 'b'; c < 'j'; c++) {
            bomb.append(c).append(": &").append(c).append(" [");
            bomb.append(("*" + (char) (c - 1) + ",").repeat(9)).append("]\n");
        }
        assertThatThrownBy(() -> parse(bomb.toString())).isInstanceOf(ConfigException.class);
    }

    private static ServerSettings parse(String text) {
        return ConfigFile.parse("postroad.yaml", text, Map.of());
    }

    private static ChannelDeclaration channel(ServerSettings settings, String name) {
        List<ChannelDeclaration> found =
                settings.channels().stream().filter(c -> c.name().equals(name)).toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }
}
