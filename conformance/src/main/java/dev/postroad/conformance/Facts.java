package dev.postroad.conformance;

import dev.postroad.conformance.ConformanceReport.Criterion;
import dev.postroad.conformance.ConformanceReport.Fitness;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** What the checks counted for the fitness criteria. Safe for use by many threads. */
final class Facts {
    private final Map<Criterion, AtomicLong> expected = new ConcurrentHashMap<>();
    private final Map<Criterion, AtomicLong> met = new ConcurrentHashMap<>();

    /** Said before trying, so that a check that breaks off counts against. */
    void expect(Criterion criterion, long times) {
        expected.computeIfAbsent(criterion, c -> new AtomicLong()).addAndGet(times);
    }

    void met(Criterion criterion) {
        met.computeIfAbsent(criterion, c -> new AtomicLong()).incrementAndGet();
    }

    List<Fitness> fitness() {
        return Stream.of(Criterion.values())
                .map(criterion -> new Fitness(criterion, count(met, criterion), count(expected, criterion)))
                .toList();
    }

    private static long count(Map<Criterion, AtomicLong> counts, Criterion criterion) {
        AtomicLong count = counts.get(criterion);
        return count == null ? 0 : count.get();
    }
}
