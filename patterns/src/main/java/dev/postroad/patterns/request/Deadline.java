package dev.postroad.patterns.request;

import dev.postroad.api.Message;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The moment after which nobody waits for a reply any more. It travels in the header {@value #HEADER}, so that a server can
 * leave out work that has become useless, and bound its own requests by what is left.
 *
 * <p>It is told by the requester's clock: between machines it is as exact as their clocks agree.
 *
 * @param at the moment, in milliseconds' resolution
 */
public record Deadline(Instant at) {
    /** Header with the moment, in milliseconds since 1970. */
    public static final String HEADER = "postroad-deadline";

    /** The deadline so long from now. */
    public static Deadline in(Duration duration) {
        return new Deadline(Instant.ofEpochMilli(Instant.now().plus(duration).toEpochMilli()));
    }

    /** The deadline of a message; empty if it has none, or something else stands in its header. */
    public static Optional<Deadline> of(Message<?, ?> message) {
        String header = message.headers().get(HEADER);
        if (header == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Deadline(Instant.ofEpochMilli(Long.parseLong(header))));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The message with this deadline: a request that is sent on behalf of another, say. */
    public <K, V> Message<K, V> on(Message<K, V> message) {
        return message.withHeader(HEADER, Long.toString(at.toEpochMilli()));
    }

    /** What is left; negative once it has passed. */
    public Duration left() {
        return Duration.between(Instant.now(), at);
    }

    /** True if nobody waits any more. */
    public boolean passed() {
        return left().isNegative();
    }
}
