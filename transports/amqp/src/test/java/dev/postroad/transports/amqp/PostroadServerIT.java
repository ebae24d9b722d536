package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transport;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.patterns.PatternChecks;
import dev.postroad.server.PostroadServer;
import dev.postroad.server.ServerSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same transport on Postroad's own server. */
class PostroadServerIT {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path data;

    private PostroadServer start() {
        return PostroadServer.start(ServerSettings.DEFAULT
                .withData(data)
                .withHttpPort(0)
                .withAmqpPort(0)
                .withDrain(Duration.ofSeconds(2)));
    }

    private static Postroad connect(PostroadServer server) {
        return Postroad.connect("amqp://guest:guest@" + server.amqpAuthority().orElseThrow());
    }

    @Test
    void theTransportPassesTheKitAndWhatIsConfirmedSurvivesARestartOfTheServer() {
        AtomicReference<PostroadServer> server = new AtomicReference<>(start());
        try {
            ConformanceReport report = Conformance.run(
                    () -> connect(server.get()),
                    Conformance.Options.DEFAULT
                            .withMore(PatternChecks.all())
                            .withAtOnce(6)
                            .withReopen(old -> {
                                old.close();
                                server.get().close();
                                server.set(start());
                                return connect(server.get());
                            }));
            assertThat(report.passed()).as(report.table()).isTrue();
        } finally {
            server.get().close();
        }
    }

    @Test
    void whatIsOnItsWayToAConsumerThatClosesHasLostNoAttempt() throws Exception {
        try (PostroadServer server = start();
                Postroad postroad = connect(server)) {
            postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE.withMaxAttempts(1_000)));
            Map<String, Integer> attempts = new HashMap<>();
            for (int i = 0; i < 20; i++) {
                postroad.transport()
                        .send(
                                "orders",
                                Message.of(new byte[] {1}, new byte[] {2}).withId("m" + i))
                        .join();
            }
            for (int round = 0; round < 200; round++) {
                try (Transport.Receiver receiver =
                        postroad.transport().receive(List.of("orders"), ConsumerOptions.DEFAULT)) {
                    for (Delivery<byte[], byte[]> delivery : receiver.receive(5, PATIENCE)) {
                        assertThat(delivery.attempt())
                                .as("in round %d", round)
                                .isEqualTo(attempts.merge(
                                        String.valueOf(delivery.message().id()), 1, Integer::sum));
                        // It comes again at once, to whoever consumes then.
                        delivery.retry().join();
                    }
                }
            }
            assertThat(attempts.values().stream().mapToInt(Integer::intValue).sum())
                    .isGreaterThanOrEqualTo(200);
        }
    }
}
