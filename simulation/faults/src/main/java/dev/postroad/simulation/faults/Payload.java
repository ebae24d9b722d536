package dev.postroad.simulation.faults;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What messages are made of: a word that names the message, then bytes that follow from the word, so that none can change unseen. */
final class Payload {
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private Payload() {}

    static byte[] of(String word, int bytes) {
        byte[] name = word.getBytes(StandardCharsets.US_ASCII);
        byte[] payload = new byte[Math.max(bytes, name.length + 1)];
        System.arraycopy(name, 0, payload, 0, name.length);
        payload[name.length] = '|';
        fill(payload, name.length + 1, word);
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
        byte[] wanted = new byte[payload.length];
        fill(wanted, end + 1, word);
        int altered = Arrays.mismatch(wanted, end + 1, wanted.length, payload, end + 1, payload.length);
        return altered < 0
                ? word + ":" + payload.length
                : word + "(altered at byte " + (end + 1 + altered) + " of " + payload.length + ")";
    }

    /** What follows the word, as the word has it; eight bytes at a time, for this is done very often. */
    private static void fill(byte[] payload, int from, String word) {
        long state = seed(word);
        int at = from;
        for (; at + Long.BYTES <= payload.length; at += Long.BYTES) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            EIGHT.set(payload, at, state);
        }
        for (; at < payload.length; at++) {
            payload[at] = (byte) (state >>> 56 - at % 8);
        }
    }

    private static long seed(String word) {
        long seed = 1125899906842597L;
        for (int i = 0; i < word.length(); i++) {
            seed = 31 * seed + word.charAt(i);
        }
        return seed;
    }
}
