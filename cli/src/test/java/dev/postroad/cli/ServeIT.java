package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeIT {
    @TempDir
    Path folder;

    @Test
    void serveTellsOnOneLineWhereItAcceptsAndEndsInGoodOrderOnSigterm() throws Exception {
        Path data = folder.resolve("data");
        try (RunningServer server = RunningServer.on(data);
                HttpClient client = HttpClient.newHttpClient()) {
            assertThat(server.ready())
                    .matches("ready http=127\\.0\\.0\\.1:[0-9]+ amqp=127\\.0\\.0\\.1:[0-9]+ data=" + data);
            HttpRequest health = HttpRequest.newBuilder(URI.create(server.url() + "/health/ready"))
                    .build();
            assertThat(client.send(health, BodyHandlers.discarding()).statusCode())
                    .isEqualTo(200);

            server.process().terminate();

            assertThat(server.process().awaitExit()).isZero();
            assertThat(server.process().tail())
                    .filteredOn(line -> !line.startsWith("! "))
                    .containsExactly(server.ready());
        }
        assertThat(Command.run("doctor", data.toString()).text()).contains("in good order", "healthy");
    }

    @Test
    void aHeldDirectoryIsRefusedWithTheProcessThatHoldsIt() {
        Path data = folder.resolve("data");
        try (RunningServer server = RunningServer.on(data)) {
            Command.Result second = Command.run("serve", "--data", data.toString(), "--http-port", "0");
            assertThat(second.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
            assertThat(second.out()).isEmpty();
            assertThat(second.err())
                    .contains("in use by process " + server.process().pid());

            Command.Result listing = Command.run("channels", "--data", data.toString());
            assertThat(listing.exitCode()).isEqualTo(ExitCode.UNAVAILABLE);
            assertThat(listing.err()).contains("process " + server.process().pid(), "--url");
        }
    }

    @Test
    void aKilledServerStartsAgainWithAllThatWasConfirmed() {
        Path data = folder.resolve("data");
        try (RunningServer server = RunningServer.on(data)) {
            Command.run("kept\n".getBytes(StandardCharsets.UTF_8), "send", "c", "--create", "--url", server.url());
            server.process().kill();
        }
        try (RunningServer server = RunningServer.on(data)) {
            assertThat(Command.run("receive", "c", "-n", "1", "--url", server.url())
                            .text())
                    .isEqualTo("kept\n");
        }
    }

    @Test
    void aConfigurationIsCheckedShownAndServed() throws Exception {
        Path good = Files.writeString(folder.resolve("good.yaml"), """
                channels:
                  orders:
                    kind: command
                    orderedByKey: true
                    ttl: 5m
                """);
        Path bad =
                Files.writeString(folder.resolve("bad.yaml"), "channels:\n  orders:\n    kind: command\n    tll: 5m\n");

        Command.Result fine = Command.run("config", "check", good.toString());
        assertThat(fine.exitCode()).as(fine.err()).isZero();
        assertThat(fine.text()).contains("1 channel,");
        Command.Result shown = Command.run("config", "show", good.toString(), "--format", "json");
        assertThat(shown.json().path("channels").path("orders").path("ttl").asString())
                .isEqualTo("5m");
        Path again = Files.writeString(
                folder.resolve("again.yaml"),
                Command.run("config", "show", good.toString()).text());
        assertThat(Command.run("config", "show", again.toString(), "--format", "json")
                        .json())
                .isEqualTo(shown.json());

        Command.Result wrong = Command.run("config", "check", bad.toString());
        assertThat(wrong.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(wrong.err()).contains("bad.yaml:4", "tll", "ttl");
        assertThat(Command.run("serve", "--config", bad.toString()).exitCode()).isEqualTo(ExitCode.USAGE);

        try (RunningServer server = RunningServer.on(folder.resolve("data"), "--config", good.toString())) {
            Command.Result described =
                    Command.run("channels", "describe", "orders", "--format", "json", "--url", server.url());
            assertThat(described.json().path("settings").path("orderedByKey").booleanValue())
                    .isTrue();
        }
    }

    @Test
    void anAddressThatOthersCanReachNeedsToBeWanted() {
        String data = folder.resolve("data").toString();

        Command.Result refused = Command.run("serve", "--bind", "0.0.0.0", "--http-port", "0", "--data", data);

        assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(refused.err()).contains("--insecure");
    }
}
