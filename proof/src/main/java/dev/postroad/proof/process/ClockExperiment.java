package dev.postroad.proof.process;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Message.Properties;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transport;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code clock}: the server's wall clock is somewhere else after each restart, and moves while it runs; the monotonic clock is as
 * it was. A scheduled message comes once and never before the clock says so; what has time to live does not expire early; a
 * lease runs out although the clock went back.
 */
public final class ClockExperiment implements Experiment {
    private static final String SCHEDULED = "scheduled";
    private static final String MORTAL = "mortal";
    private static final String LEASED = "leased";
    private static final int MESSAGES = 20;
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Duration A_WHILE = Duration.ofMillis(1_500);

    /** For the book. */
    public ClockExperiment() {}

    @Override
    public String name() {
        return "clock";
    }

    @Override
    public String question() {
        return "Do schedules, expiry and leases keep their word when the wall clock jumps, forwards and back?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        String missing = Preload.missing();
        if (missing != null) {
            results.notRun("a shifted clock", missing);
            return results.outcome();
        }
        long begin = System.nanoTime();
        int rounds = 0;
        while (rounds < 1
                || (System.nanoTime() - begin) * (rounds + 1.0) / rounds
                        < budget.time().toNanos()) {
            int round = rounds;
            try (Workplace place = Workplace.make(name())) {
                new Round(
                                place,
                                Preload.make(place, "shifted-clock"),
                                results,
                                step -> progress.at(
                                        (System.nanoTime() - begin)
                                                / (double) budget.time().toNanos(),
                                        "round " + (round + 1) + ": " + step))
                        .run();
            } catch (AssertionError e) {
                results.violation(String.valueOf(e.getMessage()));
            }
            rounds++;
        }
        results.count("rounds of four clocks", rounds);
        return results.outcome();
    }

    private interface Steps {
        void at(String step);
    }

    private static final class Round {
        private final Workplace place;
        private final Path shift;
        private final Results results;
        private final Steps steps;
        private final ServeBroker broker;
        private final Map<String, Integer> seen = new TreeMap<>();

        Round(Workplace place, Path library, Results results, Steps steps) {
            this.place = place;
            this.results = results;
            this.steps = steps;
            this.shift = place.at("shift");
            this.broker = new ServeBroker()
                    .withEnvironment(Preload.VARIABLE, library.toString())
                    .withEnvironment("SHIFTED_CLOCK", shift.toString());
        }

        /** Where the server's clock is from now on. */
        private void shift(Duration by) throws IOException {
            byte[] seconds = ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .putLong(by.toSeconds())
                    .array();
            // In place: a process that runs has the file mapped.
            Files.write(shift, seconds, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        }

        private interface Step {
            void run(Postroad postroad) throws Exception;
        }

        /** One life of the server, with its clock shifted so far. */
        private void at(String what, Duration by, Step step) throws Exception {
            steps.at(what);
            shift(by);
            try (ServeBroker.Server server = broker.start(place.at("data"))) {
                Postroad postroad = Postroad.connect(server.url());
                try (postroad) {
                    step.run(postroad);
                }
                server.kill();
            }
        }

        void run() throws Exception {
            Duration hour = Duration.ofHours(1);
            at("the true clock", Duration.ZERO, this::send);
            at("half an hour on", hour.dividedBy(2), postroad -> require(postroad, 0, "half an hour early"));
            at("a day back", Duration.ofDays(-1), postroad -> {
                require(postroad, 0, "with the clock a day back");
                requireAlive(postroad, "with the clock a day back");
            });
            at("two hours on", hour.multipliedBy(2), postroad -> {
                require(postroad, MESSAGES, "two hours on");
                requireExpired(postroad);
            });
            at("back again", Duration.ZERO, postroad -> require(postroad, MESSAGES, "back again"));
            at("a year on", Duration.ofDays(365), postroad -> require(postroad, MESSAGES, "a year on"));
            at("moving while it runs", Duration.ZERO, this::leases);
        }

        private void send(Postroad postroad) {
            postroad.declare(
                    Channel.command(SCHEDULED),
                    Channel.command(MORTAL),
                    // The holder may get it again and again before the other has come.
                    Channel.command(LEASED).withPrefetch(1).withRetry(RetryPolicy.DEFAULT.withMaxAttempts(1_000)));
            Instant due = Instant.now().plus(Duration.ofHours(1));
            for (int i = 0; i < MESSAGES; i++) {
                send(postroad, SCHEDULED, i, Properties.NONE.withDeliverAt(due));
                send(postroad, MORTAL, i, Properties.NONE.withTtl(Duration.ofHours(1)));
            }
            send(postroad, LEASED, 0, Properties.NONE);
        }

        private static void send(Postroad postroad, String channel, int number, Properties properties) {
            Message<byte[], byte[]> message = Message.of((channel + number).getBytes(StandardCharsets.US_ASCII));
            postroad.transport()
                    .sendAndWait(channel, message.withProperties(properties.withId(channel + "-" + number)));
        }

        /** All scheduled messages have come once by now, or none. */
        private void require(Postroad postroad, int messages, String when) throws InterruptedException {
            try (Transport.Receiver receiver =
                    postroad.transport().receive(List.of(SCHEDULED), ConsumerOptions.DEFAULT)) {
                long end = System.nanoTime() + SOON.toNanos();
                while (seen.size() < messages && System.nanoTime() < end) {
                    take(receiver, A_WHILE);
                }
                take(receiver, A_WHILE);
            }
            if (seen.size() != messages) {
                results.violation(when + ": " + seen.size() + " of " + MESSAGES
                        + " scheduled messages have come, and should " + messages);
            }
            seen.forEach((id, times) -> {
                if (times > 1) {
                    results.violation(when + ": scheduled message " + id + " has come " + times + " times");
                }
            });
        }

        private void take(Transport.Receiver receiver, Duration wait) throws InterruptedException {
            for (Delivery<byte[], byte[]> delivery : receiver.receive(1_000, wait)) {
                seen.merge(String.valueOf(delivery.message().id()), 1, Integer::sum);
                delivery.acknowledge().join();
            }
        }

        private static @Nullable ChannelStatus status(Postroad postroad, String channel) {
            return postroad.administration().channels().stream()
                    .filter(each -> each.channel().name().equals(channel))
                    .findFirst()
                    .orElse(null);
        }

        private void requireAlive(Postroad postroad, String when) {
            ChannelStatus status = status(postroad, MORTAL);
            if (status == null || status.ready() != MESSAGES) {
                results.violation(when + ": messages that live for an hour are gone early: " + status);
            }
        }

        private void requireExpired(Postroad postroad) throws InterruptedException {
            try (Transport.Receiver receiver = postroad.transport().receive(List.of(MORTAL), ConsumerOptions.DEFAULT)) {
                List<Delivery<byte[], byte[]>> late = receiver.receive(1_000, A_WHILE);
                if (!late.isEmpty()) {
                    results.violation("two hours on: " + late.size() + " messages that live for an hour still came");
                }
            }
        }

        /** Holds a message under a lease of two seconds while the clock goes a day back, and then a day on. */
        private void leases(Postroad postroad) throws Exception {
            for (Duration jump : List.of(Duration.ofDays(-1), Duration.ofDays(1))) {
                ConsumerOptions options =
                        ConsumerOptions.DEFAULT.withLease(Duration.ofSeconds(2)).withPrefetch(1);
                try (Transport.Receiver holder = postroad.transport().receive(List.of(LEASED), options)) {
                    List<Delivery<byte[], byte[]>> held = holder.receive(1, SOON);
                    shift(jump);
                    try (Transport.Receiver other = postroad.transport().receive(List.of(LEASED), options)) {
                        List<Delivery<byte[], byte[]>> again = other.receive(1, SOON);
                        if (held.size() != 1 || again.size() != 1) {
                            results.violation("the clock went " + jump + " while a lease of 2 s was held: "
                                    + (held.isEmpty() ? "nobody had" : "nobody else got") + " the message within "
                                    + SOON.toSeconds() + " s");
                        }
                    }
                }
                shift(Duration.ZERO);
            }
        }
    }
}
