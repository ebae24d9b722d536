package dev.postroad.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Reading streams by offset, waiting for what is to come, and groups of positions. */
final class StreamReading {
    private static final int MOST_WAITING = 100_000;
    private static final int MOST_FETCHED = 100_000;
    private static final int MOST_POSITIONS = 10_000;

    private final Engine engine;
    private final List<Command.Fetch> waiting = new ArrayList<>();

    StreamReading(Engine engine) {
        this.engine = engine;
    }

    private StreamState stream(String name) {
        StreamState stream = engine.state.stream(name);
        if (stream == null) {
            throw engine.state.queue(name) == null
                    ? Routes.noChannel(name)
                    : new EngineException(
                            EngineException.Reason.INVALID,
                            "'" + name + "' is a queue; only streams are read by offset");
        }
        return stream;
    }

    private StreamState stream(String name, int partition) {
        StreamState stream = stream(name);
        if (partition < 0 || partition >= stream.definition().partitions()) {
            throw new EngineException(
                    EngineException.Reason.NOT_FOUND,
                    "stream '" + name + "' has no partition " + partition + "; it has "
                            + stream.definition().partitions() + ", from 0");
        }
        return stream;
    }

    // ── Fetch ────────────────────────────────────────────────────────────────────────────────────────────────────────

    void fetch(Command.Fetch fetch) {
        StreamState stream = stream(fetch.stream(), fetch.partition());
        if (fetch.maxMessages() < 1 || fetch.maxMessages() > MOST_FETCHED) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "maxMessages is " + fetch.maxMessages() + "; it must be 1 to " + MOST_FETCHED);
        }
        if (fetch.offset() < 0 || fetch.offset() > stream.nextOffset(fetch.partition())) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "offset " + fetch.offset() + " of partition " + fetch.partition() + " of stream '" + fetch.stream()
                            + "' is out of range: it goes from " + stream.earliest(fetch.partition()) + " to "
                            + stream.nextOffset(fetch.partition()));
        }
        if (stream.nextLive(fetch.partition(), fetch.offset()) == PagedIndex.NONE
                && fetch.waitUntilMillis() > engine.now()
                && waiting.size() < MOST_WAITING) {
            waiting.add(fetch);
        } else {
            engine.park(fetch.reply(), read(stream, fetch), false);
        }
    }

    private Command.Fetched read(StreamState stream, Command.Fetch fetch) {
        int partition = fetch.partition();
        List<Command.StreamRecord> records = new ArrayList<>();
        long bytes = 0;
        long nextFetch = fetch.offset();
        for (long offset = stream.nextLive(partition, fetch.offset());
                offset != PagedIndex.NONE && records.size() < fetch.maxMessages();
                offset = stream.nextLive(partition, offset + 1)) {
            int size = stream.size(partition, offset);
            if (!records.isEmpty() && bytes + size > fetch.maxBytes()) {
                break;
            }
            bytes += size;
            nextFetch = offset + 1;
            Stored stored = engine.state.store.readIfSound(stream.position(partition, offset));
            if (stored != null) {
                records.add(
                        new Command.StreamRecord(partition, offset, stream.time(partition, offset), stored.message()));
            }
        }
        return new Command.Fetched(records, stream.earliest(partition), stream.nextOffset(partition), nextFetch);
    }

    /** Fetches that were waiting are answered when something has come, or their time is over. */
    void answerFetches(long now) {
        if (waiting.isEmpty()) {
            return;
        }
        for (Iterator<Command.Fetch> each = waiting.iterator(); each.hasNext(); ) {
            Command.Fetch fetch = each.next();
            StreamState stream = engine.state.stream(fetch.stream());
            if (stream == null || fetch.partition() >= stream.definition().partitions()) {
                // It was deleted, and may have been declared anew with fewer partitions.
                each.remove();
                fetch.reply().failed(Routes.noChannel(fetch.stream()));
            } else if (fetch.waitUntilMillis() <= now
                    || stream.nextLive(fetch.partition(), fetch.offset()) != PagedIndex.NONE) {
                each.remove();
                engine.park(
                        fetch.reply(), read(stream, fetch), stream.definition().durability() == Durability.DURABLE);
            }
        }
    }

    long nextFetchDeadline() {
        long next = Long.MAX_VALUE;
        for (Command.Fetch fetch : waiting) {
            next = Math.min(next, fetch.waitUntilMillis());
        }
        return next;
    }

    void failFetches(EngineException cause) {
        for (Command.Fetch fetch : waiting) {
            fetch.reply().failed(cause);
        }
        waiting.clear();
    }

    void offsetAt(Command.OffsetAt command) {
        StreamState stream = stream(command.stream(), command.partition());
        engine.park(command.reply(), stream.offsetAt(command.partition(), command.timestampMillis()), false);
    }

    // ── Groups ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Most payload bytes that the commit takes. @throws EngineException if it is refused */
    long check(Command.CommitOffsets commit) {
        if (commit.positions().size() > MOST_POSITIONS) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "a commit has " + commit.positions().size() + " positions; at most " + MOST_POSITIONS
                            + " are taken");
        }
        engine.state.groups.checkCommit(commit.group(), commit.member(), commit.positions());
        return Records.offsetsBytes(commit.group(), commit.positions());
    }

    /** Within a batch. */
    void perform(Command.CommitOffsets commit) {
        engine.records.offsets(commit.group(), commit.positions());
    }

    void commit(Command.CommitOffsets commit) {
        long bytes = check(commit);
        engine.records.begin(engine.now(), 1, bytes);
        perform(commit);
        engine.records.end();
        engine.park(commit.reply(), Command.Done.DONE, true);
    }

    void offsets(Command.GroupOffsets command) {
        engine.park(command.reply(), engine.state.groups.positions(command.group()), false);
    }

    void join(Command.JoinGroup join) {
        engine.park(
                join.reply(),
                engine.state.groups.join(
                        join.group(), join.memberId(), join.streams(), join.sessionMillis(), engine.steady()),
                false);
    }

    void heartbeat(Command.Heartbeat heartbeat) {
        engine.park(
                heartbeat.reply(),
                engine.state.groups.heartbeat(heartbeat.group(), heartbeat.member(), engine.steady()),
                false);
    }

    void leave(Command.LeaveGroup leave) {
        engine.park(
                leave.reply(),
                engine.state.groups.leave(leave.group(), leave.member().memberId()),
                false);
    }

    /** Members that have been silent for too long are out. */
    void expireMembers() {
        engine.state.groups.expire(engine.steady());
    }

    long nextMemberExpiry() {
        return engine.state.groups.nextExpiryMillis();
    }

    void deleteGroup(Command.DeleteGroup delete) {
        boolean known = engine.state.groups.checkDelete(delete.group());
        if (known) {
            engine.records.begin(engine.now(), 1, Bytes.maxBytes(delete.group()));
            engine.records.groupDeleted(delete.group());
            engine.records.end();
        }
        engine.park(delete.reply(), known, true);
    }
}
