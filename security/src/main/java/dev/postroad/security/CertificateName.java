package dev.postroad.security;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/** Reads whom a certificate is for. */
final class CertificateName {
    private static final String COMMON_NAME = "2.5.4.3";

    private CertificateName() {}

    /**
     * The common name of a subject; null if there is none, or more than one, since nobody could tell then who is meant.
     */
    static @Nullable String commonName(X500Principal subject) {
        // The canonical form would lower the case; this one escapes what could be mistaken for a separator.
        List<String> names = new ArrayList<>();
        for (String part : split(subject.getName(X500Principal.RFC2253, Map.of(COMMON_NAME, "CN")))) {
            int equals = part.indexOf('=');
            if (equals > 0 && part.substring(0, equals).strip().equalsIgnoreCase("CN")) {
                names.add(unescape(part.substring(equals + 1)));
            }
        }
        String name = names.size() == 1 ? names.getFirst() : "";
        return name.isEmpty() || name.indexOf(0) >= 0 ? null : name;
    }

    /** At commas and plus signs that are not escaped. */
    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == ',' || c == '+') {
                parts.add(text.substring(start, i));
                start = i + 1;
            }
        }
        parts.add(text.substring(start));
        return parts;
    }

    /** Empty for what is written as bytes ({@code #…}), which is no text. */
    private static String unescape(String value) {
        if (value.startsWith("#")) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\\' && i + 1 < value.length()) {
                c = value.charAt(++i);
            }
            text.append(c);
        }
        return text.toString();
    }
}
