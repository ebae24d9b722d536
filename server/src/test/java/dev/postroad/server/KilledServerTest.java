package dev.postroad.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class KilledServerTest {
    private static final int MESSAGES = 300;

    @TempDir
    Path data;

    private final HttpClient client = HttpClient.newHttpClient();

    private static ChildProcess start(Path data) {
        return ChildProcess.java(ServerProcess.class, data.toString(), "0").start();
    }

    private HttpResponse<String> call(String address, String method, String path, String type, String body)
            throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://" + address + path))
                        .timeout(Duration.ofSeconds(20))
                        .header("Content-Type", type)
                        .method(method, BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    @Test
    void nothingConfirmedIsMissingOrDoubledWhenTheServerIsKilledAndTheSenderRepeats() throws Exception {
        Random random = new Random(Generator.announced("killed server").seed());
        List<String> kept = new ArrayList<>();
        int next = 0;
        boolean declared = false;
        while (next < MESSAGES) {
            try (ChildProcess server = start(data)) {
                String address = server.awaitLine("ready ").replaceFirst(".*http=", "");
                if (!declared) {
                    assertThat(call(
                                            address,
                                            "PUT",
                                            "/api/v1/channels/orders",
                                            "application/json",
                                            "{\"kind\":\"command\",\"dedupWindow\":\"1h\"}")
                                    .statusCode())
                            .isEqualTo(201);
                    declared = true;
                }
                int until = next + 50 + random.nextInt(100);
                Thread killer = null;
                while (next < MESSAGES) {
                    if (next == until && killer == null) {
                        killer = Thread.startVirtualThread(server::kill);
                    }
                    String line = "{\"id\":\"m" + next + "\",\"value\":\"" + next + "\"}";
                    try {
                        HttpResponse<String> answer = call(
                                address,
                                "POST",
                                "/api/v1/channels/orders/messages",
                                "application/vnd.postroad.message+json",
                                line);
                        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                        kept.add("m" + next);
                        next++;
                    } catch (IOException e) {
                        // The outcome is unknown: sent again, under the same id, after the restart.
                        break;
                    }
                }
            }
        }
        try (ChildProcess server = start(data)) {
            String address = server.awaitLine("ready ").replaceFirst(".*http=", "");
            Set<String> received = new HashSet<>();
            List<String> order = new ArrayList<>();
            while (true) {
                JsonNode deliveries = JsonMapper.shared()
                        .readTree(call(
                                        address,
                                        "POST",
                                        "/api/v1/channels/orders/receive",
                                        "application/json",
                                        "{\"max\":1000,\"autoAcknowledge\":true}")
                                .body())
                        .path("deliveries");
                if (deliveries.isEmpty()) {
                    break;
                }
                for (JsonNode delivery : deliveries) {
                    String id = delivery.path("message").path("id").stringValue();
                    assertThat(received.add(id)).as(id + " came twice").isTrue();
                    order.add(id);
                }
            }
            assertThat(order).isEqualTo(kept);
            server.endInput();
            assertThat(server.awaitExit()).isZero();
        }
    }
}
