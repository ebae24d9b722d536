package dev.postroad.engine;

import dev.postroad.engine.routing.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Looking after the messages of queues and streams: browse, purge, move, redrive, cancel. */
final class QueueKeeping {
    private static final int MOST_BROWSED = 10_000;
    private static final int MOST_PUT_BACK = 10_000;
    private static final int MOST_BROWSED_BYTES = 64 << 20;
    private static final int CHUNK_MESSAGES = 256;
    private static final int CHUNK_BYTES = 1 << 20;

    private final Engine engine;
    private final Settling settling;
    private final Publishing publishing;
    private final MessageFields fields;

    QueueKeeping(Engine engine, Settling settling, Publishing publishing) {
        this.engine = engine;
        this.settling = settling;
        this.publishing = publishing;
        this.fields = engine.fields;
    }

    private QueueState queue(String name) {
        QueueState queue = engine.state.queue(name);
        if (queue == null) {
            throw engine.state.stream(name) == null
                    ? Routes.noChannel(name)
                    : new EngineException(
                            EngineException.Reason.INVALID,
                            "'" + name + "' is a stream; this can be done with queues only");
        }
        return queue;
    }

    private boolean matches(@Nullable Rule filter, EngineMessage message) {
        return filter == null || filter.matches(fields.of(message));
    }

    // ── Browse ───────────────────────────────────────────────────────────────────────────────────────────────────────

    void browse(Command.Browse browse) {
        if (browse.max() < 1 || browse.max() > MOST_BROWSED) {
            throw new EngineException(
                    EngineException.Reason.INVALID, "max is " + browse.max() + "; it must be 1 to " + MOST_BROWSED);
        }
        String group = browse.group();
        QueueState queue = group == null
                ? engine.state.queue(browse.channel())
                : engine.state.sharedGroup(browse.channel(), group);
        List<Command.Browsed> found = new ArrayList<>();
        if (queue != null) {
            browse(queue, browse, found);
        } else {
            StreamState stream = group == null ? engine.state.stream(browse.channel()) : null;
            if (stream != null && browse.after() >= 0) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "'" + browse.channel() + "' is a stream; it can't be looked at from a number on, here "
                                + browse.after());
            }
            if (stream == null) {
                throw group == null
                        ? Routes.noChannel(browse.channel())
                        : new EngineException(
                                EngineException.Reason.NOT_FOUND,
                                "stream '" + browse.channel() + "' has no group '" + group + "'");
            }
            browse(stream, browse, found);
        }
        engine.park(browse.reply(), found, false);
    }

    private void browse(QueueState queue, Command.Browse browse, List<Command.Browsed> found) {
        long bytes = 0;
        for (long n = queue.nextNumber(Math.max(-1, browse.after()));
                n != PagedIndex.NONE && found.size() < browse.max() && bytes < MOST_BROWSED_BYTES;
                n = queue.nextNumber(n)) {
            Stored stored = engine.state.store.readIfSound(queue.position(n));
            if (stored != null && matches(browse.filter(), stored.message())) {
                QueueState.Active known = queue.active(n);
                int partition = engine.routes.partition(queue, stored);
                found.add(new Command.Browsed(
                        n,
                        queue.state(n),
                        queue.attempts(n),
                        known == null ? 0 : known.notBefore,
                        partition,
                        partition < 0 ? -1 : stored.offset(),
                        stored.message()));
                bytes += queue.size(n);
            }
        }
    }

    private void browse(StreamState stream, Command.Browse browse, List<Command.Browsed> found) {
        int partitions = stream.definition().partitions();
        long bytes = 0;
        for (int p = 0; p < partitions; p++) {
            for (long offset = stream.nextLive(p, 0);
                    offset != PagedIndex.NONE && found.size() < browse.max() && bytes < MOST_BROWSED_BYTES;
                    offset = stream.nextLive(p, offset + 1)) {
                Stored stored = engine.state.store.readIfSound(stream.position(p, offset));
                if (stored != null && matches(browse.filter(), stored.message())) {
                    found.add(
                            new Command.Browsed(offset, Command.Browsed.State.KEPT, 0, 0, p, offset, stored.message()));
                    bytes += stream.size(p, offset);
                }
            }
        }
    }

    // ── Purge ────────────────────────────────────────────────────────────────────────────────────────────────────────

    void purge(Command.Purge purge) {
        StreamState stream = engine.state.stream(purge.channel());
        if (stream != null) {
            long messages = stream.messages();
            int partitions = stream.definition().partitions();
            engine.records.begin(engine.now(), partitions, 20L * partitions);
            for (int p = 0; p < partitions; p++) {
                engine.records.trimmed(stream, p, stream.nextOffset(p));
            }
            engine.records.end();
            engine.park(purge.reply(), messages, true);
            return;
        }
        QueueState queue = queue(purge.channel());
        Declaring.checkOwner(queue, purge.owner());
        long purged = 0;
        long[] chunk = new long[4096];
        int count = 0;
        for (long n = queue.nextNumber(-1); n != PagedIndex.NONE; n = queue.nextNumber(n)) {
            QueueState.Active known = queue.active(n);
            if (known == null || known.holder == null) {
                chunk[count++] = n;
                purged++;
                if (count == chunk.length) {
                    remove(queue, chunk, count);
                    count = 0;
                }
            }
        }
        remove(queue, chunk, count);
        queue.rebuild();
        engine.touch(queue);
        engine.park(purge.reply(), purged, true);
    }

    private void remove(QueueState queue, long[] numbers, int count) {
        if (count > 0) {
            engine.records.begin(engine.now(), 1, Records.numbersBytes(count));
            engine.records.removed(queue, Records.Cause.PURGED, numbers, count);
            engine.records.end();
        }
    }

    // ── Move and redrive ─────────────────────────────────────────────────────────────────────────────────────────────

    /** A message on its way to a queue, or else to a stream; with its place in the line of its key if it is a dead letter that is put back. */
    private record Passenger(
            long number, EngineMessage message, @Nullable QueueState queue, String stream, long place) {}

    /** Messages on their way from one queue to another, in batches that are atomic each. */
    private final class Transfer {
        private final QueueState from;
        private final List<Passenger> passengers = new ArrayList<>();
        private final long most = Math.min(CHUNK_BYTES, engine.journal.maxBatchBytes() / 2);
        private long bytes;
        long done;

        Transfer(QueueState from) {
            this.from = from;
        }

        void add(Passenger passenger) {
            long more = bytes(passenger);
            if (passengers.size() == CHUNK_MESSAGES || (bytes > 0 && bytes + more > most)) {
                flush();
            }
            passengers.add(passenger);
            bytes += more;
        }

        private long bytes(Passenger passenger) {
            Records.Target target = target(passenger);
            long sum = Records.messageBytes(passenger.message(), target.queueCount) + Records.numbersBytes(1);
            for (int i = 0; i < target.queueCount; i++) {
                if (target.queues[i].hasDeadKeys() && passenger.place() < 0) {
                    sum += settling.letterBytes(target.queues[i], passenger.message());
                }
            }
            return sum;
        }

        private Records.Target target(Passenger passenger) {
            Records.Target target = new Records.Target().clear();
            QueueState queue = passenger.queue();
            if (queue != null) {
                return target.add(queue);
            }
            engine.routes.resolve(passenger.stream(), passenger.message(), -1, target);
            return target;
        }

        /** True if a queue, with what is on its way there, has no room for another message. */
        boolean full(QueueState queue) {
            if (full(queue, passengers.size())) {
                // Not all that are on their way need go there, or stay.
                flush();
            }
            return full(queue, 0);
        }

        private static boolean full(QueueState queue, int coming) {
            QueueDefinition definition = queue.definition();
            return (definition.maxMessages() > 0 && queue.boundedMessages() + coming >= definition.maxMessages())
                    || (definition.maxBytes() > 0 && queue.boundedBytes() >= definition.maxBytes());
        }

        void flush() {
            if (passengers.isEmpty()) {
                return;
            }
            engine.records.begin(engine.now(), 2 * passengers.size(), bytes);
            for (Passenger passenger : passengers) {
                Records.Target target = target(passenger);
                target.place = passenger.place();
                if (passenger.place() < 0) {
                    settling.followDeadKeys(passenger.message(), target);
                }
                if (!target.empty()) {
                    engine.records.message(passenger.message(), target);
                    settling.stored(target);
                }
                engine.records.removed(from, Records.Cause.MOVED, new long[] {passenger.number()}, 1);
            }
            engine.records.end();
            done += passengers.size();
            passengers.clear();
            bytes = 0;
        }

        void end() {
            flush();
            settling.afterBatch();
            from.rebuild();
            engine.touch(from);
        }
    }

    void move(Command.Move move) {
        QueueState from = queue(move.from());
        QueueState to = engine.state.queue(move.to());
        if (to == null && engine.state.stream(move.to()) == null) {
            throw Routes.noChannel(move.to());
        }
        if (to == from) {
            throw new EngineException(
                    EngineException.Reason.INVALID, "messages of queue '" + move.from() + "' can't be moved to itself");
        }
        checkMax(move.max());
        Transfer transfer = new Transfer(from);
        Map<QueueState.DeadKey, List<Long>> lines = lines(from, null);
        long chosen = 0;
        // No more than there were: what follows a dead key or overflows may come back to the end of the queue.
        long rest = from.messages();
        for (long n = from.nextNumber(-1);
                n != PagedIndex.NONE && rest > 0 && chosen < move.max() && (to == null || !transfer.full(to));
                n = from.nextNumber(n), rest--) {
            QueueState.Active known = from.active(n);
            if (known != null && known.holder != null) {
                continue;
            }
            Stored stored = engine.state.store.readIfSound(from.position(n));
            if (stored != null && matches(move.filter(), stored.message())) {
                QueueState.Origin origin = to == null ? null : from.origin(n);
                QueueState.Origin home = origin != null && to != null && origin.channelId() == to.id ? origin : null;
                List<Long> line = home == null ? null : lines.get(home.key());
                if (line != null && !line.getFirst().equals(n)) {
                    // It must not overtake those of its key that stay before it.
                    continue;
                }
                if (line != null) {
                    line.removeFirst();
                }
                transfer.add(new Passenger(n, stored.message(), to, move.to(), home == null ? -1 : home.place()));
                chosen++;
            }
        }
        transfer.end();
        engine.park(move.reply(), transfer.done, true);
    }

    private static void checkMax(long max) {
        if (max < 1) {
            throw new EngineException(EngineException.Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
    }

    void redrive(Command.Redrive redrive) {
        QueueState letters = queue(redrive.channel());
        checkMax(redrive.max());
        Map<QueueState.DeadKey, List<Long>> lines = lines(letters, null);
        Transfer transfer = new Transfer(letters);
        long left = redrive.max();
        long rest = letters.messages();
        for (long n = letters.nextNumber(-1);
                n != PagedIndex.NONE && rest > 0 && left > 0;
                n = letters.nextNumber(n), rest--) {
            QueueState.Origin origin = letters.origin(n);
            List<Long> line = origin == null ? List.of(n) : lines.remove(origin.key());
            if (line == null) {
                continue;
            }
            for (long number : line) {
                if (left == 0 || !putBack(letters, number, redrive.filter(), null, transfer)) {
                    // Later letters of a key must not overtake the one that stays.
                    break;
                }
                left--;
            }
        }
        transfer.end();
        engine.park(redrive.reply(), transfer.done, true);
    }

    void putBack(Command.PutBack chosen) {
        QueueState letters = queue(chosen.channel());
        EngineMessage edited = chosen.edited();
        if (chosen.numbers().length == 0 || chosen.numbers().length > MOST_PUT_BACK) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    chosen.numbers().length + " dead letters are to be put back; it must be 1 to " + MOST_PUT_BACK);
        }
        if (edited != null) {
            checkEdited(letters, chosen.numbers(), edited);
        }
        TreeSet<Long> numbers = new TreeSet<>();
        Set<QueueState.DeadKey> keys = new HashSet<>();
        for (long number : chosen.numbers()) {
            if (letters.holds(number)) {
                numbers.add(number);
                QueueState.Origin origin = letters.origin(number);
                if (origin != null) {
                    keys.add(origin.key());
                }
            }
        }
        Map<QueueState.DeadKey, List<Long>> lines = lines(letters, keys);
        Transfer transfer = new Transfer(letters);
        for (long n : numbers) {
            if (!letters.holds(n)) {
                // It has gone with the line of its key, in a batch before.
                continue;
            }
            QueueState.Origin origin = letters.origin(n);
            List<Long> line = origin == null ? List.of(n) : lines.remove(origin.key());
            for (long number : line == null ? List.<Long>of() : line) {
                if (!numbers.contains(number) || !putBack(letters, number, null, edited, transfer)) {
                    break;
                }
            }
        }
        transfer.end();
        engine.park(chosen.reply(), transfer.done, true);
    }

    private void checkEdited(QueueState letters, long[] numbers, EngineMessage edited) {
        if (numbers.length != 1) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "one message can't take the place of " + numbers.length + " dead letters; name one");
        }
        publishing.check(edited);
        long number = numbers[0];
        if (letters.holds(number) && letters.origin(number) != null) {
            Stored stored = engine.state.store.readIfSound(letters.position(number));
            if (stored != null && !Arrays.equals(stored.message().key(), edited.key())) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "dead letter " + number + " of '" + letters.definition().name()
                                + "' came from a queue that keeps order per key: its key can't be edited");
            }
        }
    }

    /** Dead letters by the key they stand for, in order of their places in its line; of these keys, or of all. */
    private static Map<QueueState.DeadKey, List<Long>> lines(
            QueueState letters, @Nullable Set<QueueState.DeadKey> keys) {
        Map<QueueState.DeadKey, List<Long>> lines = new HashMap<>();
        for (long number : letters.lettersWithOrigin()) {
            QueueState.Origin origin = letters.origin(number);
            if (origin != null && (keys == null || keys.contains(origin.key()))) {
                lines.computeIfAbsent(origin.key(), key -> new ArrayList<>()).add(number);
            }
        }
        lines.values()
                .forEach(line -> line.sort(Comparator.comparingLong(number -> {
                    QueueState.Origin origin = letters.origin(number);
                    return origin == null ? 0 : origin.place();
                })));
        return lines;
    }

    /** False if the letter stays. */
    private boolean putBack(
            QueueState letters, long number, @Nullable Rule filter, @Nullable EngineMessage edited, Transfer transfer) {
        QueueState.Active known = letters.active(number);
        Stored stored =
                known != null && known.holder != null ? null : engine.state.store.readIfSound(letters.position(number));
        if (stored == null) {
            return false;
        }
        EngineMessage letter = stored.message();
        QueueState back = settling.originOf(letter);
        if (back == null || back == letters || !matches(filter, letter) || transfer.full(back)) {
            return false;
        }
        QueueState.Origin origin = letters.origin(number);
        byte[] key = letter.key();
        if (origin == null && key != null && back.keyDead(Hash.of(key))) {
            // Unless those that keep its key dead are on their way too, it would only come back behind them.
            transfer.flush();
            if (back.keyDead(Hash.of(key))) {
                return false;
            }
        }
        EngineMessage going = Settling.restored(letter);
        if (edited != null) {
            going = Settling.restored(edited).withRoute(going.route());
        }
        transfer.add(new Passenger(number, going, back, "", origin == null ? -1 : origin.place()));
        return true;
    }

    // ── Cancel ───────────────────────────────────────────────────────────────────────────────────────────────────────

    void cancel(Command.Cancel cancel) {
        QueueState queue = queue(cancel.channel());
        int cancelled = 0;
        for (long number : queue.waitingForFirstDelivery(Hash.of(cancel.messageId(), 0))) {
            Stored stored = engine.state.store.readIfSound(queue.position(number));
            if (stored != null && cancel.messageId().equals(stored.message().id())) {
                engine.records.begin(engine.now(), 1, Records.numbersBytes(1));
                engine.records.removed(queue, Records.Cause.CANCELLED, new long[] {number}, 1);
                engine.records.end();
                cancelled++;
            }
        }
        engine.park(cancel.reply(), cancelled, true);
    }
}
