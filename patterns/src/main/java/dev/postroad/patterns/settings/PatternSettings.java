package dev.postroad.patterns.settings;

import dev.postroad.patterns.breaker.BreakerSettings;
import dev.postroad.patterns.breaker.RateSettings;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.inbox.InboxStore;
import dev.postroad.patterns.overload.TimeLimitSettings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The patterns of one channel; null for each that it goes without. Begin with {@link #NONE}. Retries are no part of it: they
 * are the channel's own, {@link dev.postroad.api.Channel#retry}.
 *
 * @param timeLimit how long its handlers may take
 * @param circuitBreaker when its handlers pause because what they call is out of order
 * @param rateLimit how often its handlers may be called
 * @param inbox where it is remembered what they have handled
 * @param claimCheck which of its values go to a blob store
 * @param blobs the folder of that store; null where the program gives one itself
 * @param redrive how its dead letters are put back
 */
public record PatternSettings(
        @Nullable TimeLimitSettings timeLimit,
        @Nullable BreakerSettings circuitBreaker,
        @Nullable RateSettings rateLimit,
        @Nullable InboxStore inbox,
        @Nullable ClaimSettings claimCheck,
        @Nullable Path blobs,
        @Nullable RedriveSettings redrive) {

    /** No pattern at all. */
    public static final PatternSettings NONE = new PatternSettings(null, null, null, null, null, null, null);

    /** @throws IllegalArgumentException if there are blobs without a claim check */
    public PatternSettings {
        if (blobs != null && claimCheck == null) {
            throw new IllegalArgumentException("blobs is " + blobs + ", but there is no claimCheck to put any there");
        }
    }

    /** These settings with another time limit, or null for none. */
    public PatternSettings withTimeLimit(@Nullable TimeLimitSettings newTimeLimit) {
        return new PatternSettings(newTimeLimit, circuitBreaker, rateLimit, inbox, claimCheck, blobs, redrive);
    }

    /** These settings with another circuit breaker, or null for none. */
    public PatternSettings withCircuitBreaker(@Nullable BreakerSettings newCircuitBreaker) {
        return new PatternSettings(timeLimit, newCircuitBreaker, rateLimit, inbox, claimCheck, blobs, redrive);
    }

    /** These settings with another rate limit, or null for none. */
    public PatternSettings withRateLimit(@Nullable RateSettings newRateLimit) {
        return new PatternSettings(timeLimit, circuitBreaker, newRateLimit, inbox, claimCheck, blobs, redrive);
    }

    /** These settings with another inbox, or null for none. */
    public PatternSettings withInbox(@Nullable InboxStore newInbox) {
        return new PatternSettings(timeLimit, circuitBreaker, rateLimit, newInbox, claimCheck, blobs, redrive);
    }

    /** These settings with another claim check and the folder of its blobs; null for none. */
    public PatternSettings withClaimCheck(@Nullable ClaimSettings newClaimCheck, @Nullable Path newBlobs) {
        return new PatternSettings(timeLimit, circuitBreaker, rateLimit, inbox, newClaimCheck, newBlobs, redrive);
    }

    /** These settings with another way to put dead letters back, or null for the usual one. */
    public PatternSettings withRedrive(@Nullable RedriveSettings newRedrive) {
        return new PatternSettings(timeLimit, circuitBreaker, rateLimit, inbox, claimCheck, blobs, newRedrive);
    }
}
