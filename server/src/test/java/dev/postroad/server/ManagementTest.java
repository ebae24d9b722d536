package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.security.Secret;
import dev.postroad.security.User;
import dev.postroad.security.UsersFile;
import dev.postroad.testkit.Await;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The management interface of a server with users and two virtual hosts, beside RabbitMQ's Java client. */
class ManagementTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    static Path folder;

    private static PostroadServer server;

    @BeforeAll
    static void start() {
        UsersFile users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        users.add("admin", Set.of(User.ADMINISTRATOR), Secret.of("a"));
        users.add("watcher", Set.of(User.MONITORING), Secret.of("w"));
        users.add("app", Set.of(), Secret.of("p"));
        server = PostroadServer.start(ServerSettings.DEFAULT
                .withData(null)
                .withHttpPort(0)
                .withAmqp(AmqpSettings.DEFAULT.withAddress("127.0.0.1", 0).withVirtualHosts(List.of("/", "billing")))
                .withAccess(new AccessSettings(users.path(), null))
                .withDrain(Duration.ofSeconds(2)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private record Answer(int status, JsonNode json, String text) {
        Answer expect(int wanted) {
            assertThat(status).as(text).isEqualTo(wanted);
            return this;
        }
    }

    private static Answer as(String user, String password, String method, String path, String body) {
        String login = Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + server.httpAuthority() + "/api/" + path))
                .header("Authorization", "Basic " + login)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = CLIENT.send(request, BodyHandlers.ofString());
            String text = response.body();
            return new Answer(
                    response.statusCode(),
                    text.isEmpty()
                            ? JsonMapper.shared().createObjectNode()
                            : JsonMapper.shared().readTree(text),
                    text);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Answer call(String method, String path, String body) {
        return as("admin", "a", method, path, body);
    }

    private static JsonNode get(String path) {
        return call("GET", path, "").expect(200).json();
    }

    private static int amqpPort() {
        return URI.create("amqp://" + server.amqpAuthority().orElseThrow()).getPort();
    }

    private static Connection connect(String vhost) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(amqpPort());
        factory.setUsername("app");
        factory.setPassword("p");
        factory.setVirtualHost(vhost);
        factory.setAutomaticRecoveryEnabled(false);
        return factory.newConnection("the app");
    }

    @Test
    void what_is_declared_here_is_used_by_clients_and_the_other_way_round() throws Exception {
        call("PUT", "queues/%2F/work", "{\"durable\":true,\"arguments\":{\"x-max-length\":10}}")
                .expect(201);
        call("PUT", "queues/%2F/work", "{\"durable\":true,\"arguments\":{\"x-max-length\":10}}")
                .expect(204);
        assertThat(call("PUT", "queues/%2F/work", "{\"durable\":true}")
                        .expect(400)
                        .text())
                .contains("inequivalent arg 'x-max-length' for queue 'work' in vhost '/'");
        call("PUT", "exchanges/%2F/events", "{\"type\":\"topic\"}").expect(201);
        call("POST", "bindings/%2F/e/events/q/work", "{\"routing_key\":\"order.#\",\"arguments\":{\"n\":1}}")
                .expect(201);

        try (Connection connection = connect("/")) {
            Channel channel = connection.createChannel();
            channel.queueDeclare("work", true, false, false, Map.of("x-max-length", 10));
            channel.queueDeclare("by-client", true, false, true, Map.of("x-message-ttl", 60_000));
            channel.confirmSelect();
            channel.basicPublish("events", "order.placed", null, "hi".getBytes(StandardCharsets.UTF_8));
            channel.waitForConfirmsOrDie(10_000);

            assertThat(get("queues/%2F/by-client")
                            .path("arguments")
                            .path("x-message-ttl")
                            .intValue())
                    .isEqualTo(60_000);
            assertThat(get("queues/%2F/by-client").path("auto_delete").booleanValue())
                    .isTrue();
            assertThat(get("queues/%2F/work").path("messages_ready").intValue()).isEqualTo(1);
            JsonNode got = call("POST", "queues/%2F/work/get", "{\"count\":5,\"ackmode\":\"ack_requeue_true\"}")
                    .expect(200)
                    .json();
            assertThat(got.size()).isEqualTo(1);
            assertThat(got.path(0).path("payload").asString()).isEqualTo("hi");
            assertThat(got.path(0).path("exchange").asString()).isEqualTo("events");
            assertThat(got.path(0).path("routing_key").asString()).isEqualTo("order.placed");
            assertThat(get("queues/%2F/work").path("messages").intValue()).isEqualTo(1);

            assertThat(call("POST", "exchanges/%2F/amq.default/publish", """
                                    {"routing_key":"work","payload":"AAE=","payload_encoding":"base64",
                                     "properties":{"delivery_mode":2,"headers":{"h":1},"content_type":"x/y"}}""")
                            .expect(200)
                            .json()
                            .path("routed")
                            .booleanValue())
                    .isTrue();
            assertThat(call(
                                    "POST",
                                    "exchanges/%2F/events/publish",
                                    "{\"routing_key\":\"nobody\",\"payload\":\"\",\"properties\":{}}")
                            .expect(200)
                            .json()
                            .path("routed")
                            .booleanValue())
                    .isFalse();
            channel.basicGet("work", true);
            var second = channel.basicGet("work", true);
            assertThat(second.getBody()).containsExactly(0, 1);
            assertThat(second.getProps().getContentType()).isEqualTo("x/y");
            assertThat(second.getProps().getHeaders()).containsEntry("h", 1L);
        }
        String key = get("bindings/%2F/e/events/q/work")
                .path(0)
                .path("properties_key")
                .asString();
        call("DELETE", "bindings/%2F/e/events/q/work/" + key.replace("%", "%25"), "")
                .expect(204);
        assertThat(get("bindings/%2F/e/events/q/work").size()).isZero();
        call("DELETE", "queues/%2F/work?if-empty=true", "").expect(204);
        call("GET", "queues/%2F/work", "").expect(404);
        call("DELETE", "exchanges/%2F/events", "").expect(204);
        call("DELETE", "exchanges/%2F/amq.topic", "").expect(400);
    }

    @Test
    void connections_channels_and_consumers_are_shown_and_closed() throws Exception {
        Connection connection = connect("billing");
        Channel channel = connection.createChannel();
        channel.basicQos(7);
        channel.queueDeclare("invoices", true, false, false, Map.of());
        channel.basicConsume("invoices", false, "tag-1", (tag, message) -> {}, tag -> {});

        JsonNode shown = get("vhosts/billing/connections").path(0);
        assertThat(shown.path("user").asString()).isEqualTo("app");
        assertThat(shown.path("auth_mechanism").asString()).isEqualTo("PLAIN");
        assertThat(shown.path("channels").intValue()).isEqualTo(1);
        assertThat(shown.path("client_properties").path("connection_name").asString())
                .isEqualTo("the app");
        assertThat(shown.path("recv_oct").longValue()).isPositive();
        JsonNode consumer = get("consumers/billing").path(0);
        assertThat(consumer.path("consumer_tag").asString()).isEqualTo("tag-1");
        assertThat(consumer.path("prefetch_count").intValue()).isEqualTo(7);
        assertThat(consumer.path("queue").path("name").asString()).isEqualTo("invoices");
        assertThat(get("queues/billing/invoices")
                        .path("consumer_details")
                        .path(0)
                        .path("ack_required")
                        .booleanValue())
                .isTrue();
        assertThat(get("queues/%2F").findValuesAsString("name")).doesNotContain("invoices");
        assertThat(get("vhosts/billing/channels").path(0).path("consumer_count").intValue())
                .isEqualTo(1);

        String name = shown.path("name").asString().replace(" ", "%20").replace(">", "%3E");
        as("watcher", "w", "DELETE", "connections/" + name, "").expect(401);
        call("DELETE", "connections/" + name, "").expect(204);
        Await.until("the client is told", Duration.ofSeconds(10), () -> !connection.isOpen());
        Await.until(
                "it is gone",
                Duration.ofSeconds(10),
                () -> get("vhosts/billing/connections").isEmpty());
        assertThat(connection.getCloseReason().getMessage()).contains("CONNECTION_FORCED");
    }

    @Test
    void users_without_a_tag_see_nothing_and_only_administrators_change_users() {
        as("app", "p", "GET", "overview", "").expect(401);
        as("nobody", "p", "GET", "overview", "").expect(401);
        as("watcher", "w", "GET", "overview", "").expect(200);
        as("watcher", "w", "GET", "nodes", "").expect(200);
        as("watcher", "w", "GET", "users", "").expect(401);
        as("watcher", "w", "GET", "definitions", "").expect(401);
        assertThat(as("watcher", "w", "GET", "whoami", "")
                        .json()
                        .path("tags")
                        .path(0)
                        .asString())
                .isEqualTo("monitoring");
    }

    @Test
    void an_exported_definition_is_imported_again_and_what_can_not_be_applied_is_listed() {
        call("PUT", "queues/billing/exported", "{\"arguments\":{\"x-queue-type\":\"quorum\",\"x-delivery-limit\":3}}")
                .expect(201);
        call("PUT", "exchanges/billing/out", "{\"type\":\"headers\"}").expect(201);
        call("POST", "bindings/billing/e/out/q/exported", "{\"arguments\":{\"x-match\":\"any\",\"a\":\"b\"}}")
                .expect(201);
        JsonNode exported = get("definitions");
        call("DELETE", "queues/billing/exported", "").expect(204);
        call("DELETE", "exchanges/billing/out", "").expect(204);

        call("POST", "definitions", exported.toString()).expect(204);

        assertThat(get("definitions").path("queues")).isEqualTo(exported.path("queues"));
        assertThat(get("definitions").path("exchanges")).isEqualTo(exported.path("exchanges"));
        assertThat(get("definitions").path("bindings")).isEqualTo(exported.path("bindings"));
        JsonNode rest = call("POST", "definitions", """
                        {"queues":[{"name":"a","vhost":"/","durable":true,"auto_delete":false,"arguments":{}},
                                   {"name":"b","vhost":"/","arguments":{"x-no-such":1}},
                                   {"name":"c","vhost":"elsewhere"}],
                         "policies":[{"name":"p","pattern":".*","definition":{"max-length":1}}],
                         "permissions":[{"user":"app","vhost":"/","configure":"(^x","write":".*","read":".*"}],
                         "novelties":[1]}""").expect(200).json().path("not_applied");
        assertThat(rest.toString())
                .contains("queues[1]: invalid arg", "x-no-such", "'elsewhere'", "'(^x'", "'novelties'")
                .doesNotContain("queues[0]");
        call("GET", "policies/%2F/p", "").expect(200);
        call("GET", "queues/%2F/a", "").expect(200);
    }

    @Test
    void a_user_added_here_logs_in_and_a_deleted_one_is_thrown_out() throws Exception {
        call("PUT", "users/temp", "{\"password\":\"t\",\"tags\":\"management\"}")
                .expect(201);
        Await.until(
                "the new user is known",
                Duration.ofSeconds(10),
                () -> as("temp", "t", "GET", "whoami", "").status() == 200);
        assertThat(get("users/without-permissions").findValuesAsString("name")).contains("temp");
        call("PUT", "permissions/%2F/temp", "{\"configure\":\".*\",\"write\":\".*\",\"read\":\".*\"}")
                .expect(201);
        Await.until(
                "it may come in",
                Duration.ofSeconds(10),
                () -> as("temp", "t", "GET", "queues/%2F", "").status() == 200);
        ConnectionFactory factory = new ConnectionFactory();
        factory.setPort(amqpPort());
        factory.setUsername("temp");
        factory.setPassword("t");
        factory.setAutomaticRecoveryEnabled(false);
        Connection connection = factory.newConnection();

        call("DELETE", "users/temp", "").expect(204);

        Await.until("it is thrown out", Duration.ofSeconds(10), () -> !connection.isOpen());
        call("GET", "users/temp", "").expect(404);
        assertThat(get("users").findValuesAsString("name"))
                .contains("admin", "app")
                .doesNotContain("temp");
    }

    @Test
    void lists_come_in_pages_sorted_and_cut_to_columns() {
        for (String name : List.of("page-b", "page-a", "page-c")) {
            call("PUT", "queues/%2F/" + name, "{}").expect(201);
        }

        JsonNode page =
                get("queues?name=page-&page=1&page_size=2&sort=name&sort_reverse=true&columns=name,message_stats.ack");
        assertThat(page.path("filtered_count").intValue()).isEqualTo(3);
        assertThat(page.path("page_count").intValue()).isEqualTo(2);
        assertThat(page.path("items").toString())
                .isEqualTo("[{\"name\":\"page-c\",\"message_stats\":{\"ack\":0}},"
                        + "{\"name\":\"page-b\",\"message_stats\":{\"ack\":0}}]");
        call("GET", "queues?page=9", "").expect(400);
        call("GET", "queues?nonsense=1", "").expect(400);
        call("GET", "queues?use_regex=true", "").expect(400);
    }

    @Test
    void the_policies_of_a_queue_are_seen_on_both_interfaces() throws Exception {
        call("PUT", "queues/%2F/ruled", "{\"arguments\":{\"x-max-length\":50}}").expect(201);
        call(
                        "PUT",
                        "policies/%2F/short",
                        "{\"pattern\":\"^ruled$\",\"apply-to\":\"queues\","
                                + "\"definition\":{\"max-length\":7,\"message-ttl\":60000}}")
                .expect(201);

        JsonNode queue = get("queues/%2F/ruled");
        assertThat(queue.path("policy").asString()).isEqualTo("short");
        assertThat(queue.path("effective_policy_definition").toString())
                .isEqualTo("{\"max-length\":7,\"message-ttl\":60000}");
        JsonNode channel = call("GET", "v1/channels/ruled", "").expect(200).json();
        assertThat(channel.path("policies").toString())
                .isEqualTo("{\"policy\":\"short\",\"operatorPolicy\":null,"
                        + "\"effective\":{\"ttl\":\"1m\",\"maxMessages\":7}}");
        call("DELETE", "policies/%2F/short", "").expect(204);
        assertThat(call("GET", "v1/channels/ruled", "").expect(200).json().has("policies"))
                .isFalse();
    }

    @Test
    void health_is_told_for_probes() {
        assertThat(get("aliveness-test/%2F").path("status").asString()).isEqualTo("ok");
        for (String check : List.of(
                "alarms",
                "local-alarms",
                "virtual-hosts",
                "node-is-quorum-critical",
                "protocol-listener/amqp091",
                "port-listener/" + server.httpAddress().getPort())) {
            assertThat(get("health/checks/" + check).path("status").asString())
                    .as(check)
                    .isEqualTo("ok");
        }
        call("GET", "health/checks/port-listener/1", "").expect(503);
        call("GET", "health/checks/protocol-listener/mqtt", "").expect(503);
        call("GET", "nosuch", "").expect(404);
        call("GET", "queues/%2F/none", "").expect(404);
        call("GET", "queues/elsewhere/none", "").expect(404);
        assertThat(call("PUT", "policies/%2F/p", "{}").expect(400).text()).contains("'pattern' is missing");
        assertThat(call("PUT", "vhosts/new", "{}").expect(400).text()).contains("server.amqp.virtual-hosts");
        assertThat(call("PUT", "queues/%2F/x", "{\"dureable\":true}")
                        .expect(400)
                        .text())
                .contains("dureable");
        assertThat(call("PUT", "queues/%2F/x", "{").expect(400).text()).contains("JSON");
    }
}
