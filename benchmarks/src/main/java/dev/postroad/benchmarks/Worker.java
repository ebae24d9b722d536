package dev.postroad.benchmarks;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The process of one contender: opens it on a directory, says {@code ready}, then carries out one order per line of stdin and
 * answers each with {@code result NAME=VALUE …} or {@code error TEXT}. It ends when stdin does.
 */
final class Worker {
    /** Said when the first message of a queue has come, before the order's result. */
    static final String FIRST = "first";

    private static final long PATIENCE_SECONDS = 300;

    private final Contender contender;
    private final PrintStream answers;

    private Worker(Contender contender, PrintStream answers) {
        this.contender = contender;
        this.answers = answers;
    }

    /** @param arguments name of the contender, its directory or broker */
    static void main(String[] arguments) throws Exception {
        // What libraries print must not get between the answers.
        PrintStream answers = System.out;
        System.setOut(System.err);
        try (Contender contender = open(arguments[0], arguments[1])) {
            answers.println("ready");
            new Worker(contender, answers).serve();
        }
    }

    private static Contender open(String id, String place) throws Exception {
        Optional<TransportContender> onBroker = TransportContender.find(id);
        return onBroker.isPresent()
                ? onBroker.get().open(place)
                : ContenderKind.of(id).open(Path.of(place));
    }

    private void serve() throws IOException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            try {
                answers.println("result " + carryOut(Order.parse(line)).line());
            } catch (Exception | Error e) {
                e.printStackTrace();
                answers.println("error " + e);
            }
        }
    }

    private Measurement carryOut(Order order) throws Exception {
        return switch (order.kind()) {
            case BLOCKING -> load(order).blocking(order.get("senders"));
            case WINDOWED -> load(order).windowed(order.get("window"), order.get("consume") == 1);
            case LOG -> log(order);
            case FILL -> fill(order);
            case FIRST -> first(order.channel());
            case DRAIN -> drain(order);
            case RECEIVE -> receive(order);
            case HEAP -> new Measurement().with("heap", (double) usedHeap());
        };
    }

    private QueueLoad load(Order order) {
        return new QueueLoad(contender, order.channel(), order.get("bytes"), order.get("warm"), order.get("millis"));
    }

    private Measurement log(Order order) throws Exception {
        try (Contender.Log log = contender.log(order.channel(), order.get("batch"))) {
            return new LogLoad(log, order.get("bytes"), order.get("spin") == 1)
                    .run(order.get("window"), order.get("pace"), order.get("warm"), order.get("millis"));
        }
    }

    // ── A backlog
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private Measurement fill(Order order) throws Exception {
        return new QueueLoad(contender, order.channel(), order.get("bytes"), 0, 0).fill(order.get("messages"));
    }

    /** Says {@code first} when the first message has come; then closes its consumer, and tells how many it has taken. */
    private Measurement first(String queue) throws Exception {
        AtomicLong taken = new AtomicLong();
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch ending = new CountDownLatch(1);
        Closeable receiver = contender.receive(queue, sentAt -> {
            if (taken.incrementAndGet() == 1) {
                answers.println(FIRST);
                arrived.countDown();
                awaitQuietly(ending);
            }
        });
        try (receiver) {
            arrived.await();
            ending.countDown();
        }
        return new Measurement().with("messages", (double) taken.get());
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Receives until so many messages, or all that are left, have come. */
    private Measurement drain(Order order) throws Exception {
        long messages = order.get("messages");
        AtomicLong arrived = new AtomicLong();
        CountDownLatch done = new CountDownLatch(1);
        Stopwatch watch = new Stopwatch();
        Closeable receiver = contender.receive(order.channel(), sentAt -> {
            if (arrived.incrementAndGet() == messages) {
                done.countDown();
            }
        });
        try (receiver) {
            long before = -1;
            while (done.getCount() > 0 && arrived.get() != before) {
                before = arrived.get();
                if (done.await(1, TimeUnit.SECONDS)) {
                    break;
                }
            }
            return watch.measure(arrived.get());
        }
    }

    /** Receives so many messages. What is measured begins with the first: how long a group takes to form is not its speed. */
    private Measurement receive(Order order) throws Exception {
        long messages = order.get("messages");
        AtomicLong arrived = new AtomicLong();
        AtomicReference<Stopwatch> watch = new AtomicReference<>();
        CompletableFuture<Measurement> measured = new CompletableFuture<>();
        Closeable receiver = contender.receive(order.channel(), sentAt -> {
            long count = arrived.incrementAndGet();
            if (count == 1) {
                watch.set(new Stopwatch());
            } else if (count == messages) {
                measured.complete(watch.get().measure(messages - 1));
            }
        });
        try (receiver) {
            return measured.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new IOException(
                    "of " + messages + " messages there came " + arrived + " in " + PATIENCE_SECONDS + " s", e);
        }
    }

    /**
     * Bytes in use after the collector has had its way. The heap is small after this, and who fills it anew has the kernel clear its
     * pages: not to be asked before or between what is measured in turns.
     */
    private static long usedHeap() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            Stopwatch.waitMillis(50);
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
