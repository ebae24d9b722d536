package dev.postroad.proof;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * What it was run on.
 *
 * @param fileSystem of the temporary directory
 * @param load average of the minute before; negative where the system does not tell
 */
record Surroundings(
        int cores,
        String processor,
        long memoryMegabytes,
        String system,
        String java,
        String fileSystem,
        double load,
        boolean root) {

    static Surroundings find() throws IOException {
        OperatingSystemMXBean bean = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Surroundings(
                bean.getAvailableProcessors(),
                processorName(),
                bean.getTotalMemorySize() >> 20,
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version"),
                Files.getFileStore(Path.of(System.getProperty("java.io.tmpdir")))
                        .type(),
                bean.getSystemLoadAverage(),
                "root".equals(System.getProperty("user.name")));
    }

    private static String processorName() throws IOException {
        Path file = Path.of("/proc/cpuinfo");
        if (!Files.isReadable(file)) {
            return System.getProperty("os.arch");
        }
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "%d cores of %s, %,d MiB, %s; %s; %s; load %.1f before; %s",
                cores,
                processor,
                memoryMegabytes,
                system,
                java,
                fileSystem,
                load,
                root ? "as root" : "not as root");
    }
}
