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

/** Python's pika, as Debian packages it. */
@ExtendWith(SharedServer.class)
class PikaIT {
    /** Debian's: another Python on the PATH does not see Debian's modules. */
    static final String PYTHON = "/usr/bin/python3";

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"work-queue", "publish-subscribe", "routing", "topics", "rpc", "confirms"})
    void pikaDoesWhatItDoesWithRabbitMq(String pattern, Server server) throws Exception {
        Path script = folder.resolve("patterns.py");
        try (InputStream source = PikaIT.class.getResourceAsStream("patterns.py")) {
            Files.copy(source, script);
        }
        try (ChildProcess python = ChildProcess.command(
                        PYTHON, script.toString(), String.valueOf(server.amqpPort()), pattern, "pika-" + pattern + "-")
                .start()) {
            int exitCode = python.awaitExit(Duration.ofSeconds(60));

            assertThat(python.tail())
                    .as("apt-get install python3-pika, if there is no module of this name")
                    .endsWith("held: " + pattern);
            assertThat(exitCode).isZero();
        }
    }
}
