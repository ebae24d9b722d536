package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class SlowClientTest {
    private Fixture server;

    @BeforeEach
    void start() throws IOException {
        server = Fixture.inMemory();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** A client that asks and never reads. */
    private Socket stalled(String request) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(server.http.address());
        OutputStream out = socket.getOutputStream();
        out.write(request.getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return socket;
    }

    @Test
    void stalledReadersOfEventsStopNobodyElseAndTakeBoundedMemory() throws Exception {
        server.declare("events", "{\"kind\":\"event\",\"partitions\":1,\"durability\":\"transient\"}");
        List<Socket> stalled = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            stalled.add(
                    stalled("GET /api/v1/channels/events/events?from=earliest HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        }
        String line = "{\"value\":\"" + "x".repeat(10_000) + "\"}";
        String[] lines = new String[200];
        java.util.Arrays.fill(lines, line);
        for (int i = 0; i < 50; i++) {
            server.lines("events", lines).expect(200);
        }
        // 100 MB lie in the stream. A reader that reads gets all of it while the others stand.
        int seen = 0;
        try (Stream<String> events = server.stream("GET", "/api/v1/channels/events/events?from=earliest", "")) {
            Iterator<String> each = events.iterator();
            while (seen < 10_000) {
                if (each.next().startsWith("data: ")) {
                    seen++;
                }
            }
        }
        assertThat(seen).isEqualTo(10_000);
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long used = runtime.totalMemory() - runtime.freeMemory();
        // The broker's own memory holds the 100 MB; 20 stalled readers must not hold them again.
        assertThat(used).isLessThan(500L << 20);
        for (Socket socket : stalled) {
            socket.close();
        }
    }

    @Test
    void aStalledConsumerHoldsNoMoreThanItsPrefetch() throws Exception {
        server.declare("orders", "{\"kind\":\"command\",\"durability\":\"transient\"}");
        String body = "{\"prefetch\":10}";
        try (Socket stalled = stalled("POST /api/v1/channels/orders/consume HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)) {
            for (int i = 0; i < 100; i++) {
                server.publish("orders", "x".repeat(100_000)).expect(200);
            }
            JsonNode channel = server.get("/api/v1/channels/orders").json();
            assertThat(channel.path("inFlight").intValue()).isLessThanOrEqualTo(10);
            assertThat(server.receive("orders", "{\"max\":50}")).hasSize(50);
            assertThat(stalled.isConnected()).isTrue();
        }
    }

    @Test
    void closingEndsLongPollsAndStreamsAtOnceAndLetsRequestsFinish() throws Exception {
        server.declare("orders", "{\"kind\":\"command\"}");
        CompletableFuture<List<JsonNode>> poll = CompletableFuture.supplyAsync(
                () -> server.receive("orders", "{\"wait\":\"60s\"}"), Thread::startVirtualThread);
        try (Stream<String> lines = server.stream("POST", "/api/v1/channels/orders/consume", "{\"prefetch\":1}")) {
            Iterator<String> each = lines.iterator();
            each.next();
            while (!server.get("/metrics").body().contains("postroad_http_waiting_requests 2\n")) {
                Thread.onSpinWait();
            }
            long begun = System.nanoTime();
            server.http.close(Duration.ofSeconds(20));
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
            assertThat(poll.join()).isEmpty();
            String last = "";
            while (each.hasNext()) {
                last = each.next();
            }
            assertThat(last).contains("\"end\"");
        }
    }
}
