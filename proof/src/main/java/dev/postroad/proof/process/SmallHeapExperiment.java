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
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code small-heap}: a server with 256 MB of heap, a backlog of 4 GB, and 200 consumers that ask for messages and read none of
 * them. Its heap must stay flat, and a consumer of another channel be served as before.
 */
public final class SmallHeapExperiment implements Experiment {
    private static final String HEAP = "256m";
    private static final int STALLED = 200;
    private static final long BACKLOG = 4L << 30;
    private static final int MESSAGE = 64 << 10;
    private static final int SMALL = 200;
    private static final int UNDER_WAY = 64;
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
            Duration window = time.dividedBy(10 * WINDOWS).plusMillis(200);
            rates(window, 2, 0); // warms up
            double solo = median(rates(window, WINDOWS, 0.05));
            double before = liveHeap();
            fill();
            List<Socket> stalled = new ArrayList<>();
            try {
                for (int i = 0; i < STALLED; i++) {
                    stalled.add(stall());
                }
                List<Double> beside = rates(window, 1, 0.75);
                double first = liveHeap();
                beside.addAll(rates(window, WINDOWS, 0.8));
                double last = liveHeap();
                long consumers = status(STALLED_CHANNEL).consumers();
                if (consumers != STALLED) {
                    results.violation(consumers + " of " + STALLED + " stalled consumers are there");
                }
                results.count("stalled consumers", consumers, STALLED);
                results.figure("backlog", confirmed.get() * (double) MESSAGE / (1 << 30), "GiB", Goal.atLeast(4));
                results.figure("live heap before", before, "MB");
                results.figure("live heap with all of it", last, "MB");
                results.figure("growth of the live heap meanwhile", last - first, "MB", Goal.atMost(MOST_GROWTH_MB));
                results.figure("healthy consumer alone", solo, "messages/s");
                results.figure(
                        "share of that rate kept beside the stalled", median(beside) / solo, "", Goal.atLeast(KEPT));
            } finally {
                for (Socket socket : stalled) {
                    socket.close();
                }
            }
            requireAll();
        }

        private ChannelStatus status(String channel) {
            return postroad.administration().channels().stream()
                    .filter(each -> each.channel().name().equals(channel))
                    .findFirst()
                    .orElseThrow();
        }

        /** Publishes the backlog, or as much of it as half of the time allows. */
        private void fill() throws InterruptedException {
            long end = System.nanoTime() + time.toNanos() / 2;
            Semaphore room = new Semaphore(UNDER_WAY);
            long count = 0;
            long all = BACKLOG / MESSAGE;
            byte[] value = new byte[MESSAGE];
            while (count < all && System.nanoTime() < end) {
                room.acquire();
                Message<byte[], byte[]> message =
                        Message.<byte[], byte[]>of(value).withId("m" + count);
                transport.send(STALLED_CHANNEL, message).whenComplete((receipt, failure) -> {
                    if (failure == null) {
                        confirmed.incrementAndGet();
                    }
                    room.release();
                });
                count++;
                if (count % 64 == 0) {
                    progress.at(0.2 + 0.5 * count / all, confirmed.get() * MESSAGE / (1 << 20) + " MiB of backlog");
                }
            }
            if (!room.tryAcquire(UNDER_WAY, 60, TimeUnit.SECONDS)) {
                results.violation("sends of the backlog stay without an answer");
            }
            if (confirmed.get() < count) {
                results.violation((count - confirmed.get()) + " messages of the backlog were refused");
            }
            if (count < all) {
                results.notRun(
                        "the backlog beyond " + count * MESSAGE / (1 << 20) + " MiB of " + (BACKLOG >> 20),
                        "the time given was over");
            }
        }

        /** A consumer that asks for a thousand messages and reads none. */
        private Socket stall() throws IOException {
            String[] address = server.authority().split(":", 2);
            Socket socket = new Socket();
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress(InetAddress.getByName(address[0]), Integer.parseInt(address[1])));
            String body = "{\"prefetch\":1000}";
            OutputStream out = socket.getOutputStream();
            out.write(("POST /api/v1/channels/" + STALLED_CHANNEL + "/consume HTTP/1.1\r\nHost: " + server.authority()
                            + "\r\nAccept: application/x-ndjson\r\nContent-Type: application/json\r\nContent-Length: "
                            + body.length() + "\r\n\r\n" + body)
                    .getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return socket;
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
