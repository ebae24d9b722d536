package dev.postroad.proof.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Experiment.Progress;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerTest {
    @TempDir
    Path folder;

    @Test
    void aBacklogOutlivesAKilledBrokerAndDrains() throws Exception {
        try (Worker worker = new Worker(folder, 128)) {
            assertThat(worker.order(Progress.NONE, 0, "fill q- 20000 100 3")).isPositive();
            worker.kill();
        }
        try (Worker worker = new Worker(folder, 128)) {
            assertThat(worker.order(Progress.NONE, 0, "first q-2")).isEqualTo(1);
            assertThat(worker.order(Progress.NONE, 0, "heap")).isBetween(1e6, 128e6);
            assertThat(worker.order(Progress.NONE, 0, "load live 100 3000")).isPositive();
            // Nearly all of them: it would wait for half a minute otherwise.
            long begun = System.nanoTime();
            worker.order(Progress.NONE, 0, "drain q- 3 6000 18000 30000");
            assertThat((System.nanoTime() - begun) / 1e9).isLessThan(30);
        }
        assertThat(Worker.diskBytes(folder)).isPositive();
    }

    @Test
    void whatTheBrokerRefusesIsTold() throws Exception {
        try (Worker worker = new Worker(folder, 64)) {
            assertThatThrownBy(() -> worker.order(Progress.NONE, 0, "first nowhere"))
                    .hasMessageContaining("first nowhere")
                    .hasMessageContaining("nowhere");
        }
    }
}
