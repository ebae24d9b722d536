package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;

/**
 * {@code failing-sync}: fsync fails below the JVM, once or for ever. The broker must stop confirming, say so, and stay stopped
 * although a later fsync would succeed; started again it must have all that was confirmed.
 */
public final class FailingSyncExperiment implements Experiment {
    private static final Duration DELIVERY = Duration.ofSeconds(60);
    private static final long SETTLE_MILLIS = 1_000;
    private static final long WATCH_MILLIS = 2_000;

    /** For the book. */
    public FailingSyncExperiment() {}

    @Override
    public String name() {
        return "failing-sync";
    }

    @Override
    public String question() {
        return "Does the broker ever confirm after an fsync has failed, even if later ones succeed?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        String missing = Preload.missing();
        if (missing != null) {
            results.notRun("failing fsync", missing);
            return results.outcome();
        }
        Random random = new Random(budget.seed());
        long begin = System.nanoTime();
        int rounds = 0;
        long confirmed = 0;
        try (Workplace place = Workplace.make(name())) {
            Path library = Preload.make(place, "failing-sync");
            while (rounds < 2 || System.nanoTime() - begin < budget.time().toNanos() * 0.85) {
                confirmed += round(place, library, rounds, random, results);
                rounds++;
                progress.at(
                        (System.nanoTime() - begin) / (double) budget.time().toNanos(),
                        rounds + " failures, " + confirmed + " confirmed before them");
            }
        }
        results.count("failed fsyncs", rounds);
        results.count("messages confirmed before them", confirmed);
        return results.outcome();
    }

    private static long round(Workplace place, Path library, int round, Random random, Results results)
            throws Exception {
        Path trigger = place.at("fail-" + round);
        boolean once = round % 2 == 0;
        String where = once ? "one failed fsync" : "fsync fails for ever";
        ServeBroker broker = new ServeBroker()
                .withEnvironment(Preload.VARIABLE, library.toString())
                .withEnvironment("FAILING_SYNC", trigger.toString());
        if (once) {
            broker = broker.withEnvironment("FAILING_SYNC_ONCE", "yes");
        }
        try (Served served = new Served(
                broker, place.at("data-" + round), EmbeddingProgram.lanes(random.nextInt()), random.nextLong())) {
            served.start();
            served.awaitDelivery(DELIVERY);
            KillExperiment.linger(random.nextInt(500));
            Files.createFile(trigger);
            Await.until("the broker says that its storage failed", () -> health(served) != 200);
            KillExperiment.linger(SETTLE_MILLIS);
            long then = served.confirmed();
            KillExperiment.linger(WATCH_MILLIS);
            long now = served.confirmed();
            if (now != then) {
                results.violation(where + ": " + (now - then) + " messages were confirmed after the failure");
            }
            if (served.tail().stream().noneMatch(line -> line.contains("ERROR") || line.contains("WARN"))) {
                results.violation(where + ": the log says nothing of the failure: " + served.tail());
            }
            served.kill();
            Files.deleteIfExists(trigger);
            served.drain();
            results.judge(where, served.verdicts());
            return now;
        } catch (AssertionError e) {
            results.violation(where + ": " + e.getMessage());
            return 0;
        }
    }

    /** Whether the server says that it is ready to serve: 200 if so. */
    static int health(Served served) throws IOException, InterruptedException {
        if (!(served.running() instanceof ServeBroker.Server server)) {
            throw new IllegalStateException(served.name() + " has no health");
        }
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create(server.url() + "/health/ready"))
                                    .timeout(DELIVERY)
                                    .build(),
                            BodyHandlers.discarding())
                    .statusCode();
        }
    }
}
