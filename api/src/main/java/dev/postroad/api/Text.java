package dev.postroad.api;

import org.jspecify.annotations.Nullable;

/** Words from outside, made fit for one line of a log. */
final class Text {
    private static final int MAX_LENGTH = 1_000;

    private Text() {}

    static String line(@Nullable String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder line = new StringBuilder(Math.min(text.length(), MAX_LENGTH + 1));
        for (int i = 0; i < text.length() && i < MAX_LENGTH; i++) {
            char c = text.charAt(i);
            line.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? ' ' : c);
        }
        return text.length() > MAX_LENGTH ? line.append('…').toString() : line.toString();
    }
}
