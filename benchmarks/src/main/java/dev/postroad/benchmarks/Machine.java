package dev.postroad.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * What was measured on.
 *
 * @param processor its name, where the system tells
 * @param fileSystem type of the one that was written to
 * @param forceMicros median time to write 1 KiB over a prepared file and force it to disk
 * @param load average of the last minute, before anything was measured; negative where the system does not tell
 */
record Machine(
        int cores,
        String processor,
        long memoryMegabytes,
        String system,
        String java,
        String fileSystem,
        double forceMicros,
        double load) {
    private static final int FORCES = 400;
    private static final int BYTES = 1024;

    static Machine find(Path directory) throws IOException {
        OperatingSystemMXBean bean = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        double load = bean.getSystemLoadAverage();
        return new Machine(
                bean.getAvailableProcessors(),
                processorName(),
                bean.getTotalMemorySize() >> 20,
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                Files.getFileStore(directory).type(),
                forceMicros(directory.resolve("forced")),
                load);
    }

    private static String processorName() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(file)) {
            return System.getProperty("os.arch");
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    private static double forceMicros(Path file) throws IOException {
        Histogram times = QueueLoad.histogram();
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            channel.write(ByteBuffer.allocateDirect(FORCES * BYTES));
            channel.force(true);
            ByteBuffer record = ByteBuffer.allocateDirect(BYTES);
            for (int i = 0; i < FORCES; i++) {
                long begun = System.nanoTime();
                channel.write(record.clear(), (long) i * BYTES);
                channel.force(false);
                QueueLoad.record(times, System.nanoTime() - begun);
            }
        } finally {
            Files.deleteIfExists(file);
        }
        return times.getValueAtPercentile(50) / 1000.0;
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "%d cores of %s, %,d MiB, %s; %s; %s, 1 KiB forced in %.0f us; load %.1f before",
                cores,
                processor,
                memoryMegabytes,
                system,
                java,
                fileSystem,
                forceMicros,
                load);
    }
}
