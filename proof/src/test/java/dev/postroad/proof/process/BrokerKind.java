package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.KafkaServer;
import dev.postroad.testkit.RabbitMqServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A broker on one port, as often as it is started again. */
enum BrokerKind {
    SERVE {
        @Override
        Running start(Path folder, int port) {
            ChildProcess process = new ServeBroker(
                            "256m", List.of("-XX:+UseSerialGC"), Map.of(), List.of("--amqp-port", "" + port))
                    .start(folder)
                    .process();
            return new Running("amqp://guest:guest@127.0.0.1:" + port, process.pid(), process::terminate, process);
        }
    },
    RABBITMQ {
        @Override
        Running start(Path folder, int port) {
            RabbitMqServer rabbit = RabbitMqServer.startOn(port, folder);
            return new Running("amqp://guest:guest@127.0.0.1:" + port, rabbit.pid(), rabbit::stop, rabbit);
        }
    },
    KAFKA {
        @Override
        Running start(Path folder, int port) {
            KafkaServer kafka = KafkaServer.startOn(port, folder, Path.of("target"), Map.of());
            return new Running("kafka://" + kafka.servers(), kafka.pid(), kafka::stop, kafka);
        }
    };

    abstract Running start(Path folder, int port);

    private static final Duration GONE = Duration.ofMinutes(4);

    /**
     * @param stop as an operator ends it
     * @param process kills it when it is closed
     */
    record Running(String url, long pid, Runnable stop, AutoCloseable process) {
        void end() throws Exception {
            process.close();
            Await.until(
                    "that its process is gone",
                    GONE,
                    () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
        }
    }
}
