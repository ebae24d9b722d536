package dev.postroad.simulation.broker;

import dev.postroad.engine.DeadLetterHeaders;
import dev.postroad.engine.EngineMessage;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Compares messages, byte by byte. */
final class Contents {
    private static final String[] LETTER = {
        DeadLetterHeaders.REASON,
        DeadLetterHeaders.CAUSE,
        DeadLetterHeaders.ORIGIN,
        DeadLetterHeaders.GROUP,
        DeadLetterHeaders.ATTEMPTS,
        DeadLetterHeaders.TIME,
        DeadLetterHeaders.FIRST_FAILURE,
        DeadLetterHeaders.EXCEPTION
    };

    private Contents() {}

    /** A message and, if it is a dead letter, of whom: what tells copies in one queue apart. */
    static String name(EngineMessage came) {
        Object cause = came.headers().get(DeadLetterHeaders.CAUSE);
        return cause == null
                ? String.valueOf(came.timestampMillis())
                : came.timestampMillis() + "/" + cause + "/" + came.headers().get(DeadLetterHeaders.ORIGIN) + "/"
                        + came.headers().get(DeadLetterHeaders.ATTEMPTS);
    }

    static String name(Copy copy) {
        Copy.Letter letter = copy.letter;
        return letter == null
                ? String.valueOf(copy.tag())
                : copy.tag() + "/" + letter.cause() + "/" + letter.origin() + "/" + letter.attempts();
    }

    /** How what came differs from what was sent; null if it does not. */
    static @Nullable String difference(EngineMessage sent, Copy.@Nullable Letter letter, EngineMessage came) {
        if (came == sent && letter == null) {
            return null;
        }
        if (!Arrays.equals(sent.payload(), came.payload())) {
            return "its payload was altered";
        }
        if (!Arrays.equals(sent.key(), came.key())) {
            return "its key was altered";
        }
        if (!Objects.equals(sent.id(), came.id())
                || !same(sent.properties(), came.properties())
                || sent.timestampMillis() != came.timestampMillis()
                || sent.priority() != came.priority()
                || sent.ttlMillis() != came.ttlMillis()
                || sent.deliverAtMillis() != came.deliverAtMillis()) {
            return "its properties were altered: " + came + " instead of " + sent;
        }
        if (letter == null) {
            return same(sent.headers(), came.headers()) ? null : "its headers were altered: " + came.headers();
        }
        Map<String, Object> own = new HashMap<>(came.headers());
        for (String name : LETTER) {
            own.remove(name);
        }
        if (!same(sent.headers(), own)) {
            return "its headers were altered: " + came.headers() + " instead of " + sent.headers();
        }
        return letterDifference(letter, came.headers());
    }

    private static @Nullable String letterDifference(Copy.Letter letter, Map<String, Object> headers) {
        if (!letter.cause().equals(headers.get(DeadLetterHeaders.CAUSE))
                || !letter.origin().equals(headers.get(DeadLetterHeaders.ORIGIN))
                || !Objects.equals(letter.group(), headers.get(DeadLetterHeaders.GROUP))
                || !Long.valueOf(letter.attempts()).equals(headers.get(DeadLetterHeaders.ATTEMPTS))
                || !Objects.equals(letter.exception(), headers.get(DeadLetterHeaders.EXCEPTION))) {
            return "as a dead letter it says " + headers + " where this was so: " + letter;
        }
        // What expired and was not on the disk yet expires again after a crash, later.
        return headers.get(DeadLetterHeaders.TIME) instanceof Long time
                        && time >= letter.from()
                        && (time <= letter.to() || "expired".equals(letter.cause()))
                ? null
                : "as a dead letter it has a wrong time: " + headers + " where this was so: " + letter;
    }

    private static boolean same(EngineMessage.Properties a, EngineMessage.Properties b) {
        return a == b || a.equals(b);
    }

    private static boolean same(Map<String, Object> a, Map<String, Object> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (Map.Entry<String, Object> each : a.entrySet()) {
            Object other = b.get(each.getKey());
            boolean equal = each.getValue() instanceof byte[] left && other instanceof byte[] right
                    ? Arrays.equals(left, right)
                    : each.getValue().equals(other);
            if (!equal) {
                return false;
            }
        }
        return true;
    }
}
