package dev.postroad.proof.history;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A number for each index from 0, zero at first, in pages that are made when something is put there. */
final class Pages {
    private static final int BITS = 12;
    private static final int SIZE = 1 << BITS;

    private final Map<Long, long[]> pages = new HashMap<>();
    private long lastPage = -1;
    private long @Nullable [] last;

    long get(long index) {
        long[] page = page(index >>> BITS, false);
        return page == null ? 0 : page[(int) index & (SIZE - 1)];
    }

    void set(long index, long value) {
        long[] page = page(index >>> BITS, true);
        if (page != null) {
            page[(int) index & (SIZE - 1)] = value;
        }
    }

    private long @Nullable [] page(long number, boolean make) {
        if (number != lastPage || last == null) {
            long[] found = pages.get(number);
            if (found == null) {
                if (!make) {
                    return null;
                }
                found = new long[SIZE];
                pages.put(number, found);
            }
            last = found;
            lastPage = number;
        }
        return last;
    }
}
