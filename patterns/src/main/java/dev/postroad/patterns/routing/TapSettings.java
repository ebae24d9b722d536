package dev.postroad.patterns.routing;

import dev.postroad.api.Message;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/**
 * What a wire tap copies.
 *
 * @param rule which messages; asked on the tap's own thread, and what it throws drops the copy
 * @param maxWaiting copies that wait to be taken by the tap's channel at most, 1 to 1,000,000; later ones are dropped
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public record TapSettings<K, V>(Predicate<Message<K, V>> rule, int maxWaiting) {
    private static final int MOST_WAITING = 1_000_000;

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public TapSettings {
        if (maxWaiting < 1 || maxWaiting > MOST_WAITING) {
            throw new IllegalArgumentException("maxWaiting is " + maxWaiting + "; it must be 1 to " + MOST_WAITING);
        }
    }

    /** All messages, of which at most 1,000 copies wait. */
    public static <K, V> TapSettings<K, V> all() {
        return new TapSettings<>(message -> true, 1_000);
    }

    /** These settings for the messages of a rule. */
    public TapSettings<K, V> withRule(Predicate<Message<K, V>> newRule) {
        return new TapSettings<>(newRule, maxWaiting);
    }

    /** These settings for a random share of the messages that the rule takes, 0.0 to 1.0. */
    public TapSettings<K, V> withShare(double share) {
        if (!(share >= 0.0 && share <= 1.0)) {
            throw new IllegalArgumentException("share is " + share + "; it must be 0.0 to 1.0");
        }
        return new TapSettings<>(rule.and(message -> ThreadLocalRandom.current().nextDouble() < share), maxWaiting);
    }

    /** These settings with another bound on copies that wait. */
    public TapSettings<K, V> withMaxWaiting(int newMaxWaiting) {
        return new TapSettings<>(rule, newMaxWaiting);
    }
}
