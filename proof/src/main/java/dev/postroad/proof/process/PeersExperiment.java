package dev.postroad.proof.process;

import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.Experiment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * {@code peers}: the same kills and power cuts, by the same programs and the same checker, done to Postroad, RabbitMQ, NATS
 * JetStream and Kafka: each as it comes, and where it has one in its safest setting. What peers lose is a figure; only what
 * Postroad loses is a violation.
 */
public final class PeersExperiment implements Experiment {
    private static final Lane.Mix MIX = Lane.Mix.USUAL.withConsumers(1);

    /** Brokers write down by and by what they have made: within four seconds RabbitMQ which files are a quorum queue's. */
    private static final Duration SETTLING = Duration.ofSeconds(5);

    private static final Duration DELIVERY = Duration.ofSeconds(60);

    /** For the book. */
    public PeersExperiment() {}

    @Override
    public String name() {
        return "peers";
    }

    @Override
    public String question() {
        return "What do other brokers keep of what they confirmed, when the same is done to them?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        Random random = new Random(budget.seed());
        try (Workplace tools = Workplace.make("peers")) {
            List<Broker> brokers = List.of(
                    new ServeBroker(),
                    new RabbitBroker(false),
                    new RabbitBroker(true),
                    new NatsBroker(),
                    new KafkaBroker(tools.folder(), false),
                    new KafkaBroker(tools.folder(), true));
            Duration share = budget.time().dividedBy(2L * brokers.size());
            String noDisk = LoopDisk.Kind.EXT4.missing();
            double done = 0;
            for (Broker broker : brokers) {
                String missing = broker.missing();
                if (missing != null) {
                    results.notRun(broker.name(), missing);
                    continue;
                }
                double from = done / brokers.size();
                Progress own = (fraction, text) -> progress.at(from + fraction / (2 * brokers.size()), text);
                Results trouble = new Results("");
                PowerCutExperiment.Rate kills = killed(broker, share, random, trouble, own);
                write(results, broker, "killed", kills, trouble.first());
                if (noDisk != null) {
                    results.notRun(broker.name() + ", power cut", noDisk);
                } else {
                    Results scratch = new Results("");
                    PowerCutExperiment.Rate rate = PowerCutExperiment.cut(
                            LoopDisk.Kind.EXT4,
                            (data, safe, chance) -> served(broker, data, chance),
                            new Turns(share, Integer.MAX_VALUE),
                            random,
                            scratch,
                            own);
                    write(results, broker, "power cut", rate, scratch.first());
                }
                done++;
            }
            results.notRun(
                    "NATS JetStream that syncs each message",
                    "the version Debian packages has no such setting; it syncs every two minutes");
        }
        return results.outcome();
    }

    /** As on a machine that has run for a while: only what it writes under load can be lost. */
    private static Served served(Broker broker, Path data, Random random) {
        Lane lane = new Lane("proof", Lane.Kind.PLAIN, random.nextInt(), MIX);
        AtomicBoolean settled = new AtomicBoolean();
        return new Served(broker, data, List.of(lane), random.nextLong(), () -> {
            if (!settled.getAndSet(true)) {
                KillExperiment.linger(SETTLING.toMillis());
            }
            Machine.mustUnchecked("sync", "-f", data.toString());
        });
    }

    private static void write(
            Results results, Broker broker, String deed, PowerCutExperiment.Rate rate, String trouble) {
        String row = broker.name() + ", " + deed;
        if (rate.verdicts().isEmpty()) {
            String what = "it did not come back: " + trouble;
            if (broker instanceof ServeBroker) {
                results.violation(row + ": " + what);
            } else {
                results.notRun(row, what);
            }
            return;
        }
        results.count(row + ": times", rate.cuts());
        results.count(row + ": confirmed", rate.confirmed());
        results.count(row + ": lost", rate.lost());
        results.figure(row + ": confirmed rate", rate.perSecond(), "messages/s");
        if (broker instanceof ServeBroker) {
            results.judge(row, rate.verdicts());
        }
    }

    /** Kills it again and again; at least once. */
    private static PowerCutExperiment.Rate killed(
            Broker broker, Duration time, Random random, Results trouble, Progress progress) throws Exception {
        Turns turns = new Turns(time, Integer.MAX_VALUE);
        double seconds = 0;
        try (Workplace place = Workplace.make("peer");
                Served subject = served(broker, place.at("data"), random)) {
            while (turns.another()) {
                subject.start();
                long started = System.nanoTime();
                subject.awaitDelivery(DELIVERY);
                KillExperiment.underLoad(subject, random, KillExperiment.MOST_CONFIRMED);
                seconds += (System.nanoTime() - started) / 1e9;
                subject.kill();
                turns.count();
                progress.at(
                        turns.fraction(),
                        subject.name() + ": " + turns.done() + " kills, " + subject.confirmed() + " confirmed");
            }
            subject.drain();
            List<Verdict> verdicts = subject.verdicts();
            long lost = verdicts.stream().mapToLong(Verdict::lost).sum();
            return new PowerCutExperiment.Rate(turns.done(), subject.confirmed(), lost, seconds, verdicts);
        } catch (AssertionError | RuntimeException e) {
            trouble.violation(broker.name() + ", after " + turns.done() + " kills: " + e);
            return new PowerCutExperiment.Rate(turns.done(), 0, 0, seconds, List.of());
        }
    }
}
