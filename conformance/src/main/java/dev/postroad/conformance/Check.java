package dev.postroad.conformance;

import dev.postroad.api.Need;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One behaviour and how to try it.
 *
 * @param sentence what is shown, as a sentence; unique among all checks
 * @param need what it proves; null for what every transport does
 * @param uses needs besides, without which it can't be tried
 * @param reopens true if it closes the connection and opens it again
 * @param ofPattern true if it is a pattern's, which is impossible where one of the needs it uses is, or where the pattern itself says so by
 *     {@code IMPOSSIBLE_NEED}
 * @param body tries it; returns if it is so, throws if not
 */
public record Check(
        String sentence, @Nullable Need need, Set<Need> uses, boolean reopens, boolean ofPattern, Body body) {

    /** Tries a behaviour. */
    @FunctionalInterface
    public interface Body {
        /** @throws Exception if it is not so */
        void run(Probe probe) throws Exception;
    }

    static Check base(String sentence, Body body) {
        return new Check(sentence, null, Set.of(), false, false, body);
    }

    static Check of(Need need, String sentence, Body body) {
        return new Check(sentence, need, Set.of(), false, false, body);
    }

    /** Of a pattern: what it promises on a transport that has these needs. */
    public static Check ofPattern(String sentence, Body body, Need... needs) {
        return new Check(sentence, null, Set.of(needs), false, true, body);
    }

    Check using(Need... needs) {
        return new Check(sentence, need, Set.of(needs), reopens, ofPattern, body);
    }

    Check reopening() {
        return new Check(sentence, need, uses, true, ofPattern, body);
    }
}
