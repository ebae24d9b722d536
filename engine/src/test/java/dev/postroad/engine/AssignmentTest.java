package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AssignmentTest {
    private static int[][] copy(int[][] arrays) {
        return Arrays.stream(arrays).map(int[]::clone).toArray(int[][]::new);
    }

    private static int[] loads(int[][] owners, int members) {
        int[] loads = new int[members];
        for (int[] of : owners) {
            for (int owner : of) {
                if (owner >= 0) {
                    loads[owner]++;
                }
            }
        }
        return loads;
    }

    /** Partitions that had an owner who is still there and have another one now. */
    private static int taken(int[][] before, int[][] after) {
        int taken = 0;
        for (int s = 0; s < before.length; s++) {
            for (int p = 0; p < before[s].length; p++) {
                taken += before[s][p] >= 0 && before[s][p] != after[s][p] ? 1 : 0;
            }
        }
        return taken;
    }

    /** Random owners: some even, some not, some partitions with nobody. */
    private static int[][] owners(Generator gen, int streams, int members, int mostPartitions) {
        int[][] owners = new int[streams][];
        int favoured = gen.between(1, members);
        for (int s = 0; s < streams; s++) {
            owners[s] = new int[gen.between(1, mostPartitions)];
            for (int p = 0; p < owners[s].length; p++) {
                owners[s][p] = gen.chance(1, 4)
                        ? Assignment.NOBODY
                        : (int) gen.uniform(0, (gen.flip() ? favoured : members) - 1);
            }
        }
        return owners;
    }

    @Test
    void whereAllReadTheSameTheLoadIsEvenAndNoFewerPartitionsCouldMove() {
        Property.forAll("even, with the fewest moves", 1_000, gen -> {
            int members = gen.between(1, 12);
            int streams = gen.between(1, 4);
            int[] all = IntStream.range(0, members).toArray();
            int[][] readers =
                    IntStream.range(0, streams).mapToObj(s -> all.clone()).toArray(int[][]::new);
            int[][] before = owners(gen, streams, members, 30);
            int[][] after = copy(before);

            Assignment.balance(after, readers, members);

            int[] loads = loads(after, members);
            int partitions = Arrays.stream(before).mapToInt(of -> of.length).sum();
            assertThat(Arrays.stream(loads).sum()).isEqualTo(partitions);
            assertThat(Arrays.stream(loads).max().orElse(0)
                            - Arrays.stream(loads).min().orElse(0))
                    .isLessThanOrEqualTo(1);
            assertThat(taken(before, after)).isEqualTo(fewestTaken(before, members, partitions));
        });
    }

    /** Whoever has most may keep one more than the rest, as long as there are such places. */
    private static int fewestTaken(int[][] before, int members, int partitions) {
        int[] loads = loads(before, members);
        Arrays.sort(loads);
        int taken = 0;
        int larger = partitions % members;
        for (int i = members - 1; i >= 0; i--) {
            int place = partitions / members + (larger-- > 0 ? 1 : 0);
            taken += Math.max(0, loads[i] - place);
        }
        return taken;
    }

    @Test
    void whereTheyReadDifferentStreamsNobodyHasTwoMoreThanSomebodyWhoCouldTakeOne() {
        Property.forAll("as even as subscriptions allow", 1_000, gen -> {
            int members = gen.between(1, 10);
            int streams = gen.between(1, 6);
            int[][] readers = new int[streams][];
            for (int s = 0; s < streams; s++) {
                readers[s] = IntStream.range(0, members).filter(m -> gen.flip()).toArray();
            }
            int[][] before = owners(gen, streams, members, 20);
            int[][] after = copy(before);

            Assignment.balance(after, readers, members);

            int[] loads = loads(after, members);
            for (int s = 0; s < streams; s++) {
                for (int owner : after[s]) {
                    if (readers[s].length == 0) {
                        assertThat(owner).isEqualTo(Assignment.NOBODY);
                        continue;
                    }
                    assertThat(readers[s]).contains(owner);
                    for (int other : readers[s]) {
                        assertThat(loads[owner] - loads[other]).isLessThanOrEqualTo(1);
                    }
                }
            }
            assertThat(squares(loads)).isEqualTo(squares(optimum(after, readers, members)));
            int[][] again = copy(after);
            Assignment.balance(again, readers, members);
            assertThat(again).isDeepEqualTo(after);
        });
    }

    private static long squares(int[] loads) {
        return Arrays.stream(loads).mapToLong(l -> (long) l * l).sum();
    }

    /** The evenest loads there can be, found by shifting one partition after the other along any way, from nothing. */
    private static int[] optimum(int[][] shape, int[][] readers, int members) {
        int[][] owners = Arrays.stream(shape)
                .map(of -> {
                    int[] nobody = new int[of.length];
                    Arrays.fill(nobody, Assignment.NOBODY);
                    return nobody;
                })
                .toArray(int[][]::new);
        int[] loads = new int[members];
        for (int s = 0; s < owners.length; s++) {
            for (int p = 0; p < owners[s].length && readers[s].length > 0; p++) {
                place(s, p, owners, readers, loads);
            }
        }
        return loads;
    }

    /** Adds one partition where it costs least, passing others on: adding one at a time along cheapest ways is optimal. */
    private static void place(int stream, int partition, int[][] owners, int[][] readers, int[] loads) {
        int[] from = new int[loads.length];
        int[] viaStream = new int[loads.length];
        int[] viaPartition = new int[loads.length];
        Arrays.fill(from, -2);
        for (int reader : readers[stream]) {
            from[reader] = -1;
            viaStream[reader] = stream;
            viaPartition[reader] = partition;
        }
        boolean more = true;
        while (more) {
            more = false;
            for (int s = 0; s < owners.length; s++) {
                for (int p = 0; p < owners[s].length; p++) {
                    int owner = owners[s][p];
                    if (owner >= 0 && from[owner] != -2) {
                        for (int reader : readers[s]) {
                            if (from[reader] == -2) {
                                from[reader] = owner;
                                viaStream[reader] = s;
                                viaPartition[reader] = p;
                                more = true;
                            }
                        }
                    }
                }
            }
        }
        int least = -1;
        for (int m = 0; m < loads.length; m++) {
            if (from[m] != -2 && (least < 0 || loads[m] < loads[least])) {
                least = m;
            }
        }
        loads[least]++;
        for (int m = least; m >= 0; m = from[m]) {
            owners[viaStream[m]][viaPartition[m]] = m;
        }
    }

    @Test
    void whatHasToBePassedOnIsRatherAPartitionThatMovesAnyway() {
        int nobody = Assignment.NOBODY;
        int[][] readers = {{0, 1}, {0, 2}, {1}};
        int[][] owners = {{nobody, 0}, {2, 2, 2, 2}, {1}};

        Assignment.balance(owners, readers, 3);

        assertThat(owners).isDeepEqualTo(new int[][] {{1, 0}, {2, 2, 2, 0}, {1}});
    }

    @Test
    void aThousandMembersAndTenThousandPartitionsAreAssignedAtOnce() {
        int[] all = IntStream.range(0, 1_000).toArray();
        int[][] owners = new int[1][10_000];

        Assignment.balance(owners, new int[][] {all}, 1_000);

        assertThat(loads(owners, 1_000)).containsOnly(10);
    }
}
