package dev.postroad.patterns.forward;

import dev.postroad.api.Channel;
import dev.postroad.api.RetryPolicy;
import java.time.Duration;

/**
 * How messages are kept and forwarded.
 *
 * @param channel name of the local channel; what the remote broker refuses for good goes to {@code NAME.refused}
 * @param maxMessages messages that may wait, 1 or more; past it sending is refused with {@code FULL}
 * @param batch messages forwarded at once, 1 to 10,000
 * @param maxPause how long is waited at most before the remote broker is tried again, 1 ms or more
 */
public record ForwardSettings(String channel, long maxMessages, int batch, Duration maxPause) {
    private static final int MOST_ATTEMPTS = 1_000_000;

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public ForwardSettings {
        check(!channel.isEmpty(), "channel", "''", "the name of a channel");
        check(maxMessages >= 1, "maxMessages", maxMessages, "1 or more");
        check(batch >= 1 && batch <= 10_000, "batch", batch, "1 to 10,000");
        check(maxPause.toMillis() >= 1, "maxPause", maxPause, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** This channel, a million messages, 256 at once, pauses of up to 30 seconds. */
    public static ForwardSettings of(String channel) {
        return new ForwardSettings(channel, 1_000_000, 256, Duration.ofSeconds(30));
    }

    /** These settings with another bound on what may wait; fixed once the local channel is made. */
    public ForwardSettings withMaxMessages(long newMaxMessages) {
        return new ForwardSettings(channel, newMaxMessages, batch, maxPause);
    }

    /** These settings with another number of messages at once. */
    public ForwardSettings withBatch(int newBatch) {
        return new ForwardSettings(channel, maxMessages, newBatch, maxPause);
    }

    /** These settings with another bound of the pause between two tries. */
    public ForwardSettings withMaxPause(Duration newMaxPause) {
        return new ForwardSettings(channel, maxMessages, batch, newMaxPause);
    }

    String refused() {
        return channel + ".refused";
    }

    /** Durable, in order, and never given up for having been tried often: restarts during a long absence are attempts too. */
    Channel local() {
        return Channel.command(channel)
                .withRetry(RetryPolicy.DEFAULT.withMaxAttempts(MOST_ATTEMPTS))
                .withDeadLetter(refused())
                .withMaxMessages(maxMessages)
                .withMaxMessageBytes(Channel.MAX_MESSAGE_BYTES);
    }
}
