package dev.postroad.conformance;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run of the kit found.
 *
 * @param transport url of the transport, without secrets
 * @param seed what randomness began with; the same seed tries the same
 * @param took how long the run took
 * @param fitness the fitness criteria, from counted facts
 * @param results a line for each check, in order of needs; what every transport must do comes first
 */
public record ConformanceReport(
        String transport, long seed, Duration took, List<Fitness> fitness, List<Result> results) {

    public ConformanceReport {
        fitness = List.copyOf(fitness);
        results = List.copyOf(results);
    }

    /** How a check ended. */
    public enum Outcome {
        /** It is so. */
        PASSED,
        /** It is not so; the detail tells what was found. */
        FAILED,
        /** The transport says that it can't, and refuses when it is asked to. */
        IMPOSSIBLE,
        /** It could not be tried; the detail tells why. */
        NOT_PROVEN
    }

    /**
     * One check.
     *
     * @param need what it proves; null for what every transport must do
     * @param support how the transport says it meets the need; null where need is
     * @param sentence what was to be shown
     * @param outcome how it ended
     * @param detail what was found, or the transport's reason; may be empty
     * @param took how long it took
     */
    public record Result(
            @Nullable Need need,
            Capability.@Nullable Support support,
            String sentence,
            Outcome outcome,
            String detail,
            Duration took) {}

    /** What a messaging system must be fit for, and to what degree. */
    public enum Criterion {
        /** What was handled is acknowledged and does not come again. */
        MESSAGE_ACKNOWLEDGMENT("message acknowledgment", 100),
        /** What was given up lies on the dead-letter channel, with reason and origin. */
        DEAD_LETTER_HANDLING("dead-letter handling", 100),
        /** What is sent twice is handled once. */
        IDEMPOTENT_CONSUMERS("idempotent consumers", 100),
        /** What failed is tried again, no earlier than its backoff says. */
        ERROR_RETRY("error retry with backoff", 90),
        /** What administration counts is what happened. */
        MONITORING("monitoring", 100);

        private final String title;
        private final int threshold;

        Criterion(String title, int threshold) {
            this.title = title;
            this.threshold = threshold;
        }

        /** For people. */
        public String title() {
            return title;
        }

        /** Per cent that must be reached. */
        public int threshold() {
            return threshold;
        }
    }

    /**
     * A criterion as measured.
     *
     * @param criterion which
     * @param met times it was as it must be
     * @param of times it was looked at; 0 where the transport can't do what it takes
     */
    public record Fitness(Criterion criterion, long met, long of) {

        /** True if the criterion could be measured. */
        public boolean measured() {
            return of > 0;
        }

        /** True unless the measure is below the threshold. */
        public boolean reached() {
            return met * 100 >= of * criterion.threshold();
        }

        /** Per cent, rounded down to tenths so that 100 means all. */
        public double percent() {
            return of == 0 ? 0 : Math.floorDiv(met * 1000, of) / 10.0;
        }
    }

    /** True if no check failed and no measured criterion is below its threshold. */
    public boolean passed() {
        return count(Outcome.FAILED) == 0 && fitness.stream().allMatch(Fitness::reached);
    }

    /** How many checks ended so. */
    public long count(Outcome outcome) {
        return results.stream().filter(result -> result.outcome() == outcome).count();
    }

    /** The report as a table in plain text, ending with a line break. */
    public String table() {
        return new ReportTable(this).toString();
    }

    /** The report as one JSON object. */
    public String json() {
        return ReportJson.of(this);
    }
}
