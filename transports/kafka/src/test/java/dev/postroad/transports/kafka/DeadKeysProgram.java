package dev.postroad.transports.kafka;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Works off a queue whose poison it gives up, or puts back what was given up, until it is killed. */
final class DeadKeysProgram {
    /** A value with this is given up until the file says that it is mended. */
    static final String POISON = "poison";

    private DeadKeysProgram() {}

    /** @param arguments consume or redrive; url; queue; file for what is handled; file that is there when all is mended */
    public static void main(String... arguments) throws Exception {
        Path handled = Path.of(arguments[3]);
        Path mended = Path.of(arguments[4]);
        try (Postroad postroad = Postroad.connect(arguments[1])) {
            if (arguments[0].equals("consume")) {
                consume(postroad, arguments[2], handled, mended);
                Thread.currentThread().join();
            }
            while (true) {
                redrive(postroad, arguments[2] + ".dead", 3);
            }
        }
    }

    static void consume(Postroad postroad, String queue, Path handled, Path mended) {
        postroad.listen(
                queue,
                Format.strings(),
                ConsumerOptions.DEFAULT.withConcurrency(4),
                delivery -> handle(delivery, handled, mended));
    }

    private static void handle(Delivery<String, String> delivery, Path handled, Path mended) throws IOException {
        String value = String.valueOf(delivery.message().value());
        if (value.contains(POISON) && !Files.exists(mended)) {
            throw new Handler.DeadLetterException("not before it is mended");
        }
        // One write, behind all that others wrote.
        Files.writeString(handled, value + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** @return how many were put back; 0 if somebody else is at it */
    static long redrive(Postroad postroad, String letters, long max) {
        try {
            return postroad.administration().redrive(letters, null, max);
        } catch (MessagingException e) {
            if (!e.reason().repeatable()) {
                throw e;
            }
            return 0;
        }
    }
}
