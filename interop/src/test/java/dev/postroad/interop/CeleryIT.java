package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Celery, as Debian packages it: a worker with its remote control, and a program that calls its tasks. */
@ExtendWith(SharedServer.class)
class CeleryIT {
    @TempDir
    Path folder;

    @Test
    void a_celery_worker_takes_retries_and_answers_tasks(Server server) throws Exception {
        String broker = "amqp://guest:guest@127.0.0.1:" + server.amqpPort() + "//";
        copy("celery_tasks.py");
        // It says on stderr that it is ready.
        String command = "exec " + PikaIT.PYTHON + " -m celery -A celery_tasks worker --pool threads --concurrency 2"
                + " --hostname celery@shop --loglevel INFO 2>&1";
        try (ChildProcess worker = ChildProcess.command("sh", "-c", command)
                .environment("BROKER", broker)
                .directory(folder)
                .start()) {
            worker.awaitLine("its word that it is ready", line -> line.endsWith("ready."), Duration.ofSeconds(60));
            try (ChildProcess caller = ChildProcess.command(
                            PikaIT.PYTHON, copy("celery_calls.py").toString())
                    .environment("BROKER", broker)
                    .directory(folder)
                    .start()) {
                int exitCode = caller.awaitExit(Duration.ofSeconds(90));

                assertThat(caller.tail())
                        .as("apt-get install python3-celery, if there is no module of this name")
                        .endsWith("held: celery");
                assertThat(exitCode).isZero();
            }
            worker.terminate();
            assertThat(worker.awaitExit(Duration.ofSeconds(30))).isZero();
        }
    }

    private Path copy(String script) throws Exception {
        Path copy = folder.resolve(script);
        try (InputStream source = CeleryIT.class.getResourceAsStream(script)) {
            Files.copy(source, copy);
        }
        return copy;
    }
}
