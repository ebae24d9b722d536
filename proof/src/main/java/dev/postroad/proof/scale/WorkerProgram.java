package dev.postroad.proof.scale;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A broker in a process, which does as it is told: an order on each line of stdin, words and numbers; an answer on each line of
 * stdout, {@code = NUMBER …} or {@code ! WHAT WENT WRONG}. It ends when stdin does.
 *
 * <pre>
 *   fill PREFIX MESSAGES BYTES QUEUES   = messages a second, confirmed
 *   first QUEUE                         = 1 as soon as a message of it has been delivered
 *   drain PREFIX QUEUES EACH MESSAGES MILLIS = messages a second; taken, so many of each queue and some queues at once, the last
 *                                         ones first, until so many are taken in all or the time is over
 *   load QUEUE BYTES MILLIS             = messages a second sent, confirmed, delivered and acknowledged
 *   slow QUEUE MILLIS                   = 1; a consumer with that pause after each message, from now on
 *   idle PREFIX QUEUES CONSUMERS        = consumers that wait for messages, from now on
 *   heap                                = bytes in use after a collection
 * </pre>
 */
final class WorkerProgram {
    private static final int BATCH = 250;
    private static final int BATCHES_AHEAD = 16;
    private static final int WINDOW = 4096;
    private static final int DRAINED_AT_ONCE = 16;

    private final Broker broker;
    private final AtomicReference<@Nullable EngineException> failure = new AtomicReference<>();
    private final List<Object> kept = new ArrayList<>();

    private WorkerProgram(Broker broker) {
        this.broker = broker;
    }

    /** @param arguments the broker's directory */
    public static void main(String[] arguments) throws IOException {
        try (Broker broker = Broker.open(BrokerSettings.directory(Path.of(arguments[0])))) {
            System.out.println("ready");
            WorkerProgram program = new WorkerProgram(broker);
            BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = orders.readLine(); line != null; line = orders.readLine()) {
                try {
                    System.out.println(String.format(Locale.ROOT, "= %.3f", program.carryOut(line.split(" "))));
                } catch (Exception | Error e) {
                    System.out.println("! " + line + ": " + e);
                }
            }
        }
    }

    private double carryOut(String[] words) throws Exception {
        return switch (words[0]) {
            case "fill" -> fill(words[1], number(words[2]), (int) number(words[3]), (int) number(words[4]));
            case "first" -> first(words[1]);
            case "drain" ->
                drain(words[1], (int) number(words[2]), number(words[3]), number(words[4]), number(words[5]));
            case "load" -> load(words[1], (int) number(words[2]), number(words[3]));
            case "slow" -> slow(words[1], number(words[2]));
            case "idle" -> idle(words[1], (int) number(words[2]), (int) number(words[3]));
            case "heap" -> heap();
            default -> throw new IllegalArgumentException("no such order");
        };
    }

    private static long number(String word) {
        return Long.parseLong(word);
    }

    private void declare(String queue) {
        broker.<Boolean>await(reply -> new Command.Declare(QueueDefinition.named(queue), null, reply));
    }

    private double fill(String prefix, long messages, int bytes, int queues) throws InterruptedException {
        for (int i = 0; i < queues; i++) {
            declare(prefix + i);
        }
        byte[] payload = new byte[bytes];
        // No more than gives each queue its share.
        int together = Math.clamp(messages / queues, 1, BATCH);
        List<EngineMessage> batch = new ArrayList<>();
        for (int i = 0; i < together; i++) {
            batch.add(EngineMessage.of(payload));
        }
        Semaphore ahead = new Semaphore(BATCHES_AHEAD);
        long begun = System.nanoTime();
        long sent = 0;
        for (int queue = 0; sent < messages; queue = (queue + 1) % queues) {
            int size = (int) Math.min(together, messages - sent);
            ahead.acquire();
            check();
            broker.submit(publish(prefix + queue, size == together ? batch : batch.subList(0, size), ahead));
            sent += size;
        }
        ahead.acquire(BATCHES_AHEAD);
        check();
        return messages * 1e9 / (System.nanoTime() - begun);
    }

    private Command publish(String queue, List<EngineMessage> messages, Semaphore confirmed) {
        return new Command.Publish(null, queue, messages, null, false, null, new Reply<Command.Published>() {
            @Override
            public void done(Command.Published result) {
                confirmed.release();
            }

            @Override
            public void failed(EngineException cause) {
                failure.compareAndSet(null, cause);
                confirmed.release();
            }
        });
    }

    private void check() {
        EngineException cause = failure.get();
        if (cause != null) {
            throw cause;
        }
    }

    private double first(String queue) throws InterruptedException {
        try (Taker taker = new Taker(broker, queue, 1, 0)) {
            taker.awaitFirst();
        }
        return 1;
    }

    private double drain(String prefix, int queues, long each, long messages, long millis) {
        List<Taker> takers = new ArrayList<>();
        long begun = System.nanoTime();
        int next = queues - 1;
        long gone = 0;
        long taken = 0;
        while (taken < messages && System.nanoTime() - begun < millis * 1_000_000) {
            while (next >= 0 && takers.size() < DRAINED_AT_ONCE) {
                takers.add(new Taker(broker, prefix + next--, queues == 1 ? 8192 : 256, 0));
            }
            LockSupport.parkNanos(200_000);
            taken = gone + takers.stream().mapToLong(Taker::taken).sum();
            for (Taker taker :
                    takers.stream().filter(one -> one.taken() >= each).toList()) {
                takers.remove(taker);
                taker.close();
                gone += taker.taken();
            }
        }
        double rate = taken * 1e9 / (System.nanoTime() - begun);
        takers.forEach(Taker::close);
        return rate;
    }

    private double load(String queue, int bytes, long millis) throws InterruptedException {
        declare(queue);
        Semaphore ahead = new Semaphore(WINDOW);
        List<EngineMessage> message = List.of(EngineMessage.of(new byte[bytes]));
        long sent = 0;
        try (Taker taker = new Taker(broker, queue, 8192, 0)) {
            long begun = System.nanoTime();
            while (System.nanoTime() - begun < millis * 1_000_000) {
                // As much as the consumer takes, so that no backlog grows.
                if (sent - taker.taken() > 4L * WINDOW) {
                    LockSupport.parkNanos(50_000);
                    continue;
                }
                ahead.acquire();
                check();
                broker.submit(publish(queue, message, ahead));
                sent++;
            }
            double rate = taker.taken() * 1e9 / (System.nanoTime() - begun);
            while (taker.taken() < sent) {
                LockSupport.parkNanos(1_000_000);
                check();
            }
            return rate;
        }
    }

    private double slow(String queue, long pauseMillis) {
        kept.add(new Taker(broker, queue, 256, pauseMillis * 1_000_000));
        return 1;
    }

    private double idle(String prefix, int queues, int consumers) {
        for (int i = 0; i < queues; i++) {
            declare(prefix + i);
        }
        for (int i = 0; i < consumers; i++) {
            String queue = prefix + i % queues;
            broker.<Long>await(reply -> new Command.Subscribe(
                    queue, null, Command.ConsumerSettings.prefetch(10, "idle"), Nobody.INSTANCE, reply));
        }
        return consumers;
    }

    private static double heap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    /** Takes what nobody sends. */
    private enum Nobody implements DeliverySink {
        INSTANCE;

        @Override
        public void deliver(EngineDelivery delivery) {
            throw new IllegalStateException("a message on a queue that nobody sends to");
        }

        @Override
        public void flush() {}

        @Override
        public void cancelled(String reason) {}
    }
}
