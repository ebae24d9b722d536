package dev.postroad.transports.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Postroad;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.patterns.PatternChecks;
import dev.postroad.server.PostroadServer;
import dev.postroad.server.ServerSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpConformanceTest {

    @TempDir
    Path data;

    private PostroadServer start() {
        return PostroadServer.start(
                ServerSettings.DEFAULT.withData(data).withHttpPort(0).withDrain(Duration.ofSeconds(2)));
    }

    @Test
    void theTransportPassesTheKitAndWhatIsConfirmedSurvivesARestartOfTheServer() {
        AtomicReference<PostroadServer> server = new AtomicReference<>(start());
        try {
            ConformanceReport report = Conformance.run(
                    () -> connect(server.get()),
                    Conformance.Options.DEFAULT
                            .withMore(PatternChecks.all())
                            .withReopen(old -> {
                                old.close();
                                server.get().close();
                                server.set(start());
                                return connect(server.get());
                            })
                            .withListener((result, done, total) -> {
                                if (Boolean.getBoolean("postroad.verbose")) {
                                    System.out.println(done + "/" + total + " " + result);
                                }
                            }));
            assertThat(report.passed()).as(report.table()).isTrue();
        } finally {
            server.get().close();
        }
    }

    private static Postroad connect(PostroadServer server) {
        return Postroad.connect("http://" + server.httpAuthority());
    }
}
