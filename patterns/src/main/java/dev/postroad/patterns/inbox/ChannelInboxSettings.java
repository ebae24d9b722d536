package dev.postroad.patterns.inbox;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * How an inbox is kept in the broker.
 *
 * @param consumer who handles the messages: each consumer handles each message once. 1 to 100 letters, digits, {@code _},
 *     {@code -} and {@code .}, for it becomes part of a channel's name
 * @param window how long a message is remembered, at least; what comes again later has its effect again. The broker forgets
 *     it by itself
 */
public record ChannelInboxSettings(String consumer, Duration window) implements InboxStore {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,100}");

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public ChannelInboxSettings {
        if (!NAME.matcher(consumer).matches()) {
            throw new IllegalArgumentException(
                    "consumer is " + consumer + "; it must be 1 to 100 letters, digits, _, - and .");
        }
        if (window.toMillis() < 1) {
            throw new IllegalArgumentException("window is " + window + "; it must be 1 ms or more");
        }
    }

    /** Remembered for a day. */
    public static ChannelInboxSettings of(String consumer) {
        return new ChannelInboxSettings(consumer, Duration.ofDays(1));
    }

    /** These settings with another time to remember. */
    public ChannelInboxSettings withWindow(Duration newWindow) {
        return new ChannelInboxSettings(consumer, newWindow);
    }
}
