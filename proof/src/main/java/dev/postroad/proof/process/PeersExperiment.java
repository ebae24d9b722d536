package dev.postroad.proof.process;

import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/**
 * {@code peers}: the same kills and power cuts, by the same programs and the same checker, done to Postroad, RabbitMQ, NATS
 * JetStream and Kafka: each as it comes, and where it has one in its safest setting. What peers lose is a figure; only what
 * Postroad loses is a violation.
 */
public final class PeersExperiment implements Experiment {
    private static final Lane.Mix MIX = Lane.Mix.USUAL.withConsumers(1);
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
                            (data, safe, chance) -> new Served(broker, data, lanes(chance), chance.nextLong()),
                            share,
                            Integer.MAX_VALUE,
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

    private static List<Lane> lanes(Random random) {
        return List.of(new Lane("proof", Lane.Kind.PLAIN, random.nextInt(), MIX));
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
        long begin = System.nanoTime();
        int kills = 0;
        double seconds = 0;
        try (Workplace place = Workplace.make("peer");
                Served subject = new Served(broker, place.at("data"), lanes(random), random.nextLong())) {
            while (kills < 1 || System.nanoTime() - begin < time.toNanos() * 0.8) {
                subject.start();
                long started = System.nanoTime();
                subject.awaitDelivery(DELIVERY);
                KillExperiment.underLoad(subject, random, KillExperiment.MOST_CONFIRMED);
                seconds += (System.nanoTime() - started) / 1e9;
                subject.kill();
                kills++;
                progress.at(
                        (System.nanoTime() - begin) / (double) time.toNanos(),
                        subject.name() + ": " + kills + " kills, " + subject.confirmed() + " confirmed");
            }
            subject.drain();
            List<Verdict> verdicts = subject.verdicts();
            long lost = verdicts.stream().mapToLong(Verdict::lost).sum();
            return new PowerCutExperiment.Rate(kills, subject.confirmed(), lost, seconds, verdicts);
        } catch (AssertionError | RuntimeException e) {
            trouble.violation(broker.name() + ", after " + kills + " kills: " + e);
            return new PowerCutExperiment.Rate(kills, 0, 0, seconds, List.of());
        }
    }
}
