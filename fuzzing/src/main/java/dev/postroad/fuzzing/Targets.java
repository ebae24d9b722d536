package dev.postroad.fuzzing;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineDecoders;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.engine.routing.RoutingDecoders;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.routing.RuleSyntaxException;
import dev.postroad.engine.routing.TopicPattern;
import dev.postroad.journal.JournalDecoders;
import dev.postroad.protocols.amqp091.AmqpMappings;
import dev.postroad.protocols.amqp091.codec.AmqpDecoders;
import dev.postroad.protocols.http.HttpDecoders;
import dev.postroad.server.ConfigException;
import dev.postroad.server.ConfigFile;
import dev.postroad.testkit.Generator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Every decoder of bytes from disk or network, and every parser of text that people or clients write. */
final class Targets {
    private static final String[] JSON_WORDS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "false",
        "1e999",
        "-0",
        "\\u0000",
        "\\ud800",
        "\"value\":",
        "\"valueBase64\":\"AA==\"",
        "\"json\":",
        "\"headers\":{",
        "\"id\":\"x\"",
        "\"key\":",
        "\"ttl\":\"1s\"",
        "\"priority\":9",
        "\"delay\":\"1ms\"",
        "\"deliverAt\":\"2026-11-21T12:00:00Z\"",
        "\"base64\":",
        "\"timestamp\":\"+999999999-12-31T23:59:59Z\"",
        "\"specversion\":\"1.0\"",
        "\"data\":",
        "\"kind\":\"command\"",
        "\"retry\":{",
        "\"maxAttempts\":3",
        "\"maxBytes\":\"10MB\"",
        "\"partitions\":",
        "\"jitter\":0.5"
    };
    private static final String[] RULE_WORDS = {
        " AND ",
        " OR ",
        "NOT ",
        "(",
        ")",
        "'",
        "''",
        "`",
        "=",
        "==",
        "<>",
        "!=",
        "<=",
        ">=",
        " BETWEEN ",
        " IN (",
        " LIKE '",
        " ESCAPE '!'",
        " IS NULL",
        " contains ",
        " matches_regex '",
        "&&",
        "||",
        "!",
        "+",
        "-",
        "*",
        "/",
        "0x1F",
        "1e308",
        "9223372036854775807",
        "a.b[0].c",
        "TRUE",
        "NULL",
        "(a*)*",
        "%",
        "_"
    };
    private static final String[] REGEX_WORDS = {
        "(",
        ")",
        "(?:",
        "[",
        "]",
        "[^",
        "a-z",
        "*",
        "+",
        "?",
        "{2,5}",
        "{1000}",
        "|",
        "\\d",
        "\\w",
        "\\b",
        "^",
        "$",
        ".",
        "(a*)*",
        "(a|a)*",
        "\\x41",
        "\\u00e9",
        "(?i)",
        "*?",
        "[[:alpha:]]",
        "\\Q"
    };
    private static final String[] QUEUE_WORDS = {
        "\rx-message-ttlI\0\0\0\t",
        "\fx-max-lengthl\0\0\0\0\0\0\0\1",
        "\nx-overflowS\0\0\0\016reject-publish",
        "\fx-queue-typeS\0\0\0\006stream",
        "\026x-dead-letter-exchangeS\0\0\0\0",
        "\026x-single-active-consumert\1",
        "\016x-max-priorityb\5",
        "\020x-delivery-limitI\0\0\0\3",
        "\tx-max-ageS\0\0\0\0027D"
    };
    private static final String[] YAML_WORDS = {
        "server:\n",
        "channels:\n",
        "topics:\n",
        "  ",
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "!!str ",
        "|\n",
        ">\n",
        "${HOME}",
        "${X:-1}",
        "$${X}",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "#",
        "'",
        "\"",
        "kind: command\n",
        "http-port: ",
        "0x7f",
        "1e9",
        "10MB",
        "5m",
        "<<: *a\n",
        "\t",
        "\u0085"
    };

    private static final long STATE_BYTES = 8 << 20;
    /** A pattern of a few characters may stand for 512 states, the most that a rule may have, of 256 bytes each. */
    private static final long AUTOMATON_BYTES = (64 << 10) + 512 * 256;
    /** A character of a rule or pattern, or of JSON, may be a node of its tree: an object, what it says, its place in a growing list. */
    private static final int NODE_BYTES = 128;
    /** A header or attribute of four bytes is two strings and an entry; a part of a path of two bytes is one string. */
    private static final int HEADER_BYTES = 64;
    /** The YAML library takes 64 KiB to begin with, and more for each node; a configuration file is no stranger's. */
    private static final long YAML_BYTES = 1 << 20;

    /** An entry of a field table has three bytes at least, and a hundred in memory, here several times over. */
    private static final long TABLE_BYTES = 2 << 20;

    private Targets() {}

    /** All of them. A new decoder gets a line here, and is fuzzed, replayed and reported from then on. */
    static final List<Target> ALL = List.of(
            // from disk
            Target.ofBytes(
                    "journal-segment-header",
                    JournalDecoders::segmentHeader,
                    IOException.class::isInstance,
                    gen -> JournalDecoders.exampleHeader(gen.between(0, 9), gen.between(1, 9), gen.nextLong())),
            Target.ofBytes(
                    "journal-batch",
                    JournalDecoders::batch,
                    NOTHING(),
                    gen -> JournalDecoders.exampleBatch(records(gen))),
            Target.ofBytes(
                    "journal-segment", JournalDecoders::segment, IOException.class::isInstance, Targets::batches),
            Target.ofBytes(
                    "journal-checkpoint",
                    JournalDecoders::checkpoint,
                    IOException.class::isInstance,
                    gen -> JournalDecoders.exampleCheckpoint(gen.between(0, 4), gen.bytes(0, 40))),
            Target.ofBytes(
                    "journal-directory",
                    JournalDecoders::directory,
                    IOException.class::isInstance,
                    gen -> joined(
                            batches(gen), JournalDecoders.exampleCheckpoint(gen.between(0, 2), gen.bytes(0, 60)))),
            Target.ofBytes(
                            "engine-message",
                            EngineDecoders::message,
                            EngineException.class::isInstance,
                            gen -> EngineDecoders.exampleMessage(message(gen)))
                    .withBytesPerByte(HEADER_BYTES),
            Target.ofBytes(
                            "engine-definition",
                            EngineDecoders::definition,
                            EngineException.class::isInstance,
                            Targets::definition)
                    .withBytesPerByte(HEADER_BYTES),
            // A declaration of 20 bytes may ask for 10,000 partitions, and gets them: state, bounded by that number.
            Target.ofBytes(
                            "engine-records",
                            EngineDecoders::records,
                            IOException.class::isInstance,
                            Targets::engineRecords)
                    .withFixedBytes(STATE_BYTES),
            // from the network
            Target.ofBytes("http-message", HttpDecoders::message, HttpDecoders::refuses, Targets::messageJson)
                    .withDictionary(JSON_WORDS)
                    .withMostBytes(2048)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofBytes("http-event", HttpDecoders::event, HttpDecoders::refuses, Targets::eventJson)
                    .withDictionary(JSON_WORDS)
                    .withMostBytes(2048)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofBytes("http-channel", HttpDecoders::channel, HttpDecoders::refuses, Targets::channelJson)
                    .withDictionary(JSON_WORDS)
                    .withMostBytes(2048)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofText(
                            "http-path",
                            HttpDecoders::path,
                            HttpDecoders::refuses,
                            Targets::path,
                            "%",
                            "%2F",
                            "?",
                            "&",
                            "=",
                            "+")
                    .withBytesPerByte(HEADER_BYTES),
            Target.ofText(
                    "http-delivery",
                    HttpDecoders::delivery,
                    HttpDecoders::refuses,
                    gen -> HttpDecoders.exampleDelivery(
                            (int) gen.nextLong(), gen.nextLong(), gen.nextLong(), (int) gen.nextLong())),
            Target.ofBytes(
                            "amqp-frames",
                            AmqpDecoders::frames,
                            AmqpDecoders::refuses,
                            gen -> AmqpDecoders.exampleFrames(gen.text(0, 20), gen.nextLong()))
                    .withFixedBytes(TABLE_BYTES),
            Target.ofBytes(
                            "amqp-method",
                            AmqpDecoders::method,
                            AmqpDecoders::refuses,
                            gen -> AmqpDecoders.exampleMethod(gen.text(0, 20), gen.nextLong()))
                    .withFixedBytes(TABLE_BYTES),
            Target.ofBytes(
                            "amqp-table",
                            AmqpDecoders::table,
                            AmqpDecoders::refuses,
                            gen -> AmqpDecoders.exampleTableBytes(gen.text(0, 20), gen.nextLong()))
                    .withFixedBytes(TABLE_BYTES),
            Target.ofBytes(
                            "amqp-properties",
                            AmqpDecoders::properties,
                            AmqpDecoders::refuses,
                            gen -> AmqpDecoders.exampleProperties(gen.text(0, 20), gen.nextLong()))
                    .withFixedBytes(TABLE_BYTES),
            Target.ofBytes(
                            "amqp-message",
                            AmqpMappings::message,
                            AmqpMappings::refuses,
                            gen -> AmqpDecoders.exampleProperties(gen.text(0, 20), gen.nextLong()))
                    .withFixedBytes(TABLE_BYTES),
            Target.ofBytes("amqp-queue", AmqpMappings::queue, AmqpMappings::refuses, Targets::queueArguments)
                    .withDictionary(QUEUE_WORDS)
                    .withMostBytes(512)
                    .withFixedBytes(TABLE_BYTES),
            // written by people and clients
            Target.ofText("rule", Targets::rule, RuleSyntaxException.class::isInstance, Targets::ruleText, RULE_WORDS)
                    .withFixedBytes(AUTOMATON_BYTES)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofText("regex", RoutingDecoders::regex, INVALID(), Targets::regexText, REGEX_WORDS)
                    .withFixedBytes(AUTOMATON_BYTES)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofText("like", RoutingDecoders::like, INVALID(), gen -> gen.text(0, 30), "%", "_", "!", "!%", "%%%%")
                    .withFixedBytes(AUTOMATON_BYTES)
                    .withBytesPerByte(NODE_BYTES),
            Target.ofText(
                            "topic-pattern",
                            Targets::topicPattern,
                            INVALID(),
                            Targets::patternText,
                            "*",
                            "#",
                            "+",
                            ".",
                            "/",
                            "$")
                    .withBytesPerByte(NODE_BYTES),
            Target.ofText(
                    "quantity",
                    Targets::quantity,
                    INVALID(),
                    gen -> gen.uniform(0, 99_999)
                            + gen.choose("ms", "s", "m", "h", "d", "KiB", "MB", "TiB", "kb", ".5s"),
                    "ms",
                    "s",
                    "m",
                    "h",
                    "d",
                    "PT",
                    "P1D",
                    "T",
                    ".",
                    " ",
                    "kB",
                    "MiB",
                    "TB",
                    "e9",
                    "99999999999999999"),
            Target.ofText(
                            "config",
                            text -> ConfigFile.parse("postroad.yaml", text, Map.of("HOME", "/")),
                            ConfigException.class::isInstance,
                            Targets::yaml,
                            YAML_WORDS)
                    .withMostBytes(1024)
                    .withFixedBytes(YAML_BYTES));

    private static Predicate<Throwable> NOTHING() {
        return thrown -> false;
    }

    private static Predicate<Throwable> INVALID() {
        return thrown -> thrown.getClass() == IllegalArgumentException.class;
    }

    /** The target of this name; null if there is none. */
    static @Nullable Target named(String name) {
        return ALL.stream()
                .filter(target -> target.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    // ── What is decoded here itself
    // ──────────────────────────────────────────────────────────────────────────────────

    private static byte[] queueArguments(Generator gen) {
        List<Map.Entry<String, Object>> known = List.of(
                Map.entry("x-message-ttl", gen.between(0, 9999)),
                Map.entry("x-expires", gen.between(1, 9999)),
                Map.entry("x-max-length", gen.between(1L, 9999L)),
                Map.entry("x-max-length-bytes", gen.between(1L, 9999L)),
                Map.entry("x-overflow", gen.choose("drop-head", "reject-publish", "reject-publish-dlx")),
                Map.entry("x-dead-letter-exchange", gen.choose("", "dlx")),
                Map.entry("x-dead-letter-routing-key", "k"),
                Map.entry("x-max-priority", (byte) gen.between(1, 20)),
                Map.entry("x-single-active-consumer", gen.flip()),
                Map.entry("x-delivery-limit", (short) gen.between(0, 9)),
                Map.entry("x-queue-mode", "lazy"));
        Map<String, Object> some = new LinkedHashMap<>();
        gen.some(known).forEach(entry -> some.put(entry.getKey(), entry.getValue()));
        return AmqpDecoders.tableBytes(some);
    }

    private static void rule(String text) {
        Rule rule = Rule.parse(text);
        rule.matches(name -> switch (name.length() % 5) {
            case 0 -> "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
            case 1 -> Long.MIN_VALUE;
            case 2 -> Double.NaN;
            case 3 -> true;
            default -> null;
        });
        if (!Rule.parse(rule.toString()).equals(rule)) {
            throw new AssertionError("read again, " + text + " is " + rule);
        }
    }

    private static void topicPattern(String text) {
        int cut = text.indexOf('\n');
        String pattern = cut < 0 ? text : text.substring(0, cut);
        String topic = cut < 0 ? text : text.substring(cut + 1);
        // Both styles take a text, or refuse it, for themselves.
        IllegalArgumentException refusal = null;
        for (TopicPattern.Style style : TopicPattern.Style.values()) {
            try {
                TopicPattern read = TopicPattern.of(style, pattern);
                read.matches(topic);
                if (!read.hasWildcard() && !read.matches(pattern)) {
                    throw new AssertionError("'" + pattern + "' does not match itself, as " + style);
                }
            } catch (IllegalArgumentException e) {
                refusal = e;
            }
        }
        if (refusal != null) {
            throw refusal;
        }
    }

    private static void quantity(String text) {
        try {
            long millis = Quantity.millis(text);
            if (Quantity.millis(Quantity.time(millis)) != millis) {
                throw new AssertionError("read again, " + text + " is another time: " + Quantity.time(millis));
            }
        } catch (IllegalArgumentException e) {
            if (e.getClass() != IllegalArgumentException.class) {
                throw e;
            }
        }
        long bytes = Quantity.bytes(text);
        if (Quantity.bytes(Quantity.size(bytes)) != bytes) {
            throw new AssertionError("read again, " + text + " is another size: " + Quantity.size(bytes));
        }
    }

    // ── Samples
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    private static List<byte[]> records(Generator gen) {
        return gen.list(0, 5, () -> gen.bytes(0, 40));
    }

    private static byte[] batches(Generator gen) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long left = gen.uniform(1, 4); left > 0; left--) {
            byte[] batch = JournalDecoders.exampleBatch(records(gen));
            batch[4 + 2] = (byte) (batch.length >> 8);
            batch[4 + 3] = (byte) batch.length;
            out.writeBytes(batch);
            out.writeBytes(new byte[8 * gen.between(0, 2)]);
        }
        return out.toByteArray();
    }

    private static byte[] joined(byte[] one, byte[] other) {
        byte[] both = java.util.Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, both, one.length, other.length);
        return both;
    }

    private static EngineMessage message(Generator gen) {
        Map<String, Object> headers = new LinkedHashMap<>();
        for (long left = gen.uniform(0, 3); left > 0; left--) {
            headers.put(gen.word(1, 9), gen.<Object>choose(gen.text(0, 9), gen.nextLong(), 0.5, true, gen.bytes(0, 9)));
        }
        EngineMessage.Properties properties = gen.flip()
                ? EngineMessage.Properties.NONE
                : new EngineMessage.Properties(gen.text(0, 9), null, gen.word(1, 9), null, "text/plain", null);
        return new EngineMessage(
                gen.flip() ? gen.text(0, 20) : null,
                gen.flip() ? gen.bytes(0, 9) : null,
                gen.flip() ? gen.bytes(0, 99) : null,
                headers,
                properties,
                gen.nextLong() >>> 1,
                gen.between(0, 9),
                gen.flip() ? gen.between(1, 99_999) : 0,
                gen.flip() ? gen.nextLong() >>> 1 : 0);
    }

    private static QueueDefinition queue(Generator gen) {
        return QueueDefinition.named(gen.word(1, 12)).withKeyOrdered(gen.flip());
    }

    private static StreamDefinition stream(Generator gen) {
        return StreamDefinition.named(gen.word(1, 12), gen.between(1, 3));
    }

    private static TopicDefinition topic(Generator gen) {
        return TopicDefinition.named(gen.word(1, 12), gen.choose(TopicDefinition.Routing.class));
    }

    private static byte[] definition(Generator gen) {
        return switch ((int) gen.uniform(0, 3)) {
            case 0 -> EngineDecoders.exampleDefinition(queue(gen));
            case 1 -> EngineDecoders.exampleDefinition(stream(gen));
            case 2 -> EngineDecoders.exampleDefinition(topic(gen));
            default -> EngineDecoders.exampleBinding(Binding.toChannel("t", gen.word(1, 9), gen.text(0, 9)));
        };
    }

    private static byte[] engineRecords(Generator gen) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long left = gen.uniform(1, 6); left > 0; left--) {
            byte[] payload = switch ((int) gen.uniform(0, 5)) {
                case 0, 1 -> EngineDecoders.exampleMessage(message(gen));
                case 2 -> new byte[] {(byte) gen.between(1, 2), 1, 0};
                case 3 -> new byte[] {1, (byte) gen.between(0, 6), 1, 0};
                case 4 -> EngineDecoders.exampleDefinition(topic(gen));
                default -> gen.bytes(0, 30);
            };
            int type = gen.chance(1, 3) ? 1 : gen.between(1, 19);
            int size = Math.min(payload.length, 255);
            out.write(type);
            out.write(size);
            out.write(payload, 0, size);
        }
        return out.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private static byte[] messageJson(Generator gen) {
        return utf8("{\"id\":\"" + gen.word(1, 9) + "\",\"key\":\"" + gen.word(0, 5) + "\","
                + gen.choose(
                        "\"value\":\"x\"", "\"value\":null", "\"valueBase64\":\"/w==\"", "\"json\":{\"a\":[1,2.5]}")
                + ",\"headers\":{\"a\":1,\"b\":{\"base64\":\"AA==\"}},\"ttl\":\"" + gen.between(1, 99)
                + "s\",\"priority\":"
                + gen.between(0, 9) + gen.choose("", ",\"delay\":\"5m\"", ",\"deliverAt\":\"2026-11-21T12:00:00Z\"")
                + "}");
    }

    private static byte[] eventJson(Generator gen) {
        return utf8("{\"specversion\":\"1.0\",\"id\":\"" + gen.word(1, 9) + "\",\"source\":\"/a\",\"type\":\"b\",\"x"
                + gen.word(1, 4) + "\":" + gen.between(0, 9)
                + gen.choose(
                        "", ",\"data\":{\"a\":1}", ",\"data_base64\":\"AA==\"", ",\"time\":\"2026-11-21T12:00:00Z\"")
                + "}");
    }

    private static byte[] channelJson(Generator gen) {
        return utf8("{\"kind\":\"" + gen.choose("command", "event", "request", "document") + "\","
                + gen.choose(
                        "\"ttl\":\"5m\"",
                        "\"retry\":{\"maxAttempts\":3,\"maxDelay\":\"1m\"}",
                        "\"durability\":\"buffered\"",
                        "\"partitions\":4",
                        "\"maxBytes\":\"10MB\"",
                        "\"orderedByKey\":true")
                + "}");
    }

    private static String path(Generator gen) {
        return gen.word(1, 9)
                + gen.choose("", "/messages", "%2Fx", "%C3%A9")
                + gen.choose("", "?max=3", "?filter=a%3D1&group=g", "?nothing=1");
    }

    private static String ruleText(Generator gen) {
        return gen.word(1, 5)
                + gen.choose(
                        " = 'x'",
                        " > 1000 AND b.c <> 2.5",
                        " LIKE '%a_' ESCAPE '!'",
                        " IN ('a', 'b') OR NOT c",
                        " BETWEEN 1 AND 2 + 3 * d",
                        " matches_regex '(a|b)*c{2,3}'",
                        " IS NOT NULL && x == 1e3");
    }

    private static String regexText(Generator gen) {
        return gen.choose("a*b", "(a|b)*c", "[a-z]{2,5}$", "^\\d+(\\.\\d+)?", "(?:x+)+y", "\\bfoo\\b", ".*.*.*=")
                + gen.choose("", "?", "+", "{0,3}", "|" + gen.word(1, 3));
    }

    private static String patternText(Generator gen) {
        return String.join(
                        gen.choose(".", "/"), gen.list(1, 6, () -> gen.choose("*", "#", "+", gen.word(0, 5), "$sys")))
                + gen.choose("", "\na.b.c", "\na/b/c", "\n$sys/a");
    }

    /** One or two of a file's sections: what is read of each is read by itself. */
    private static String yaml(Generator gen) {
        return yamlSection(gen) + (gen.chance(1, 3) ? yamlSection(gen) : "");
    }

    private static String yamlSection(Generator gen) {
        return switch ((int) gen.uniform(0, 4)) {
            case 0 -> "server:\n  data: " + gen.choose("memory", "/tmp/x", "${HOME}/d") + "\n";
            case 1 -> "server:\n  http-port: " + gen.between(0, 70_000) + "\n";
            case 2 ->
                "server:\n  limits:\n    message: " + gen.between(1, 99) + gen.choose("KiB", "MB", "", "m") + "\n";
            case 3 ->
                "channels:\n  " + gen.word(1, 6) + ":\n    kind: " + gen.choose("command", "event", "x")
                        + gen.choose("\n    ttl: 5m", "\n    retry: {maxAttempts: 3}", "\n    partitions: 4", "")
                        + "\n";
            default ->
                "topics:\n  t:\n    routing: pattern\n"
                        + gen.choose("", "    bindings:\n      - {destination: a, pattern: '#'}\n");
        };
    }
}
