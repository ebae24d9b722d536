package dev.postroad.protocols.http;

import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Ids for messages that come without one: UUIDs of version 7, which sort by time. */
final class MessageIds {
    private MessageIds() {}

    static String next(long nowMillis) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        long high = (nowMillis << 16) | 0x7000 | (random.nextLong() & 0x0FFF);
        long low = (random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
