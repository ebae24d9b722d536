package dev.postroad.cli.doctor;

import dev.postroad.journal.FileStorage;
import dev.postroad.journal.JournalInspector;
import dev.postroad.journal.JournalReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Reads and verifies a data directory, and saves what can be saved of a damaged one. */
public final class Doctor {
    private Doctor() {}

    /**
     * Reads and verifies everything, and changes nothing. A directory in use can be looked at, too; what is being written
     * meanwhile may then look unfinished.
     *
     * @throws IOException if it can't be read or is of a newer version, in words for people
     */
    public static Findings examine(Path directory) throws IOException {
        try (FileStorage storage = FileStorage.openReadOnly(directory)) {
            return findings(JournalInspector.inspect(storage));
        }
    }

    /**
     * Writes a clean copy of everything that can be read.
     *
     * @param directory the damaged one, which is not changed
     * @param copy an empty directory, made if it is not there
     * @return what was found in the damaged one
     * @throws IOException if one can't be read or written, in words for people
     */
    public static Findings salvage(Path directory, Path copy) throws IOException {
        try (FileStorage from = FileStorage.openReadOnly(directory);
                FileStorage to = FileStorage.open(copy)) {
            return findings(JournalInspector.salvage(from, to));
        }
    }

    /**
     * The process that holds a directory.
     *
     * @return its id, 0 if there is one and its id is not known, -1 if nobody does or there is no such directory
     * @throws IOException if that can't be found out, in words for people
     */
    public static long holder(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return -1;
        }
        try (FileStorage storage = FileStorage.openReadOnly(directory)) {
            return storage.holder();
        }
    }

    private static Findings findings(JournalReport report) {
        List<Findings.Segment> segments = report.segments().stream()
                .map(s -> new Findings.Segment(s.file(), s.usedBytes(), s.batches(), s.records()))
                .toList();
        List<Findings.Checkpoint> checkpoints = report.checkpoints().stream()
                .map(c -> new Findings.Checkpoint(c.file(), c.position(), c.snapshotBytes(), c.timeMillis()))
                .toList();
        List<Findings.Damage> damage = report.damage().stream()
                .map(d -> new Findings.Damage(
                        d.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                        d.file(),
                        d.offset(),
                        d.bytes(),
                        d.lost(),
                        d.what()))
                .toList();
        return new Findings(
                report.location(),
                report.healthy(),
                report.closedCleanly(),
                report.segmentBytes(),
                segments,
                checkpoints,
                report.batches(),
                report.records(),
                report.tornBytes(),
                damage,
                report.foreignFiles());
    }
}
