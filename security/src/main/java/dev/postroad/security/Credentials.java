package dev.postroad.security;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/** What a peer says to prove who it is. */
public sealed interface Credentials {

    /**
     * A name and a password.
     *
     * @param name as the peer sent it, of any length and with any characters
     */
    record Password(String name, Secret secret) implements Credentials {}

    /** The certificate of the peer's TLS connection, which is in the {@link Peer}. */
    record Certificate() implements Credentials {}

    /**
     * Reads a response of SASL PLAIN: {@code [authorization identity] NUL name NUL password}, in UTF-8.
     *
     * @throws IllegalArgumentException if it is none, or asks to act for somebody else. The message holds nothing of the
     *     response
     */
    static Password plain(byte[] response) {
        int first = indexOfNul(response, 0);
        int second = first < 0 ? -1 : indexOfNul(response, first + 1);
        if (second < 0 || indexOfNul(response, second + 1) >= 0) {
            throw new IllegalArgumentException(
                    "the response of mechanism PLAIN must be [identity] NUL name NUL password");
        }
        String name = text(response, first + 1, second);
        if (first > 0 && !text(response, 0, first).equals(name)) {
            throw new IllegalArgumentException("mechanism PLAIN: acting for another user is not supported");
        }
        return new Password(name, Secret.of(Arrays.copyOfRange(response, second + 1, response.length)));
    }

    /**
     * Reads the value of an {@code Authorization} header of scheme Basic, RFC 7617, in UTF-8.
     *
     * @throws IllegalArgumentException if it is none. The message holds nothing of the value
     */
    static Password basic(String authorization) {
        String[] parts = authorization.strip().split(" +");
        if (parts.length != 2 || !parts[0].equalsIgnoreCase("Basic")) {
            throw new IllegalArgumentException("Authorization must be 'Basic' and a name and password in Base64");
        }
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(parts[1]);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("Authorization is not Base64", e);
        }
        int colon = 0;
        while (colon < bytes.length && bytes[colon] != ':') {
            colon++;
        }
        if (colon == bytes.length) {
            throw new IllegalArgumentException("Authorization has no ':' between name and password");
        }
        return new Password(text(bytes, 0, colon), Secret.of(Arrays.copyOfRange(bytes, colon + 1, bytes.length)));
    }

    private static int indexOfNul(byte[] bytes, int from) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                return i;
            }
        }
        return -1;
    }

    private static String text(byte[] bytes, int from, int to) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, from, to - from))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the name is not UTF-8", e);
        }
    }
}
