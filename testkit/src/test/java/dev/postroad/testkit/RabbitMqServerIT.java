package dev.postroad.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RabbitMqServerIT {
    @TempDir
    Path folder;

    @Test
    void itSpeaksAmqpAndIsGoneWhenItWasKilled() throws IOException {
        RabbitMqServer rabbit = RabbitMqServer.start(folder);
        long pid = rabbit.pid();
        try (rabbit;
                Socket socket = new Socket("127.0.0.1", rabbit.port())) {
            socket.getOutputStream().write("AMQP\0\0\11\1".getBytes(StandardCharsets.ISO_8859_1));

            // A method frame on channel 0: connection.start.
            assertThat(socket.getInputStream().readNBytes(3)).containsExactly(1, 0, 0);
        }
        assertThat(ProcessHandle.of(pid).map(ProcessHandle::isAlive)).isNotEqualTo(java.util.Optional.of(true));
    }
}
