package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Node's amqplib, in the version that package-lock.json names, fetched by npm. */
@ExtendWith(SharedServer.class)
class AmqplibIT {
    private static final Path SOURCES =
            Path.of(System.getProperty("basedir", "")).resolve("src/test/node").toAbsolutePath();

    @TempDir
    static Path folder;

    @BeforeAll
    static void fetchAmqplib() throws Exception {
        for (String file : new String[] {"package.json", "package-lock.json", "patterns.js"}) {
            Files.copy(SOURCES.resolve(file), folder.resolve(file));
        }
        try (ChildProcess npm = ChildProcess.command("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline")
                .directory(folder)
                .start()) {
            assertThat(npm.awaitExit(Duration.ofSeconds(120)))
                    .as("npm ci, which needs node, npm and a registry: " + String.join("\n", npm.tail()))
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"work-queue", "publish-subscribe", "routing", "topics", "rpc", "confirms"})
    void amqplibDoesWhatItDoesWithRabbitMq(String pattern, Server server) {
        try (ChildProcess node = ChildProcess.command(
                        "node", "patterns.js", String.valueOf(server.amqpPort()), pattern, "node-" + pattern + "-")
                .directory(folder)
                .start()) {
            int exitCode = node.awaitExit(Duration.ofSeconds(70));

            assertThat(node.tail()).endsWith("held: " + pattern);
            assertThat(exitCode).isZero();
        }
    }
}
