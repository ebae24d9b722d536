package dev.postroad.patterns.deadletters;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What would become of one dead letter.
 *
 * @param letter number of the letter
 * @param id of the message
 * @param verdict in a word
 * @param attempts how often the handler was asked
 * @param reason why it would be given up again; null if it would not
 * @param sent what the handler would send, in all attempts together, as far as it is kept
 */
public record Prediction(
        long letter,
        String id,
        Verdict verdict,
        int attempts,
        @Nullable String reason,
        List<Sent> sent) {

    /** What would become of a letter. */
    public enum Verdict {
        /** It would be handled. */
        SUCCEEDS,
        /** It would be given up again. */
        FAILS,
        /** An earlier message of its key would be given up, and it behind that one. */
        BEHIND
    }

    /**
     * A message that would be sent.
     *
     * @param channel where to
     * @param id its id
     * @param bytes of its value
     */
    public record Sent(String channel, String id, int bytes) {}
}
