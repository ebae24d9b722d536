package dev.postroad.engine;

import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * Gives the partitions of streams to the members of a group: each to one member that reads its stream, as evenly as that
 * allows, and leaving as many as possible with whom they are.
 *
 * <p>Partitions without an owner go to the members that have least. Then, as long as a member has two or more too many,
 * one of its partitions goes to a member that has least of those it can reach: itself, or over others who each pass one on.
 * Where all read the same streams nobody ends up with more than one partition more than another, and no fewer partitions
 * could have moved.
 *
 * <p>Members and streams are numbers here, from 0. The same arguments give the same result.
 */
final class Assignment {
    static final int NOBODY = -1;

    private final int[][] owners;
    private final int[][] before;
    private final int[][] readers;
    private final int[] load;
    private final int[][] held;

    /** By member, of the search: who passes a partition on to it, and of which stream. */
    private final int[] giver;

    private final int[] given;

    private Assignment(int[][] owners, int[][] readers, int members) {
        this.owners = owners;
        this.readers = readers;
        before = new int[owners.length][];
        load = new int[members];
        held = new int[members][owners.length];
        giver = new int[members];
        given = new int[members];
    }

    /**
     * Changes the owners to what they should be.
     *
     * @param owners by stream and partition, a member or {@link #NOBODY}; changed
     * @param readers by stream, the members that read it, ascending
     * @param members how many there are
     */
    static void balance(int[][] owners, int[][] readers, int members) {
        new Assignment(owners, readers, members).run();
    }

    private void run() {
        for (int stream = 0; stream < owners.length; stream++) {
            int[] of = owners[stream];
            for (int partition = 0; partition < of.length; partition++) {
                int owner = of[partition];
                if (owner != NOBODY && Arrays.binarySearch(readers[stream], owner) < 0) {
                    of[partition] = NOBODY;
                } else if (owner != NOBODY) {
                    count(owner, stream, 1);
                }
            }
            before[stream] = of.clone();
        }
        for (int stream : fewestReadersFirst()) {
            giveOrphans(stream);
        }
        level();
    }

    private void count(int member, int stream, int change) {
        load[member] += change;
        held[member][stream] += change;
    }

    private int[] fewestReadersFirst() {
        long[] order = new long[owners.length];
        for (int stream = 0; stream < order.length; stream++) {
            order[stream] = ((long) readers[stream].length << 32) + stream;
        }
        Arrays.sort(order);
        return Arrays.stream(order).mapToInt(o -> (int) o).toArray();
    }

    private void giveOrphans(int stream) {
        int[] of = owners[stream];
        if (readers[stream].length == 0) {
            return;
        }
        for (int partition = 0; partition < of.length; partition++) {
            if (of[partition] == NOBODY) {
                int least = readers[stream][0];
                for (int reader : readers[stream]) {
                    if (load[reader] < load[least]) {
                        least = reader;
                    }
                }
                of[partition] = least;
                count(least, stream, 1);
            }
        }
    }

    /**
     * The member with most gives while it can. Once it cannot, it never can again: whom it reaches all have as many as it or
     * one less, and from those behind it in the order nothing leads there.
     */
    private void level() {
        boolean[] done = new boolean[load.length];
        for (int member = most(done); member != NOBODY && load[member] - least() >= 2; member = most(done)) {
            int taker = search(member);
            if (taker == NOBODY) {
                done[member] = true;
            } else {
                pass(member, taker);
            }
        }
    }

    private int most(boolean[] done) {
        int most = NOBODY;
        for (int member = 0; member < load.length; member++) {
            if (!done[member] && (most == NOBODY || load[member] > load[most])) {
                most = member;
            }
        }
        return most;
    }

    private int least() {
        int least = Integer.MAX_VALUE;
        for (int each : load) {
            least = Math.min(least, each);
        }
        return least;
    }

    /** Who has least of those a partition can be passed to, over as few others as possible; nobody if that is no gain. */
    private int search(int from) {
        Arrays.fill(giver, NOBODY);
        boolean[] seen = new boolean[owners.length];
        ArrayDeque<Integer> reached = new ArrayDeque<>();
        giver[from] = from;
        reached.add(from);
        int least = NOBODY;
        while (!reached.isEmpty()) {
            int member = reached.remove();
            for (int stream = 0; stream < owners.length; stream++) {
                if (seen[stream] || held[member][stream] == 0) {
                    continue;
                }
                seen[stream] = true;
                for (int reader : readers[stream]) {
                    if (giver[reader] == NOBODY) {
                        giver[reader] = member;
                        given[reader] = stream;
                        reached.add(reader);
                        if (load[reader] <= load[from] - 2 && (least == NOBODY || load[reader] < load[least])) {
                            least = reader;
                        }
                    }
                }
            }
        }
        return least;
    }

    private void pass(int from, int to) {
        for (int member = to; member != from; member = giver[member]) {
            int stream = given[member];
            owners[stream][choose(stream, giver[member], member)] = member;
            count(giver[member], stream, -1);
            count(member, stream, 1);
        }
    }

    /** Rather one that goes back to where it was, then one that moves anyway, then the last one. */
    private int choose(int stream, int from, int to) {
        int choice = NOBODY;
        int best = -1;
        for (int partition = 0; partition < owners[stream].length; partition++) {
            if (owners[stream][partition] == from) {
                int was = before[stream][partition];
                int worth = was == to ? 2 : was != from ? 1 : 0;
                if (worth >= best) {
                    best = worth;
                    choice = partition;
                }
            }
        }
        return choice;
    }
}
