package dev.postroad.patterns.claimcheck;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What travels in place of a value: {@code postroad-claim/1 ID SIZE SHA-256}, in ASCII.
 *
 * @param id of the blob
 * @param size of the value in bytes
 * @param sha256 of these bytes, in hexadecimal
 */
record Ticket(String id, int size, String sha256) {
    private static final byte[] MAGIC = "postroad-claim/".getBytes(StandardCharsets.US_ASCII);
    private static final Pattern FORM = Pattern.compile("postroad-claim/1 ([0-9a-f-]{36}) ([0-9]{1,9}) ([0-9a-f]{64})");
    private static final int LONGEST = 160;

    static Ticket of(String id, byte[] bytes) {
        return new Ticket(id, bytes.length, hash(bytes));
    }

    byte[] encode() {
        return ("postroad-claim/1 " + id + " " + size + " " + sha256).getBytes(StandardCharsets.US_ASCII);
    }

    /** True for bytes that could be taken for a ticket, whatever they are. */
    static boolean looksLike(byte[] bytes) {
        if (bytes.length < MAGIC.length) {
            return false;
        }
        for (int i = 0; i < MAGIC.length; i++) {
            if (bytes[i] != MAGIC[i]) {
                return false;
            }
        }
        return true;
    }

    static Optional<Ticket> decode(byte[] bytes) {
        if (bytes.length > LONGEST || !looksLike(bytes)) {
            return Optional.empty();
        }
        Matcher matcher = FORM.matcher(new String(bytes, StandardCharsets.US_ASCII));
        return matcher.matches()
                ? Optional.of(new Ticket(matcher.group(1), Integer.parseInt(matcher.group(2)), matcher.group(3)))
                : Optional.empty();
    }

    boolean fits(byte[] bytes) {
        return bytes.length == size && hash(bytes).equals(sha256);
    }

    private static String hash(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
