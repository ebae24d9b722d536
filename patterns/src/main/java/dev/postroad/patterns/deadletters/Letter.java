package dev.postroad.patterns.deadletters;

import dev.postroad.api.Administration;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import java.util.Optional;

/**
 * A dead letter.
 *
 * @param number tells it from all others in its channel; -1 where the transport has none
 * @param message as it was sent, id, key, value, properties and headers
 * @param told why, when and where it was given up
 * @param state where it stands; in flight while somebody looks at it as a consumer
 */
public record Letter(long number, Message<byte[], byte[]> message, DeadLetter told, Administration.State state) {

    /** What was found in a dead-letter channel; empty if it does not tell of a death. */
    static Optional<Letter> of(Administration.Browsed found) {
        return DeadLetter.of(found.message())
                .map(told -> new Letter(
                        found.number(),
                        found.message()
                                .withHeaders(
                                        DeadLetter.removedFrom(found.message().headers())),
                        told,
                        found.state()));
    }
}
