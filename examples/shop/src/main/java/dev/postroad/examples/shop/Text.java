package dev.postroad.examples.shop;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How things read. */
final class Text {
    private Text() {}

    /** 1234 as {@code 12.34}. */
    static String money(long cents) {
        return String.format(
                Locale.ROOT, "%s%,d.%02d", cents < 0 ? "-" : "", Math.abs(cents) / 100, Math.abs(cents) % 100);
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static String pieces(Order order) {
        return order.pieces() + " × " + order.product();
    }

    /** Columns that align, the first to the left and the others to the right, under the first row as their heading. */
    static List<String> table(List<List<String>> rows) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder("  ");
            for (int i = 0; i < columns; i++) {
                String space = " ".repeat(widths[i] - row.get(i).length());
                line.append(i == 0 ? row.get(i) + space : "   " + space + row.get(i));
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
