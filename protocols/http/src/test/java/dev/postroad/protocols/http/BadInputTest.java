package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.protocols.http.Fixture.Answer;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class BadInputTest {
    private static final int MIB = 1 << 20;

    private Fixture server;

    @BeforeEach
    void start() throws IOException {
        server = Fixture.inMemory(
                Fixture.SETTINGS.withBodies(MIB, 4 * MIB, 100, 6L * MIB).withConnections(200, 4));
        server.declare("orders", "{\"kind\":\"command\"}");
    }

    @AfterEach
    void stop() {
        assertThat(server.publish("orders", "still there").status()).isEqualTo(200);
        assertThat(server.get("/metrics").expect(200).body()).contains("postroad_http_buffered_body_bytes 0\n");
        server.close();
    }

    private static void isProblem(Answer answer, int status, String... detail) {
        answer.expect(status);
        assertThat(answer.response().headers().firstValue("content-type")).hasValue("application/problem+json");
        JsonNode problem = answer.json();
        assertThat(problem.path("status").intValue()).isEqualTo(status);
        assertThat(problem.path("type").stringValue()).startsWith("urn:postroad:problem:");
        assertThat(problem.path("title").stringValue()).isNotEmpty();
        for (String part : detail) {
            assertThat(problem.path("detail").stringValue()).contains(part);
        }
        assertThat(answer.body()).doesNotContain("\tat ").doesNotContain("dev.postroad");
    }

    @Test
    void whatIsNotKnownIsRefusedByNameWithTheNearestThatIs() {
        isProblem(server.post("/api/v1/channels/orders/receive", "{\"maxx\":1}"), 400, "'maxx'", "did you mean 'max'?");
        isProblem(server.get("/api/v1/channels/orders/messages?filtr=x"), 400, "'filtr'", "did you mean 'filter'?");
        isProblem(
                server.json("PUT", "/api/v1/channels/x", "{\"kind\":\"command\",\"prefech\":1}"),
                400,
                "prefech",
                "prefetch");
        isProblem(server.publish("orders", "x", "Postroad-Priorty", "1"), 400, "did you mean 'postroad-priority'?");
        isProblem(server.get("/api/v1/channels/ordres"), 404, "did you mean 'orders'?");
        isProblem(server.get("/api/v1/chanels"), 404, "openapi.json");
        isProblem(server.json("PATCH", "/api/v1/channels/orders", "{}"), 405, "GET", "PUT", "DELETE");
        isProblem(server.get("/api/v1/channels?x=1"), 400, "'x' is not known here; none is");
    }

    @Test
    void bodiesThatAreNoJsonAreToldWithLineAndColumn() {
        for (String body : List.of(
                "{", "[]", "nul", "{\"max\":1,\"max\":2}", "{\"max\":1}x", "{'max':1}", "\u0000", "{\"max\":1e999}")) {
            isProblem(server.post("/api/v1/channels/orders/receive", body), 400);
        }
        isProblem(server.post("/api/v1/channels/orders/receive", "{\n  \"max\": }"), 400, "line 2");
        String deep = "{\"kind\":" + "[".repeat(5_000) + "]".repeat(5_000) + "}";
        isProblem(server.json("PUT", "/api/v1/channels/x", deep), 400, "nesting depth");
        String wide = "{\"kind\":[" + "0,".repeat(500_000) + "0]}";
        isProblem(server.json("PUT", "/api/v1/channels/x", wide), 400, "Token count");
        isProblem(
                server.send(
                        "POST", "/api/v1/channels/orders/receive", "text/plain", "{}".getBytes(StandardCharsets.UTF_8)),
                415,
                "must be application/json");
        isProblem(
                server.send(
                        "POST",
                        "/api/v1/channels/orders/messages",
                        "text/plain",
                        new byte[10],
                        "Content-Encoding",
                        "gzip"),
                400);
    }

    @Test
    void valuesOfTheWrongTypeOrOutOfBoundsAreToldWithTheBounds() {
        isProblem(
                server.post("/api/v1/channels/orders/receive", "{\"max\":\"1\"}"), 400, "whole number from 1 to 1000");
        isProblem(server.post("/api/v1/channels/orders/receive", "{\"max\":1001}"), 400, "1001", "from 1 to 1000");
        isProblem(server.post("/api/v1/channels/orders/receive", "{\"wait\":\"5\"}"), 400, "has no unit");
        isProblem(server.post("/api/v1/channels/orders/receive", "{\"wait\":\"5m\"}"), 400, "from 0s to 1m");
        isProblem(server.post("/api/v1/channels/orders/receive", "{\"group\":\"g\"}"), 400, "is a queue");
        isProblem(server.get("/api/v1/channels/orders/messages?max=many"), 400, "'many'");
        isProblem(server.get("/api/v1/streams/orders/partitions/0/messages"), 400, "a queue");
        isProblem(server.publish("orders", "x", "Postroad-Timestamp", "yesterday"), 400, "ISO 8601");
        isProblem(server.lines("orders", "{\"value\":\"\\ud800\"}"), 400, "surrogate");
        isProblem(server.lines("orders", "{\"valueBase64\":\"%%%\"}"), 400, "no base64");
        isProblem(server.lines("orders", "{}"), 400, "no value");
        isProblem(server.lines("orders", "{\"value\":\"a\",\"json\":1}"), 400, "more than one value");
        isProblem(server.acknowledge("orders", "nonsense"), 400, "is no delivery");
        isProblem(server.settle("orders", "{\"delivery\":\"x\",\"outcome\":\"explode\"}"), 400);
        isProblem(server.json("PUT", "/api/v1/channels/%FF", "{\"kind\":\"command\"}"), 400, "percent-encoded UTF-8");
        isProblem(server.json("PUT", "/api/v1/channels/postroad.x", "{\"kind\":\"command\"}"), 400, "reserved");
    }

    @Test
    void headersThatAreNotAsciiAreRefusedNotGuessedAt() throws IOException {
        String answer = server.raw("POST /api/v1/channels/orders/messages HTTP/1.1\r\nHost: localhost\r\n"
                + "Postroad-Key: \u00fc\r\nContent-Length: 1\r\n\r\nx");
        assertThat(answer).startsWith("HTTP/1.1 400").contains("not ASCII");
    }

    @Test
    void allProblemsOfADeclarationAreToldAtOnce() {
        Answer answer = server.json(
                "PUT",
                "/api/v1/channels/x",
                "{\"kind\":\"comand\",\"prefetch\":\"a\",\"ttl\":\"5\",\"retry\":{\"jiter\":1}}");
        isProblem(answer, 400, "comand", "prefetch", "ttl", "jitter");
        assertThat(answer.json().path("problems").size()).isEqualTo(4);
    }

    @Test
    void aDeclarationThatDiffersIsToldInWhat() {
        Answer answer = server.json("PUT", "/api/v1/channels/orders", "{\"kind\":\"command\",\"ttl\":\"5m\"}");
        isProblem(answer, 409, "ttl is null and would become 5m");
        assertThat(answer.json().path("reason").stringValue()).isEqualTo("MISMATCH");
    }

    @Test
    void whatIsTooLargeIsRefusedWithTheLimit() {
        isProblem(
                server.publish("orders", "x".repeat(MIB + 1)),
                413,
                "1048577 bytes",
                "limit of channel 'orders' is 1048576");
        isProblem(server.publish("orders", "x".repeat(4 * MIB + 1)), 413, "limit here is 4194304 bytes");
        isProblem(
                server.post("/api/v1/channels/orders/receive", " ".repeat(MIB + 1)),
                413,
                "limit here is 1048576 bytes");
        isProblem(server.lines("orders", "{\"value\":\"\"}\n".repeat(101)), 413, "more than 100 messages");
    }

    @Test
    void aBodyIsNotTakenForItsDeclaredLength() throws IOException {
        String answer = server.raw("POST /api/v1/channels/orders/messages HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Length: 4000000000\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 413");
        answer = server.raw("POST /api/v1/channels/orders/messages HTTP/1.1\r\nHost: localhost\r\n"
                + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n");
        assertThat(answer).doesNotStartWith("HTTP/1.1 2");
    }

    @Test
    void requestsThatAreNoHttpAreAnsweredAndTheirConnectionClosed() throws IOException {
        for (String request : List.of(
                "GARBAGE\r\n\r\n",
                "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET /" + "a".repeat(100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "GET /api/v1/channels HTTP/1.1\r\nHost: localhost\r\nX: " + "b".repeat(200_000) + "\r\n\r\n",
                "POST /api/v1/channels HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
                "POST /api/v1/channels/orders/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
            String answer;
            try {
                answer = server.raw(request);
            } catch (SocketException e) {
                // Refused while the rest was on its way: the connection was reset.
                continue;
            }
            assertThat(answer).as(request.substring(0, 11)).doesNotStartWith("HTTP/1.1 2");
        }
    }

    @Test
    void randomBytesNeverBreakTheServer() throws IOException {
        Random random = new Random(Generator.announced("random bytes").seed());
        for (int i = 0; i < 200; i++) {
            byte[] bytes = new byte[1 + random.nextInt(200)];
            random.nextBytes(bytes);
            // Nothing, or white space, would be a good request for a stream that does not end.
            bytes[0] = (byte) (bytes[0] | 0x80);
            String type = List.of(
                            "application/json",
                            "application/x-ndjson",
                            "application/vnd.postroad.message+json",
                            "application/cloudevents+json",
                            "application/cloudevents-batch+json")
                    .get(random.nextInt(5));
            String path = List.of("messages", "receive", "settle", "consume", "move", "redrive", "requests")
                    .get(random.nextInt(7));
            Answer answer = server.send("POST", "/api/v1/channels/orders/" + path, type, bytes);
            assertThat(answer.status())
                    .as(path + " " + type + " " + answer.body())
                    .isLessThan(500);
        }
    }

    @Test
    void webPagesOfOtherOriginsAndOtherNamesAreKeptOut() throws IOException {
        isProblem(
                server.send(
                        "POST",
                        "/api/v1/channels/orders/messages",
                        "text/plain",
                        new byte[1],
                        "Origin",
                        "http://evil.example"),
                403);
        assertThat(server.raw("GET /api/v1/channels HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
                .startsWith("HTTP/1.1 403");
        assertThat(server.raw("GET /api/v1/channels HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
    }

    @Test
    void moreLongPollsThanAllowedAreRefusedAndOthersGoOn() {
        List<CompletableFuture<Answer>> polls = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            polls.add(CompletableFuture.supplyAsync(
                    () -> server.post("/api/v1/channels/orders/receive", "{\"wait\":\"60s\",\"autoAcknowledge\":true}"),
                    Thread::startVirtualThread));
        }
        while (polls.stream().filter(CompletableFuture::isDone).count() < 4) {
            Thread.onSpinWait();
        }
        polls.stream().filter(CompletableFuture::isDone).forEach(poll -> isProblem(poll.join(), 503, "maxWaiting"));
        for (int i = 0; polls.stream().anyMatch(poll -> !poll.isDone()); i++) {
            server.publish("orders", "m" + i).expect(200);
        }
    }

    @Test
    void manyHalfBodiesTakeNoMoreThanTheirBudget() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        try {
            int refused = 0;
            byte[] half = new byte[2 * MIB];
            for (int i = 0; i < 6; i++) {
                Socket socket = new Socket("127.0.0.1", server.port());
                sockets.add(socket);
                OutputStream out = socket.getOutputStream();
                out.write(("POST /api/v1/channels/orders/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                                + 3 * MIB + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
                try {
                    out.write(half);
                } catch (SocketException e) {
                    refused++;
                }
            }
            Socket last = sockets.getLast();
            last.setSoTimeout(5_000);
            InputStream in = last.getInputStream();
            byte[] answer = new byte[4096];
            int length = 0;
            try {
                length = Math.max(0, in.read(answer));
            } catch (SocketException e) {
                refused++;
            }
            assertThat(refused > 0
                            || new String(answer, 0, length, StandardCharsets.US_ASCII).startsWith("HTTP/1.1 503"))
                    .isTrue();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        while (!server.get("/metrics").body().contains("postroad_http_buffered_body_bytes 0\n")) {
            Thread.onSpinWait();
        }
    }
}
