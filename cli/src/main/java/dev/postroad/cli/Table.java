package dev.postroad.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Columns that align: as wide as their widest cell, numbers to the right. East Asian wide characters and emoji count two
 * columns, combining characters none; control characters are shown as spaces.
 */
final class Table {
    private static final String GAP = "  ";

    private final String[] heads;
    private final boolean[] right;
    private final List<String[]> rows = new ArrayList<>();

    /** @param heads the columns' names; one that begins with {@code >} is aligned to the right */
    Table(String... heads) {
        this.heads = new String[heads.length];
        this.right = new boolean[heads.length];
        for (int i = 0; i < heads.length; i++) {
            right[i] = heads[i].startsWith(">");
            this.heads[i] = right[i] ? heads[i].substring(1) : heads[i];
        }
    }

    /** One row, with a cell for each column. */
    Table row(Object... cells) {
        if (cells.length != heads.length) {
            throw new IllegalArgumentException(cells.length + " cells for " + heads.length + " columns");
        }
        rows.add(Arrays.stream(cells).map(c -> clean(String.valueOf(c))).toArray(String[]::new));
        return this;
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    void print(PrintStream out) {
        int[] widths = new int[heads.length];
        for (int i = 0; i < heads.length; i++) {
            widths[i] = width(heads[i]);
            for (String[] row : rows) {
                widths[i] = Math.max(widths[i], width(row[i]));
            }
        }
        String[] upper = Arrays.stream(heads)
                .map(h -> h.toUpperCase(java.util.Locale.ROOT))
                .toArray(String[]::new);
        out.println(line(upper, widths));
        rows.forEach(row -> out.println(line(row, widths)));
    }

    private String line(String[] cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < cells.length; i++) {
            if (i > 0) {
                line.append(GAP);
            }
            String space = " ".repeat(Math.max(0, widths[i] - width(cells[i])));
            line.append(right[i] ? space + cells[i] : cells[i] + space);
        }
        return line.toString().stripTrailing();
    }

    private static String clean(String cell) {
        StringBuilder clean = new StringBuilder(cell.length());
        cell.codePoints().map(c -> Character.isISOControl(c) ? ' ' : c).forEach(clean::appendCodePoint);
        return clean.toString();
    }

    /** The cell, cut to so many columns, with an ellipsis where something is missing. */
    static String cut(String cell, int columns) {
        String clean = clean(cell);
        if (width(clean) <= columns) {
            return clean;
        }
        StringBuilder cut = new StringBuilder();
        int used = 0;
        for (int at = 0; at < clean.length(); ) {
            int character = clean.codePointAt(at);
            if (used + width(character) > columns - 1) {
                break;
            }
            cut.appendCodePoint(character);
            used += width(character);
            at += Character.charCount(character);
        }
        return cut.append('…').toString();
    }

    /** Columns a text takes on a terminal. */
    static int width(String text) {
        return text.codePoints().map(Table::width).sum();
    }

    private static int width(int character) {
        int type = Character.getType(character);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        return isWide(character) ? 2 : 1;
    }

    private static boolean isWide(int c) {
        return (c >= 0x1100 && c <= 0x115F)
                || (c >= 0x2E80 && c <= 0x303E)
                || (c >= 0x3041 && c <= 0xA4CF)
                || (c >= 0xAC00 && c <= 0xD7A3)
                || (c >= 0xF900 && c <= 0xFAFF)
                || (c >= 0xFE30 && c <= 0xFE6F)
                || (c >= 0xFF00 && c <= 0xFF60)
                || (c >= 0xFFE0 && c <= 0xFFE6)
                || (c >= 0x1F300 && c <= 0x1F64F)
                || (c >= 0x1F680 && c <= 0x1F6FF)
                || (c >= 0x1F900 && c <= 0x1FAFF)
                || (c >= 0x20000 && c <= 0x3FFFD);
    }
}
