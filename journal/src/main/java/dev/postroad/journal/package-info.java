/**
 * The log on disk: everything a broker must not forget is a record in it, appended in atomic batches and synced in
 * groups. It knows nothing of messages or channels, has no clock, no thread and no randomness of its own, and touches
 * files only through {@link dev.postroad.journal.Storage}.
 *
 * <pre>
 *   writer thread                                                                     other threads
 *   begin → record → endRecord → end        Group      lays batches out in memory
 *                  │
 *               commit ────────────────▶    Storage    one write, one sync            RecordReader
 *                  │                           │                                      reads by position,
 *                  │  segment full             ▼                                      verifies each record
 *               roll ──────────────────▶    Segments ◀──── prepareSpare ──────────    makes the next one ready
 *                                              │
 *               checkpoint ── snapshot ──▶  Checkpoints ◀─ CheckpointWriter ──────    writes the snapshot
 *                  │                           │
 *        checkpointWritten ── reclaim: segments with nothing live, needed by neither checkpoint
 *
 *   Journal.open:  Directory (names, headers) → Recovery (batches behind the checkpoint) → RecoveryHandler
 * </pre>
 *
 * <p>The format is told byte by byte in FORMAT.md beside this module's pom.
 *
 * <p>Reading order: {@link dev.postroad.journal.Journal} for what it does; {@code Format}, {@code SegmentHeader} and
 * {@code Group} for how it is laid out; {@code Segments} and {@code Checkpoints} for space; {@code Recovery}, with
 * {@code Directory} and {@code TailCopy}, for what happens after a crash; {@link dev.postroad.journal.JournalInspector}
 * for what a doctor needs. {@link dev.postroad.journal.FileStorage} and {@link dev.postroad.journal.MemoryStorage} are
 * the two places where a journal can be.
 */
@NullMarked
package dev.postroad.journal;

import org.jspecify.annotations.NullMarked;
