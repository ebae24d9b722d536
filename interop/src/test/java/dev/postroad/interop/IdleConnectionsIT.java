package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a connection costs that has nothing to do. */
@Tag("soak")
class IdleConnectionsIT {
    private static final int CONNECTIONS = 5_000;
    private static final double MOST_HEAP_KIB = 8;
    private static final double MOST_RESIDENT_KIB = 24;

    @TempDir
    Path folder;

    @Test
    void fiveThousandIdleConnectionsWithAChannelEachTakeFewKilobytesEach() throws Exception {
        List<RawClient> clients = new ArrayList<>();
        try (Server server = Server.postroad(folder, List.of("-Xmx256m"), 0)) {
            for (int i = 0; i < 100; i++) {
                new RawClient(server.amqpPort()).open().close(); // what the first ones load is not theirs
            }
            double heap = AbuseIT.liveHeapMegabytes(server);
            double resident = residentMegabytes(server);
            for (int i = 0; i < CONNECTIONS; i++) {
                clients.add(new RawClient(server.amqpPort()).open());
            }
            double heapEach = (AbuseIT.liveHeapMegabytes(server) - heap) * 1024 / CONNECTIONS;
            double residentEach = (residentMegabytes(server) - resident) * 1024 / CONNECTIONS;

            System.out.printf(
                    "%,d idle connections with a channel each: %.1f KiB of live heap and %.1f KiB of resident memory each%n",
                    CONNECTIONS, heapEach, residentEach);
            assertThat(heapEach).as("KiB of live heap each").isLessThan(MOST_HEAP_KIB);
            assertThat(residentEach).as("KiB of resident memory each").isLessThan(MOST_RESIDENT_KIB);
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    private static double residentMegabytes(Server server) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + server.pid() + "/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        throw new AssertionError("/proc tells no VmRSS of " + server.pid());
    }
}
