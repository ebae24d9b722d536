package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class MonitoringTest {
    private static final Pattern SAMPLE =
            Pattern.compile("[a-z_]+(\\{([a-z]+=\"([^\"\\\\]|\\\\.)*\",?)+})? -?[0-9.e+]+(E[0-9]+)?");

    @Test
    void healthIsToldAndMetricsAreWellFormed() throws IOException {
        try (Fixture server = Fixture.inMemory()) {
            server.declare("a%22b%5C", "{\"kind\":\"command\"}");
            server.declare("events", "{\"kind\":\"event\"}");
            server.publish("a%22b%5C", "x").expect(200);
            server.receive("events", "{\"group\":\"g\"}");
            server.get("/health/live").expect(200);
            server.get("/health/started").expect(200);
            assertThat(server.get("/health/ready")
                            .expect(200)
                            .json()
                            .path("status")
                            .stringValue())
                    .isEqualTo("UP");
            String metrics = server.get("/metrics").expect(200).body();
            assertThat(metrics).contains("postroad_queue_ready_messages{channel=\"a\\\"b\\\\\"} 1\n");
            assertThat(metrics).contains("postroad_group_lag_messages{group=\"g\",channel=\"events\"} 0\n");
            for (String line : metrics.split("\n")) {
                assertThat(line.startsWith("# HELP ")
                                || line.startsWith("# TYPE ")
                                || SAMPLE.matcher(line).matches())
                        .as(line)
                        .isTrue();
            }
            JsonNode status = server.get("/api/v1/status").expect(200).json();
            assertThat(status.path("journal").path("segments").intValue()).isPositive();
            assertThat(status.path("queues").intValue()).isEqualTo(3);
        }
    }

    @Test
    void whatWasConfirmedIsThereAfterARestartAndOldDeliveriesAreWorthNothing(@TempDir Path data) throws IOException {
        String delivery;
        try (Fixture server = Fixture.on(data)) {
            server.declare("orders", "{\"kind\":\"command\",\"dedupWindow\":\"1h\"}");
            server.publish("orders", "a", "Postroad-Id", "1").expect(200);
            server.publish("orders", "b", "Postroad-Id", "2").expect(200);
            delivery = server.receive("orders", "{\"max\":1}")
                    .getFirst()
                    .path("delivery")
                    .stringValue();
        }
        try (Fixture server = Fixture.on(data)) {
            server.acknowledge("orders", delivery).expect(409);
            assertThat(server.publish("orders", "a", "Postroad-Id", "1")
                            .json()
                            .path("duplicate")
                            .booleanValue())
                    .isTrue();
            assertThat(server.receive("orders", "{\"max\":10}"))
                    .extracting(d -> d.path("message").path("value").stringValue())
                    .containsExactly("a", "b");
        }
    }
}
