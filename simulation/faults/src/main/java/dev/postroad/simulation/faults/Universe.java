package dev.postroad.simulation.faults;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** All names a program has ever used: what has to be tried to find out what an engine remembers. */
final class Universe {
    final Set<String> ids = new TreeSet<>();

    /** Per producer: the highest epoch, and one more than the highest sequence. */
    final Map<Long, int[]> producers = new TreeMap<>();

    void producer(long id, int epoch, int upTo) {
        int[] known = producers.computeIfAbsent(id, each -> new int[2]);
        known[0] = Math.max(known[0], epoch);
        known[1] = Math.max(known[1], upTo);
    }
}
