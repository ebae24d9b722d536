package dev.postroad.engine.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.Definition;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.channel.ChannelDeclaration.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChannelDeclarationTest {

    @Test
    void everyKindComesBackFromItsDefinitionExactly() {
        for (Kind kind : Kind.values()) {
            ChannelDeclaration channel = ChannelDeclaration.of(kind, "orders;a=b ü");
            assertThat(ChannelDeclaration.decode(stored(channel.toDefinition())))
                    .contains(channel);
        }
    }

    @Test
    void everySettingComesBackFromTheDefinition() {
        ChannelDeclaration queue = declare(
                "work",
                Map.ofEntries(
                        Map.entry("kind", "command"),
                        Map.entry("durability", "buffered"),
                        Map.entry("deadLetter", "odd;=%+ name"),
                        Map.entry(
                                "retry",
                                Map.of(
                                        "maxAttempts",
                                        7,
                                        "initialDelay",
                                        "250ms",
                                        "maxDelay",
                                        "1m",
                                        "multiplier",
                                        1.5,
                                        "jitter",
                                        0.25)),
                        Map.entry("ttl", "5m"),
                        Map.entry("lease", "30s"),
                        Map.entry("prefetch", 9),
                        Map.entry("dedupWindow", "1h"),
                        Map.entry("priorities", 10),
                        Map.entry("maxMessages", 1000),
                        Map.entry("maxBytes", "10MB"),
                        Map.entry("overflow", "dead-letter-oldest"),
                        Map.entry("maxMessageBytes", "2MiB"),
                        Map.entry("compressed", true)));
        ChannelDeclaration stream = declare(
                "facts",
                Map.ofEntries(
                        Map.entry("kind", "event"),
                        Map.entry("orderedByKey", false),
                        Map.entry("lease", "1m"),
                        Map.entry("maxBytes", "1000000001B"),
                        Map.entry("partitions", 12),
                        Map.entry("retention", "7d"),
                        Map.entry("compacted", true),
                        Map.entry("dedupWindow", "1h"),
                        Map.entry("deadLetter", "none")));
        for (ChannelDeclaration channel : List.of(queue, stream)) {
            assertThat(ChannelDeclaration.decode(stored(channel.toDefinition())))
                    .contains(channel);
            Map<String, Object> again = new LinkedHashMap<>(ChannelSettings.toMap(channel));
            assertThat(declare(channel.name(), again)).isEqualTo(channel);
        }
    }

    @Test
    void commandsAndRequestsBecomeQueuesEventsAndDocumentsStreams() {
        assertThat(ChannelDeclaration.of(Kind.COMMAND, "c").toDefinition())
                .isInstanceOfSatisfying(QueueDefinition.class, q -> {
                    assertThat(q.deliveryLimit()).isEqualTo(5);
                    assertThat(q.deadLetter()).isEqualTo(QueueDefinition.DeadLetterTarget.channel("c.dead"));
                });
        assertThat(ChannelDeclaration.of(Kind.REQUEST, "r").toDefinition())
                .isInstanceOfSatisfying(QueueDefinition.class, q -> {
                    assertThat(q.maxMessages()).isEqualTo(100);
                    assertThat(q.overflow()).isEqualTo(QueueDefinition.Overflow.REJECT_PUBLISH);
                    assertThat(q.durability()).isEqualTo(Durability.BUFFERED);
                });
        assertThat(ChannelDeclaration.of(Kind.EVENT, "e").toDefinition()).isInstanceOf(StreamDefinition.class);
        assertThat(ChannelDeclaration.of(Kind.DOCUMENT, "d").toDefinition()).isInstanceOf(StreamDefinition.class);
    }

    @Test
    void aGroupIsOrderedRetriedAndDeadLetteredAsItsStreamSays() {
        QueueDefinition group = ChannelDeclaration.of(Kind.EVENT, "facts").groupDefinition("billing");
        assertThat(group.name()).isEqualTo("billing");
        assertThat(group.keyOrdered()).isTrue();
        assertThat(group.deliveryLimit()).isEqualTo(5);
        assertThat(group.deadLetter()).isEqualTo(QueueDefinition.DeadLetterTarget.channel("facts.dead"));
        assertThatThrownBy(() -> ChannelDeclaration.of(Kind.COMMAND, "work").groupDefinition("billing"))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("only event and document channels have groups");
    }

    @Test
    void aDeadLetterChannelDropsNothing() {
        ChannelDeclaration dead = ChannelDeclaration.of(Kind.COMMAND, "work")
                .deadLetterDeclaration()
                .orElseThrow();
        assertThat(dead.name()).isEqualTo("work.dead");
        assertThat(dead.deadLetter()).isNull();
        assertThat(dead.retry().maxAttempts()).isEqualTo(ChannelDeclaration.Retry.MOST_ATTEMPTS);
    }

    @Test
    void whatAProtocolDeclaredInItsOwnWordsStillReadsAsAChannel() {
        ChannelDeclaration near = ChannelDeclaration.nearest(QueueDefinition.named("amqp")
                .withPriorities(200)
                .withTtlMillis(5000)
                .withAttributes("x"));
        assertThat(near.kind()).isEqualTo(Kind.COMMAND);
        assertThat(near.priorities()).isEqualTo(10);
        assertThat(ChannelDeclaration.nearest(StreamDefinition.named("log", 3)).partitions())
                .isEqualTo(3);
    }

    @Test
    void allProblemsOfASettingsMapAreReportedWithTheirPaths() {
        List<String> problems = new ArrayList<>();
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("kind", "comand");
        settings.put("max-retries", 3);
        settings.put("prefetch", "many");
        settings.put("ttl", "5");
        settings.put("retry", Map.of("max_atempts", 3, "jitter", true));
        assertThat(ChannelSettings.fromMap("x", settings, (path, what) -> problems.add(path + " " + what)))
                .isNull();
        assertThat(problems)
                .anyMatch(p -> p.startsWith("kind is 'comand'; it must be one of command, event, request, document"))
                .anyMatch(p -> p.startsWith("prefetch is 'many'; it must be a whole number"))
                .anyMatch(p -> p.startsWith("ttl is '5' has no unit"))
                .anyMatch(p -> p.equals("retry.max_atempts is not a setting; did you mean 'maxAttempts'?"))
                .anyMatch(p -> p.startsWith("retry.jitter is 'true'"));
    }

    @Test
    void contradictionsAreRefusedByName() {
        List<String> problems = new ArrayList<>();
        ChannelSettings.fromMap(
                "x",
                Map.of("kind", "command", "priorities", 5, "orderedByKey", true),
                (path, what) -> problems.add(what));
        assertThat(problems).singleElement().asString().contains("priorities = 5 contradicts orderedByKey = true");
    }

    @Test
    void differencesNameTheSettingAndBothValues() {
        ChannelDeclaration one = declare("x", Map.of("kind", "command", "ttl", "5m"));
        ChannelDeclaration other =
                declare("x", Map.of("kind", "command", "ttl", "6m", "retry", Map.of("maxAttempts", 3)));
        assertThat(one.differences(other))
                .containsExactly("retry.maxAttempts is 5 and would become 3", "ttl is 5m and would become 6m");
    }

    @Test
    void timesAndSizesReadAsTheyAreWritten() {
        assertThat(Quantity.millis("1h30m")).isEqualTo(5_400_000);
        assertThat(Quantity.millis("0.5s")).isEqualTo(500);
        assertThat(Quantity.millis("PT5S")).isEqualTo(5_000);
        assertThat(Quantity.time(5_400_001)).isEqualTo("1h30m1ms");
        assertThat(Quantity.bytes("10MB")).isEqualTo(10_000_000);
        assertThat(Quantity.bytes("64KiB")).isEqualTo(65_536);
        assertThat(Quantity.size(65_536)).isEqualTo("64KiB");
        for (String wrong : List.of("", "5", "-5s", "5 parsecs", "1e9s", "999999999999999999d", "0.0001ms")) {
            assertThatThrownBy(() -> Quantity.millis(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aCompressedValueComesBackByteForByteAndNeverPastItsLimit() {
        byte[] value = new byte[100_000];
        Arrays.fill(value, (byte) 'x');
        EngineMessage packed = ValueCompression.pack(EngineMessage.of(value));
        assertThat(packed.payload()).hasSizeLessThan(1_000);
        assertThat(ValueCompression.unpack(packed, 100_000).payload()).isEqualTo(value);
        assertThat(ValueCompression.unpack(packed, 100_000).headers()).isEmpty();
        assertThatThrownBy(() -> ValueCompression.unpack(packed, 99_999)).isInstanceOf(EngineException.class);
    }

    private static ChannelDeclaration declare(String name, Map<String, ?> settings) {
        List<String> problems = new ArrayList<>();
        ChannelDeclaration channel =
                ChannelSettings.fromMap(name, settings, (path, what) -> problems.add(path + " " + what));
        assertThat(problems).isEmpty();
        assertThat(channel).isNotNull();
        return channel;
    }

    private static Definition stored(Definition definition) {
        ByteBuffer bytes = ByteBuffer.allocate(64 * 1024);
        bytes.put(definition.tag());
        definition.encode(bytes);
        return Definition.decode(bytes.flip());
    }
}
