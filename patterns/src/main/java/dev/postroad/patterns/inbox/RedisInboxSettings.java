package dev.postroad.patterns.inbox;

import java.time.Duration;

/**
 * How an inbox is kept in Redis.
 *
 * @param consumer who handles the messages: each consumer handles each message once. 1 to 100 characters
 * @param prefix of the keys, which are {@code PREFIX:CONSUMER:IDENTITY}; 1 to 100 characters
 * @param window how long a message is remembered; what comes again later has its effect again. Redis forgets it by itself
 * @param claim how long a handler has for a message before it may go to another one; more than it ever takes
 * @param busyDelay when a message is tried again that another handler is at work on
 */
public record RedisInboxSettings(String consumer, String prefix, Duration window, Duration claim, Duration busyDelay)
        implements InboxStore {

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public RedisInboxSettings {
        check(!consumer.isEmpty() && consumer.length() <= 100, "consumer", consumer, "1 to 100 characters long");
        check(!prefix.isEmpty() && prefix.length() <= 100, "prefix", prefix, "1 to 100 characters long");
        check(window.toMillis() >= 1, "window", window, "1 ms or more");
        check(claim.toMillis() >= 1, "claim", claim, "1 ms or more");
        check(busyDelay.toMillis() >= 1, "busyDelay", busyDelay, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** Keys that begin with {@code postroad-inbox}, seven days, five minutes for a handler, a second for who comes second. */
    public static RedisInboxSettings of(String consumer) {
        return new RedisInboxSettings(
                consumer, "postroad-inbox", Duration.ofDays(7), Duration.ofMinutes(5), Duration.ofSeconds(1));
    }

    /** These settings with another beginning of the keys. */
    public RedisInboxSettings withPrefix(String newPrefix) {
        return new RedisInboxSettings(consumer, newPrefix, window, claim, busyDelay);
    }

    /** These settings with another time to remember. */
    public RedisInboxSettings withWindow(Duration newWindow) {
        return new RedisInboxSettings(consumer, prefix, newWindow, claim, busyDelay);
    }

    /** These settings with another time for a handler. */
    public RedisInboxSettings withClaim(Duration newClaim) {
        return new RedisInboxSettings(consumer, prefix, window, newClaim, busyDelay);
    }

    /** These settings with another wait for a message that is being handled. */
    public RedisInboxSettings withBusyDelay(Duration newBusyDelay) {
        return new RedisInboxSettings(consumer, prefix, window, claim, newBusyDelay);
    }
}
