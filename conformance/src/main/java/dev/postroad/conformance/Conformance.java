package dev.postroad.conformance;

import dev.postroad.api.Capability;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.conformance.ConformanceReport.Outcome;
import dev.postroad.conformance.ConformanceReport.Result;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Holds a transport to the contract.
 *
 * <pre>{@code
 *   ConformanceReport report = Conformance.run(
 *           () -> Postroad.connect("embedded:data"),
 *           Conformance.Options.DEFAULT.withReopen(old -> { old.close(); return Postroad.connect("embedded:data"); }));
 *   System.out.print(report.table());
 * }</pre>
 */
public final class Conformance {
    private Conformance() {}

    /**
     * How to run. Begin with {@link #DEFAULT}.
     *
     * @param seed what randomness begins with; null for a new one, which the report tells
     * @param patience how long to wait for what must come; a check as a whole has six times that
     * @param reopen gives a new connection to the same broker with the same data, having closed the one it is given, or
     *     killed the broker; null if there is no way, so that what survives is not proven
     * @param listener is told of each check as it ends
     * @param only runs only checks whose sentence or need contains one of these words; empty for all
     * @param atOnce so many checks at the same time, 1 to 100, each on channels of its own; those that reopen the connection
     *     run alone, after the others
     * @param more checks besides, such as those of the patterns
     */
    public record Options(
            @Nullable Long seed,
            Duration patience,
            @Nullable UnaryOperator<Postroad> reopen,
            Listener listener,
            List<String> only,
            int atOnce,
            List<Check> more) {

        /** A new seed, 20 seconds of patience, no way to reopen, nobody told, all checks, one after the other. */
        public static final Options DEFAULT =
                new Options(null, Duration.ofSeconds(20), null, (result, done, total) -> {}, List.of(), 1, List.of());

        public Options {
            if (patience.toMillis() < 1) {
                throw new IllegalArgumentException("patience is " + patience + "; it must be at least 1 ms");
            }
            if (atOnce < 1 || atOnce > 100) {
                throw new IllegalArgumentException("atOnce is " + atOnce + "; it must be 1 to 100");
            }
            only = List.copyOf(only);
            more = List.copyOf(more);
        }

        /** These options with a seed. */
        public Options withSeed(long newSeed) {
            return new Options(newSeed, patience, reopen, listener, only, atOnce, more);
        }

        /** These options with another patience. */
        public Options withPatience(Duration newPatience) {
            return new Options(seed, newPatience, reopen, listener, only, atOnce, more);
        }

        /** These options with a way to reopen. */
        public Options withReopen(UnaryOperator<Postroad> newReopen) {
            return new Options(seed, patience, newReopen, listener, only, atOnce, more);
        }

        /** These options with a listener. */
        public Options withListener(Listener newListener) {
            return new Options(seed, patience, reopen, newListener, only, atOnce, more);
        }

        /** These options for some of the checks. */
        public Options withOnly(String... words) {
            return new Options(seed, patience, reopen, listener, List.of(words), atOnce, more);
        }

        /** These options with checks besides those of the kit. */
        public Options withMore(List<Check> newMore) {
            return new Options(seed, patience, reopen, listener, only, atOnce, newMore);
        }

        /** These options with another number of checks at the same time. */
        public Options withAtOnce(int newAtOnce) {
            return new Options(seed, patience, reopen, listener, only, newAtOnce, more);
        }
    }

    /** Follows a run. */
    @FunctionalInterface
    public interface Listener {
        /** A check has ended, the {@code done}th of {@code total}. Called by one thread at a time, in the order of their ends. */
        void finished(Result result, int done, int total);
    }

    /**
     * Runs the kit: some hundred checks, on channels with names of their own that are deleted again.
     *
     * @param open opens a connection; it is closed in the end
     */
    public static ConformanceReport run(Supplier<Postroad> open, Options options) {
        long seed = options.seed() == null ? new SecureRandom().nextLong() >>> 1 : options.seed();
        long start = System.nanoTime();
        Facts facts = new Facts();
        List<Result> results = new ArrayList<>();
        String url;
        try (Bench bench = new Bench(open.get(), options, seed, facts)) {
            url = bench.postroad().transport().url();
            List<Check> checks = selected(bench.postroad().transport().capabilities(), options);
            results.addAll(results(bench, checks, options));
        }
        return new ConformanceReport(url, seed, Duration.ofNanos(System.nanoTime() - start), facts.fitness(), results);
    }

    /** In the order of the checks. */
    private static List<Result> results(Bench bench, List<Check> checks, Options options) {
        Map<Check, Result> results = new HashMap<>();
        Consumer<Check> run = check -> {
            Result result = result(bench, check);
            synchronized (results) {
                results.put(check, result);
                options.listener().finished(result, results.size(), checks.size());
            }
        };
        Map<Boolean, List<Check>> alone = checks.stream().collect(Collectors.partitioningBy(Check::reopens));
        Queue<Check> waiting = new ConcurrentLinkedQueue<>(alone.getOrDefault(false, List.of()));
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < Math.min(options.atOnce(), waiting.size()); i++) {
            workers.add(Thread.ofVirtual().name("conformance-" + i).start(() -> {
                for (Check next = waiting.poll(); next != null; next = waiting.poll()) {
                    run.accept(next);
                }
            }));
        }
        try {
            for (Thread worker : workers) {
                worker.join();
            }
        } catch (InterruptedException e) {
            workers.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
        }
        alone.getOrDefault(true, List.of()).forEach(run);
        return checks.stream().map(results::get).filter(Objects::nonNull).toList();
    }

    /** The sentences of all checks, each with the need it proves in front; for listings. */
    public static List<String> checks() {
        return all().map(check -> (check.need() == null ? "" : check.need() + ": ") + check.sentence())
                .toList();
    }

    private static Stream<Check> all() {
        return Stream.of(
                        BaseChecks.all(),
                        BadInputChecks.all(),
                        AdministrationChecks.all(),
                        SurvivalChecks.all(),
                        DeliveryChecks.all(),
                        OrderChecks.all(),
                        DeadLetterChecks.all(),
                        QueueChecks.all(),
                        StreamChecks.all(),
                        TransactionChecks.all(),
                        RequestChecks.all())
                .flatMap(List::stream);
    }

    private static List<Check> selected(Map<Need, Capability> capabilities, Options options) {
        List<Check> checks =
                new ArrayList<>(all().filter(check -> check.need() == null).toList());
        for (Need need : Need.values()) {
            Capability capability = capabilities.get(need);
            if (capability != null && capability.support() == Capability.Support.IMPOSSIBLE) {
                checks.add(ImpossibleChecks.refusalOf(need));
            } else {
                all().filter(check -> check.need() == need).forEach(checks::add);
                if (capability != null && capability.upTo() != null) {
                    ImpossibleChecks.refusalBeyond(need, capability.upTo()).ifPresent(checks::add);
                }
            }
        }
        checks.addAll(options.more());
        List<String> only = options.only();
        checks.removeIf(check -> !only.isEmpty() && only.stream().noneMatch(word -> matches(check, word)));
        return checks;
    }

    private static boolean matches(Check check, String word) {
        String text = check.sentence() + " " + check.need();
        return text.toLowerCase(Locale.ROOT).contains(word.toLowerCase(Locale.ROOT));
    }

    private static Result result(Bench bench, Check check) {
        Map<Need, Capability> capabilities = bench.postroad().transport().capabilities();
        Capability capability = check.need() == null ? null : capabilities.get(check.need());
        Capability.Support support = capability == null ? null : capability.support();
        if (check.need() != null && capability == null) {
            return new Result(
                    check.need(),
                    null,
                    check.sentence(),
                    Outcome.FAILED,
                    "the transport's capabilities do not tell how it meets " + check.need(),
                    Duration.ZERO);
        }
        String obstacle = obstacle(bench, check, capabilities);
        if (obstacle != null) {
            Outcome outcome = check.ofPattern() ? Outcome.IMPOSSIBLE : Outcome.NOT_PROVEN;
            return new Result(check.need(), support, check.sentence(), outcome, obstacle, Duration.ZERO);
        }
        long start = System.nanoTime();
        AtomicReference<String> impossible = new AtomicReference<>();
        String found = run(bench, check, impossible);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        String why = impossible.get();
        if (why != null) {
            return new Result(check.need(), support, check.sentence(), Outcome.IMPOSSIBLE, why, took);
        }
        if (found != null) {
            return new Result(check.need(), support, check.sentence(), Outcome.FAILED, found, took);
        }
        boolean refused = support == Capability.Support.IMPOSSIBLE;
        return new Result(
                check.need(),
                support,
                check.sentence(),
                refused ? Outcome.IMPOSSIBLE : Outcome.PASSED,
                refused && capability != null ? capability.note() : "",
                took);
    }

    private static @Nullable String obstacle(Bench bench, Check check, Map<Need, Capability> capabilities) {
        Set<Need> missing = new TreeSet<>();
        for (Need need : check.uses()) {
            Capability capability = capabilities.get(need);
            if (capability == null || capability.support() == Capability.Support.IMPOSSIBLE) {
                missing.add(need);
            }
        }
        if (!missing.isEmpty()) {
            return (check.ofPattern() ? "it takes " : "trying it takes ") + missing + ", which is impossible here"
                    + (check.ofPattern() ? reasons(missing, capabilities) : "");
        }
        return check.reopens() && !bench.reopens() ? "no way to reopen the connection was given" : null;
    }

    private static String reasons(Set<Need> missing, Map<Need, Capability> capabilities) {
        return missing.stream()
                .map(capabilities::get)
                .filter(Objects::nonNull)
                .map(capability -> ": " + capability.note())
                .collect(Collectors.joining());
    }

    /** What was found not to be so; null if all is well. */
    /** @param impossible told why, if a pattern says that it can't be had on this transport */
    private static @Nullable String run(Bench bench, Check check, AtomicReference<String> impossible) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Probe probe = bench.probe(check.sentence());
        Thread thread = Thread.ofVirtual().name("conformance").start(() -> {
            try (probe) {
                check.body().run(probe);
            } catch (MessagingException e) {
                if (check.ofPattern() && e.reason() == MessagingException.Reason.IMPOSSIBLE_NEED) {
                    impossible.set(String.valueOf(e.getMessage()));
                } else {
                    ended.completeExceptionally(e);
                }
            } catch (Throwable e) {
                ended.completeExceptionally(e);
            }
            // Only now, when the probe is closed too.
            ended.complete(null);
        });
        long limitMillis = bench.patience().toMillis() * 6;
        try {
            ended.get(limitMillis, TimeUnit.MILLISECONDS);
            return null;
        } catch (ExecutionException e) {
            return described(e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            String where = Arrays.stream(thread.getStackTrace())
                    .filter(frame -> frame.getClassName().startsWith("dev.postroad.conformance"))
                    .findFirst()
                    .map(frame -> ", at " + frame)
                    .orElse("");
            thread.interrupt();
            return "it did not end within " + limitMillis + " ms" + where;
        } catch (InterruptedException e) {
            thread.interrupt();
            Thread.currentThread().interrupt();
            return "the run was interrupted";
        }
    }

    private static String described(Throwable failure) {
        return failure instanceof CheckFailed ? String.valueOf(failure.getMessage()) : failure.toString();
    }
}
