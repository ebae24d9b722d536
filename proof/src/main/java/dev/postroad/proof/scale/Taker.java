package dev.postroad.proof.scale;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A consumer that acknowledges all it gets, from a thread of its own; with a pause after each message if it is a slow one. */
final class Taker implements DeliverySink, AutoCloseable {
    private final Broker broker;
    private final long pauseNanos;
    private final Queue<long[]> settling = new ConcurrentLinkedQueue<>();
    private final AtomicLong taken = new AtomicLong();
    private final CountDownLatch first = new CountDownLatch(1);
    private final long id;
    private final Thread thread;
    private long[] batch = new long[256];
    private int size;
    private volatile boolean closing;

    /** @param pauseNanos after each message; 0 for none */
    Taker(Broker broker, String queue, int credit, long pauseNanos) {
        this.broker = broker;
        this.pauseNanos = pauseNanos;
        this.thread = Thread.ofPlatform().daemon().name("taker").unstarted(this::settle);
        this.id = broker.<Long>await(reply ->
                new Command.Subscribe(queue, null, Command.ConsumerSettings.prefetch(credit, "taker"), this, reply));
        thread.start();
    }

    long taken() {
        return taken.get();
    }

    void awaitFirst() throws InterruptedException {
        first.await();
    }

    @Override
    public void deliver(EngineDelivery delivery) {
        if (size == batch.length) {
            batch = Arrays.copyOf(batch, 2 * size);
        }
        batch[size++] = delivery.number();
    }

    @Override
    public void flush() {
        if (size > 0) {
            settling.add(Arrays.copyOf(batch, size));
            size = 0;
            first.countDown();
            LockSupport.unpark(thread);
        }
    }

    @Override
    public void cancelled(String reason) {
        closing = true;
    }

    private void settle() {
        while (!closing) {
            long[] numbers = settling.poll();
            if (numbers == null) {
                LockSupport.parkNanos(1_000_000);
            } else if (pauseNanos == 0) {
                settle(numbers);
            } else {
                for (long number : numbers) {
                    LockSupport.parkNanos(pauseNanos);
                    settle(new long[] {number});
                }
            }
        }
    }

    private void settle(long[] numbers) {
        taken.addAndGet(numbers.length);
        broker.submit(
                new Command.Settle(id, numbers, numbers.length, Command.Outcome.Acknowledge.INSTANCE, Reply.ignored()));
    }

    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        // Soon: it looks every millisecond, and after each message where it is a slow one.
        while (thread.isAlive()) {
            LockSupport.parkNanos(100_000);
        }
        broker.<Integer>await(reply -> new Command.Unsubscribe(id, true, reply));
    }
}
