package dev.postroad.transports.emulation;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How long a message lives, where the client has to say it. */
public final class TimeToLive {
    private TimeToLive() {}

    /** The shorter of a message's own and its channel's, as the contract has it; null if neither says one. */
    public static @Nullable Duration of(@Nullable Duration own, @Nullable Duration channel) {
        if (own == null || channel == null) {
            return own == null ? channel : own;
        }
        return own.compareTo(channel) <= 0 ? own : channel;
    }
}
