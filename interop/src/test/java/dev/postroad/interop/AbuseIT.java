package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.MessageProperties;
import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that misbehave in every way at once, beside one that does not: it keeps its latency, and the server its memory. The
 * server has 96 MiB of heap.
 */
class AbuseIT {
    private static final int PACE_MICROS = 4_000;
    private static final int SAMPLES = 700;
    private static final int HALF_OPEN = 400;
    private static final int BACKLOG = 20_000;

    /** What the p99 may grow by beyond the double: the abusers' own work takes the same processors. */
    private static final double SLACK_MILLIS = 100;

    private static final double HEAP_GROWTH_MEGABYTES = 32;

    @TempDir
    Path folder;

    /** Does one bad thing, again and again, until it is interrupted by the end of the test. */
    private interface Abuse {
        void once(Server server) throws IOException, InterruptedException;
    }

    private volatile boolean abusing = true;
    private final List<RawClient> kept = new ArrayList<>();

    @Test
    void anHonestClientKeepsItsLatencyAndTheServerItsMemory() throws Exception {
        try (Server server = Server.postroad(folder, List.of("-Xmx96m"), 0);
                Connection connection = server.factory().newConnection()) {
            Channel honest = connection.createChannel();
            honest.queueDeclare("honest", true, false, false, null);
            honest.basicConsume("honest", true, (tag, message) -> {}, tag -> {});
            honest.queueDeclare("victim", true, false, false, null);
            honest.confirmSelect();
            fill(honest);
            latencies(honest, SAMPLES); // warm
            double[] undisturbed = latencies(honest, SAMPLES);
            double heapBefore = liveHeapMegabytes(server);

            List<Thread> abusers = new ArrayList<>();
            CountDownLatch begun = new CountDownLatch(abuses().size());
            for (Abuse abuse : abuses()) {
                abusers.add(Thread.ofPlatform().start(() -> repeat(abuse, server, begun)));
            }
            assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
            double[] disturbed = latencies(honest, SAMPLES);
            double heapDuring = liveHeapMegabytes(server);
            abusing = false;
            for (RawClient client : List.copyOf(kept)) {
                client.close();
            }
            for (Thread abuser : abusers) {
                abuser.interrupt();
                abuser.join(30_000);
            }
            double[] after = latencies(honest, SAMPLES);

            System.out.printf(
                    "confirm p50 / p99 of the honest client: undisturbed %.2f / %.2f ms, disturbed %.2f / %.2f ms, afterwards"
                            + " %.2f / %.2f ms; live heap %.1f MiB before, %.1f MiB during%n",
                    percentile(undisturbed, 50),
                    percentile(undisturbed, 99),
                    percentile(disturbed, 50),
                    percentile(disturbed, 99),
                    percentile(after, 50),
                    percentile(after, 99),
                    heapBefore,
                    heapDuring);
            assertThat(percentile(disturbed, 99)).isLessThan(2 * percentile(undisturbed, 99) + SLACK_MILLIS);
            assertThat(heapDuring - heapBefore)
                    .as("MiB that the live heap grew by")
                    .isLessThan(HEAP_GROWTH_MEGABYTES);
            assertThat(connection.isOpen()).isTrue();
        }
    }

    private List<Abuse> abuses() {
        return List.of(
                this::holdHalfOpen,
                this::dribble,
                this::oversizedFrame,
                this::wrongOrder,
                this::stalledConsumer,
                this::deafPublisher);
    }

    /** Connections that never say a word. */
    private void holdHalfOpen(Server server) throws IOException, InterruptedException {
        if (size() < HALF_OPEN) {
            keep(new RawClient(server.amqpPort()));
        } else {
            pause(50_000);
        }
    }

    /** A handshake a byte at a time. */
    private void dribble(Server server) throws IOException, InterruptedException {
        try (RawClient client = new RawClient(server.amqpPort())) {
            for (byte each : RawClient.HEADER) {
                client.send(new byte[] {each});
                pause(20_000);
            }
        }
    }

    /** A frame that says it is 2 GiB long. */
    private void oversizedFrame(Server server) throws IOException, InterruptedException {
        try (RawClient client = new RawClient(server.amqpPort())) {
            client.open();
            client.send(new byte[] {3, 0, 1, 0x7F, -1, -1, -1, 1, 2, 3, 4});
            client.awaitEnd();
        }
        pause(5_000);
    }

    /** Methods that have no business where they are. */
    private void wrongOrder(Server server) throws IOException, InterruptedException {
        try (RawClient client = new RawClient(server.amqpPort())) {
            client.send(RawClient.HEADER);
            client.read();
            client.send(RawClient.method(1, 20, 10, "00"));
            client.awaitEnd();
        }
        try (RawClient client = new RawClient(server.amqpPort()).open()) {
            client.send(RawClient.method(7, 60, 80, "000000000000000100"));
            client.awaitEnd();
        }
        pause(5_000);
    }

    /** Asks for everything at once and reads nothing of it. */
    private void stalledConsumer(Server server) throws IOException, InterruptedException {
        RawClient client = new RawClient(server.amqpPort()).open();
        keep(client);
        client.send(RawClient.method(1, 60, 10, "00000000" + "ffff" + "00"));
        client.send(RawClient.method(1, 60, 20, "0000" + "06" + "76696374696d" + "00" + "00" + "00000000"));
        pause(1_000_000);
    }

    /** Publishes with confirms and never reads one. */
    private void deafPublisher(Server server) throws IOException, InterruptedException {
        try (RawClient client = new RawClient(server.amqpPort()).open()) {
            keep(client);
            client.send(RawClient.method(1, 85, 10, "00"));
            byte[] message = RawClient.publish("nobody");
            while (abusing) {
                client.send(message);
                pause(1_000);
            }
        }
    }

    private void repeat(Abuse abuse, Server server, CountDownLatch begun) {
        begun.countDown();
        while (abusing) {
            try {
                abuse.once(server);
            } catch (IOException | InterruptedException e) {
                pause(1_000); // thrown out: again
            }
        }
    }

    private static void pause(long micros) {
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(micros));
    }

    private synchronized void keep(RawClient client) {
        kept.add(client);
    }

    private synchronized int size() {
        return kept.size();
    }

    private static void fill(Channel channel) throws Exception {
        for (int i = 0; i < BACKLOG; i++) {
            channel.basicPublish("", "victim", MessageProperties.PERSISTENT_BASIC, new byte[1024]);
        }
        channel.waitForConfirmsOrDie(60_000);
    }

    /** Milliseconds from publishing to the confirm, at a steady pace, in order of size. */
    private static double[] latencies(Channel channel, int count) throws Exception {
        double[] millis = new double[count];
        for (int i = 0; i < count; i++) {
            long begun = System.nanoTime();
            channel.basicPublish("", "honest", MessageProperties.PERSISTENT_BASIC, new byte[100]);
            channel.waitForConfirmsOrDie(30_000);
            millis[i] = (System.nanoTime() - begun) / 1e6;
            pause(PACE_MICROS);
        }
        Arrays.sort(millis);
        return millis;
    }

    private static double percentile(double[] sorted, int percent) {
        return sorted[(int) ((long) sorted.length * percent / 100)];
    }

    static double liveHeapMegabytes(Server server) {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        try (ChildProcess histogram = ChildProcess.command(jcmd, String.valueOf(server.pid()), "GC.class_histogram")
                .start()) {
            histogram.awaitExit(Duration.ofSeconds(60));
            Matcher total = Pattern.compile("Total\\s+\\d+\\s+(\\d+)").matcher(String.join("\n", histogram.tail()));
            assertThat(total.find()).as(String.join("\n", histogram.tail())).isTrue();
            return Double.parseDouble(total.group(1)) / (1 << 20);
        }
    }
}
