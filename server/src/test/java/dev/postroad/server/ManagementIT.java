package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.RabbitMqServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The management interface beside that of a real RabbitMQ, with the same things declared on both. */
class ManagementIT {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final String LOGIN =
            "Basic " + Base64.getEncoder().encodeToString("guest:guest".getBytes(StandardCharsets.UTF_8));

    @TempDir
    static Path folder;

    private static RabbitMqServer rabbit;
    private static PostroadServer postroad;
    private static Connection toRabbit;
    private static Connection toPostroad;

    @BeforeAll
    static void start() throws Exception {
        rabbit = RabbitMqServer.start(folder.resolve("rabbitmq"), "rabbitmq_management");
        postroad = PostroadServer.start(ServerSettings.DEFAULT
                .withData(folder.resolve("data"))
                .withHttpPort(0)
                .withDrain(Duration.ofSeconds(2)));
        toRabbit = populate(rabbit.port());
        toPostroad = populate(
                URI.create("amqp://" + postroad.amqpAuthority().orElseThrow()).getPort());
        Await.until(
                "RabbitMQ has its statistics",
                Duration.ofSeconds(30),
                () -> get(rabbitApi(), "consumers").size() == 1
                        && get(rabbitApi(), "queues/%2F/q1").has("message_stats"));
    }

    @AfterAll
    static void stop() throws Exception {
        toRabbit.abort();
        toPostroad.abort();
        postroad.close();
        rabbit.close();
    }

    private static String rabbitApi() {
        return "http://127.0.0.1:" + rabbit.managementPort() + "/api/";
    }

    private static String postroadApi() {
        return "http://" + postroad.httpAuthority() + "/api/";
    }

    private static Connection populate(int port) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(port);
        factory.setAutomaticRecoveryEnabled(false);
        Connection connection = factory.newConnection("compared");
        Channel channel = connection.createChannel();
        channel.confirmSelect();
        channel.exchangeDeclare("e1", "topic", true, false, Map.of("alternate-exchange", "amq.fanout"));
        channel.queueDeclare("q1", true, false, false, Map.of("x-max-length", 10, "x-dead-letter-exchange", "dlx"));
        channel.queueDeclare("q2", false, false, true, Map.of("x-max-priority", 5));
        channel.queueDeclare("q3", true, false, false, Map.of("x-queue-type", "quorum"));
        channel.queueBind("q1", "e1", "a.#", Map.of("x", 1));
        channel.exchangeBind("amq.headers", "e1", "b");
        channel.basicQos(5);
        channel.basicConsume("q1", false, "t1", (tag, message) -> {}, tag -> {});
        channel.basicPublish("e1", "a.b", null, new byte[] {1});
        channel.waitForConfirmsOrDie(10_000);
        return connection;
    }

    private static String text(String url, String method, String body, int status) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Authorization", LOGIN)
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = CLIENT.send(request, BodyHandlers.ofString());
            assertThat(response.statusCode()).as(url + ": " + response.body()).isEqualTo(status);
            return response.body();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(url, e);
        }
    }

    private static JsonNode get(String api, String path) {
        return JsonMapper.shared().readTree(text(api + path, "GET", "", 200));
    }

    /** What is in both must have the same type; what RabbitMQ alone has must be asked for by nobody common. */
    private static void compare(String at, JsonNode ours, JsonNode theirs, List<String> differences) {
        if (ours.isObject() && theirs.isObject()) {
            ours.properties().forEach(member -> {
                if (theirs.has(member.getKey())) {
                    compare(at + "." + member.getKey(), member.getValue(), theirs.get(member.getKey()), differences);
                }
            });
        } else if (ours.isArray() && theirs.isArray()) {
            if (!ours.isEmpty() && !theirs.isEmpty()) {
                compare(at + "[0]", ours.get(0), theirs.get(0), differences);
            }
        } else if (ours.getNodeType() != theirs.getNodeType() && !ours.isNull() && !theirs.isNull()) {
            differences.add(at + ": " + ours + " is no " + theirs.getNodeType());
        }
    }

    @Test
    void what_both_tell_has_the_same_names_and_types() {
        List<String> differences = new ArrayList<>();
        for (String path : List.of(
                "overview",
                "nodes",
                "connections",
                "channels",
                "consumers",
                "exchanges",
                "exchanges/%2F/e1",
                "exchanges/%2F/e1/bindings/source",
                "queues",
                "queues/%2F/q1",
                "queues?page=1&page_size=2",
                "queues/%2F/q1/bindings",
                "bindings",
                "bindings/%2F/e/e1/q/q1",
                "vhosts",
                "vhosts/%2F",
                "users",
                "permissions",
                "policies",
                "parameters",
                "whoami",
                "cluster-name",
                "aliveness-test/%2F",
                "health/checks/alarms",
                "health/checks/virtual-hosts",
                "health/checks/node-is-quorum-critical",
                "definitions",
                "definitions/%2F")) {
            compare(path, get(postroadApi(), path), get(rabbitApi(), path), differences);
        }

        assertThat(differences).isEmpty();
    }

    /** What exporters and consoles read. */
    @Test
    void what_tools_commonly_read_is_there() {
        require(
                "overview",
                "message_stats.publish",
                "message_stats.publish_details.rate",
                "message_stats.deliver_get",
                "queue_totals.messages",
                "queue_totals.messages_ready",
                "queue_totals.messages_unacknowledged",
                "object_totals.queues",
                "object_totals.connections",
                "object_totals.channels",
                "object_totals.consumers",
                "object_totals.exchanges",
                "rabbitmq_version",
                "cluster_name",
                "node",
                "listeners");
        require(
                "queues/%2F/q1",
                "name",
                "vhost",
                "durable",
                "auto_delete",
                "exclusive",
                "arguments",
                "node",
                "state",
                "type",
                "consumers",
                "messages",
                "messages_ready",
                "messages_unacknowledged",
                "messages_details.rate",
                "message_bytes",
                "message_stats.publish",
                "message_stats.ack_details.rate",
                "consumer_details");
        require(
                "nodes/postroad@localhost",
                "name",
                "running",
                "mem_used",
                "mem_limit",
                "mem_alarm",
                "fd_used",
                "fd_total",
                "sockets_used",
                "disk_free",
                "disk_free_limit",
                "disk_free_alarm",
                "uptime",
                "proc_used",
                "partitions");
        JsonNode connection = get(postroadApi(), "connections").get(0);
        for (String member : List.of(
                "name",
                "user",
                "vhost",
                "state",
                "channels",
                "recv_oct",
                "send_oct",
                "peer_host",
                "peer_port",
                "protocol",
                "client_properties",
                "connected_at",
                "timeout",
                "frame_max",
                "channel_max")) {
            assertThat(connection.hasNonNull(member)).as(member).isTrue();
        }
    }

    private static void require(String path, String... members) {
        JsonNode answer = get(postroadApi(), path);
        for (String member : members) {
            JsonNode node = answer;
            for (String part : member.split("\\.")) {
                node = node.path(part);
            }
            assertThat(node.isMissingNode() || node.isNull())
                    .as(path + ": " + member)
                    .isFalse();
        }
    }

    @Test
    void both_describe_the_same_exchanges_queues_and_bindings() {
        for (String list : List.of("queues", "exchanges", "bindings")) {
            assertThat(sorted(get(postroadApi(), "definitions").path(list)))
                    .as(list)
                    .isEqualTo(sorted(get(rabbitApi(), "definitions").path(list)));
        }
    }

    private static List<String> sorted(JsonNode list) {
        List<String> items = new ArrayList<>();
        for (JsonNode item : list) {
            List<String> members = new ArrayList<>();
            item.properties().forEach(member -> members.add(member.getKey() + "=" + member.getValue()));
            items.add(members.stream().sorted().toList().toString());
        }
        return items.stream().sorted().toList();
    }

    @Test
    void definitions_of_a_rabbitmq_are_imported_by_another_server() {
        String exported = text(rabbitApi() + "definitions", "GET", "", 200);
        try (PostroadServer fresh = PostroadServer.start(
                ServerSettings.DEFAULT.withData(null).withHttpPort(0).withDrain(Duration.ofSeconds(2)))) {
            String api = "http://" + fresh.httpAuthority() + "/api/";

            JsonNode left = JsonMapper.shared().readTree(text(api + "definitions", "POST", exported, 200));

            assertThat(left.path("not_applied").size()).isEqualTo(1);
            assertThat(left.path("not_applied").get(0).asString()).startsWith("users[0]");
            assertThat(sorted(get(api, "definitions").path("queues")))
                    .isEqualTo(sorted(get(rabbitApi(), "definitions").path("queues")));
        }
    }

    /** The command line tool that a RabbitMQ itself hands out. */
    @Test
    void rabbitmqadmin_works_as_it_stands() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + rabbit.managementPort() + "/cli/rabbitmqadmin"))
                .build();
        Path tool = folder.resolve("rabbitmqadmin");
        Files.write(tool, CLIENT.send(request, BodyHandlers.ofByteArray()).body());

        run(tool, "declare", "exchange", "name=tool", "type=topic");
        run(tool, "declare", "queue", "name=tool", "durable=true", "arguments={\"x-max-length\":10}");
        run(tool, "declare", "binding", "source=tool", "destination=tool", "routing_key=a.#");
        run(tool, "publish", "exchange=tool", "routing_key=a.b", "payload=from the tool");
        assertThat(run(tool, "get", "queue=tool", "ackmode=ack_requeue_true")).contains("from the tool", "a.b");
        assertThat(run(tool, "list", "queues", "name", "messages")).containsPattern("\\| tool +\\| 1 ");
        assertThat(run(tool, "get", "queue=tool", "ackmode=ack_requeue_false")).contains("from the tool");
        assertThat(run(tool, "show", "overview")).contains("postroad@localhost");
        assertThat(run(tool, "list", "connections")).contains("guest");
        run(tool, "export", folder.resolve("exported.json").toString());
        assertThat(Files.readString(folder.resolve("exported.json"))).contains("\"tool\"");
        run(tool, "purge", "queue", "name=tool");
        run(tool, "delete", "queue", "name=tool");
        run(tool, "delete", "exchange", "name=tool");
    }

    private static String run(Path tool, String... arguments) {
        List<String> line = new ArrayList<>(List.of(tool.toString(), "--host=127.0.0.1"));
        line.add("--port=" + postroad.httpAddress().getPort());
        line.addAll(List.of(arguments));
        try (ChildProcess process =
                ChildProcess.command("python3", line.toArray(String[]::new)).start()) {
            int exitCode = process.awaitExit(Duration.ofSeconds(30));
            String said = String.join("\n", process.tail());
            assertThat(exitCode).as(said).isZero();
            return said;
        }
    }
}
