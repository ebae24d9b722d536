package dev.postroad.patterns.inbox;

import java.time.Duration;

/** Where, and for how long, an inbox remembers what was handled. */
public sealed interface InboxStore permits InboxSettings, ChannelInboxSettings, RedisInboxSettings {
    /** Who handles the messages: each consumer handles each message once. */
    String consumer();

    /** How long a message is remembered, at least. */
    Duration window();
}
