package dev.postroad.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jctools.queues.MpscArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The least that durable sending can cost: the bytes of the messages and nothing else, written to a file that was filled with
 * zeros before and is overwritten round and round. Either one thread takes what all senders have handed over, writes it and
 * forces it to disk, or each sender does so for itself. Nothing is consumed.
 */
final class RawFile implements Contender {
    private static final int FILE_BYTES = 256 << 20;
    private static final int BUFFER_BYTES = 4 << 20;
    private static final int WAITING = 65_536;
    private static final int SPINS = 200;

    private final FileChannel file;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final boolean grouped;
    private final MpscArrayQueue<Entry> waiting = new MpscArrayQueue<>(WAITING);
    private final @Nullable Thread writer;
    private volatile boolean sleeping;
    private volatile boolean closing;

    private record Entry(byte[] payload, Confirmation confirmation) {}

    /** @param grouped true for group commit by one thread; false for a write and a force by every sender */
    RawFile(Path directory, boolean grouped) throws IOException {
        this.grouped = grouped;
        Files.createDirectories(directory);
        file = FileChannel.open(
                directory.resolve("raw"),
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
        for (int written = 0; written < FILE_BYTES; written += zeros.capacity()) {
            write(zeros.clear());
        }
        file.force(true);
        file.position(0);
        writer = grouped ? Thread.ofPlatform().name("writer").daemon(true).start(this::run) : null;
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }

    private void commit() throws IOException {
        buffer.flip();
        if (file.position() + buffer.remaining() > FILE_BYTES) {
            file.position(0);
        }
        write(buffer);
        file.force(false);
        buffer.clear();
    }

    // ── The writer
    // ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void run() {
        Entry[] group = new Entry[WAITING];
        while (!closing) {
            int count = 0;
            while (count < group.length) {
                Entry next = waiting.peek();
                if (next == null || next.payload.length > buffer.remaining()) {
                    break;
                }
                waiting.poll();
                buffer.put(next.payload);
                group[count++] = next;
            }
            if (count == 0) {
                idle();
                continue;
            }
            try {
                commit();
                for (int i = 0; i < count; i++) {
                    group[i].confirmation.confirmed();
                }
            } catch (IOException e) {
                for (int i = 0; i < count; i++) {
                    group[i].confirmation.failed(e);
                }
                return;
            }
        }
    }

    private void idle() {
        for (int i = 0; i < SPINS && waiting.isEmpty(); i++) {
            Thread.onSpinWait();
        }
        sleeping = true;
        if (waiting.isEmpty() && !closing) {
            LockSupport.parkNanos(1_000_000);
        }
        sleeping = false;
    }

    // ── Senders
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void declareQueue(String queue) {}

    @Override
    public Sender sender(String queue, Sending sending) {
        return new Sender() {
            @Override
            public void send(byte[] payload) throws Exception {
                if (grouped) {
                    Waiter waiter = new Waiter();
                    send(payload, waiter);
                    waiter.await();
                } else {
                    writeAndForce(payload);
                }
            }

            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                Entry entry = new Entry(payload, confirmation);
                while (!waiting.offer(entry)) {
                    Thread.onSpinWait();
                }
                Thread asleep = writer;
                if (sleeping && asleep != null) {
                    LockSupport.unpark(asleep);
                }
            }

            @Override
            public void close() {}
        };
    }

    private synchronized void writeAndForce(byte[] payload) throws IOException {
        buffer.put(payload);
        commit();
    }

    private static final class Waiter implements Confirmation {
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile @Nullable Throwable failure;

        void await() throws InterruptedException, IOException {
            done.await();
            Throwable cause = failure;
            if (cause != null) {
                throw new IOException("the write failed", cause);
            }
        }

        @Override
        public void confirmed() {
            done.countDown();
        }

        @Override
        public void failed(Throwable cause) {
            failure = cause;
            done.countDown();
        }
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        throw Contender.cannot("consumers");
    }

    @Override
    public Log log(String name, int batch) {
        throw Contender.cannot("logs");
    }

    @Override
    public void close() throws IOException {
        closing = true;
        Thread running = writer;
        if (running != null) {
            LockSupport.unpark(running);
            Stopwatch.join(running);
        }
        file.close();
    }
}
