package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that names no port, as it stands in many a tutorial: on the port it expects, whoever else uses that here. */
class WellKnownPortIT {
    @TempDir
    Path folder;

    @Test
    void aProgramWrittenForRabbitMqRunsAsItStands() throws Exception {
        for (String file : List.of("task_queue.py", "well-known-port.sh")) {
            try (InputStream source = WellKnownPortIT.class.getResourceAsStream(file)) {
                Files.copy(source, folder.resolve(file));
            }
        }
        Files.writeString(folder.resolve("look.py"), """
                import pika
                channel = pika.BlockingConnection(pika.ConnectionParameters('localhost')).channel()
                method, properties, body = channel.basic_get('task_queue', auto_ack=True)
                print(body, properties.delivery_mode, channel.queue_declare('task_queue', passive=True).method.message_count)
                """);
        List<String> command = new ArrayList<>(List.of(
                "--map-root-user",
                "--net",
                "--",
                "sh",
                "well-known-port.sh",
                PikaIT.PYTHON,
                "task_queue.py",
                "look.py",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.postroad.cli.Main",
                "serve",
                "--data",
                folder.resolve("data").toString()));
        try (ChildProcess network = ChildProcess.command("unshare", command.toArray(String[]::new))
                .directory(folder)
                .environment("POSTROAD_LOG_LEVEL", "WARN")
                .start()) {
            int exitCode = network.awaitExit(Duration.ofSeconds(90));

            assertThat(network.tail())
                    .as(
                            "unshare, of util-linux, makes a network of its own; ip, of iproute2, its loopback; python3-pika")
                    .endsWith("b'Process data #1' 2 0");
            assertThat(network.tail()).anyMatch(line -> line.contains(" amqp=127.0.0.1:5672 "));
            assertThat(exitCode).isZero();
        }
    }
}
