package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.SimulatedDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A small directory to be damaged, what is in it, and how its files looked before. */
final class CorruptionSample {
    static final int SEGMENT = 64 << 10;
    private static final int RECORD_HEADER = 9;
    private static final int BATCH_HEADER = 48;

    /** Where a record lies in its file. */
    record Place(String file, int from, int to, String word, byte[] payload) {}

    final SimulatedDisk disk = new SimulatedDisk();
    final Map<String, byte[]> files = new TreeMap<>();
    /** Earlier contents of the files, oldest first. */
    final Map<String, List<byte[]>> earlier = new TreeMap<>();

    final TreeMap<Long, Place> records = new TreeMap<>();
    final List<Long> batches = new ArrayList<>();
    final TreeMap<Long, String> live = new TreeMap<>();
    /** Entries dropped, and the position of the batch that did it. */
    final Map<Long, Long> dropped = new TreeMap<>();

    /** What the file that notes it says to be durable, read by the format's description. */
    long noted;

    /**
     * @param checkpoints how many are written on the way
     * @param kept how many entries are kept; the older ones are dropped
     * @param closed whether it is closed in good order; else it is killed behind its last group
     * @param idle whether the journal had time to note that its last group is durable
     */
    CorruptionSample(int checkpoints, int kept, boolean closed, boolean idle, long seed) {
        try {
            fill(checkpoints, kept, closed, idle, seed);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fill(int checkpoints, int kept, boolean closed, boolean idle, long seed) throws IOException {
        Ledger ledger = Ledger.open(disk.open(), Ledger.SETTINGS, seed);
        int count = 130;
        int id = 0;
        List<byte[]> puts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            puts.clear();
            // A run of batches of 512 bytes each: blocks that change places look alike to who does not look closely.
            boolean alike = i >= 10 && i < 50;
            int many = alike ? 1 : 1 + i % 3;
            for (int k = 0; k < many; k++) {
                int size = alike ? 455 : i % 7 == 0 ? 3_000 : 30 + 40 * (i % 11);
                puts.add(Payload.of("w" + ++id, size));
            }
            List<Long> drops = alike
                    ? List.of()
                    : ledger.live.keySet().stream()
                            .limit(Math.max(0, ledger.live.size() - kept))
                            .toList();
            List<Long> positions = ledger.append(puts, drops);
            batches.add(positions.getFirst() - BATCH_HEADER);
            drops.forEach(drop -> dropped.put(drop, positions.getFirst() - BATCH_HEADER));
            for (int k = 0; k < positions.size(); k++) {
                long at = positions.get(k);
                int from = (int) (at % SEGMENT);
                int bytes = (puts.get(k).length + RECORD_HEADER + 7) & ~7;
                records.put(at, new Place(name(at), from, from + bytes, Payload.word(puts.get(k)), puts.get(k)));
            }
            ledger.journal().commit(true);
            if (checkpoints > 0 && i % (count / (checkpoints + 1)) == 12) {
                ledger.checkpoint();
            }
            if (i % 15 == 14) {
                remember();
            }
        }
        live.putAll(ledger.live);
        if (idle) {
            ledger.journal().noteDurable();
        }
        if (closed) {
            ledger.journal().close();
        }
        disk.killProcess();
        for (String name : disk.files()) {
            files.put(name, disk.bytes(name));
        }
        ByteBuffer mark = ByteBuffer.wrap(disk.bytes("durable.mark"));
        noted = Math.max(mark.getLong(32), mark.getLong(512 + 32));
    }

    /** What {@link Payload#word} says of a payload; most are still those that were put there. */
    String word(long position, byte[] payload) {
        Place place = records.get(position);
        return place != null && Arrays.equals(place.payload, payload) ? place.word : Payload.word(payload);
    }

    private void remember() {
        for (String name : disk.files()) {
            earlier.computeIfAbsent(name, each -> new ArrayList<>()).add(disk.bytes(name));
        }
    }

    static String name(long position) {
        return "segment-" + HexFormat.of().toHexDigits(position / SEGMENT) + ".journal";
    }
}
