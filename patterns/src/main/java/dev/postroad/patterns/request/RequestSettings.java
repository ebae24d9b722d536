package dev.postroad.patterns.request;

import java.time.Duration;

/**
 * How requests are sent.
 *
 * @param channel where they go: a declared channel, of kind request as a rule
 * @param timeout how long a reply is waited for, 1 ms or more; a request whose time to live or {@link Deadline} is nearer
 *     waits no longer than that
 * @param maxInFlight requests of one requester that wait for their replies at once, 1 or more; the next one is refused
 */
public record RequestSettings(String channel, Duration timeout, int maxInFlight) {

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public RequestSettings {
        check(!channel.isEmpty(), "channel", "''", "the name of a channel");
        check(timeout.toMillis() >= 1, "timeout", timeout, "1 ms or more");
        check(maxInFlight >= 1, "maxInFlight", maxInFlight, "1 or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** To this channel, five seconds for the reply, at most 1,000 in flight. */
    public static RequestSettings of(String channel) {
        return new RequestSettings(channel, Duration.ofSeconds(5), 1_000);
    }

    /** These settings with another time for the reply. */
    public RequestSettings withTimeout(Duration newTimeout) {
        return new RequestSettings(channel, newTimeout, maxInFlight);
    }

    /** These settings with another bound on what is in flight. */
    public RequestSettings withMaxInFlight(int newMaxInFlight) {
        return new RequestSettings(channel, timeout, newMaxInFlight);
    }
}
