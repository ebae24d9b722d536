package dev.postroad.engine.channel;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** What to say to people who wrote something that is not known. */
public final class Words {
    private static final int LONGEST_COMPARED = 64;

    private Words() {}

    /**
     * The known word nearest to one that is not known; empty if none is near. Case and the separators {@code - _ .} do not
     * count as differences.
     */
    public static Optional<String> nearest(String word, Collection<String> known) {
        String wanted = plain(word);
        if (wanted.length() > LONGEST_COMPARED) {
            return Optional.empty();
        }
        String best = null;
        int bestDistance = Math.max(2, wanted.length() / 3) + 1;
        for (String candidate : known) {
            String plain = plain(candidate);
            // No distance is shorter than the difference in length.
            int distance = Math.abs(wanted.length() - plain.length());
            if (distance < bestDistance) {
                distance = distance(wanted, plain);
            }
            if (plain.length() >= 4 && wanted.length() >= 4 && (plain.contains(wanted) || wanted.contains(plain))) {
                distance = Math.min(distance, 2);
            }
            if (distance < bestDistance) {
                bestDistance = distance;
                best = candidate;
            }
        }
        return Optional.ofNullable(best);
    }

    /** {@code ; did you mean 'x'?} where a known word is near, else the list of all that are known. */
    public static String hint(String word, Collection<String> known) {
        return nearest(word, known)
                .map(near -> "; did you mean '" + near + "'?")
                .orElseGet(() -> "; known are " + String.join(", ", known));
    }

    private static String plain(String word) {
        if (isPlain(word)) {
            return word;
        }
        StringBuilder plain = new StringBuilder(word.length());
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c != '-' && c != '_' && c != '.') {
                plain.append(c);
            }
        }
        return plain.toString().toLowerCase(Locale.ROOT);
    }

    private static boolean isPlain(String word) {
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c < 'a' || c > 'z') {
                return false;
            }
        }
        return true;
    }

    /** Insertions, deletions, replacements and swaps of neighbours between two words. */
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] now = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            now[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                now[j] = Math.min(Math.min(now[j - 1] + 1, last[j] + 1), last[j - 1] + change);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    now[j] = Math.min(now[j], before[j - 2] + 1);
                }
            }
            int[] free = before;
            before = last;
            last = now;
            now = free;
        }
        return last[b.length()];
    }
}
