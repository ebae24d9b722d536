package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The tools that come with librabbitmq, the C client, called from a shell. They have no confirms of their own: what a tool
 * that ended well has published is there.
 */
@ExtendWith(SharedServer.class)
class LibrabbitmqToolsIT {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"work-queue", "publish-subscribe", "routing", "topics", "rpc", "published-is-there"})
    void theToolsDoWhatTheyDoWithRabbitMq(String pattern, Server server) throws Exception {
        Path script = folder.resolve("patterns.sh");
        try (InputStream source = LibrabbitmqToolsIT.class.getResourceAsStream("patterns.sh")) {
            Files.copy(source, script);
        }
        try (ChildProcess shell = ChildProcess.command(
                        "sh", script.toString(), String.valueOf(server.amqpPort()), pattern)
                .directory(folder)
                .start()) {
            int exitCode = shell.awaitExit(Duration.ofSeconds(90));

            assertThat(shell.tail())
                    .as("apt-get install amqp-tools, if a command is not found")
                    .endsWith("held: " + pattern);
            assertThat(exitCode).isZero();
        }
    }
}
