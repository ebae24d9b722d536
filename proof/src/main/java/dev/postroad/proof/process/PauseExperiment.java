package dev.postroad.proof.process;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Transport;
import dev.postroad.testkit.Experiment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * {@code pause}: SIGSTOP and SIGCONT under load, for moments and for longer than leases last: whatever time passed, nothing is
 * lost, doubled, or settled by one who no longer holds it.
 */
public final class PauseExperiment implements Experiment {
    private static final Duration LEASE = Duration.ofSeconds(1);
    private static final Duration DELIVERY = Duration.ofSeconds(60);

    /** For the book. */
    public PauseExperiment() {}

    @Override
    public String name() {
        return "pause";
    }

    @Override
    public String question() {
        return "Does a process that stands still for longer than every lease lose, double or wrongly settle anything?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        Random random = new Random(budget.seed());
        long nanos = budget.time().toNanos();
        long begin = System.nanoTime();
        int pauses = 0;
        long confirmed = 0;
        try (Workplace place = Workplace.make(name())) {
            List<Subject> subjects = List.of(
                    new Served(
                            new ServeBroker(),
                            place.at("served"),
                            EmbeddingProgram.lanes(random.nextInt()),
                            random.nextLong()),
                    new Embedding(place.at("embedded"), place.folder(), random.nextInt(), random.nextLong()));
            for (Subject each : subjects) {
                try (Subject subject = each) {
                    long end = begin + nanos * (subjects.indexOf(each) + 1) * 4 / 10;
                    subject.start();
                    subject.awaitDelivery(DELIVERY);
                    int done = 0;
                    while (done < 2 || System.nanoTime() < end) {
                        KillExperiment.linger(random.nextInt(500));
                        subject.pause();
                        KillExperiment.linger(random.nextInt(4) == 0 ? 1_500 : random.nextInt(200));
                        subject.resume();
                        done++;
                        progress.at(
                                (System.nanoTime() - begin) / (double) nanos,
                                subject.name() + ": " + done + " pauses, " + subject.confirmed() + " confirmed");
                    }
                    pauses += done;
                    subject.kill();
                    subject.drain();
                    confirmed += subject.confirmed();
                    results.judge(subject.name(), subject.verdicts());
                } catch (AssertionError | RuntimeException e) {
                    results.violation(each.name() + ": " + e);
                }
            }
            int leases = 0;
            while (leases < 1 || System.nanoTime() - begin < nanos * 0.95) {
                lease(place.at("leases-" + leases), results);
                leases++;
                progress.at(
                        (System.nanoTime() - begin) / (double) nanos, leases + " leases run out while it stood still");
            }
            results.count("leases run out while the server stood still", leases);
        }
        results.count("pauses under load", pauses);
        results.count("messages confirmed", confirmed);
        return results.outcome();
    }

    /** The lease of a delivery runs out while the server stands still: somebody else gets the message, once. */
    private static void lease(Path data, Results results) throws Exception {
        ServeBroker.Server server = new ServeBroker().start(data);
        try (server;
                Postroad first = Postroad.connect(server.url());
                Postroad second = Postroad.connect(server.url())) {
            first.declare(Channel.command("leased").withLease(LEASE).withPrefetch(1));
            Message<byte[], byte[]> message = Message.<byte[], byte[]>of("held".getBytes(StandardCharsets.UTF_8))
                    .withId("held");
            first.transport().sendAndWait("leased", message);
            try (Transport.Receiver holder = first.transport().receive(List.of("leased"), options())) {
                Delivery<byte[], byte[]> held = one(holder, results, "the first consumer");
                if (held == null) {
                    return;
                }
                server.pause();
                KillExperiment.linger(2 * LEASE.toMillis());
                server.resume();
                try (Transport.Receiver other = second.transport().receive(List.of("leased"), options())) {
                    Delivery<byte[], byte[]> again = one(other, results, "the second consumer");
                    if (again == null) {
                        return;
                    }
                    if (again.attempt() <= held.attempt()) {
                        results.violation("attempt " + again.attempt() + " follows attempt " + held.attempt());
                    }
                    Reason refused = refusal(held);
                    if (refused != Reason.LEASE_LOST) {
                        results.violation("who lost the lease could settle; told " + refused);
                    }
                    again.acknowledge().join();
                }
            }
            try (Transport.Receiver rest = first.transport().receive(List.of("leased"), options())) {
                if (!rest.receive(1, Duration.ofMillis(300)).isEmpty()) {
                    results.violation("an acknowledged message came back after a lease had run out");
                }
            }
        }
    }

    private static ConsumerOptions options() {
        return ConsumerOptions.DEFAULT.withPrefetch(1);
    }

    private static @Nullable Delivery<byte[], byte[]> one(Transport.Receiver receiver, Results results, String who)
            throws InterruptedException {
        List<Delivery<byte[], byte[]>> taken = receiver.receive(1, Duration.ofSeconds(20));
        if (taken.isEmpty()) {
            results.violation(who + " did not get the message within 20 s");
            return null;
        }
        return taken.getFirst();
    }

    private static @Nullable Reason refusal(Delivery<byte[], byte[]> delivery) {
        try {
            delivery.acknowledge().join();
            return null;
        } catch (CompletionException e) {
            return e.getCause() instanceof MessagingException said ? said.reason() : Reason.FAILED;
        }
    }
}
