package dev.postroad.journal;

import java.util.ArrayList;
import java.util.List;

/** What opening a journal found and did. */
public final class RecoveryReport {
    private final List<DamageReport> damage = new ArrayList<>();
    private final List<String> foreignFiles = new ArrayList<>();
    private final List<String> quarantined = new ArrayList<>();
    private long checkpointPosition;
    private long tailPosition;
    private long batches;
    private long records;
    private boolean cut;
    private long droppedBytes;
    private boolean cleanly;

    RecoveryReport() {}

    /** The position of the checkpoint that was loaded; 0 if there was none. */
    public long checkpointPosition() {
        return checkpointPosition;
    }

    /** Where appending goes on. */
    public long tailPosition() {
        return tailPosition;
    }

    /** How many batches were shown to the handler. */
    public long batches() {
        return batches;
    }

    /** How many records they had. */
    public long records() {
        return records;
    }

    /** Whether an unfinished tail was cut off. None of it had been durable. */
    public boolean tailCut() {
        return cut;
    }

    /** How many bytes of the cut tail could be recognised as batches. */
    public long droppedBytes() {
        return droppedBytes;
    }

    /** Whether the journal had been closed in good order. */
    public boolean closedCleanly() {
        return cleanly;
    }

    /** All damage, also that which cost nothing. */
    public List<DamageReport> damage() {
        return List.copyOf(damage);
    }

    /** Names of files that are not the journal's. They are left alone. */
    public List<String> foreignFiles() {
        return List.copyOf(foreignFiles);
    }

    /** Names of the files to which damaged ranges were copied. */
    public List<String> quarantined() {
        return List.copyOf(quarantined);
    }

    void checkpoint(long position) {
        checkpointPosition = position;
    }

    void tail(long position, boolean closedCleanly) {
        tailPosition = position;
        cleanly = closedCleanly;
    }

    void batch(long recordCount) {
        batches++;
        records += recordCount;
    }

    void dropped(long bytes) {
        cut = true;
        droppedBytes += bytes;
    }

    void batchesDone(List<DamageReport> found) {
        damage.addAll(found);
    }

    void foreign(String name) {
        foreignFiles.add(name);
    }

    void quarantine(String name) {
        quarantined.add(name);
    }
}
