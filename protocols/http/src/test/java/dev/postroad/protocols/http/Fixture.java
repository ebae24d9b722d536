package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A broker with its HTTP interface on a free port, and a plain client of it. */
final class Fixture implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.shared();
    static final HttpSettings SETTINGS =
            HttpSettings.DEFAULT.withAddress("127.0.0.1", 0).withTimes(Duration.ofMinutes(1), Duration.ofMillis(100));

    final Broker broker;
    final HttpProtocol http;
    private final HttpClient client = HttpClient.newHttpClient();

    private Fixture(BrokerSettings settings, HttpSettings httpSettings, HttpAccess access) throws IOException {
        broker = Broker.open(settings);
        http = HttpProtocol.start(broker, httpSettings, access);
    }

    static Fixture inMemory() throws IOException {
        return inMemory(SETTINGS);
    }

    static Fixture inMemory(HttpSettings settings) throws IOException {
        return new Fixture(BrokerSettings.memory(512L << 20), settings, HttpAccess.OPEN);
    }

    static Fixture inMemory(HttpAccess access) throws IOException {
        return new Fixture(BrokerSettings.memory(512L << 20), SETTINGS, access);
    }

    static Fixture on(Path directory) throws IOException {
        return new Fixture(BrokerSettings.directory(directory), SETTINGS, HttpAccess.OPEN);
    }

    int port() {
        return http.address().getPort();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    /** An answer: its status, its body, and what that says as JSON. */
    record Answer(int status, String body, HttpResponse<String> response) {
        JsonNode json() {
            return JSON.readTree(body);
        }

        String detail() {
            return json().path("detail").stringValue("");
        }

        Answer expect(int wanted) {
            assertThat(status).as(body).isEqualTo(wanted);
            return this;
        }
    }

    Answer send(String method, String path, String type, byte[] body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(60))
                .method(method, body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        if (!type.isEmpty()) {
            request.header("Content-Type", type);
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
            return new Answer(response.statusCode(), response.body(), response);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(method + " " + path, e);
        }
    }

    Answer get(String path) {
        return send("GET", path, "", new byte[0]);
    }

    Answer json(String method, String path, String json) {
        return send(method, path, json.isEmpty() ? "" : "application/json", json.getBytes(StandardCharsets.UTF_8));
    }

    Answer post(String path, String json) {
        return json("POST", path, json);
    }

    void declare(String channel, String settings) {
        assertThat(json("PUT", "/api/v1/channels/" + channel, settings).status())
                .isIn(200, 201);
    }

    Answer publish(String channel, String value, String... headers) {
        return send(
                "POST",
                "/api/v1/channels/" + channel + "/messages",
                "text/plain",
                value.getBytes(StandardCharsets.UTF_8),
                headers);
    }

    Answer lines(String channel, String... lines) {
        return send(
                "POST",
                "/api/v1/channels/" + channel + "/messages",
                "application/x-ndjson",
                String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
    }

    List<JsonNode> receive(String channel, String wish) {
        Answer answer = post("/api/v1/channels/" + channel + "/receive", wish).expect(200);
        List<JsonNode> deliveries = new ArrayList<>();
        answer.json().path("deliveries").forEach(deliveries::add);
        return deliveries;
    }

    Answer acknowledge(String channel, String... deliveries) {
        return post(
                "/api/v1/channels/" + channel + "/settle",
                "{\"acknowledge\":" + JSON.writeValueAsString(List.of(deliveries)) + "}");
    }

    Answer settle(String channel, String settlement) {
        return post("/api/v1/channels/" + channel + "/settle", "{\"settlements\":[" + settlement + "]}");
    }

    /** A response that goes on: its lines, as they come. */
    Stream<String> stream(String method, String path, String json, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .method(method, json.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(json));
        if (!json.isEmpty()) {
            request.header("Content-Type", "application/json");
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<Stream<String>> response = client.send(request.build(), BodyHandlers.ofLines());
        assertThat(response.statusCode()).isEqualTo(200);
        return response.body();
    }

    /** Sends bytes as they are and returns what comes back until the server closes, or says nothing more. */
    String raw(String bytes) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port())) {
            socket.setSoTimeout(2_000);
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
            InputStream in = socket.getInputStream();
            byte[] answer = new byte[64 * 1024];
            int length = in.read(answer);
            return length < 0 ? "" : new String(answer, 0, length, StandardCharsets.ISO_8859_1);
        }
    }

    @Override
    public void close() {
        client.shutdownNow();
        http.close();
        broker.close();
    }
}
