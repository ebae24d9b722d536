package dev.postroad.proof.process;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transport;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code small-heap}: a server with 256 MB of heap, a backlog of 4 GB, and 200 consumers that ask for messages and read none of
 * them, half of them over HTTP and half over AMQP. Its heap must stay flat, and a consumer of another channel be served as before.
 */
public final class SmallHeapExperiment implements Experiment {
    private static final String HEAP = "256m";
    private static final int STALLED = 200;
    private static final long BACKLOG = 4L << 30;
    /** Left to others on the disk, and to what the journal needs beside its messages. */
    private static final long SPARED = 2L << 30;

    private static final int MESSAGE = 64 << 10;
    /** The backlog's payloads: random, so that nothing on the way makes them small; one for each of so many messages. */
    private static final int PAYLOADS = 16;

    private static final int SMALL = 200;
    private static final int FILLING = 4;
    private static final int UNDER_WAY = 16;
    private static final long FILLING_UP_NANOS = 5_000_000_000L;
    private static final int WINDOWS = 5;
    private static final double KEPT = 0.8;
    private static final double MOST_GROWTH_MB = 32;
    private static final String STALLED_CHANNEL = "stalled";
    private static final String HEALTHY = "healthy";
    /** Who asked and never settled counts as an attempt: nothing is to be given up for it here. */
    private static final RetryPolicy FOR_EVER = new RetryPolicy(1_000_000, Duration.ZERO, Duration.ZERO, 1, 0);

    private static final Pattern FULL = Pattern.compile(".*Pause Full.* (\\d+)M->(\\d+)M\\(.*");

    /** For the book. */
    public SmallHeapExperiment() {}

    @Override
    public String name() {
        return "small-heap";
    }

    @Override
    public String question() {
        return "Do stalled consumers and a deep backlog cost heap, or slow down a healthy consumer?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        try (Workplace place = Workplace.make(name())) {
            Path log = place.at("gc.log");
            ServeBroker broker = new ServeBroker().withHeap(HEAP).withOptions("-Xlog:gc:file=" + log);
            try (ServeBroker.Server server = broker.start(place.at("data"));
                    Postroad postroad = Postroad.connect(server.url())) {
                new Trial(server, postroad, log, results, budget.time(), progress).run();
                if (!server.isAlive()) {
                    results.violation("the server ended: " + server.tail());
                }
                if (server.tail().stream().anyMatch(line -> line.contains("OutOfMemoryError"))) {
                    results.violation("the server ran out of memory: " + server.tail());
                }
            }
        }
        return results.outcome();
    }

    private static final class Trial {
        private final ServeBroker.Server server;
        private final Transport transport;
        private final Postroad postroad;
        private final Path log;
        private final Results results;
        private final Duration time;
        private final Progress progress;
        private final AtomicLong confirmed = new AtomicLong();

        Trial(
                ServeBroker.Server server,
                Postroad postroad,
                Path log,
                Results results,
                Duration time,
                Progress progress) {
            this.server = server;
            this.transport = postroad.transport();
            this.postroad = postroad;
            this.log = log;
            this.results = results;
            this.time = time;
            this.progress = progress;
        }

        void run() throws Exception {
            postroad.declare(
                    Channel.command(STALLED_CHANNEL).withRetry(FOR_EVER),
                    Channel.command(HEALTHY).withPrefetch(500));
            Duration window = time.dividedBy(80).plusMillis(250);
            rates(window, 2, 0); // warms up
            double solo = median(rates(window, WINDOWS, 0.05));
            double before = liveHeap();
            fill();
            List<StalledConsumer> stalled = new ArrayList<>();
            try {
                for (int i = 0; i < STALLED / 2; i++) {
                    stalled.add(StalledConsumer.overAmqp(server.amqpPort(), STALLED_CHANNEL));
                    progress.at(0.7, (i + 1) + " stalled consumers over AMQP");
                }
                fillUp(stalled);
                List<Double> beside = rates(window, 1, 0.75);
                double first = liveHeap();
                fillUp(stalled);
                beside.addAll(rates(window, WINDOWS, 0.8));
                double last = liveHeap();
                long consumers = status(STALLED_CHANNEL).consumers();
                if (consumers < STALLED / 2) {
                    results.violation(
                            consumers + " stalled consumers are there, and those over AMQP alone were " + STALLED / 2);
                }
                results.count("stalled consumers, half of them over AMQP", STALLED, STALLED);
                results.count("of them still there at the end", consumers);
                results.figure("backlog", confirmed.get() * (double) MESSAGE / (1 << 30), "GiB", Goal.atLeast(4));
                results.figure("live heap before", before, "MB");
                results.figure("live heap with all of it", last, "MB");
                results.figure("growth of the live heap meanwhile", last - first, "MB", Goal.atMost(MOST_GROWTH_MB));
                results.figure("healthy consumer alone", solo, "messages/s");
                results.figure(
                        "share of that rate kept beside the stalled", median(beside) / solo, "", Goal.atLeast(KEPT));
            } finally {
                for (StalledConsumer each : stalled) {
                    each.close();
                }
            }
            requireAll();
        }

        /** As many stalled consumers as there are to be: over HTTP the broker ends who has not read for half a minute. */
        private void fillUp(List<StalledConsumer> stalled) {
            long[] asked = {System.nanoTime() - FILLING_UP_NANOS - 1};
            Await.until("the stalled consumers are there", Duration.ofSeconds(120), () -> {
                int missing = STALLED - status(STALLED_CHANNEL).consumers();
                progress.at(0.72, STALLED - missing + " stalled consumers");
                // Those that were asked for a moment ago are about to be there.
                if (missing > 0 && System.nanoTime() - asked[0] > FILLING_UP_NANOS) {
                    for (int i = 0; i < missing; i++) {
                        stalled.add(StalledConsumer.overHttp(server.authority(), STALLED_CHANNEL));
                    }
                    asked[0] = System.nanoTime();
                }
                return missing <= 0;
            });
        }

        private ChannelStatus status(String channel) {
            return postroad.administration().channels().stream()
                    .filter(each -> each.channel().name().equals(channel))
                    .findFirst()
                    .orElseThrow();
        }

        /** Publishes the backlog over AMQP, or as much of it as the disk and three fifths of the time allow. */
        private void fill() throws Exception {
            long begun = System.nanoTime();
            long end = begun + time.toNanos() * 3 / 5;
            long usable = Files.getFileStore(log.getParent()).getUsableSpace();
            long all = Math.clamp(usable - SPARED, 0, BACKLOG) / MESSAGE;
            AtomicLong sent = new AtomicLong();
            List<AutoCloseable> connections = new ArrayList<>();
            List<Thread> fillers = new ArrayList<>();
            try {
                for (int i = 0; i < FILLING; i++) {
                    AmqpLoad load = new AmqpLoad(server.amqpPort(), STALLED_CHANNEL, Map.of(), false);
                    connections.add(load);
                    fillers.add(Thread.ofPlatform().daemon(true).start(() -> fill(load, all, end, sent)));
                }
                for (Thread filler : fillers) {
                    while (!filler.join(Duration.ofMillis(500))) {
                        progress.at(
                                0.2 + 0.5 * confirmed.get() / Math.max(1, all),
                                confirmed.get() * MESSAGE / (1 << 20) + " MiB of backlog");
                    }
                }
            } finally {
                for (AutoCloseable connection : connections) {
                    connection.close();
                }
            }
            results.figure(
                    "backlog filled at",
                    confirmed.get() * (double) MESSAGE / (1 << 20) / ((System.nanoTime() - begun) / 1e9),
                    "MiB/s");
            if (confirmed.get() < sent.get()) {
                results.violation((sent.get() - confirmed.get()) + " messages of the backlog were not confirmed");
            }
            if (sent.get() * MESSAGE < BACKLOG) {
                results.notRun(
                        "the backlog beyond " + sent.get() * MESSAGE / (1 << 20) + " MiB of " + (BACKLOG >> 20),
                        sent.get() < all ? "the time given was over" : "the disk has no more space");
            }
        }

        private void fill(AmqpLoad load, long all, long end, AtomicLong sent) {
            Random random = new Random(Thread.currentThread().threadId());
            byte[][] payloads = new byte[PAYLOADS][MESSAGE];
            for (byte[] payload : payloads) {
                random.nextBytes(payload);
            }
            Semaphore room = new Semaphore(UNDER_WAY);
            while (System.nanoTime() < end) {
                room.acquireUninterruptibly();
                long number = sent.getAndIncrement();
                if (number >= all) {
                    sent.decrementAndGet();
                    room.release();
                    break;
                }
                byte[] payload = payloads[(int) (number % PAYLOADS)];
                load.send(new Load.Sending("", 0, payload)).whenComplete((place, failure) -> {
                    if (failure == null) {
                        confirmed.incrementAndGet();
                    }
                    room.release();
                });
            }
            try {
                if (!room.tryAcquire(UNDER_WAY, 60, TimeUnit.SECONDS)) {
                    results.violation("sends of the backlog stay without an answer");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** Messages a second that a healthy consumer gets and settles, for some windows of time. */
        private List<Double> rates(Duration window, int windows, double fraction) throws Exception {
            List<Double> rates = new ArrayList<>();
            AtomicLong settled = new AtomicLong();
            boolean[] stop = new boolean[1];
            Thread producer = Thread.ofPlatform().daemon(true).start(() -> produce(stop));
            Thread consumer = Thread.ofPlatform().daemon(true).start(() -> consume(stop, settled));
            for (int i = 0; i < windows; i++) {
                long before = settled.get();
                long begin = System.nanoTime();
                KillExperiment.linger(window.toMillis());
                double rate = (settled.get() - before) * 1e9 / (System.nanoTime() - begin);
                rates.add(rate);
                progress.at(fraction, Math.round(rate) + " messages/s to a healthy consumer");
            }
            synchronized (stop) {
                stop[0] = true;
            }
            producer.join();
            consumer.join();
            return rates;
        }

        private static boolean stopped(boolean[] stop) {
            synchronized (stop) {
                return stop[0];
            }
        }

        private void produce(boolean[] stop) {
            Semaphore room = new Semaphore(500);
            for (long i = 0; !stopped(stop); i++) {
                room.acquireUninterruptibly();
                Message<byte[], byte[]> message =
                        Message.<byte[], byte[]>of(new byte[SMALL]).withId("h" + i);
                transport.send(HEALTHY, message).whenComplete((receipt, failure) -> room.release());
            }
            room.acquireUninterruptibly(500);
        }

        private void consume(boolean[] stop, AtomicLong settled) {
            try (Transport.Receiver receiver = transport.receive(List.of(HEALTHY), ConsumerOptions.DEFAULT)) {
                while (!stopped(stop)) {
                    List<Delivery<byte[], byte[]>> taken = receiver.receive(500, Duration.ofMillis(200));
                    receiver.acknowledge(taken).join();
                    settled.addAndGet(taken.size());
                }
            } catch (InterruptedException | CompletionException e) {
                results.violation("the healthy consumer failed: " + e);
            }
        }

        private static double median(List<Double> values) {
            List<Double> sorted = values.stream().sorted().toList();
            return sorted.get(sorted.size() / 2);
        }

        /** What is left of the heap behind a full collection, in MB. */
        private double liveHeap() throws IOException {
            Machine.must(
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                    Long.toString(server.process().pid()),
                    "GC.run");
            double last = -1;
            for (String line : Files.readAllLines(log)) {
                Matcher matcher = FULL.matcher(line);
                last = matcher.matches() ? Double.parseDouble(matcher.group(2)) : last;
            }
            return last;
        }

        /** Once the stalled are gone, the whole backlog is there for others. */
        private void requireAll() {
            Await.value(
                    "the stalled consumers are gone",
                    Duration.ofSeconds(60),
                    () -> status(STALLED_CHANNEL),
                    status -> status.consumers() == 0);
            ChannelStatus status = status(STALLED_CHANNEL);
            if (status.ready() + status.delayed() != confirmed.get()) {
                results.violation("of " + confirmed.get() + " messages of the backlog " + status.ready()
                        + " are ready and " + status.delayed() + " delayed");
            }
        }
    }
}
