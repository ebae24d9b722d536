package dev.postroad.simulation.faults;

import dev.postroad.journal.CorruptRecordException;
import dev.postroad.journal.DamageException;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings.OnDamage;
import dev.postroad.journal.RecordReader;
import dev.postroad.journal.Storage;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Damages one thing in a small directory, and opens it. Either nothing that was stored is touched, or the opening is refused and
 * says what is damaged; served nevertheless, all is there but the records that the damage lies in. Nothing is ever invented, and
 * the log never gets shorter without a word.
 */
final class CorruptionSweep {
    private final BooleanSupplier out;
    private final List<CorruptionSample> samples = new ArrayList<>();
    private final List<CrashExplorer.Found> found = new ArrayList<>();
    private final long seed;

    private long corruptions;
    private long refused;
    private long harmless;
    private long reportedAtReading;
    private long unprovable;
    private long headersLost;

    CorruptionSweep(long seed, BooleanSupplier out) {
        this.seed = seed;
        this.out = out;
        samples.add(new CorruptionSample(2, 10, true, false, seed));
        samples.add(new CorruptionSample(0, 60, true, false, seed + 1));
        samples.add(new CorruptionSample(1, 60, false, true, seed + 2));
        // So many that some lie before the checkpoint: no recovery looks at these, only who reads them.
        samples.add(new CorruptionSample(2, 100, false, false, seed + 3));
    }

    List<CrashExplorer.Found> found() {
        return found;
    }

    long corruptions() {
        return corruptions;
    }

    /** Openings refused with a list of the damage, or with the reason why the directory is not one. */
    long refused() {
        return refused;
    }

    /** What cost nothing: it was in bytes that mean nothing, or what was damaged is there twice and was said to be damaged. */
    long harmless() {
        return harmless;
    }

    /** Damage in what lies behind the checkpoint, told when the record is read. */
    long reportedAtReading() {
        return reportedAtReading;
    }

    /** Damage in the last group before a kill, of which nothing later says that it had been durable. */
    long unprovable() {
        return unprovable;
    }

    /** Damage that took both copies of a segment's header, and with them the means to verify what is in it. */
    long headersLost() {
        return headersLost;
    }

    // ── What is damaged ──────────────────────────────────────────────────────────────────────────────────────────────

    /** All of it: every bit of all headers, sampled bits of bodies, blocks, files, and cuts at every byte. */
    void all() {
        for (int i = 0; i < samples.size(); i++) {
            CorruptionList list = new CorruptionList(samples.get(i), seed + i);
            for (long n = 0; n < list.size() && goesOn(); n++) {
                one(i, list, n);
            }
        }
    }

    /** So many, spread over all. */
    void sample(int count) {
        java.util.Random random = new java.util.Random(seed);
        List<CorruptionList> lists = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            lists.add(new CorruptionList(samples.get(i), seed + i));
        }
        for (int i = 0; i < count && goesOn(); i++) {
            int which = i % samples.size();
            one(which, lists.get(which), lists.get(which).choose(random));
        }
    }

    /** One of them, by its name. */
    void replay(int sample, long number) {
        one(sample, new CorruptionList(samples.get(sample), seed + sample), number);
    }

    private boolean goesOn() {
        return found.size() < 5 && !out.getAsBoolean();
    }

    private void one(int which, CorruptionList list, long number) {
        CorruptionSample sample = samples.get(which);
        SimulatedDisk damaged = sample.disk.copy();
        String what = list.apply(number, damaged);
        corruptions++;
        try {
            judge(sample, damaged);
        } catch (IOException | RuntimeException e) {
            found.add(new CrashExplorer.Found(
                    "seed " + seed + " sample " + which + " number " + number, what + ": " + CrashExplorer.text(e)));
        }
    }

    // ── What comes of it ─────────────────────────────────────────────────────────────────────────────────────────────

    private void judge(CorruptionSample sample, SimulatedDisk damaged) throws IOException {
        SimulatedDisk opening = damaged.copy();
        boolean opened = false;
        try (Storage storage = opening.open()) {
            Ledger ledger = Ledger.open(storage, Ledger.SETTINGS, 8, sample::word);
            opened = true;
            if (ledger.damage.stream().anyMatch(DamageReport::lost)) {
                throw new Broken("opened, and not refused, although something is lost: " + ledger.damage);
            }
            compare(sample, damaged, ledger, false);
        } catch (DamageException e) {
            refused++;
            if (onlyACheckpoint(sample, damaged)) {
                throw new Broken("refused for a checkpoint, where the one before or the journal itself would do: "
                        + e.getMessage());
            }
            if (e.reports().isEmpty()) {
                throw new Broken("refused without saying what is damaged");
            }
            if (refused % 64 == 0) {
                same(damaged, opening);
            }
        } catch (CorruptRecordException e) {
            throw e;
        } catch (JournalException e) {
            // A directory that is none, or of another version: refused as a whole, by what its message says.
            refused++;
        }
        if (!opened) {
            try (Storage storage = damaged.copy().open()) {
                compare(
                        sample,
                        damaged,
                        Ledger.open(storage, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9, sample::word),
                        true);
            }
        }
    }

    /** Two checkpoints are kept so that one of them may rot. */
    private static boolean onlyACheckpoint(CorruptionSample sample, SimulatedDisk damaged) {
        int checkpoints = 0;
        for (Map.Entry<String, byte[]> file : sample.files.entrySet()) {
            if (differs(sample, damaged, file.getKey(), 0, file.getValue().length)) {
                if (!file.getKey().startsWith("checkpoint-")) {
                    return false;
                }
                checkpoints++;
            }
        }
        return checkpoints == 1;
    }

    private static void same(SimulatedDisk before, SimulatedDisk after) {
        if (!before.files().equals(after.files())) {
            throw new Broken("a refused opening has changed the files to " + after.files());
        }
        for (String file : before.files()) {
            if (!Arrays.equals(before.bytes(file), after.bytes(file))) {
                throw new Broken("a refused opening has changed " + file);
            }
        }
    }

    /** Compares what is there with what was, byte by byte. */
    private void compare(CorruptionSample sample, SimulatedDisk damaged, Ledger ledger, boolean served)
            throws JournalException {
        boolean told = ledger.damage.stream().anyMatch(DamageReport::lost);
        RecordReader reader = ledger.journal().reader();
        boolean lost = false;
        boolean atReading = false;
        boolean headers = false;
        List<Long> missing = new ArrayList<>();
        for (Map.Entry<Long, String> entry : sample.live.entrySet()) {
            CorruptionSample.Place place = sample.records.get(entry.getKey());
            String word = ledger.live.get(entry.getKey());
            boolean hit = place == null || touched(sample, damaged, place);
            if (word == null) {
                lost = true;
                missing.add(entry.getKey());
                if (served && !hit && !headersLost(sample, damaged, place)) {
                    throw new Broken("entry " + entry + " was not damaged and is not served");
                }
                headers |= !hit;
                continue;
            }
            try {
                ByteBuffer payload = reader.read(entry.getKey());
                byte[] bytes = new byte[payload.remaining()];
                payload.get(bytes);
                String read = sample.word(entry.getKey(), bytes);
                if (!read.equals(entry.getValue()) || !word.equals(entry.getValue())) {
                    throw new Broken("entry " + entry + " reads " + read + " and is listed as " + word);
                }
            } catch (CorruptRecordException e) {
                atReading = true;
                if (!hit && !headersLost(sample, damaged, place)) {
                    throw new Broken("entry " + entry + " was not damaged and can't be read: " + e.getMessage());
                }
            }
        }
        for (Map.Entry<Long, String> entry : ledger.live.entrySet()) {
            CorruptionSample.Place place = sample.records.get(entry.getKey());
            if (place == null || !place.word().equals(entry.getValue())) {
                throw new Broken("entry " + entry + " was never put");
            }
        }
        for (long position : ledger.live.keySet()) {
            if (!sample.live.containsKey(position)) {
                // It was dropped, and the record that said so is missing: any behind it.
                lost = true;
                missing.add(sample.dropped.getOrDefault(position, 0L));
            }
        }
        headersLost += headers ? 1 : 0;
        if (lost && !told) {
            if (missing.stream().anyMatch(position -> provable(sample, damaged, position))) {
                throw new Broken("the log got shorter without a word: " + (sample.live.size() - ledger.live.size())
                        + " entries are missing");
            }
            unprovable++;
        } else if (atReading && !served) {
            reportedAtReading++;
        } else if (!served) {
            harmless++;
        }
    }

    /** True if bytes of the record are others than they were, or not there. */
    private static boolean touched(CorruptionSample sample, SimulatedDisk damaged, CorruptionSample.Place place) {
        return differs(sample, damaged, place.file(), place.from(), place.to());
    }

    private static boolean differs(CorruptionSample sample, SimulatedDisk damaged, String file, int from, int to) {
        return !sample.disk.same(damaged, file, from, to);
    }

    /** Both copies of the segment's header are gone: nothing in it can be verified, which is reported. */
    private static boolean headersLost(
            CorruptionSample sample, SimulatedDisk damaged, CorruptionSample.@Nullable Place place) {
        return place != null
                && differs(sample, damaged, place.file(), 0, 104)
                && differs(sample, damaged, place.file(), 2048, 2048 + 104);
    }

    /**
     * True if anything that is left says that there was something at this position: the note, or a batch further on, which was
     * only written when everything before it was on the disk.
     */
    private static boolean provable(CorruptionSample sample, SimulatedDisk damaged, long position) {
        if (position < sample.noted) {
            return true;
        }
        for (long batch : sample.batches) {
            String file = CorruptionSample.name(batch);
            int from = (int) (batch % CorruptionSample.SEGMENT);
            boolean verifiable =
                    !differs(sample, damaged, file, 0, 104) || !differs(sample, damaged, file, 2048, 2048 + 104);
            if (batch > position && verifiable && !differs(sample, damaged, file, from, from + 48)) {
                return true;
            }
        }
        return false;
    }
}
