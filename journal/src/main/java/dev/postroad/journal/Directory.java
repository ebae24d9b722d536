package dev.postroad.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the names, headers and checkpoints of a data directory say, before any batch is read. Reading changes nothing;
 * {@link #setAside}, {@link #heal} and {@link #clean} tidy up once it is certain that the journal will be opened.
 */
final class Directory {
    private final Storage storage;
    private final List<DamageReport> damage;
    private final RecoveryReport report;

    private final TreeMap<Long, Segment> segments = new TreeMap<>();
    private final TreeMap<Long, StorageFile> unreadable = new TreeMap<>();
    private final TreeMap<Long, SegmentHeader.Found> toHeal = new TreeMap<>();
    private final List<String> spares = new ArrayList<>();
    private final List<String> leftOvers = new ArrayList<>();
    private final List<Found> checkpoints = new ArrayList<>();
    private final List<String> badCheckpoints = new ArrayList<>();
    private @Nullable Found chosen;
    private @Nullable SegmentHeader sample;
    private long highestGeneration;
    private long highestNumber = -1;
    private static final int MOST_TOLD_ALONE = 1_000;

    private long durablePosition;
    private int highestTerm;
    private boolean tailCopy;
    private DurableMark.@Nullable Note note;

    private record Found(String name, StorageFile file, Checkpoints.Contents contents) {}

    private record Header(StorageFile file, SegmentHeader.Found found) {}

    Directory(Storage storage, List<DamageReport> damage, RecoveryReport report) {
        this.storage = storage;
        this.damage = damage;
        this.report = report;
    }

    void read() throws IOException {
        TreeMap<Long, Header> headers = new TreeMap<>();
        for (String name : storage.list()) {
            long number = Format.segmentNumber(name);
            long generation = Format.checkpointGeneration(name);
            if (number >= 0) {
                StorageFile file = storage.open(name);
                unreadable.put(number, file);
                headers.put(number, new Header(file, SegmentHeader.read(file)));
                highestNumber = Math.max(highestNumber, number);
            } else if (generation >= 0) {
                readCheckpoint(name, generation);
            } else if (Format.spareNumber(name) >= 0) {
                spares.add(name);
            } else if (name.equals(TailCopy.NAME)) {
                tailCopy = true;
            } else if (name.equals(DurableMark.NAME)) {
                try (StorageFile file = storage.open(name)) {
                    note = DurableMark.read(file);
                }
            } else if (name.endsWith(Format.TEMPORARY_SUFFIX)
                    && (name.equals(TailCopy.TEMPORARY)
                            || Format.isTemporaryCheckpoint(name)
                            || name.startsWith(Format.DAMAGED_PREFIX))) {
                leftOvers.add(name);
            } else if (!name.equals(Format.LOCK_NAME) && !name.startsWith(Format.DAMAGED_PREFIX)) {
                report.foreign(name);
            }
        }
        headers.forEach((number, header) -> check(header.found.first()));
        checkVersions(headers.values());
        checkpoints.sort(Comparator.comparingLong((Found each) -> each.contents.generation())
                .reversed());
        setForeignAside(commonest(headers));
        chooseCheckpoint();
        sample = sample(headers);
        for (var each : headers.entrySet()) {
            use(each.getKey(), each.getValue());
        }
        checkListed();
        DurableMark.Note last = note;
        if (last != null && last.journalHigh() == journalHigh() && last.journalLow() == journalLow()) {
            durablePosition = Math.max(durablePosition, last.position());
        }
    }

    private void check(@Nullable SegmentHeader header) {
        if (header != null && header.version() == Format.VERSION) {
            highestTerm = Math.max(highestTerm, (int) header.term());
        }
    }

    private void checkVersions(Collection<Header> headers) throws JournalException {
        for (Header each : headers) {
            SegmentHeader header = each.found.any();
            if (header != null && header.version() != Format.VERSION) {
                throw newer("segment files", header.version());
            }
        }
        for (Found each : checkpoints) {
            if (each.contents.version() != Format.VERSION) {
                throw newer("checkpoints", each.contents.version());
            }
        }
    }

    private JournalException newer(String what, int version) {
        return new JournalException(
                "The data in " + storage.location() + " has " + what + " of format version " + version
                        + "; this program reads version " + Format.VERSION
                        + ". Nothing was changed. Start it with the program that wrote it, or a newer one.");
    }

    // ---- checkpoints

    private void readCheckpoint(String name, long generation) throws IOException {
        highestGeneration = Math.max(highestGeneration, generation);
        StorageFile file = storage.open(name);
        Checkpoints.Contents contents = Checkpoints.decode(file);
        if (contents == null || contents.generation() != generation) {
            file.close();
            badCheckpoints.add(name);
        } else {
            checkpoints.add(new Found(name, file, contents));
        }
    }

    private void chooseCheckpoint() throws IOException {
        List<Found> rotten = new ArrayList<>();
        for (Found each : checkpoints) {
            durablePosition = Math.max(durablePosition, each.contents.position());
            highestTerm = Math.max(highestTerm, each.contents.term());
            if (chosen == null) {
                if (Checkpoints.snapshotGood(each.file, each.contents)) {
                    chosen = each;
                } else {
                    badCheckpoints.add(each.name);
                    rotten.add(each);
                }
            }
        }
        for (Found each : rotten) {
            each.file.close();
            checkpoints.remove(each);
        }
        boolean fallback = chosen != null || unreadable.containsKey(0L);
        for (String name : badCheckpoints) {
            damage.add(new DamageReport(
                    DamageReport.Kind.CHECKPOINT,
                    name,
                    0,
                    0,
                    -1,
                    -1,
                    !fallback,
                    "This checkpoint cannot be read."
                            + (chosen != null
                                    ? " Another one is used, and the batches behind it."
                                    : fallback
                                            ? " All batches are read from the beginning."
                                            : " It was the only one, and the batches before it are gone.")));
        }
    }

    Checkpoints.@Nullable Contents checkpoint() {
        Found found = chosen;
        return found == null ? null : found.contents;
    }

    Snapshot snapshot(Checkpoints.Contents contents) {
        Found found = chosen;
        if (found == null) {
            throw new IllegalStateException("There is no checkpoint");
        }
        return new Snapshot(
                found.file,
                contents.snapshotOffset(),
                contents.snapshotBytes(),
                contents.position(),
                contents.timeMillis());
    }

    Checkpoints.@Nullable Generation newest() {
        Found found = chosen;
        return found == null ? null : found.contents.generationOf();
    }

    Checkpoints.@Nullable Generation previous() {
        int next = checkpoints.indexOf(chosen) + 1;
        return chosen == null || next >= checkpoints.size()
                ? null
                : checkpoints.get(next).contents.generationOf();
    }

    // ---- segments

    /** A header of the journal that most files here are of: one file of another that got here must not outvote them. */
    private @Nullable SegmentHeader commonest(TreeMap<Long, Header> headers) {
        SegmentHeader commonest = null;
        int most = 0;
        for (var each : headers.entrySet()) {
            SegmentHeader header = each.getValue().found.any();
            if (header == null || header.number() != each.getKey()) {
                continue;
            }
            int votes = 0;
            for (var other : headers.entrySet()) {
                SegmentHeader against = other.getValue().found.any();
                votes += against != null && against.number() == other.getKey() && sameJournal(header, against) ? 1 : 0;
            }
            for (Found checkpoint : checkpoints) {
                votes += of(checkpoint.contents, header) ? 1 : 0;
            }
            DurableMark.Note last = note;
            boolean noted = last != null
                    && last.journalHigh() == header.journalHigh()
                    && last.journalLow() == header.journalLow();
            votes += noted ? 1 : 0;
            if (votes > most) {
                most = votes;
                commonest = header;
            }
        }
        return commonest;
    }

    private static boolean sameJournal(SegmentHeader one, SegmentHeader other) {
        return one.journalHigh() == other.journalHigh() && one.journalLow() == other.journalLow();
    }

    private static boolean of(Checkpoints.Contents checkpoint, SegmentHeader header) {
        return checkpoint.journalHigh() == header.journalHigh() && checkpoint.journalLow() == header.journalLow();
    }

    /** A checkpoint of another journal counts as one that can't be read. */
    private void setForeignAside(@Nullable SegmentHeader like) throws IOException {
        List<Found> foreign = new ArrayList<>();
        for (Found each : checkpoints) {
            if (like != null && !of(each.contents, like)) {
                foreign.add(each);
                badCheckpoints.add(each.name);
                each.file.close();
            }
        }
        checkpoints.removeAll(foreign);
    }

    private @Nullable SegmentHeader sample(TreeMap<Long, Header> headers) {
        Checkpoints.Contents contents = checkpoint();
        SegmentHeader commonest = commonest(headers);
        return commonest == null || contents == null || of(contents, commonest) ? commonest : null;
    }

    /** Decides what to make of one segment file. */
    private void use(long number, Header read) throws IOException {
        SegmentHeader header = read.found.any();
        SegmentHeader like = sample;
        Checkpoints.Entry entry = entry(number);
        String name = Format.segmentName(number);
        if (header != null
                && header.number() == number
                && like != null
                && header.journalHigh() == like.journalHigh()
                && header.journalLow() == like.journalLow()
                && header.segmentBytes() == like.segmentBytes()) {
            if (!read.found.bothGood()) {
                toHeal.put(number, read.found);
                damage.add(new DamageReport(
                        DamageReport.Kind.SEGMENT_HEADER,
                        name,
                        read.found.first() == null ? 0 : Format.SEGMENT_HEADER_COPY,
                        SegmentHeader.BYTES,
                        -1,
                        -1,
                        false,
                        "One of the two copies of the segment's header cannot be read; it is written again."));
            }
            accept(number, header.segmentBytes(), header.idHigh(), header.idLow(), read.file, entry);
        } else if (entry != null && header == null) {
            damage.add(new DamageReport(
                    DamageReport.Kind.SEGMENT_HEADER,
                    name,
                    0,
                    Format.SEGMENT_HEADER,
                    -1,
                    -1,
                    false,
                    "The segment's header cannot be read; the checkpoint knows what is needed of it."));
            accept(number, segmentBytes(0), entry.idHigh(), entry.idLow(), read.file, entry);
        }
    }

    private void accept(
            long number, long segmentBytes, long high, long low, StorageFile file, Checkpoints.@Nullable Entry entry)
            throws IOException {
        long size = Math.min(file.size(), segmentBytes);
        Segment segment = new Segment(number, segmentBytes, high, low, file, size);
        segment.used = entry == null ? segmentBytes : entry.used();
        segment.live = entry == null ? 0 : entry.live();
        segments.put(number, segment);
        unreadable.remove(number);
        long made = Math.min(segmentBytes, Segments.STEP);
        if (size < made) {
            // It was as long as that before it got its name. What was in the rest nobody knows: none of it is used
            // again.
            long base = number * segmentBytes;
            durablePosition = Math.max(durablePosition, base + made);
            damage.add(new DamageReport(
                    DamageReport.Kind.RANGE,
                    Format.segmentName(number),
                    size,
                    made - size,
                    base + size,
                    base + made,
                    true,
                    "The file is shorter than it was made: it has " + size + " bytes of " + made + " at least."));
        }
    }

    private Checkpoints.@Nullable Entry entry(long number) {
        Checkpoints.Contents contents = checkpoint();
        if (contents != null) {
            for (Checkpoints.Entry entry : contents.entries()) {
                if (entry.number() == number) {
                    return entry;
                }
            }
        }
        return null;
    }

    /** Segments that hold something live according to the checkpoint must be there. */
    private void checkListed() {
        Checkpoints.Contents contents = checkpoint();
        if (contents == null) {
            return;
        }
        long replayed = contents.position() / contents.segmentBytes();
        for (Checkpoints.Entry entry : contents.entries()) {
            if (entry.live() > 0 && entry.number() < replayed && !segments.containsKey(entry.number())) {
                damage.add(missing(entry.number(), contents.segmentBytes()));
            }
        }
        for (long number : unreadable.keySet()) {
            if (number < replayed && entry(number) == null) {
                damage.add(new DamageReport(
                        DamageReport.Kind.SEGMENT_HEADER,
                        Format.segmentName(number),
                        0,
                        0,
                        -1,
                        -1,
                        false,
                        "This segment file cannot be read, or is not of this journal; nothing in use refers to it."));
            }
        }
    }

    /** Says that a segment is not there, or that its file cannot be made sense of. */
    /**
     * Reports on the segments from one number up to another that are not there: each alone, but one for all where very many
     * in a row are missing, as when a single number that leads there is wrong.
     */
    List<DamageReport> missing(long from, long to, long segmentBytes) {
        List<DamageReport> reports = new ArrayList<>();
        long number = from;
        while (number < to) {
            if (segments.containsKey(number)) {
                number++;
                continue;
            }
            Long next = segments.higherKey(number);
            long end = next == null ? to : Math.min(to, next);
            if (end - number > MOST_TOLD_ALONE) {
                reports.add(new DamageReport(
                        DamageReport.Kind.MISSING_SEGMENT,
                        Format.segmentName(number),
                        0,
                        0,
                        number * segmentBytes,
                        end * segmentBytes,
                        true,
                        "This segment file and all up to " + Format.segmentName(end - 1) + ", " + (end - number)
                                + " in a row, are missing; or what says that there were any is wrong."));
                number = end;
            } else {
                for (; number < end; number++) {
                    reports.add(missing(number, segmentBytes));
                }
            }
        }
        return reports;
    }

    DamageReport missing(long number, long segmentBytes) {
        boolean there = unreadable.containsKey(number);
        return new DamageReport(
                there ? DamageReport.Kind.SEGMENT_HEADER : DamageReport.Kind.MISSING_SEGMENT,
                Format.segmentName(number),
                0,
                0,
                number * segmentBytes,
                (number + 1) * segmentBytes,
                true,
                there
                        ? "The segment's header cannot be read, or is that of another segment or journal, so that"
                                + " nothing in it can be verified."
                        : "This segment file is missing.");
    }

    boolean hasTailCopy() {
        return tailCopy;
    }

    Collection<Segment> segments() {
        return segments.values();
    }

    List<String> spares() {
        return spares;
    }

    boolean isEmpty() {
        return highestNumber < 0 && checkpoints.isEmpty() && badCheckpoints.isEmpty();
    }

    long segmentBytes(long otherwise) {
        Checkpoints.Contents contents = checkpoint();
        SegmentHeader like = sample;
        return contents != null ? contents.segmentBytes() : like != null ? like.segmentBytes() : otherwise;
    }

    long journalHigh() {
        Checkpoints.Contents contents = checkpoint();
        SegmentHeader like = sample;
        return contents != null ? contents.journalHigh() : like != null ? like.journalHigh() : 0;
    }

    long journalLow() {
        Checkpoints.Contents contents = checkpoint();
        SegmentHeader like = sample;
        return contents != null ? contents.journalLow() : like != null ? like.journalLow() : 0;
    }

    /** Everything before this had been durable, according to the checkpoints. */
    long durablePosition() {
        return durablePosition;
    }

    long highestGeneration() {
        return highestGeneration;
    }

    long highestNumber() {
        return highestNumber;
    }

    int highestTerm() {
        return highestTerm;
    }

    // ---- for the inspector

    boolean unreadable(long number) {
        return unreadable.containsKey(number);
    }

    /** All checkpoint files that can be read, the newest first, with what stands in them. */
    List<JournalReport.Checkpoint> readableCheckpoints() {
        List<JournalReport.Checkpoint> all = new ArrayList<>();
        for (Found each : checkpoints) {
            all.add(new JournalReport.Checkpoint(
                    each.name, each.contents.position(), each.contents.snapshotBytes(), each.contents.timeMillis()));
        }
        return all;
    }

    // ---- tidying up

    /** Gives files that cannot be made sense of a name that nobody will use, contents untouched. */
    void setAside(RecoveryReport into) throws IOException {
        for (var each : unreadable.entrySet()) {
            each.getValue().close();
            aside(Format.segmentName(each.getKey()), into);
        }
        unreadable.clear();
        for (String name : badCheckpoints) {
            aside(name, into);
        }
    }

    private void aside(String name, RecoveryReport into) throws IOException {
        String target = Format.DAMAGED_PREFIX + name;
        for (int i = 2; storage.exists(target); i++) {
            target = Format.DAMAGED_PREFIX + name + "-" + i;
        }
        storage.rename(name, target);
        into.quarantine(target);
    }

    /** Writes the broken copies of segment headers again, never touching the good one. */
    void heal() throws IOException {
        for (var each : toHeal.entrySet()) {
            Segment segment = segments.get(each.getKey());
            SegmentHeader good = each.getValue().any();
            if (segment != null && good != null) {
                int half = Format.SEGMENT_HEADER_COPY;
                int at = each.getValue().first() == null ? 0 : half;
                segment.file.write(good.encode().limit(at + half).position(at), at);
                segment.file.force();
            }
        }
    }

    /** Deletes what is the journal's own and of no use any more; keeps that many spares. */
    void clean(int keepSpares) throws IOException {
        for (String name : leftOvers) {
            storage.delete(name);
        }
        while (spares.size() > keepSpares) {
            storage.delete(spares.removeLast());
        }
        int from = checkpoints.indexOf(chosen) + 2;
        for (int i = 0; i < checkpoints.size(); i++) {
            Found each = checkpoints.get(i);
            each.file.close();
            if (chosen != null && i >= from) {
                storage.delete(each.name);
            }
        }
    }

    void close() throws IOException {
        for (StorageFile file : unreadable.values()) {
            file.close();
        }
        for (Found each : checkpoints) {
            each.file.close();
        }
        for (Segment segment : segments.values()) {
            segment.file.close();
        }
    }
}
