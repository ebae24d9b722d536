package dev.postroad.security;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A password as it is stored: PBKDF2-HMAC-SHA256 over a salt of its own, as {@code pbkdf2-sha256$ITERATIONS$SALT$HASH}. A fast
 * salted hash brought from a RabbitMQ is hashed again in the same way, as {@code
 * rabbitmq-sha256+pbkdf2-sha256$ITERATIONS$SALT$HASH$FIRST-SALT}: a stolen file is worth no more for it, and checking takes as
 * long.
 */
final class PasswordHash {
    /** What OWASP asks for of this function. */
    static final int ITERATIONS = 600_000;

    static final int MIN_ITERATIONS = 1_000;
    static final int MAX_ITERATIONS = 10_000_000;
    static final int MAX_PASSWORD_BYTES = 1024;

    private static final String SCHEME = "pbkdf2-sha256";
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final int RABBITMQ_SALT_BYTES = 4;
    private static final SecureRandom RANDOM = new SecureRandom();
    /** Stands for a password that can't be one, so that checking it takes its time all the same. */
    private static final char[] IMPOSSIBLE = {'\uffff'};

    private final First first;
    private final byte[] firstSalt;
    private final int iterations;
    private final byte[] salt;
    private final byte[] hash;

    /** What is done to the password before. */
    private enum First {
        NOTHING("", "", 0),
        SHA256("rabbitmq-sha256+", "SHA-256", 32),
        SHA512("rabbitmq-sha512+", "SHA-512", 64);

        private final String prefix;
        private final String digest;
        private final int bytes;

        First(String prefix, String digest, int bytes) {
            this.prefix = prefix;
            this.digest = digest;
            this.bytes = bytes;
        }
    }

    private PasswordHash(First first, byte[] firstSalt, int iterations, byte[] salt, byte[] hash) {
        this.first = first;
        this.firstSalt = firstSalt;
        this.iterations = iterations;
        this.salt = salt;
        this.hash = hash;
    }

    /** @throws IllegalArgumentException if it can't be a password */
    static PasswordHash of(Secret password, int iterations) {
        if (password.isEmpty()) {
            throw new IllegalArgumentException("the password is empty");
        }
        if (!isPossible(password)) {
            throw new IllegalArgumentException(
                    "the password must be UTF-8 text of at most " + MAX_PASSWORD_BYTES + " bytes without NUL");
        }
        byte[] salt = newSalt();
        return new PasswordHash(
                First.NOTHING, new byte[0], iterations, salt, derive(characters(password), salt, iterations));
    }

    /**
     * From a RabbitMQ's {@code password_hash}.
     *
     * @param algorithm {@code rabbit_password_hashing_sha256} or {@code rabbit_password_hashing_sha512}
     * @param base64 salt of four bytes and digest
     * @throws IllegalArgumentException if it is none of these
     */
    static PasswordHash ofRabbitMq(String algorithm, String base64, int iterations) {
        First first = switch (algorithm) {
            case "rabbit_password_hashing_sha256" -> First.SHA256;
            case "rabbit_password_hashing_sha512" -> First.SHA512;
            default ->
                throw new IllegalArgumentException("hashing_algorithm is '" + algorithm
                        + "'; it must be rabbit_password_hashing_sha256 or rabbit_password_hashing_sha512");
        };
        byte[] bytes = base64(base64);
        if (bytes.length != RABBITMQ_SALT_BYTES + first.bytes) {
            throw new IllegalArgumentException("password_hash has " + bytes.length + " bytes; of " + algorithm
                    + " it has " + (RABBITMQ_SALT_BYTES + first.bytes));
        }
        byte[] firstSalt = Arrays.copyOf(bytes, RABBITMQ_SALT_BYTES);
        byte[] digest = Arrays.copyOfRange(bytes, RABBITMQ_SALT_BYTES, bytes.length);
        byte[] salt = newSalt();
        return new PasswordHash(first, firstSalt, iterations, salt, derive(hex(digest), salt, iterations));
    }

    /** @throws IllegalArgumentException if it is no {@link #encoded} hash; the message holds nothing of it */
    static PasswordHash parse(String text) {
        for (First first : List.of(First.SHA256, First.SHA512, First.NOTHING)) {
            String scheme = first.prefix + SCHEME + "$";
            if (!text.startsWith(scheme)) {
                continue;
            }
            String[] parts = text.substring(scheme.length()).split("\\$", -1);
            if (parts.length != (first == First.NOTHING ? 3 : 4)) {
                break;
            }
            int iterations = iterations(parts[0]);
            byte[] salt = base64(parts[1]);
            byte[] hash = base64(parts[2]);
            byte[] firstSalt = first == First.NOTHING ? new byte[0] : base64(parts[3]);
            if (salt.length < 8 || salt.length > 64 || hash.length != HASH_BYTES || firstSalt.length > 16) {
                break;
            }
            return new PasswordHash(first, firstSalt, iterations, salt, hash);
        }
        throw new IllegalArgumentException("the password hash is not " + SCHEME + "$ITERATIONS$SALT$HASH");
    }

    private static int iterations(String text) {
        try {
            int iterations = Integer.parseInt(text);
            if (iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS) {
                return iterations;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the password hash has no number of iterations", e);
        }
        throw new IllegalArgumentException("the password hash has " + text + " iterations; it must have "
                + MIN_ITERATIONS + " to " + MAX_ITERATIONS);
    }

    private static byte[] base64(String text) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the password hash is not Base64", e);
        }
    }

    /** As it is stored. */
    String encoded() {
        Base64.Encoder base64 = Base64.getEncoder();
        return first.prefix + SCHEME + "$" + iterations + "$" + base64.encodeToString(salt) + "$"
                + base64.encodeToString(hash)
                + (first == First.NOTHING ? "" : "$" + base64.encodeToString(firstSalt));
    }

    int iterations() {
        return iterations;
    }

    /** In a time that depends on nothing but the iterations. */
    boolean matches(Secret password) {
        boolean possible = isPossible(password) && !password.isEmpty();
        char[] characters = !possible ? IMPOSSIBLE : first == First.NOTHING ? characters(password) : digest(password);
        boolean equal = MessageDigest.isEqual(hash, derive(characters, salt, iterations));
        return equal && possible;
    }

    /** Takes as long as checking a password of so many iterations. */
    static void burn(int iterations) {
        if (iterations > 0) {
            derive(IMPOSSIBLE, new byte[SALT_BYTES], iterations);
        }
    }

    private char[] digest(Secret password) {
        try {
            MessageDigest digest = MessageDigest.getInstance(first.digest);
            digest.update(firstSalt);
            return hex(digest.digest(password.bytes()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static char[] hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes).toCharArray();
    }

    private static byte[] newSalt() {
        byte[] salt = new byte[SALT_BYTES];
        RANDOM.nextBytes(salt);
        return salt;
    }

    /** The function takes characters: bytes that are no UTF-8 would become others on the way, so that two passwords were one. */
    private static boolean isPossible(Secret password) {
        if (password.bytes().length > MAX_PASSWORD_BYTES) {
            return false;
        }
        for (byte b : password.bytes()) {
            if (b == 0) {
                return false;
            }
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(password.bytes()));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static char[] characters(Secret password) {
        return new String(password.bytes(), StandardCharsets.UTF_8).toCharArray();
    }

    private static byte[] derive(char[] password, byte[] salt, int iterations) {
        PBEKeySpec spec = new PBEKeySpec(password, salt, iterations, HASH_BYTES * 8);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no PBKDF2WithHmacSHA256", e);
        } finally {
            spec.clearPassword();
        }
    }

    /** Hides what could be guessed from. */
    @Override
    public String toString() {
        return SCHEME + "$***";
    }
}
