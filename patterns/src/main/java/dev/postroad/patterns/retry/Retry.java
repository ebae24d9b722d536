package dev.postroad.patterns.retry;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Handler.DeadLetterException;
import dev.postroad.api.Handler.RetryAfterException;
import dev.postroad.api.RetryPolicy;
import dev.postroad.patterns.retry.RetrySettings.Verdict;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Decides about a handler's failures: another attempt later, a dead letter at once, or never mind.
 *
 * <pre>{@code
 *   Retry retry = new Retry(RetrySettings.DEFAULT
 *           .withNotRetryable(IllegalArgumentException.class)
 *           .withSkipped(AlreadyShipped.class));
 *   postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(this::ship));
 * }</pre>
 *
 * Nothing waits here: a message that is to be tried again goes back to the broker with its delay, and no thread is kept. Where
 * the channel keeps order per key, later messages of the key wait behind it there, and all other keys go on. The wait of an
 * attempt is a function of the policy, the message's id and the number of the attempt, so that what is reported is what is
 * waited. A handler's own {@link RetryAfterException} is taken at its word, and its {@link DeadLetterException} too.
 *
 * <p>Safe for use by many threads; one is enough for all channels that share its settings.
 */
public final class Retry {
    private static final System.Logger LOG = System.getLogger("dev.postroad.patterns.retry");

    private final RetrySettings settings;
    private final Clock clock;
    private final AtomicLong retried = new AtomicLong();
    private final AtomicLong givenUp = new AtomicLong();
    private final AtomicLong skipped = new AtomicLong();

    /** By the time of this machine. */
    public Retry(RetrySettings settings) {
        this(settings, Clock.systemUTC());
    }

    /** By this clock, which the age of messages is measured with. */
    public Retry(RetrySettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** A handler whose failures are decided about. */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        return delivery -> {
            try {
                handler.handle(delivery);
            } catch (InterruptedException e) {
                // It was cut short by who closes the subscription; that is no failure of the message.
                throw e;
            } catch (DeadLetterException e) {
                givenUp.incrementAndGet();
                throw e;
            } catch (RetryAfterException e) {
                failed(delivery, e, e.delay());
            } catch (Exception | Error e) {
                judge(delivery, e);
            }
        };
    }

    private <K, V> void judge(Delivery<K, V> delivery, Throwable failure) throws Exception {
        Verdict verdict = settings.verdictOn(failure);
        switch (verdict) {
            case SKIP -> {
                skipped.incrementAndGet();
                LOG.log(
                        Level.DEBUG,
                        "message {0} of channel {1} is skipped: {2}",
                        delivery.message().id(),
                        delivery.channel(),
                        failure);
            }
            case GIVE_UP -> giveUp(failure, failure.toString());
            case RETRY -> failed(delivery, failure, null);
        }
    }

    /** @param wished by the handler; null for what the policy says */
    private <K, V> void failed(Delivery<K, V> delivery, Throwable failure, @Nullable Duration wished) throws Exception {
        RetryPolicy policy = settings.policy();
        Duration delay = wished != null
                ? wished
                : policy == null
                        ? Duration.ZERO
                        : policy.delayAfter(
                                delivery.attempt(),
                                String.valueOf(delivery.message().id()));
        checkAge(delivery, failure, delay);
        if (policy != null) {
            checkBounds(policy, delivery, failure, delay);
        }
        retried.incrementAndGet();
        if (wished == null && policy != null) {
            throw new RetryAfterException(failure.toString(), delay, failure);
        }
        rethrow(failure);
    }

    private void checkAge(Delivery<?, ?> delivery, Throwable failure, Duration delay) {
        Duration maxAge = settings.maxAge();
        Instant sent = delivery.message().timestamp();
        if (maxAge != null
                && Duration.between(sent, clock.instant()).plus(delay).compareTo(maxAge) > 0) {
            giveUp(failure, failure + " (the message would be older than " + maxAge + " at the next attempt)");
        }
    }

    private void checkBounds(RetryPolicy policy, Delivery<?, ?> delivery, Throwable failure, Duration delay) {
        if (delivery.attempt() >= policy.maxAttempts()) {
            giveUp(failure, failure.toString());
        }
        Instant now = clock.instant();
        Instant told = delivery.firstFailure();
        Instant first = told != null
                ? told
                : delivery.attempt() == 1 ? now : delivery.message().timestamp();
        if (!policy.allows(first, now, delay)) {
            giveUp(failure, failure + " (no other attempt within " + policy.maxElapsed() + ")");
        }
    }

    private void giveUp(Throwable failure, String reason) {
        givenUp.incrementAndGet();
        throw new DeadLetterException(
                reason,
                failure instanceof RetryAfterException && failure.getCause() != null ? failure.getCause() : failure);
    }

    private static void rethrow(Throwable failure) throws Exception {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (Exception) failure;
    }

    /** Failures that led to another attempt, or were left to the channel to decide. */
    public long retried() {
        return retried.get();
    }

    /** Failures that led to a dead letter here. */
    public long givenUp() {
        return givenUp.get();
    }

    /** Failures that did not matter. */
    public long skipped() {
        return skipped.get();
    }
}
