package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Postroad;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.testkit.RabbitMqServer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is to be shown on a real RabbitMQ, started once. */
class RabbitMqIT {

    @TempDir
    static Path folder;

    private static RabbitMqServer rabbit;

    @BeforeAll
    static void start() {
        rabbit = RabbitMqServer.start(folder);
    }

    @AfterAll
    static void stop() {
        rabbit.close();
    }

    private static String url() {
        return "amqp://guest:guest@127.0.0.1:" + rabbit.port();
    }

    @Test
    void theTransportPassesTheKit() {
        ConformanceReport report =
                Conformance.run(() -> Postroad.connect(url()), Conformance.Options.DEFAULT.withReopen(old -> {
                    old.close();
                    return Postroad.connect(url());
                }));
        assertThat(report.passed()).as(report.table()).isTrue();
    }
}
