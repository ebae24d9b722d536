package dev.postroad.patterns.retry;

import dev.postroad.api.RetryPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a failure. The cases are looked through in the order in which they were added, and the first that fits
 * decides; an {@link ExecutionException} or {@link CompletionException} is judged by its cause.
 *
 * @param policy how often and after which waits to try again; null for the channel's own, which is the outer bound in any
 *     case: no policy here makes more attempts than the channel allows
 * @param cases which failures are worth another attempt, and which are not
 * @param otherwise what becomes of all others
 * @param maxAge no attempt begins when a message, by its time stamp, is older than this; at least 1 ms, or null for no bound
 */
public record RetrySettings(
        @Nullable RetryPolicy policy,
        List<Case> cases,
        Verdict otherwise,
        @Nullable Duration maxAge) {

    /** The channel's own policy, and all failures are worth another attempt. */
    public static final RetrySettings DEFAULT = new RetrySettings(null, List.of(), Verdict.RETRY, null);

    /** What becomes of a failure. */
    public enum Verdict {
        /** Another attempt, later, as long as there are any. */
        RETRY,
        /** A dead letter at once. */
        GIVE_UP,
        /** The message is acknowledged, as if all had been well, and counted. */
        SKIP
    }

    /**
     * Failures that are alike.
     *
     * @param failure true for those
     * @param verdict what becomes of them
     */
    public record Case(Predicate<? super Throwable> failure, Verdict verdict) {}

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public RetrySettings {
        cases = List.copyOf(cases);
        if (maxAge != null && maxAge.toMillis() < 1) {
            throw new IllegalArgumentException("maxAge is " + maxAge + "; it must be 1 ms or more");
        }
    }

    /** These settings with a policy of the handler's own, or null for the channel's. */
    public RetrySettings withPolicy(@Nullable RetryPolicy newPolicy) {
        return new RetrySettings(newPolicy, cases, otherwise, maxAge);
    }

    /** These settings, and exceptions of this class and its subclasses are worth another attempt. */
    public RetrySettings withRetryable(Class<? extends Throwable> type) {
        return withCase(type::isInstance, Verdict.RETRY);
    }

    /** These settings, and exceptions of this class and its subclasses make a dead letter at once. */
    public RetrySettings withNotRetryable(Class<? extends Throwable> type) {
        return withCase(type::isInstance, Verdict.GIVE_UP);
    }

    /** These settings, and exceptions of this class and its subclasses do not matter. */
    public RetrySettings withSkipped(Class<? extends Throwable> type) {
        return withCase(type::isInstance, Verdict.SKIP);
    }

    /** These settings with one case more, which is asked last. */
    public RetrySettings withCase(Predicate<? super Throwable> failure, Verdict verdict) {
        List<Case> more = new ArrayList<>(cases);
        more.add(new Case(failure, verdict));
        return new RetrySettings(policy, more, otherwise, maxAge);
    }

    /** These settings with another verdict on what no case fits. */
    public RetrySettings withOtherwise(Verdict newOtherwise) {
        return new RetrySettings(policy, cases, newOtherwise, maxAge);
    }

    /** These settings with another bound on a message's age, or null for none. */
    public RetrySettings withMaxAge(@Nullable Duration newMaxAge) {
        return new RetrySettings(policy, cases, otherwise, newMaxAge);
    }

    /** What becomes of this failure. */
    public Verdict verdictOn(Throwable failure) {
        Throwable judged = failure;
        while ((judged instanceof ExecutionException || judged instanceof CompletionException)
                && judged.getCause() != null) {
            judged = judged.getCause();
        }
        for (Case each : cases) {
            if (each.failure.test(judged)) {
                return each.verdict;
            }
        }
        return otherwise;
    }
}
