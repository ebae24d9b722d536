package dev.postroad.simulation.faults;

import java.util.ArrayList;
import java.util.List;

/** The bugs that the checks must catch. One that is missed shows where a check is blind: mend the check, not this list. */
final class PlantedBugs {
    /** All of them. */
    static final List<PlantedBug> ALL = all();

    private PlantedBugs() {}

    private static List<PlantedBug> all() {
        List<PlantedBug> all = new ArrayList<>();
        all.addAll(ofTheJournal());
        all.addAll(ofRecovery());
        all.addAll(ofTheEngine());
        all.addAll(ofCheckpointsAndReplay());
        return List.copyOf(all);
    }

    private static PlantedBug bug(String name, String file, String original, String replacement, String why) {
        return new PlantedBug(name, file, original, replacement, why, BugHunt.Check.CRASHES, null);
    }

    private static List<PlantedBug> ofTheJournal() {
        return List.of(
                bug(
                        "skipped-sync",
                        "journal/Journal.java",
                        "            active.file.force();\n",
                        "            active.file.size();\n",
                        "what is confirmed is in the system's memory only (P1)"),
                bug(
                                "confirm-after-failed-sync",
                                "journal/Journal.java",
                                "            throw fail(\"Syncing \" + active.name(), e);\n        }\n        durable = written;",
                                "            writtenBack = written;\n        }\n        durable = written;",
                                "a failed sync is taken for a good one (F4)")
                        .foundBy(BugHunt.Check.FAILURES),
                bug(
                                "roll-without-sync",
                                "journal/Journal.java",
                                "        write();\n        force();\n        active = next;",
                                "        write();\n        active = next;",
                                "the end of a full segment counts as durable and was never synced (P1)")
                        .shownIn("segments"),
                bug(
                        "forgotten-directory-sync",
                        "journal/Segments.java",
                        "            made = name;\n            storage.syncDirectory();\n",
                        "            made = name;\n",
                        "a segment's name may vanish with all that is in it (F2)"),
                bug(
                        "segment-header-not-synced",
                        "journal/Segments.java",
                        "            file.write(header.encode(), 0);\n            file.force();\n",
                        "            file.write(header.encode(), 0);\n",
                        "a segment counts under its name before its header is on the disk (rule 4)"),
                bug(
                        "checkpoint-not-synced",
                        "journal/CheckpointWriter.java",
                        "            target.force();\n",
                        "            target.size();\n",
                        "a checkpoint gets its name before its contents are on the disk (rule 4)"),
                bug(
                        "buffer-reused-early",
                        "journal/Group.java",
                        "            buffer.put(0, buffer, ended, rest);\n",
                        "",
                        "the batch that is being built is overwritten when the buffer is written (rule 7)"),
                bug(
                                "reclaimed-before-the-checkpoint-reaches-it",
                                "journal/Journal.java",
                                "segment.live == 0 && !checkpoints.needs(segment.number, segments))",
                                "segment.live == 0 && checkpoints.newestPosition() >= 0)",
                                "records that recovery still has to apply are gone (F7)")
                        .foundBy(BugHunt.Check.CORRUPTION));
    }

    private static List<PlantedBug> ofRecovery() {
        return List.of(
                bug(
                                "cut-at-first-bad-record",
                                "journal/Recovery.java",
                                "            if (known <= position) {\n",
                                "            if (known <= position || header) {\n",
                                "damage is taken for the end, and all behind it is cut without a word (P5)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "damage-hidden",
                                "journal/Recovery.java",
                                "        refusing = settings.onDamage() == JournalSettings.OnDamage.REFUSE;\n",
                                "        refusing = false;\n",
                                "a damaged directory is opened as if nothing were wrong (P5)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "half-batch-shown",
                                "journal/BatchView.java",
                                "            if (size < 0) {\n                return false;\n            }",
                                "            if (size < 0) {\n                records = i;\n                return i > 0;\n            }",
                                "of a torn batch the records that arrived are shown (P3)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "checksum-not-checked",
                                "journal/BatchView.java",
                                "        return (sum ^ Format.seed(key, position + offset)) == bytes.getInt(index + Format.RECORD_CRC) ? size : -1;",
                                "        return sum == 0 ? -1 : size;",
                                "altered bytes are taken for the record (P2)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "read-without-checksum",
                                "journal/RecordReader.java",
                                "        if (sum != buffer.getInt(index + Format.RECORD_CRC)) {",
                                "        if (sum == 0) {",
                                "what is read later is not checked any more (P2)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "stale-block-accepted",
                                "journal/Format.java",
                                "        return (int) mix(key + position);",
                                "        return (int) mix(42);",
                                "a block of another place or another life of the file passes for good (F5)")
                        .foundBy(BugHunt.Check.CORRUPTION),
                bug(
                                "unproven-tail-trusted",
                                "journal/Recovery.java",
                                "        last.file.force();\n        rewriteUnproven(last);\n",
                                "        last.file.force();\n",
                                "what a failed sync left readable is shown, and gone after the next power cut (F4)")
                        .shownIn("retention")
                        .foundBy(BugHunt.Check.FAILURES),
                bug(
                                "tail-copy-not-synced",
                                "journal/TailCopy.java",
                                "            copy.force();\n",
                                "            copy.size();\n",
                                "a crash while the tail is written again tears what was whole (F7)")
                        .shownIn("settlements"));
    }

    private static List<PlantedBug> ofTheEngine() {
        return List.of(
                bug(
                        "early-confirm",
                        "engine/Engine.java",
                        "            more |= housekeeping.maintain();\n            commit();\n",
                        "            more |= housekeeping.maintain();\n            letOutReplies();\n            commit();\n",
                        "confirms leave before the group is on the disk (P1)"),
                bug(
                        "delivery-before-its-record",
                        "engine/Consuming.java",
                        "        if (queue.durable()) {\n            engine.wantSync();\n        }",
                        "",
                        "a delivery goes out and a crash forgets that it did: its count falls"),
                bug(
                        "declaration-not-synced",
                        "engine/Declaring.java",
                        "        engine.records.end();\n        engine.park(declare.reply(), true, true);\n",
                        "        engine.records.end();\n        engine.park(declare.reply(), true, false);\n",
                        "a queue that was declared is gone after a crash (P8)"),
                bug(
                        "settlement-not-journalled",
                        "engine/Settling.java",
                        "                engine.records.removed(queue, Records.Cause.ACKNOWLEDGED, mine, count);\n",
                        "                for (int i = 0; i < count; i++) {\n                    queue.applyRemoved(mine[i]);\n                }\n",
                        "acknowledged messages come back"),
                bug(
                        "settlement-not-synced",
                        "engine/Settling.java",
                        "settle.count() - count, awaited && queue.durable() && count > 0);",
                        "settle.count() - count, false);",
                        "an acknowledgement is confirmed before it is on the disk"),
                bug(
                                "group-offset-not-journalled",
                                "engine/StreamReading.java",
                                "        engine.records.offsets(commit.group(), commit.positions());\n",
                                "        commit.positions().forEach(p -> engine.state.groups.applyCommit(\n"
                                        + "                commit.group(), p.stream(), p.partition(), p.offset(), p.metadata()));\n",
                                "groups read again what they had committed (P7)")
                        .shownIn("transactions"),
                bug(
                                "transaction-in-parts",
                                "engine/Publishing.java",
                                "        for (Command command : commands) {\n            if (command instanceof Command.Settle settle) {\n                settling.perform(settle);",
                                "        engine.records.end();\n        engine.records.begin(engine.now(), records, bytes);\n"
                                        + "        for (Command command : commands) {\n            if (command instanceof Command.Settle settle) {\n                settling.perform(settle);",
                                "a crash leaves half a transaction (P3)")
                        .shownIn("transactions"),
                bug(
                        "batch-in-parts",
                        "engine/Publishing.java",
                        "            EngineMessage message = Routes.routed(publish.topic(), publish.channel(), messages.get(i));\n"
                                + "            long offset = -1;\n",
                        "            EngineMessage message = Routes.routed(publish.topic(), publish.channel(), messages.get(i));\n"
                                + "            long offset = -1;\n"
                                + "            if (i > 0) {\n                engine.records.end();\n"
                                + "                engine.records.begin(engine.now(), records(publish), 20_000);\n            }\n",
                        "a crash leaves half a publish (P3)"),
                bug(
                                "purge-not-synced",
                                "engine/QueueKeeping.java",
                                "        engine.park(purge.reply(), purged, true);",
                                "        engine.park(purge.reply(), purged, false);",
                                "purged messages come back")
                        .shownIn("keys"),
                bug(
                                "timer-fired-early",
                                "engine/QueueState.java",
                                "        while (!delays.isEmpty() && delays.first() <= now) {",
                                "        while (!delays.isEmpty() && delays.first() <= now + 5_000) {",
                                "a scheduled message comes before its time")
                        .shownIn("settlements"),
                bug(
                                "order-inverted-by-redelivery",
                                "engine/QueueState.java",
                                "            if (!back.isEmpty()) {\n                ordinal = back.first();",
                                "            if (!back.isEmpty() && index.nextLive(cursors[lane]) == PagedIndex.NONE) {\n                ordinal = back.first();",
                                "what comes back goes behind all others (P4)")
                        .shownIn("keys"),
                bug(
                                "key-overtaken-after-recovery",
                                "engine/QueueState.java",
                                "2L * known.attempts + (known.retry ? 1 : 0)",
                                "2L * known.attempts",
                                "after a restart a key does not wait for its message that is retried (P4)")
                        .shownIn("keys"),
                bug(
                                "expired-lease-settled",
                                "engine/Settling.java",
                                "        return known != null && known.holder == consumer && (attempts",
                                "        return known != null && (attempts",
                                "a consumer whose lease ran out settles what is another's (F13)")
                        .shownIn("schedules"),
                bug(
                                "bound-counted-since-opening",
                                "engine/Publishing.java",
                                "definition.maxMessages() > 0 && queue.boundedMessages() + ahead >= definition.maxMessages()",
                                "definition.maxMessages() > 0 && queue.counts.accepted + ahead >= definition.maxMessages()",
                                "after a restart a bounded queue takes more than it may")
                        .shownIn("bounds"),
                bug(
                                "duplicate-taken-in",
                                "engine/Publishing.java",
                                "            if (dedup != null && dedup.contains(id, engine.now())) {\n                queue.counts.duplicates++;",
                                "            if (dedup != null && dedup.contains(id, engine.now() + 5_000)) {\n                queue.counts.duplicates++;",
                                "the dedup window is shorter than was asked for")
                        .shownIn("dedup"),
                bug(
                                "dead-key-forgotten",
                                "engine/Settling.java",
                                "            if (!queue.hasDeadKeys()\n",
                                "            if (queue.consumers.isEmpty()\n                    || !queue.hasDeadKeys()\n",
                                "later messages of a key overtake its dead letter (P4)")
                        .shownIn("keys"));
    }

    private static List<PlantedBug> ofCheckpointsAndReplay() {
        return List.of(
                bug(
                                "dedup-state-dropped",
                                "engine/DedupWindow.java",
                                "        Bytes.putVarint(out, size);\n        for (int i = 0; i < size; i++) {",
                                "        Bytes.putVarint(out, 0);\n        for (int i = size; i < size; i++) {",
                                "a checkpoint forgets the ids that were seen (P7)")
                        .shownIn("dedup"),
                bug(
                                "delivery-counts-not-in-the-checkpoint",
                                "engine/QueueState.java",
                                "                Bytes.putVarint(out, 2L * known.attempts + (known.retry ? 1 : 0));",
                                "                Bytes.putVarint(out, known.retry ? 1 : 0);",
                                "delivery counts fall with a restart")
                        .shownIn("settlements"),
                bug(
                        "delivery-counts-not-replayed",
                        "engine/Records.java",
                        "                if (queue != null) {\n                    applyDelivered(queue, numbers, numbers.length);\n                }",
                        "                if (queue == null) {\n                    applyRestarted();\n                }",
                        "delivery counts fall with a crash"),
                bug(
                                "timer-lost-at-recovery",
                                "engine/QueueState.java",
                                "                delays.add(known.notBefore, number);\n                delayed++;\n            }\n            if (known.holder != null) {",
                                "                delayed++;\n            }\n            if (known.holder != null) {",
                                "after a restart what waits for its time waits for ever (P7)")
                        .shownIn("settlements"),
                bug(
                                "producer-epoch-forgotten",
                                "engine/Producers.java",
                                "putShort(known.epoch)",
                                "putShort((short) 0)",
                                "a fenced producer writes again after a restart (P7)")
                        .shownIn("streams"),
                bug(
                                "producer-sequence-not-replayed",
                                "engine/Records.java",
                                "            target.producer = new Command.Producer(producerId, epoch, target.sequence, target.partition);\n",
                                "            target.producer = producerId < 0 ? new Command.Producer(producerId, epoch, 0, 0) : null;\n",
                                "a producer's repetition is stored twice after a crash (P7)")
                        .shownIn("streams"),
                bug(
                                "offsets-used-again",
                                "engine/PagedIndex.java",
                                "        Bytes.putVarint(head, next);\n",
                                "        Bytes.putVarint(head, live == 0 ? 0 : next);\n",
                                "a stream that was emptied counts its offsets from 0 again (P4)")
                        .shownIn("settlements"),
                bug(
                                "checkpoint-without-its-last-change",
                                "engine/Engine.java",
                                "        return new CheckpointTask(journal.checkpoint(), snapshot.finish());",
                                "        ByteBuffer bytes = snapshot.finish();\n        CheckpointWriter taken = journal.checkpoint();\n"
                                        + "        ByteBuffer before = lastSnapshot == null ? bytes : lastSnapshot;\n"
                                        + "        lastSnapshot = bytes.duplicate();\n        return new CheckpointTask(taken, before);\n    }\n\n"
                                        + "    private @Nullable ByteBuffer lastSnapshot;\n\n    void forgetSnapshot() {\n        lastSnapshot = null;",
                                "a checkpoint says it reaches further than it does (P1)")
                        .shownIn("space"),
                bug(
                                "binding-survives-its-queue",
                                "engine/Records.java",
                                "                state.router.applyChannelDeleted(queue.definition().name());",
                                "                queue.touched = false;",
                                "a queue made again under the name inherits what was bound to the old one")
                        .shownIn("names"),
                bug(
                                "positions-survive-their-stream",
                                "engine/Records.java",
                                "            state.groups.applyStreamDeleted(stream.definition().name());\n",
                                "",
                                "a stream made again under the name is read from where the old one ended")
                        .shownIn("names"),
                bug(
                                "dead-letter-lost-at-recovery",
                                "engine/Records.java",
                                "        if (!target.empty()) {\n            applyMessage(time, position, size,",
                                "        if (!target.empty() && target.origin == null) {\n            applyMessage(time, position, size,",
                                "a dead letter is gone after a crash (P1)")
                        .shownIn("keys"),
                bug(
                                "purge-of-a-stream-not-replayed",
                                "engine/Records.java",
                                "                    stream.applyTrim(id - stream.firstChannelId(), newEarliest);",
                                "                    stream.offsetAt(id - stream.firstChannelId(), newEarliest);",
                                "purged messages of a stream come back after a crash")
                        .shownIn("streams"),
                bug(
                                "live-message-compacted",
                                "engine/MessageStore.java",
                                "        journal().retain(newLocation, sizeBytes);\n",
                                "",
                                "the segment that a survivor was moved to does not know that it is needed (P1)")
                        .shownIn("space"),
                bug(
                                "moved-message-forgotten",
                                "engine/MessageStore.java",
                                "        Bytes.putVarint(out, moved.size());\n        for (long position : moved.sortedKeys()) {",
                                "        Bytes.putVarint(out, 0);\n        for (long position : new long[0]) {",
                                "a checkpoint forgets where compaction put a message (P1)")
                        .shownIn("space"));
    }
}
