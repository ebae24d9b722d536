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
 * @param body tries it; returns if it is so, throws if not
 */
record Check(String sentence, @Nullable Need need, Set<Need> uses, boolean reopens, Body body) {

    /** Tries a behaviour. */
    @FunctionalInterface
    interface Body {
        void run(Probe probe) throws Exception;
    }

    static Check base(String sentence, Body body) {
        return new Check(sentence, null, Set.of(), false, body);
    }

    static Check of(Need need, String sentence, Body body) {
        return new Check(sentence, need, Set.of(), false, body);
    }

    Check using(Need... needs) {
        return new Check(sentence, need, Set.of(needs), reopens, body);
    }

    Check reopening() {
        return new Check(sentence, need, uses, true, body);
    }
}
