package dev.postroad.transports.kafka;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Postroad;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/**
 * Consumes a channel in a group until it is killed, and writes what it settles into a file, before and after. It never gets done
 * with messages whose key is {@link #STUCK}.
 */
final class ConsumingProgram {
    static final String STUCK = "stuck";
    static final String SETTLING = "settling ";
    static final String SETTLED = "settled ";

    private ConsumingProgram() {}

    /** @param arguments url, channel, group, file */
    public static void main(String[] arguments) throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        try (Postroad postroad = Postroad.connect(arguments[0]);
                Writer told = Files.newBufferedWriter(Path.of(arguments[3]), StandardCharsets.UTF_8)) {
            postroad.listen(
                    arguments[1],
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withGroup(arguments[2]).withConcurrency(40),
                    delivery -> {
                        if (STUCK.equals(delivery.message().key())) {
                            never.await();
                        }
                        tell(told, SETTLING + delivery.message().value());
                        delivery.acknowledge().join();
                        tell(told, SETTLED + delivery.message().value());
                    });
            never.await();
        }
    }

    private static synchronized void tell(Writer told, String line) throws java.io.IOException {
        told.write(line + "\n");
        told.flush();
    }
}
