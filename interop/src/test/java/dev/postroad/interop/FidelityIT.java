package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.LongString;
import dev.postroad.testkit.ChildProcess;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every property of a message, from each protocol to each other; what is seen is docs/fidelity.md. */
@ExtendWith(SharedServer.class)
class FidelityIT {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String TO_AMQP = "AMQP consumer";
    private static final String TO_HTTP = "HTTP";
    private static final String TO_CLI = "`postroad receive`";
    private static final String TYPE = "type of the header";
    private static final Instant MOMENT = Instant.parse("2026-11-21T10:00:00Z");

    /** Why what is not found at the other end is not: what is dropped without a reason here fails the test. */
    private static final Map<String, String> REASONS = Map.of(
            "delivery-mode 2 in HTTP", "a message is persistent unless it says otherwise",
            "delivery-mode 2 in `postroad receive`", "a message is persistent unless it says otherwise");

    /** What readers call the body, and what rows about it have in their names. */
    private static final List<String> BODIES = List.of("body", "value", "valueBase64", "--message");

    private final List<String> unexplained = new ArrayList<>();
    private final FidelityTable table = new FidelityTable();

    /**
     * One thing a publisher can say.
     *
     * @param expected texts that stand for its value at the other end, in any of the forms a reader may give it
     */
    private record Said<T>(String name, T how, List<String> expected) {}

    @Test
    void everyPropertyIsKeptOrItsFateIsTold(Server server) throws Exception {
        HttpClient http = HttpClient.newHttpClient();
        try (Connection connection = server.factory().newConnection()) {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            for (String reader : List.of(TO_AMQP, TO_HTTP, TO_CLI)) {
                fromAmqp(server, http, channel, reader);
            }
            fromHttp(server, http, channel);
            fromCli(server, channel);
        }
        assertThat(unexplained).as("what got lost without a reason in REASONS").isEmpty();
        table.check();
    }

    // ── From AMQP
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private static Said<Consumer<BasicProperties.Builder>> set(
            String name, Consumer<BasicProperties.Builder> how, String... expected) {
        return new Said<>(name, how, List.of(expected));
    }

    private static Said<Consumer<BasicProperties.Builder>> header(String type, Object value, String... expected) {
        return set("a header: " + type, builder -> builder.headers(Map.of("said", value)), expected);
    }

    private static List<Said<Consumer<BasicProperties.Builder>>> amqpProperties() {
        return List.of(
                set("content-type", b -> b.contentType("text/x-fidelity"), "text/x-fidelity"),
                set("content-encoding", b -> b.contentEncoding("br-fidelity"), "br-fidelity"),
                set("delivery-mode 1", b -> b.deliveryMode(1), "1"),
                set("delivery-mode 2", b -> b.deliveryMode(2), "2", "true"),
                set("priority", b -> b.priority(7), "7"),
                set("correlation-id", b -> b.correlationId("corr-fidelity"), "corr-fidelity"),
                set("reply-to", b -> b.replyTo("replies-fidelity"), "replies-fidelity"),
                set("expiration", b -> b.expiration("3600000"), "3600000", "3600000ms"),
                set("message-id", b -> b.messageId("id-fidelity"), "id-fidelity"),
                set(
                        "timestamp",
                        b -> b.timestamp(Date.from(MOMENT)),
                        MOMENT.toString(),
                        String.valueOf(MOMENT.getEpochSecond())),
                set("type", b -> b.type("type-fidelity"), "type-fidelity"),
                set("user-id", b -> b.userId("guest"), "guest"),
                set("app-id", b -> b.appId("app-fidelity"), "app-fidelity"),
                set("cluster-id", b -> b.clusterId("cluster-fidelity"), "cluster-fidelity"),
                header("text", "text-fidelity", "text-fidelity"),
                header("signed 8 bits", (byte) -5, "-5"),
                header("signed 16 bits", (short) -1234, "-1234"),
                header("signed 32 bits", -123_456, "-123456"),
                header("signed 64 bits", -12_345_678_901L, "-12345678901"),
                header("32-bit floating point", 1.5f, "1.5"),
                header("64-bit floating point", 2.25, "2.25"),
                header("decimal", new BigDecimal("12.345"), "12.345"),
                header("boolean", true, "true"),
                header("bytes", new byte[] {1, 2, (byte) 0xFF}, "AQL/"),
                header("timestamp", Date.from(MOMENT), MOMENT.toString(), String.valueOf(MOMENT.getEpochSecond())),
                header("table", Map.of("inner", "inner-fidelity"), "inner-fidelity", "{\"inner\":\"inner-fidelity\"}"),
                header("array", List.of("first-fidelity", 2), "first-fidelity", "[\"first-fidelity\",2]"));
    }

    private void fromAmqp(Server server, HttpClient http, Channel channel, String reader) throws Exception {
        String queue = "fidelity-" + Math.abs(reader.hashCode());
        channel.queueDeclare(queue, true, false, false, null);
        List<Said<Consumer<BasicProperties.Builder>>> all = amqpProperties();
        for (Said<Consumer<BasicProperties.Builder>> said : all) {
            BasicProperties.Builder builder = new BasicProperties.Builder();
            said.how().accept(builder);
            channel.basicPublish("", queue, builder.build(), said.name().getBytes(StandardCharsets.UTF_8));
        }
        byte[] binary = {0, 1, (byte) 0xFE, (byte) 0xFF};
        channel.basicPublish("", queue, null, binary);
        channel.waitForConfirmsOrDie(20_000);
        Map<String, Map<String, String>> got = switch (reader) {
            case TO_AMQP -> readByAmqp(channel, queue, all.size() + 1);
            case TO_HTTP -> readByHttp(server, http, queue, all.size() + 1);
            default -> readByCli(server, queue, all.size() + 1);
        };
        for (Said<Consumer<BasicProperties.Builder>> said : all) {
            Map<String, String> came = got.getOrDefault(said.name(), Map.of());
            judge("Published by AMQP 0-9-1", said, reader, came);
            BasicProperties.Builder builder = new BasicProperties.Builder();
            said.how().accept(builder);
            if (came.containsKey(TYPE)) {
                Object sent = builder.build().getHeaders().get("said");
                assertThat(came.get(TYPE)).as("the type of " + said.name()).isEqualTo(typeOf(sent));
            }
        }
        Said<String> body =
                new Said<>("body of any bytes", "", List.of(Base64.getEncoder().encodeToString(binary)));
        judge(
                "Published by AMQP 0-9-1",
                body,
                reader,
                got.getOrDefault(body.expected().getFirst(), Map.of()));
        channel.queueDelete(queue);
    }

    // ── From HTTP and from the command line
    // ───────────────────────────────────────────────────────────────────────────

    private static Said<String> member(String name, String json, String... expected) {
        return new Said<>(name, json, List.of(expected));
    }

    private static List<Said<String>> members() {
        return List.of(
                member("id", "\"id\":\"id-fidelity\"", "id-fidelity"),
                member("key", "\"key\":\"key-fidelity\"", "key-fidelity"),
                member("keyBase64", "\"keyBase64\":\"AQL/\"", "AQL/"),
                member("type", "\"type\":\"type-fidelity\"", "type-fidelity"),
                member("source", "\"source\":\"source-fidelity\"", "source-fidelity"),
                member("correlationId", "\"correlationId\":\"corr-fidelity\"", "corr-fidelity"),
                member("replyTo", "\"replyTo\":\"replies-fidelity\"", "replies-fidelity"),
                member("contentType", "\"contentType\":\"text/x-fidelity\"", "text/x-fidelity"),
                member("version", "\"version\":\"version-fidelity\"", "version-fidelity"),
                member("timestamp", "\"timestamp\":\"" + MOMENT + "\"", MOMENT.toString()),
                member("priority", "\"priority\":7", "7"),
                member("ttl", "\"ttl\":\"1h\"", "3600000", "3600000ms"),
                member("deliverAt", "\"deliverAt\":\"2020-01-01T00:00:00Z\"", "2020-01-01T00:00:00Z", "1577836800000"),
                member("headers: string", "\"headers\":{\"said\":\"text-fidelity\"}", "text-fidelity"),
                member("headers: whole number", "\"headers\":{\"said\":-12345678901}", "-12345678901"),
                member("headers: other number", "\"headers\":{\"said\":2.25}", "2.25"),
                member("headers: boolean", "\"headers\":{\"said\":true}", "true"),
                member("headers: bytes", "\"headers\":{\"said\":{\"base64\":\"AQL/\"}}", "AQL/"),
                member(
                        "headers: object",
                        "\"headers\":{\"said\":{\"inner\":\"inner-fidelity\"}}",
                        "inner-fidelity",
                        "{\"inner\":\"inner-fidelity\"}"),
                member(
                        "headers: array",
                        "\"headers\":{\"said\":[\"first-fidelity\",2]}",
                        "first-fidelity",
                        "[\"first-fidelity\",2]"));
    }

    private void fromHttp(Server server, HttpClient http, Channel channel) throws Exception {
        for (String reader : List.of(TO_AMQP, TO_HTTP, TO_CLI)) {
            String queue = "fidelity-http-" + Math.abs(reader.hashCode());
            channel.queueDeclare(queue, true, false, false, null);
            List<Said<String>> all = members();
            for (Said<String> said : all) {
                post(
                        server,
                        http,
                        queue,
                        "messages",
                        "application/vnd.postroad.message+json",
                        "{\"value\":\"" + said.name() + "\"," + said.how() + "}");
            }
            post(
                    server,
                    http,
                    queue,
                    "messages",
                    "application/vnd.postroad.message+json",
                    "{\"valueBase64\":\"AAH+/w==\"}");
            post(
                    server,
                    http,
                    queue,
                    "messages",
                    "application/vnd.postroad.message+json",
                    "{\"value\":null,\"id\":\"tombstone-fidelity\"}");
            int count = all.size() + 2;
            Map<String, Map<String, String>> got = switch (reader) {
                case TO_AMQP -> readByAmqp(channel, queue, count);
                case TO_HTTP -> readByHttp(server, http, queue, count);
                default -> readByCli(server, queue, count);
            };
            for (Said<String> said : all) {
                judge("Sent by HTTP", said, reader, got.getOrDefault(said.name(), Map.of()));
            }
            Said<String> body = member("valueBase64", "", "AAH+/w==");
            judge("Sent by HTTP", body, reader, got.getOrDefault("AAH+/w==", Map.of()));
            Map<String, String> tombstone = got.values().stream()
                    .filter(each -> each.containsValue("tombstone-fidelity"))
                    .findFirst()
                    .orElse(Map.of());
            String cell = tombstone.containsKey("headers.postroad-tombstone")
                    ? "an empty body and `headers.postroad-tombstone`"
                    : "null".equals(tombstone.get("value")) ? "kept" : "";
            assertThat(cell).as("a tombstone to " + reader + ": " + tombstone).isNotEmpty();
            table.put("Sent by HTTP", "value null, a tombstone", reader, cell);
            channel.queueDelete(queue);
        }
    }

    private void fromCli(Server server, Channel channel) throws Exception {
        String queue = "fidelity-cli";
        channel.queueDeclare(queue, true, false, false, null);
        String output = postroad(
                server,
                "send",
                queue,
                "--message",
                "body-fidelity",
                "--key",
                "key-fidelity",
                "--header",
                "said=text-fidelity",
                "--type",
                "type-fidelity",
                "--priority",
                "7",
                "--ttl",
                "1h");
        assertThat(output).isNotNull();
        Map<String, String> got =
                readByAmqp(channel, queue, 1).values().iterator().next();
        for (Said<String> said : List.of(
                member("--message", "", "body-fidelity"),
                member("--key", "", "key-fidelity"),
                member("--header", "", "text-fidelity"),
                member("--type", "", "type-fidelity"),
                member("--priority", "", "7"),
                member("--ttl", "", "3600000"))) {
            judge("Sent by `postroad send`", said, TO_AMQP, got);
        }
        channel.queueDelete(queue);
    }

    /** Finds what was said in what came, and notes under which name. */
    private void judge(String section, Said<?> said, String reader, Map<String, String> got) {
        assertThat(got).as("what came to " + reader + " of " + said.name()).isNotEmpty();
        String found = got.entrySet().stream()
                .filter(entry -> said.expected().contains(entry.getValue()))
                // The body of a message names what it is about.
                .filter(entry -> !entry.getValue().equals(said.name()))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
        String cell;
        if (found != null) {
            boolean header = found.startsWith("headers.said") && said.name().contains("header");
            boolean body = BODIES.contains(found) && BODIES.stream().anyMatch(said.name()::contains);
            boolean kept = header || body || plain(found).equals(plain(said.name()));
            boolean text = got.getOrDefault(found, "").matches("[\\[{].*");
            cell = (kept ? "kept" : "`" + found + "`") + (text ? ", as JSON in a text" : "");
        } else {
            String reason = REASONS.get(said.name() + " in " + reader);
            if (reason == null) {
                unexplained.add("'" + said.name() + " in " + reader + "', of which came " + got);
            }
            cell = "dropped: " + reason;
        }
        table.put(section, said.name(), reader, cell);
    }

    /** {@code reply-to}, {@code replyTo} and {@code replyTo} of a message are one name. */
    private static String plain(String name) {
        String[] path = name.replaceAll(" \\d$", "").split("\\.");
        return path[path.length - 1].replace("-", "").toLowerCase(java.util.Locale.ROOT);
    }

    // ── Readers: messages by their bodies, each flattened to names and texts
    // ──────────────────────────────────────────

    private static Map<String, Map<String, String>> readByAmqp(Channel channel, String queue, int count)
            throws Exception {
        Map<String, Map<String, String>> all = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            GetResponse got = channel.basicGet(queue, true);
            assertThat(got)
                    .as("message " + (i + 1) + " of " + count + " in " + queue)
                    .isNotNull();
            BasicProperties p = got.getProps();
            Map<String, String> flat = new TreeMap<>();
            flat.put("body", text(got.getBody()));
            put(flat, "content-type", p.getContentType());
            put(flat, "content-encoding", p.getContentEncoding());
            put(flat, "delivery-mode", p.getDeliveryMode());
            put(flat, "priority", p.getPriority());
            put(flat, "correlation-id", p.getCorrelationId());
            put(flat, "reply-to", p.getReplyTo());
            put(flat, "expiration", p.getExpiration());
            put(flat, "message-id", p.getMessageId());
            put(flat, "timestamp", p.getTimestamp());
            put(flat, "type", p.getType());
            put(flat, "user-id", p.getUserId());
            put(flat, "app-id", p.getAppId());
            put(flat, "cluster-id", p.getClusterId());
            put(flat, "headers", p.getHeaders());
            if (p.getHeaders() != null && p.getHeaders().get("said") != null) {
                flat.put(TYPE, typeOf(p.getHeaders().get("said")));
            }
            String body = text(got.getBody());
            all.put(all.containsKey(body) ? body + "#" + i : body, flat);
        }
        return all;
    }

    private static void put(Map<String, String> flat, String name, Object value) {
        switch (value) {
            case null -> {}
            case Map<?, ?> map -> map.forEach((inner, each) -> put(flat, name + "." + inner, each));
            case List<?> list -> {
                for (int i = 0; i < list.size(); i++) {
                    put(flat, name + "." + i, list.get(i));
                }
            }
            case Date date -> flat.put(name, date.toInstant().toString());
            case byte[] bytes -> flat.put(name, Base64.getEncoder().encodeToString(bytes));
            case LongString text -> flat.put(name, text(text.getBytes()));
            default -> flat.put(name, value.toString());
        }
    }

    /** The type of a field table's value, as this client knows it before it is sent and after it came. */
    private static String typeOf(Object value) {
        return switch (value) {
            case String text -> "text";
            case LongString text -> "text";
            case Map<?, ?> map -> "table";
            case List<?> list -> "array";
            default -> value.getClass().getSimpleName();
        };
    }

    private static String text(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)
                ? text
                : Base64.getEncoder().encodeToString(bytes);
    }

    private static Map<String, Map<String, String>> readByHttp(Server server, HttpClient http, String queue, int count)
            throws Exception {
        List<JsonNode> messages = new ArrayList<>();
        while (messages.size() < count) {
            JsonNode answer = JSON.readTree(post(
                    server, http, queue, "receive", "application/json", "{\"wait\":\"10s\",\"max\":" + count + "}"));
            JsonNode deliveries = answer.path("deliveries");
            assertThat(deliveries.size()).as("deliveries in " + answer).isPositive();
            deliveries.forEach(delivery -> messages.add(delivery.path("message")));
        }
        return byBody(messages);
    }

    private static Map<String, Map<String, String>> readByCli(Server server, String queue, int count) throws Exception {
        String lines =
                postroad(server, "receive", queue, "-n", String.valueOf(count), "--timeout", "20s", "--format", "json");
        List<JsonNode> messages = new ArrayList<>();
        for (String line : lines.split("\n")) {
            messages.add(JSON.readTree(line).path("message"));
        }
        return byBody(messages);
    }

    private static Map<String, Map<String, String>> byBody(List<JsonNode> messages) {
        Map<String, Map<String, String>> all = new LinkedHashMap<>();
        for (JsonNode message : messages) {
            Map<String, String> flat = new TreeMap<>();
            flatten("", message, flat);
            String body = flat.getOrDefault("value", flat.getOrDefault("valueBase64", ""));
            all.put(all.containsKey(body) ? body + "#" + all.size() : body, flat);
        }
        return all;
    }

    private static void flatten(String path, JsonNode node, Map<String, String> into) {
        if (node.isObject()) {
            node.properties()
                    .forEach(entry -> flatten(
                            path.isEmpty() ? entry.getKey() : path + "." + entry.getKey(), entry.getValue(), into));
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                flatten(path + "." + i, node.get(i), into);
            }
        } else {
            into.put(path, node.isNull() ? "null" : node.asString());
        }
    }

    private static String post(
            Server server, HttpClient http, String channel, String what, String contentType, String body)
            throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(server.url() + "/api/v1/channels/" + channel + "/" + what))
                .header("Content-Type", contentType)
                .timeout(Duration.ofSeconds(30))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(body + " gave " + response.body()).isBetween(200, 299);
        return response.body();
    }

    private static String postroad(Server server, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                java.nio.file.Path.of(System.getProperty("java.home"), "bin", "java")
                        .toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.postroad.cli.Main"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--url", server.url()));
        Process process = new ProcessBuilder(command).redirectErrorStream(false).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(String.join(" ", arguments) + ": " + errors)
                .isZero();
        return output;
    }

    @Test
    void whatPikaPublishesIsReadWithAllItsProperties(Server server) throws Exception {
        String script = """
                import sys, pika
                channel = pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', int(sys.argv[1]))).channel()
                channel.queue_declare('fidelity-pika', durable=True)
                channel.confirm_delivery()
                channel.basic_publish('', 'fidelity-pika', 'caf\\u00e9'.encode(), pika.BasicProperties(
                    content_type='text/plain', content_encoding='utf-8', delivery_mode=2, priority=3, correlation_id='c1',
                    reply_to='r1', expiration='3600000', message_id='m1', timestamp=1795255200, type='t1', user_id='guest',
                    app_id='a1', cluster_id='k1', headers={'text': 'x', 'number': 5, 'flag': True, 'nested': {'a': [1, 'b']}}))
                """;
        try (ChildProcess pika = ChildProcess.command(PikaIT.PYTHON, "-c", script, String.valueOf(server.amqpPort()))
                .start()) {
            assertThat(pika.awaitExit()).as(String.join("\n", pika.tail())).isZero();
        }
        Map<String, String> got =
                readByCli(server, "fidelity-pika", 1).values().iterator().next();

        assertThat(got)
                .containsEntry("value", "café")
                .containsEntry("contentType", "text/plain")
                .containsEntry("priority", "3")
                .containsEntry("correlationId", "c1")
                .containsEntry("replyTo", "r1")
                .containsEntry("ttl", "3600000ms")
                .containsEntry("id", "m1")
                .containsEntry("timestamp", "2026-11-21T10:00:00Z")
                .containsEntry("type", "t1")
                .containsEntry("source", "a1")
                .containsEntry("headers.text", "x")
                .containsEntry("headers.number", "5")
                .containsEntry("headers.flag", "true");
        assertThat(got.values()).contains("utf-8", "guest", "k1").anyMatch(text -> text.contains("b"));
    }
}
