package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostroadServerTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path data;

    private ServerSettings settings() {
        return ServerSettings.DEFAULT.withData(data).withHttpPort(0).withDrain(Duration.ofSeconds(2));
    }

    private ServerSettings configured(String yaml) {
        return ConfigFile.parse("postroad.yaml", yaml, Map.of())
                .withData(data)
                .withHttpPort(0)
                .withDrain(Duration.ofSeconds(2));
    }

    private static String call(PostroadServer server, String method, String path, String type, String body)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + server.httpAuthority() + path))
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        HttpResponse<String> response = CLIENT.send(request.build(), BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isLessThan(300);
        return response.body();
    }

    @Test
    void itIsReadyWhenStartReturnsAndGoneWhenCloseDoes() throws Exception {
        PostroadServer server = PostroadServer.start(settings());
        assertThat(server.httpAddress().getPort()).isPositive();
        assertThat(call(server, "GET", "/health/ready", "", "")).contains("UP");
        assertThat(server.failure()).isEmpty();
        server.close();
        server.close();
        assertThatThrownBy(() -> call(server, "GET", "/health/ready", "", "")).isInstanceOf(java.io.IOException.class);
        PostroadServer.start(settings()).close();
    }

    @Test
    void itDoesNotListenWhereOthersReachItUnlessToldTo() throws Exception {
        assertThatThrownBy(() -> PostroadServer.start(settings().withBind("0.0.0.0")))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("insecure: true");
        assertThatThrownBy(() -> PostroadServer.start(settings().withBind("no.such.host.invalid")))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("no.such.host.invalid");
        try (PostroadServer server =
                PostroadServer.start(settings().withBind("0.0.0.0").withInsecure(true))) {
            int port = server.httpAddress().getPort();
            HttpResponse<String> response = CLIENT.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health/live"))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aSecondServerOnTheSameDataIsRefusedAndTheFirstGoesOn() throws Exception {
        try (PostroadServer server = PostroadServer.start(settings())) {
            assertThatThrownBy(() -> PostroadServer.start(settings()))
                    .isInstanceOf(ServerException.class)
                    .hasMessageContaining(data.toString());
            assertThat(call(server, "GET", "/health/ready", "", "")).contains("UP");
        }
    }

    @Test
    void aPortThatIsTakenIsToldAndTheDataIsLetGo(@TempDir Path other) {
        try (PostroadServer server = PostroadServer.start(settings())) {
            ServerSettings same =
                    settings().withData(other).withHttpPort(server.httpAddress().getPort());
            assertThatThrownBy(() -> PostroadServer.start(same))
                    .isInstanceOf(ServerException.class)
                    .hasMessageContaining(
                            "can't listen on 127.0.0.1:" + server.httpAddress().getPort());
            PostroadServer.start(same.withHttpPort(0)).close();
        }
    }

    @Test
    void rulesOfTheConfigurationLookIntoHeadersAndJson() throws Exception {
        try (PostroadServer server = PostroadServer.start(configured("""
                channels:
                  high-value-orders-queue: {kind: command}
                  us-orders-queue: {kind: command}
                  rest: {kind: command}
                topics:
                  unmatched:
                    routing: fanout
                    bindings: [{destination: rest}]
                  orders:
                    routing: rule
                    alternate: unmatched
                    bindings:
                      - condition: "eventType == 'OrderCreated' AND order.amount > 1000"
                        destination: high-value-orders-queue
                      - condition: "eventType == 'OrderCreated' AND order.places[0] == 'US'"
                        destination: us-orders-queue
                """))) {
            publish(server, "{\"eventType\":\"OrderCreated\",\"order\":{\"amount\":1001,\"places\":[\"US\"]}}", 2);
            publish(server, "{\"eventType\":\"OrderCreated\",\"order\":{\"amount\":5,\"places\":[\"US\",\"EU\"]}}", 1);
            publish(server, "{\"eventType\":\"PaymentFailed\"}", 1);
            publish(server, "no json at all {", 1);
            publish(
                    server,
                    "{\"eventType\":\"OrderCreated\",\"eventType\":\"OrderCreated\",\"order\":{\"amount\":9999}}",
                    1);
            publish(server, "{\"a\":" + "[".repeat(10_000), 1);
            assertThat(depth(server, "high-value-orders-queue")).isEqualTo(1);
            assertThat(depth(server, "us-orders-queue")).isEqualTo(2);
            assertThat(depth(server, "rest")).isEqualTo(4);
        }
    }

    private static void publish(PostroadServer server, String json, int routed) throws Exception {
        assertThat(call(server, "POST", "/api/v1/topics/orders/messages", "application/json", json))
                .contains("\"routed\":" + routed);
    }

    private static int depth(PostroadServer server, String channel) throws Exception {
        return call(server, "GET", "/api/v1/channels/" + channel + "/messages", "", "")
                        .split("\"number\"")
                        .length
                - 1;
    }

    @Test
    void aChannelThatExistsOtherwiseStopsTheStartWithTheDifference() {
        PostroadServer.start(configured("channels: {orders: {kind: command}}")).close();
        PostroadServer.start(configured("channels: {orders: {kind: command}}")).close();
        assertThatThrownBy(() -> PostroadServer.start(configured("channels: {orders: {kind: command, ttl: 5m}}")))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("channel 'orders' exists otherwise: ttl is null and would become 5m");
        PostroadServer.start(settings()).close();
    }

    @Test
    void dataInMemoryNeedsNoDirectory() throws Exception {
        try (PostroadServer server = PostroadServer.start(settings().withData(null))) {
            call(server, "PUT", "/api/v1/channels/x", "application/json", "{\"kind\":\"command\"}");
            call(server, "POST", "/api/v1/channels/x/messages", "text/plain", "y");
            assertThat(depth(server, "x")).isEqualTo(1);
        }
    }
}
