package dev.postroad.patterns.schedule;

import dev.postroad.api.Channel;
import dev.postroad.api.RetryPolicy;
import java.time.Clock;
import java.time.Duration;

/**
 * How a scheduler is kept.
 *
 * @param channel where scheduled messages wait; crons wait in {@code CHANNEL.cron}. A channel's name, at most 200 bytes
 * @param missed what becomes of the moments of a cron that passed while no instance ran
 * @param retry how often a message that its channel does not take is tried; past it, it is a dead letter of the scheduler's
 *     channel
 * @param clock what "now" is for delays and crons; when a message is delivered is the broker's to say
 */
public record ScheduleSettings(String channel, Missed missed, RetryPolicy retry, Clock clock) {

    /** What becomes of the moments of a cron that passed while no instance ran. */
    public enum Missed {
        /** They come once, late, and then it goes on from now. */
        ONCE,
        /** Each comes, late. */
        EACH,
        /** What is over a minute late is left out. */
        NONE
    }

    /** Channel {@code schedule}, missed moments come once, 20 attempts 1 s to 1 min apart, the system's clock. */
    public static final ScheduleSettings DEFAULT = new ScheduleSettings(
            "schedule",
            Missed.ONCE,
            RetryPolicy.DEFAULT.withMaxAttempts(20).withDelays(Duration.ofSeconds(1), Duration.ofMinutes(1)),
            Clock.systemUTC());

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public ScheduleSettings {
        if (channel.isEmpty() || channel.length() > 200) {
            throw new IllegalArgumentException("channel is '" + channel + "'; it must be 1 to 200 characters long");
        }
    }

    /** Where what comes once waits. */
    Channel waiting() {
        return Channel.command(channel).withRetry(retry);
    }

    /** Where crons wait: two that put on the same moment at once put on one. */
    Channel crons() {
        return Channel.command(channel + ".cron").withRetry(retry).withDedupWindow(Duration.ofHours(1));
    }

    /** These settings with another channel. */
    public ScheduleSettings withChannel(String newChannel) {
        return new ScheduleSettings(newChannel, missed, retry, clock);
    }

    /** These settings with another way with missed moments. */
    public ScheduleSettings withMissed(Missed newMissed) {
        return new ScheduleSettings(channel, newMissed, retry, clock);
    }

    /** These settings with another way to try again. */
    public ScheduleSettings withRetry(RetryPolicy newRetry) {
        return new ScheduleSettings(channel, missed, newRetry, clock);
    }

    /** These settings with another clock. */
    public ScheduleSettings withClock(Clock newClock) {
        return new ScheduleSettings(channel, missed, retry, newClock);
    }
}
