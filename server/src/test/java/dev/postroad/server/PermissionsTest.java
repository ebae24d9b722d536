package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.security.Permission;
import dev.postroad.security.Permissions;
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
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users may do, on AMQP and on HTTP. The texts are those of a RabbitMQ 3.10. */
class PermissionsTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    static Path folder;

    private static PostroadServer server;
    private static Connection connection;

    @BeforeAll
    static void start() throws Exception {
        UsersFile users = UsersFile.at(folder.resolve("users")).withIterations(1_000);
        users.add("admin", Set.of(User.ADMINISTRATOR), Secret.of("p"));
        users.add("alice", Set.of("management"), Secret.of("p"));
        Permission alice = Permission.of("^mine-", "^(mine-.*|wx)$", "^(mine-.*|rq|rx)$");
        users.changePermissions("alice", known -> Permissions.of(Map.of("/", alice)));
        server = PostroadServer.start(ServerSettings.DEFAULT
                .withData(null)
                .withHttpPort(0)
                .withAmqp(AmqpSettings.DEFAULT.withAddress("127.0.0.1", 0).withVirtualHosts(List.of("/", "other")))
                .withAccess(new AccessSettings(users.path(), null))
                .withDrain(Duration.ofSeconds(2)));
        try (Connection admin = factory("admin", "/").newConnection()) {
            Channel channel = admin.createChannel();
            for (String queue : List.of("rq", "other")) {
                channel.queueDeclare(queue, true, false, false, null);
            }
            for (String exchange : List.of("wx", "rx", "ox")) {
                channel.exchangeDeclare(exchange, "direct", true);
            }
        }
        connection = factory("alice", "/").newConnection();
        Channel channel = connection.createChannel();
        channel.queueDeclare("mine-1", true, false, false, null);
        channel.exchangeDeclare("mine-x", "direct");
    }

    @AfterAll
    static void stop() {
        connection.abort();
        server.close();
    }

    private static ConnectionFactory factory(String user, String vhost) {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(
                URI.create("amqp://" + server.amqpAuthority().orElseThrow()).getPort());
        factory.setUsername(user);
        factory.setPassword("p");
        factory.setVirtualHost(vhost);
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    private interface Doing {
        void with(Channel channel) throws Exception;
    }

    /** With what the channel was closed. */
    private static String refused(Doing doing) throws Exception {
        Channel channel = connection.createChannel();
        CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
        channel.addShutdownListener(end::complete);
        try {
            doing.with(channel);
        } catch (IOException e) {
            assertThat(e.getCause()).isInstanceOf(ShutdownSignalException.class);
        }
        AMQP.Channel.Close close =
                (AMQP.Channel.Close) end.get(30, TimeUnit.SECONDS).getReason();
        return close.getReplyCode() + " " + close.getReplyText();
    }

    private static String queue(String name) {
        return "403 ACCESS_REFUSED - access to queue '" + name + "' in vhost '/' refused for user 'alice'";
    }

    private static String exchange(String name) {
        return "403 ACCESS_REFUSED - access to exchange '" + name + "' in vhost '/' refused for user 'alice'";
    }

    @Test
    void to_configure_is_to_declare_and_to_delete() throws Exception {
        assertThat(refused(c -> c.queueDeclare("new", true, false, false, null)))
                .isEqualTo(queue("new"));
        assertThat(refused(c -> c.queueDeclare("other", true, false, false, null)))
                .isEqualTo(queue("other"));
        assertThat(refused(c -> c.queueDeclare()))
                .startsWith("403 ACCESS_REFUSED - access to queue 'amq.gen-")
                .endsWith("' in vhost '/' refused for user 'alice'");
        assertThat(refused(c -> c.queueDelete("other"))).isEqualTo(queue("other"));
        assertThat(refused(c -> c.queueDelete("nonexistent"))).isEqualTo(queue("nonexistent"));
        assertThat(refused(c -> c.exchangeDeclare("zz", "direct"))).isEqualTo(exchange("zz"));
        assertThat(refused(c -> c.exchangeDelete("ox"))).isEqualTo(exchange("ox"));
        Channel channel = connection.createChannel();
        assertThat(channel.queueDeclarePassive("other").getQueue()).isEqualTo("other");
        channel.exchangeDeclarePassive("ox");
        channel.queueDeclare("mine-gone", true, false, false, null);
        channel.queueDelete("mine-gone");
    }

    @Test
    void dead_letters_and_alternates_go_only_where_one_may_write() throws Exception {
        assertThat(refused(c -> c.queueDeclare("mine-2", true, false, false, Map.of("x-dead-letter-exchange", "ox"))))
                .isEqualTo(exchange("ox"));
        assertThat(refused(
                        c -> c.exchangeDeclare("mine-a", "direct", false, false, Map.of("alternate-exchange", "ox"))))
                .isEqualTo(exchange("ox"));
        connection.createChannel().queueDeclare("mine-3", true, false, false, Map.of("x-dead-letter-exchange", "wx"));
    }

    @Test
    void a_binding_writes_to_one_end_and_reads_from_the_other() throws Exception {
        assertThat(refused(c -> c.queueBind("mine-1", "ox", "k"))).isEqualTo(exchange("ox"));
        assertThat(refused(c -> c.queueUnbind("mine-1", "ox", "k"))).isEqualTo(exchange("ox"));
        assertThat(refused(c -> c.queueBind("rq", "mine-x", "k"))).isEqualTo(queue("rq"));
        assertThat(refused(c -> c.exchangeBind("ox", "mine-x", "k"))).isEqualTo(exchange("ox"));
        Channel channel = connection.createChannel();
        channel.queueBind("mine-1", "rx", "k");
        channel.exchangeBind("wx", "rx", "k");
        channel.queueUnbind("mine-1", "rx", "k");
    }

    @Test
    void to_publish_is_to_write_and_to_consume_is_to_read() throws Exception {
        assertThat(refused(c -> c.basicPublish("ox", "k", null, new byte[1]))).isEqualTo(exchange("ox"));
        assertThat(refused(c -> c.basicPublish("none", "k", null, new byte[1]))).isEqualTo(exchange("none"));
        assertThat(refused(c -> c.basicPublish("", "mine-1", null, new byte[1])))
                .isEqualTo(exchange("amq.default"));
        assertThat(refused(c -> c.basicConsume("other", true, (t, d) -> {}, t -> {})))
                .isEqualTo(queue("other"));
        assertThat(refused(c -> c.basicGet("other", true))).isEqualTo(queue("other"));
        assertThat(refused(c -> c.queuePurge("other"))).isEqualTo(queue("other"));
        Channel channel = connection.createChannel();
        channel.confirmSelect();
        channel.basicPublish("wx", "k", null, new byte[1]);
        channel.waitForConfirmsOrDie(30_000);
        assertThat(channel.basicGet("rq", true)).isNull();
        channel.queuePurge("rq");
        channel.basicCancel(channel.basicConsume("rq", true, (t, d) -> {}, t -> {}));
    }

    @Test
    void a_virtual_host_that_is_not_permitted_is_not_entered() {
        assertThatThrownBy(() -> factory("alice", "other").newConnection())
                .hasStackTraceContaining("530")
                .hasStackTraceContaining("access to vhost 'other' refused for user 'alice'");
    }

    private static HttpResponse<String> http(String user, String method, String path, String type, String body)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + server.httpAuthority() + path))
                .header(
                        "Authorization",
                        "Basic " + Base64.getEncoder().encodeToString((user + ":p").getBytes(StandardCharsets.UTF_8)))
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        return CLIENT.send(request.build(), BodyHandlers.ofString());
    }

    private static void management(int status, String method, String path, String body) throws Exception {
        HttpResponse<String> response = http("alice", method, "/api/" + path, "", body);
        assertThat(response.statusCode())
                .as(method + " " + path + ": " + response.body())
                .isEqualTo(status);
    }

    @Test
    void the_management_interface_refuses_the_same() throws Exception {
        management(401, "PUT", "queues/%2F/nope", "{}");
        management(401, "DELETE", "queues/%2F/other", "");
        management(401, "DELETE", "queues/%2F/other/contents", "");
        management(401, "POST", "queues/%2F/other/get", "{\"count\":1}");
        management(401, "PUT", "exchanges/%2F/nope", "{\"type\":\"direct\"}");
        management(401, "POST", "exchanges/%2F/ox/publish", "{\"routing_key\":\"k\",\"payload\":\"x\"}");
        management(401, "POST", "bindings/%2F/e/ox/q/mine-1", "{}");
        management(401, "GET", "queues/other", "");
        management(401, "GET", "definitions", "");
        management(200, "GET", "queues/%2F/other", "");
        management(201, "PUT", "queues/%2F/mine-http", "{}");
        management(200, "POST", "exchanges/%2F/wx/publish", "{\"routing_key\":\"k\",\"payload\":\"x\"}");
        assertThat(http("alice", "GET", "/api/vhosts", "", "").body()).doesNotContain("\"other\"");
        assertThat(http("alice", "GET", "/api/queues", "", "").body()).contains("\"mine-1\"");
    }

    private static void own(int status, String method, String path, String body) throws Exception {
        HttpResponse<String> response = http(
                "alice", method, "/api/v1/" + path, body.startsWith("{") ? "application/json" : "text/plain", body);
        assertThat(response.statusCode())
                .as(method + " " + path + ": " + response.body())
                .isEqualTo(status);
    }

    @Test
    void the_own_interface_refuses_the_same() throws Exception {
        own(403, "PUT", "channels/nope", "{\"kind\":\"command\"}");
        own(403, "DELETE", "channels/other", "");
        own(403, "POST", "channels/other/messages", "x");
        own(403, "POST", "channels/rq/messages", "x");
        own(403, "POST", "channels/other/receive", "{}");
        own(403, "GET", "channels/other/messages", "");
        own(403, "DELETE", "channels/other/messages", "");
        own(403, "POST", "channels/mine-1/move", "{\"to\":\"other\"}");
        own(403, "POST", "topics/ox/messages", "x");
        own(403, "POST", "topics/rx/bindings", "{\"channel\":\"other\"}");
        own(403, "PUT", "topics/ox", "{}");
        own(403, "POST", "channels/vhost%3Aother%3Amine-1/messages", "x");
        own(403, "POST", "transactions", "{\"publishes\":[{\"channel\":\"other\",\"message\":{\"value\":\"x\"}}]}");
        own(403, "GET", "connections", "");
        own(403, "PUT", "channels/mine-d", "{\"kind\":\"command\",\"deadLetter\":\"other\"}");
        own(200, "POST", "channels/mine-1/messages", "x");
        own(200, "POST", "channels/mine-1/receive", "{}");
        own(200, "GET", "channels/other", "");
        assertThat(http("admin", "POST", "/api/v1/channels/other/messages", "text/plain", "x")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void permissions_are_set_listed_taken_and_exported_and_end_connections_that_had_them() throws Exception {
        assertThat(http("admin", "PUT", "/api/users/carol", "", "{\"password\":\"p\",\"tags\":\"\"}")
                        .statusCode())
                .isEqualTo(201);
        String all = "{\"configure\":\".*\",\"write\":\".*\",\"read\":\".*\"}";
        assertThat(http("admin", "PUT", "/api/permissions/%2F/carol", "", all).statusCode())
                .isEqualTo(201);
        assertThat(http("admin", "PUT", "/api/permissions/%2F/nobody", "", all).statusCode())
                .isEqualTo(404);
        assertThat(http("admin", "PUT", "/api/permissions/%2F/carol", "", all.replace(".*", "("))
                        .statusCode())
                .isEqualTo(400);
        assertThat(http("admin", "GET", "/api/definitions", "", "").body())
                .contains("{\"user\":\"carol\",\"vhost\":\"/\",\"configure\":\".*\",\"write\":\".*\",\"read\":\".*\"}")
                .contains("{\"user\":\"alice\",\"vhost\":\"/\",\"configure\":\"^mine-\"")
                .doesNotContain("{\"user\":\"alice\",\"vhost\":\"other\"");
        Connection carol = Await.value(
                "carol comes in",
                () -> {
                    try {
                        return factory("carol", "/").newConnection();
                    } catch (IOException | TimeoutException e) {
                        return null; // the file was not read again yet, or the machine is busy
                    }
                },
                Objects::nonNull);
        assertThat(http(
                                "admin",
                                "POST",
                                "/api/definitions",
                                "",
                                "{\"permissions\":[{\"user\":\"carol\",\"vhost\":\"/\",\"configure\":\"\",\"write\":\"\","
                                        + "\"read\":\"^x\"}]}")
                        .statusCode())
                .isEqualTo(204);
        CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
        carol.addShutdownListener(end::complete);
        assertThat(end.get(30, TimeUnit.SECONDS).getMessage()).contains("permissions were changed");
        assertThat(http("admin", "GET", "/api/users/carol/permissions", "", "").body())
                .contains("\"read\":\"^x\"");
        assertThat(http("admin", "DELETE", "/api/permissions/%2F/carol", "", "").statusCode())
                .isEqualTo(204);
        assertThat(http("admin", "DELETE", "/api/permissions/%2F/carol", "", "").statusCode())
                .isEqualTo(404);
        assertThat(http("admin", "GET", "/api/users/without-permissions", "", "")
                        .body())
                .contains("\"carol\"");
    }
}
