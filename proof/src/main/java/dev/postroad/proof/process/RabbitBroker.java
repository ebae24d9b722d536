package dev.postroad.proof.process;

import dev.postroad.testkit.RabbitMqServer;
import dev.postroad.testkit.Signals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * RabbitMQ as Debian packages it, with persistent messages and publisher confirms.
 *
 * @param quorum true for quorum queues, false for classic durable ones
 */
record RabbitBroker(boolean quorum) implements Broker {
    @Override
    public String name() {
        return quorum ? "RabbitMQ, quorum queue" : "RabbitMQ, durable classic queue";
    }

    @Override
    public @Nullable String missing() {
        return Files.isDirectory(Path.of("/usr/lib/rabbitmq/lib")) && Machine.has("epmd")
                ? null
                : "RabbitMQ is not installed (apt-get install rabbitmq-server)";
    }

    @Override
    public Running start(Path data) {
        return new Server(RabbitMqServer.start(data.toAbsolutePath()), quorum);
    }

    private record Server(RabbitMqServer server, boolean quorum) implements Running {
        @Override
        public Load load(Lane lane) {
            return new AmqpLoad(
                    server.port(), lane.channel(), Map.of("x-queue-type", quorum ? "quorum" : "classic"), false);
        }

        @Override
        public long pid() {
            return server.pid();
        }

        @Override
        public void pause() {
            Signals.stop(server.pid());
        }

        @Override
        public void resume() {
            Signals.resume(server.pid());
        }

        @Override
        public void kill() {
            server.kill();
        }

        @Override
        public boolean isAlive() {
            return ProcessHandle.of(server.pid()).map(ProcessHandle::isAlive).orElse(false);
        }

        @Override
        public List<String> tail() {
            return List.of();
        }

        @Override
        public void close() {
            server.close();
        }
    }
}
