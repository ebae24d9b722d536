package dev.postroad.simulation.faults;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What messages are made of: a word that names the message, then bytes that follow from the word, so that none can change unseen. */
final class Payload {
    private Payload() {}

    static byte[] of(String word, int bytes) {
        byte[] name = word.getBytes(StandardCharsets.US_ASCII);
        byte[] payload = new byte[Math.max(bytes, name.length + 1)];
        System.arraycopy(name, 0, payload, 0, name.length);
        payload[name.length] = '|';
        long state = seed(word);
        for (int i = name.length + 1; i < payload.length; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            payload[i] = (byte) (state >>> 56);
        }
        return payload;
    }

    /** The word; what was altered is told by the word itself, which no message ever has. */
    static String word(byte @Nullable [] payload) {
        if (payload == null) {
            return "(tombstone)";
        }
        int end = 0;
        while (end < payload.length && payload[end] != '|') {
            end++;
        }
        if (end == payload.length) {
            return "(no word in " + payload.length + " bytes)";
        }
        String word = new String(payload, 0, end, StandardCharsets.US_ASCII);
        long state = seed(word);
        for (int i = end + 1; i < payload.length; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            if (payload[i] != (byte) (state >>> 56)) {
                return word + "(altered at byte " + i + " of " + payload.length + ")";
            }
        }
        return word + ":" + payload.length;
    }

    private static long seed(String word) {
        long seed = 1125899906842597L;
        for (int i = 0; i < word.length(); i++) {
            seed = 31 * seed + word.charAt(i);
        }
        return seed;
    }
}
