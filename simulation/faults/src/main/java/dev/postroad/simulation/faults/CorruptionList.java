package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.SimulatedDisk;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** All single corruptions of a directory, numbered, so that each can be made again. */
final class CorruptionList {
    private static final int BLOCK = 4096;
    private static final int HEADER_COPY = 2048;
    private static final int SEGMENT_HEADER_BYTES = 104;
    private static final int BATCH_HEADER = 48;
    private static final int RECORD_HEADER = 9;
    private static final int CHECKPOINT_HEADER = 88;
    private static final int CHECKPOINT_ENTRY = 40;
    private static final int BODY_STEP = 64;

    /** Bytes of a file that are a header: each bit of them is flipped. */
    private record Header(String file, int from, int bytes) {}

    /** One sort of corruption: so many of them, and how the n-th is made. */
    private record Sort(String name, long count, Maker maker) {}

    @FunctionalInterface
    private interface Maker {
        String make(long n, SimulatedDisk disk);
    }

    private final CorruptionSample sample;
    private final Random random;
    private final List<String> names;
    private final List<Sort> sorts = new ArrayList<>();
    private long size;

    CorruptionList(CorruptionSample sample, long seed) {
        this.sample = sample;
        this.random = new Random(seed);
        this.names = List.copyOf(sample.files.keySet());
        headers();
        bodies();
        blocks();
        files();
        for (Sort sort : sorts) {
            size += sort.count;
        }
    }

    long size() {
        return size;
    }

    /** One of them: each sort as often as the others. */
    long choose(Random choice) {
        int which = choice.nextInt(sorts.size());
        long before = 0;
        for (int i = 0; i < which; i++) {
            before += sorts.get(i).count;
        }
        return before + choice.nextLong(sorts.get(which).count);
    }

    /** Makes the n-th; returns what it is. */
    String apply(long n, SimulatedDisk disk) {
        long rest = n;
        for (Sort sort : sorts) {
            if (rest < sort.count) {
                return sort.name + " " + sort.maker.make(rest, disk);
            }
            rest -= sort.count;
        }
        throw new IllegalArgumentException("there are " + size + " corruptions, none is number " + n);
    }

    private void sort(String name, long count, Maker maker) {
        if (count > 0) {
            sorts.add(new Sort(name, count, maker));
        }
    }

    // ── Bits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    private void headers() {
        List<Header> segments = new ArrayList<>();
        List<Header> checkpoints = new ArrayList<>();
        for (String name : names) {
            byte[] bytes = bytes(name);
            if (name.startsWith("segment-")) {
                segments.add(new Header(name, 0, SEGMENT_HEADER_BYTES));
                segments.add(new Header(name, HEADER_COPY, SEGMENT_HEADER_BYTES));
            } else if (name.startsWith("checkpoint-")) {
                int entries = ByteBuffer.wrap(bytes).getInt(12);
                checkpoints.add(new Header(name, 0, CHECKPOINT_HEADER + CHECKPOINT_ENTRY * entries));
            }
        }
        List<Header> batches = new ArrayList<>();
        for (long batch : sample.batches) {
            int from = (int) (batch % CorruptionSample.SEGMENT);
            if (names.contains(CorruptionSample.name(batch))) {
                batches.add(new Header(CorruptionSample.name(batch), from, BATCH_HEADER));
            }
        }
        List<Header> records = new ArrayList<>();
        for (CorruptionSample.Place place : sample.records.values()) {
            if (names.contains(place.file())) {
                records.add(new Header(place.file(), place.from(), RECORD_HEADER));
            }
        }
        flips("bit of a segment header", segments);
        flips("bit of a checkpoint header", checkpoints);
        flips("bit of a batch header", batches);
        flips("bit of a record header", records);
    }

    private void flips(String name, List<Header> headers) {
        long bits = 0;
        for (Header header : headers) {
            bits += 8L * header.bytes;
        }
        sort(name, bits, (n, disk) -> {
            long rest = n;
            for (Header header : headers) {
                if (rest < 8L * header.bytes) {
                    disk.flip(header.file, header.from + rest / 8, (int) (rest % 8));
                    return header.file + " at " + header.from + ", bit " + rest;
                }
                rest -= 8L * header.bytes;
            }
            return "";
        });
    }

    private void bodies() {
        List<String> bodies =
                names.stream().filter(name -> bytes(name).length > 0).toList();
        long[] ends = new long[bodies.size()];
        long count = 0;
        for (int i = 0; i < ends.length; i++) {
            count += (bytes(bodies.get(i)).length + BODY_STEP - 1) / BODY_STEP;
            ends[i] = count;
        }
        long salt = random.nextLong();
        sort("bit of", count, (n, disk) -> {
            int file = 0;
            while (n >= ends[file]) {
                file++;
            }
            String name = bodies.get(file);
            long start = (n - (file == 0 ? 0 : ends[file - 1])) * BODY_STEP;
            Random where = new Random(salt + n);
            long offset = Math.min(bytes(name).length - 1L, start + where.nextInt(BODY_STEP));
            int bit = where.nextInt(8);
            disk.flip(name, offset, bit);
            return name + " at " + offset + ", bit " + bit;
        });
    }

    // ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void blocks() {
        List<String> large =
                names.stream().filter(name -> bytes(name).length >= BLOCK).toList();
        int perFile = CorruptionSample.SEGMENT / BLOCK;
        long blocks = (long) large.size() * perFile;
        for (int unit : new int[] {BLOCK, 512}) {
            long units = blocks * BLOCK / unit;
            sort(
                    "zeroed " + unit + " bytes of",
                    units,
                    (n, disk) ->
                            change(disk, large, n, unit, (bytes, at) -> Arrays.fill(bytes, at, at + unit, (byte) 0)));
            sort(
                    "garbage in " + unit + " bytes of",
                    units,
                    (n, disk) -> change(disk, large, n, unit, (bytes, at) -> {
                        byte[] garbage = new byte[unit];
                        new Random(n).nextBytes(garbage);
                        System.arraycopy(garbage, 0, bytes, at, unit);
                    }));
        }
        int per = perFile - 1;
        sort(
                "copied block of",
                blocks * per,
                (n, disk) -> change(
                        disk,
                        large,
                        n / per,
                        BLOCK,
                        (bytes, at) -> System.arraycopy(bytes, other(at, n % per), bytes, at, BLOCK)));
        sort(
                "swapped block of",
                blocks * per,
                (n, disk) -> change(disk, large, n / per, BLOCK, (bytes, at) -> {
                    int from = other(at, n % per);
                    byte[] keep = Arrays.copyOfRange(bytes, at, at + BLOCK);
                    System.arraycopy(bytes, from, bytes, at, BLOCK);
                    System.arraycopy(keep, 0, bytes, from, BLOCK);
                }));
        sort(
                "block of another file in",
                blocks * large.size(),
                (n, disk) -> change(
                        disk,
                        large,
                        n / large.size(),
                        BLOCK,
                        (bytes, at) ->
                                System.arraycopy(bytes(large.get((int) (n % large.size()))), at, bytes, at, BLOCK)));
        List<String> changed =
                large.stream().filter(sample.earlier::containsKey).toList();
        sort(
                "stale block of",
                4L * changed.size() * perFile,
                (n, disk) -> change(disk, changed, n / 4, BLOCK, (bytes, at) -> {
                    String name = changed.get((int) (n / 4 / perFile % changed.size()));
                    List<byte[]> earlier = sample.earlier.getOrDefault(name, List.of(bytes.clone()));
                    System.arraycopy(earlier.get((int) (n % 4) % earlier.size()), at, bytes, at, BLOCK);
                }));
    }

    private static int other(int at, long which) {
        int block = (int) which * BLOCK;
        return block < at ? block : block + BLOCK;
    }

    @FunctionalInterface
    private interface Change {
        void on(byte[] bytes, int at);
    }

    private String change(SimulatedDisk disk, List<String> files, long n, int unit, Change change) {
        int perFile = CorruptionSample.SEGMENT / unit;
        String name = files.get((int) (n / perFile % files.size()));
        byte[] bytes = bytes(name).clone();
        int at = (int) (n % perFile) * unit;
        if (at + unit <= bytes.length) {
            change.on(bytes, at);
            disk.put(name, bytes);
        }
        return name + " at " + at;
    }

    // ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────

    private void files() {
        sort("missing", names.size(), (n, disk) -> {
            disk.remove(name(n));
            return name(n);
        });
        sort("emptied", names.size(), (n, disk) -> {
            disk.put(name(n), new byte[0]);
            return name(n);
        });
        sort("stale copy of", 4L * names.size(), (n, disk) -> {
            List<byte[]> earlier = sample.earlier.getOrDefault(name(n / 4), List.of(bytes(name(n / 4))));
            byte[] old = earlier.get((int) (n % 4) % earlier.size());
            disk.put(name(n / 4), old);
            return name(n / 4) + ", copy " + n % 4;
        });
        CorruptionSample foreign = new CorruptionSample(1, 60, true, false, random.nextLong());
        sort("foreign", names.size(), (n, disk) -> {
            disk.put(name(n), foreign.files.getOrDefault(name(n), new byte[] {1, 2, 3}));
            return name(n);
        });
        sort("another's contents in", (long) names.size() * names.size(), (n, disk) -> {
            disk.put(name(n / names.size()), bytes(name(n)).clone());
            return name(n / names.size()) + ", of " + name(n);
        });
        sort("garbage behind", names.size(), (n, disk) -> {
            byte[] longer = Arrays.copyOf(bytes(name(n)), bytes(name(n)).length + 100);
            Arrays.fill(longer, longer.length - 100, longer.length, (byte) 0x5A);
            disk.put(name(n), longer);
            return name(n);
        });
        long total = 0;
        for (String name : names) {
            total += bytes(name).length;
        }
        sort("cut", total, (n, disk) -> {
            long rest = n;
            for (String name : names) {
                int length = bytes(name).length;
                if (rest < length) {
                    disk.put(name, Arrays.copyOf(bytes(name), (int) rest));
                    return name + " at " + rest;
                }
                rest -= length;
            }
            return "";
        });
    }

    private String name(long n) {
        return names.get((int) (n % names.size()));
    }

    private byte[] bytes(String name) {
        return sample.files.getOrDefault(name, new byte[0]);
    }
}
