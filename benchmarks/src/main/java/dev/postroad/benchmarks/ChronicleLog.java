package dev.postroad.benchmarks;

import java.io.Closeable;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.LongConsumer;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;

/** Chronicle Queue: a log in mapped files. It forces nothing to disk: what was appended survives its process, not the machine. */
final class ChronicleLog implements Contender {
    private final Path directory;

    ChronicleLog(Path directory) {
        this.directory = directory;
    }

    @Override
    public void declareQueue(String queue) {
        throw Contender.cannot("queues");
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        throw Contender.cannot("queues");
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        throw Contender.cannot("queues");
    }

    @Override
    public Log log(String name, int batch) {
        return new Excerpts(
                SingleChronicleQueueBuilder.binary(directory.resolve(name).toFile())
                        .build());
    }

    /** Appender and reader are made by the threads that use them: Chronicle binds them. */
    private static final class Excerpts implements Log {
        private final ChronicleQueue queue;
        private final ThreadLocal<ExcerptAppender> appenders;
        private final ThreadLocal<ExcerptTailer> tailers;
        private final Bytes<?> written = Bytes.allocateElasticDirect();
        private final Bytes<?> read = Bytes.allocateElasticDirect();

        Excerpts(ChronicleQueue queue) {
            this.queue = queue;
            this.appenders = ThreadLocal.withInitial(queue::createAppender);
            this.tailers = ThreadLocal.withInitial(queue::createTailer);
            written.singleThreadedCheckDisabled(true);
            read.singleThreadedCheckDisabled(true);
        }

        @Override
        public void append(byte[] payload, Confirmation confirmation) {
            written.clear();
            written.write(payload);
            appenders.get().writeBytes(written);
            confirmation.confirmed();
        }

        @Override
        public int tail(LongConsumer arrivals, boolean spinning) {
            ExcerptTailer tailer = tailers.get();
            int count = 0;
            read.clear();
            while (count < 4096 && tailer.readBytes(read)) {
                long sentAt = read.readLong(0);
                arrivals.accept(
                        ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? sentAt : Long.reverseBytes(sentAt));
                read.clear();
                count++;
            }
            return count;
        }

        @Override
        public void close() {
            queue.close();
            written.releaseLast();
            read.releaseLast();
        }
    }

    @Override
    public void close() {}
}
