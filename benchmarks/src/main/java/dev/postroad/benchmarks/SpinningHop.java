package dev.postroad.benchmarks;

import java.io.Closeable;
import java.util.function.LongConsumer;
import org.jctools.queues.SpscArrayQueue;

/** The least that handing messages to another thread can cost: a queue in memory, with both threads spinning. */
final class SpinningHop implements Contender {
    private static final int CAPACITY = 4096;

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
        SpscArrayQueue<byte[]> queue = new SpscArrayQueue<>(CAPACITY);
        return new Log() {
            @Override
            public void append(byte[] payload, Confirmation confirmation) {
                while (!queue.offer(payload)) {
                    Thread.onSpinWait();
                }
                confirmation.confirmed();
            }

            @Override
            public int tail(LongConsumer arrivals, boolean spinning) {
                return queue.drain(payload -> arrivals.accept(Payloads.sentAt(payload)), CAPACITY);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void close() {}
}
