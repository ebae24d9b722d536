package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeadLetterHeaders;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.Durability;
import dev.postroad.engine.Engine;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalInspector;
import dev.postroad.journal.JournalReport;
import dev.postroad.journal.Storage;
import dev.postroad.simulation.disk.Crash;
import dev.postroad.simulation.disk.Fault;
import dev.postroad.simulation.disk.Operation;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A broker on a simulated disk and a clock of its own, beside the model of what it should do. Everything happens on one
 * thread, in an order that the seed decides; whatever the broker says or does is held against the model at once.
 */
final class World {
    private static final int MOST_TURNS = 20_000;

    /** Thrown from within a call on the disk: the process is gone at that instruction. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;

        Killed(Operation at) {
            super("killed at " + at, null, false, false);
        }
    }

    /** What the run has seen. */
    static final class Counts {
        long commands;
        long deliveries;
        long crashes;
        long recoveries;
        long crashesInRecovery;
        long checks;
        long looks;
        long images;

        long operations() {
            return commands + deliveries;
        }
    }

    final Model model = new Model();
    final Counts counts;
    final EngineSettings settings;
    final List<String> story;
    final boolean telling;
    long clock = 1_750_000_000_000L;

    /** The clock that never jumps. */
    private long steady = 1;

    /** Tells ids that must not be used again: whether they are remembered nobody knows. */
    final Set<String> openIds = new HashSet<>();

    private final Set<String> idsSincePromise = new HashSet<>();
    private SimulatedDisk disk = new SimulatedDisk();
    private @Nullable Storage storage;
    private @Nullable Engine engine;
    private long segmentIds;
    private boolean dead;
    private final ArrayDeque<Unsynced> unsynced = new ArrayDeque<>();

    /** The time of its last turn, by the clock that never jumps. */
    long lastTurn;

    private boolean promised;
    private boolean diskFull;

    /** Whose leases ran out in the last moment, queue by queue. */
    private List<List<Copy>> ranOut = List.of();

    /** How much of the model's history is from before that: what was handed over in the last moment may have come before it. */
    private int beforeLeases = Integer.MAX_VALUE;

    /** The broker's time in its last moment: the next one's may be earlier. */
    private long lastNow;

    private Engine.@Nullable CheckpointTask checkpoint;
    private boolean checkpointWritten;
    private final List<EngineDelivery> deliveries = new ArrayList<>();
    private final Set<ModelConsumer> cancelled = new HashSet<>();
    private final Map<Long, ModelConsumer> handles = new HashMap<>();
    private final List<Act> waiting = new ArrayList<>();

    World(EngineSettings settings, long seed, Counts counts, List<String> story, boolean telling) {
        this.settings = settings;
        this.segmentIds = seed;
        this.counts = counts;
        this.story = story;
        this.telling = telling;
        try {
            open();
            rest();
        } catch (IOException e) {
            throw new Violation("a new directory can't be opened: " + e);
        }
        model.history.forget();
    }

    void tell(String what) {
        if (telling) {
            story.add(what);
        }
    }

    void pass(long millis) {
        clock += millis;
        steady += millis;
    }

    /** Both clocks are told. */
    private void tellTime() {
        model.now = Math.max(model.now, clock);
        model.latest = Math.max(model.latest, model.now);
        model.steady = steady;
        engine().steadyTime(steady);
    }

    SimulatedDisk disk() {
        return disk;
    }

    private Engine engine() {
        Engine running = engine;
        if (running == null) {
            throw new IllegalStateException("the broker is not running");
        }
        return running;
    }

    // ── The life of the process ──────────────────────────────────────────────────────────────────────────────────────

    private void open() throws IOException {
        dead = false;
        Storage opened = disk.open();
        storage = opened;
        engine = Engine.open(
                opened,
                settings,
                PayloadFields.NONE,
                clock,
                () -> segmentIds = segmentIds * 6364136223846793005L + 1442695040888963407L,
                World::damaged);
        model.now = clock;
        model.latest = Math.max(model.latest, clock);
    }

    private static void damaged(DamageReport report) {
        throw new Violation("recovery reports damage where there is none: " + report);
    }

    /** Kills the process at the n-th call on the disk from now on that changes anything. */
    void armKill(int n) {
        int[] left = {n};
        disk.listen(operation -> {
            if (dead || (operation.kind().changes() && --left[0] <= 0)) {
                dead = true;
                throw new Killed(operation);
            }
        });
    }

    /** Lets the n-th call on the disk from now on that changes anything fail. */
    void armFault(int n, Fault fault) {
        int[] left = {n};
        disk.listen(operation -> {
            if (operation.kind().changes() && --left[0] == 0) {
                disk.failCall(0, fault, false);
            }
        });
    }

    /** From now on all files together have room for so many bytes more. */
    void fillDisk(long bytes) {
        tell("  the disk has " + bytes + " bytes left");
        disk.capacity(disk.usedBytes() + bytes);
        diskFull = true;
    }

    void freeDisk() {
        tell("  the disk has space again");
        disk.capacity(Long.MAX_VALUE);
        diskFull = false;
    }

    void disarm() {
        disk.listenNoMore();
        disk.heal();
    }

    /** Closed and opened again in good order. */
    void restart() {
        tell("    closed and opened again");
        try {
            closeNow();
            promise();
            settlePromise();
            open();
            restQuietly();
        } catch (IOException e) {
            throw new Violation("closing and opening in good order failed: " + e);
        }
        model.history.forget();
        beforeRestart();
        model.restart();
        model.history.forget();
        look();
    }

    private void closeNow() throws IOException {
        waiting.forEach(act -> act.answer().lost());
        waiting.clear();
        engine().close();
        process(List.of());
        Storage opened = storage;
        if (opened != null) {
            opened.close();
        }
        forgetProcess();
    }

    private void readStreams() {
        for (StreamReader reader : List.copyOf(model.readers.values())) {
            counts.deliveries += reader.judge(model.latest, telling ? this::tell : null);
            Violation.unless(
                    !reader.isCancelled(), () -> "stream consumer " + reader.id + " was cancelled for no reason");
        }
    }

    /** One took a message by itself. */
    void took(EngineDelivery delivery, ModelConsumer taker) {
        counts.deliveries++;
        taker.credit++;
        delivered(delivery, taker);
    }

    private void forgetProcess() {
        engine = null;
        storage = null;
        checkpoint = null;
        handles.clear();
        cancelled.clear();
        deliveries.clear();
        waiting.clear();
        unsynced.clear();
        promised = false;
    }

    /**
     * The process is gone, and with it, where the machine lost power, what was not synced.
     *
     * @param again how many times the process is killed again while it recovers
     */
    void recover(Dice dice, boolean power, int again) {
        lastNow = model.now;
        forgetProcess();
        openIds.addAll(idsSincePromise);
        idsSincePromise.clear();
        disarm();
        beforeRestart();
        for (int attempt = 0; ; attempt++) {
            crashDisk(dice, power);
            boolean kill = attempt < again;
            if (kill) {
                armKill(1 + dice.below(12));
            }
            try {
                open();
                restQuietly();
                break;
            } catch (Killed e) {
                counts.crashesInRecovery++;
                tell("    killed again while recovering, " + e.getMessage());
                forgetProcess();
                disarm();
            } catch (IOException e) {
                throw new Violation("after a crash the directory can't be opened: " + e);
            }
        }
        disarm();
        counts.recoveries++;
        agree();
    }

    private void beforeRestart() {
        for (ModelQueue queue : model.all()) {
            queue.idleWas = queue.consumers.isEmpty() ? queue.idleSince : Long.MAX_VALUE / 2;
        }
        for (ModelStream stream : model.streams.values()) {
            for (ModelStream.Partition partition : stream.partitions) {
                partition.earliest = 0;
            }
        }
    }

    private void crashDisk(Dice dice, boolean power) {
        if (power) {
            Crash how = switch (dice.below(6)) {
                case 0 -> Crash.losingAll();
                case 1 -> Crash.keepingAll();
                case 2 -> Crash.keepingFirst(dice.below(disk.pendingChanges() + 1));
                case 3 -> Crash.keeping(dice.next());
                default -> Crash.random(dice.next() >>> 16);
            };
            tell("    power cut, " + how);
            SimulatedDisk after = disk.crash(how);
            disk.killProcess();
            disk = after;
        } else {
            tell("    the process is killed");
            disk.killProcess();
        }
        counts.crashes++;
        counts.images++;
    }

    /** The model goes back, batch by batch, to where the broker is. */
    private void agree() {
        Observed observed = observe();
        orderLeases(observed);
        int letters = model.lettersToStreams();
        String first = null;
        boolean last = true;
        int batches = 0;
        while (true) {
            int size = model.history.size();
            model.lettersToStreams(letters);
            unseen(observed);
            model.batch();
            model.restart();
            int synced = model.history.size();
            Comparison comparison = new Comparison(model, observed, last);
            comparison.inWords = telling || first == null;
            String difference = comparison.difference();
            if (difference == null) {
                comparison.adopt();
                tell("    recovered, " + batches + " batches back");
                // What time has brought since is not on the disk yet.
                model.history.forget(synced);
                break;
            }
            first = first == null ? difference : first;
            tell("    not " + batches + " batches back: " + difference);
            model.history.undoTo(size);
            if (!model.history.undoBatch()) {
                unseen(observed);
                model.batch();
                model.restart();
                String least = String.valueOf(new Comparison(model, observed, last).difference());
                throw new Violation("after recovery: " + least
                        + (first.equals(least) ? "" : " (or, had all survived, " + first + ")"));
            }
            last = model.history.size() >= beforeLeases;
            batches++;
        }
        for (ModelQueue queue : model.all()) {
            queue.maybeHanded = false;
            queue.maybeTaken = false;
        }
        beforeLeases = Integer.MAX_VALUE;
        counts.checks++;
    }

    /** What had to go in the last moment from queues that do not come back, their dead letters tell. */
    private void unseen(Observed observed) {
        Comparison comparison = new Comparison(model, observed, true);
        long now = model.now;
        model.now = lastNow;
        for (ModelQueue queue : model.all()) {
            if (!comesBack(queue)) {
                comparison.letGoUnseen(queue);
            }
        }
        model.now = now;
    }

    /** False for a queue whose messages a restart takes. */
    private static boolean comesBack(ModelQueue queue) {
        return queue.definition.durability() != Durability.TRANSIENT
                && !queue.definition.exclusive()
                && !queue.definition.temporary();
    }

    /** In which order the queues had their leases looked at nobody promises: what is there tells how far that had come. */
    private void orderLeases(Observed observed) {
        if (ranOut.size() > 1) {
            model.history.undoTo(beforeLeases);
            List<List<Copy>> ordered = new ArrayList<>(ranOut);
            ordered.sort(Comparator.comparingDouble(of -> -Comparison.givenUp(model, of, observed)));
            long now = model.now;
            model.now = lastNow;
            model.takeBack(ordered);
            model.now = now;
        }
        ranOut = List.of();
    }

    /** Verifies the files themselves. */
    void inspectFiles() {
        SimulatedDisk copy = disk.copy();
        try (Storage files = copy.open()) {
            JournalReport report = JournalInspector.inspect(files);
            Violation.unless(report.damage().isEmpty(), () -> "the inspector finds damage: " + report.damage());
        } catch (IOException e) {
            throw new Violation("the files can't be inspected: " + e);
        }
    }

    // ── Turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Submits, and runs turns until there is nothing more to do; then looks where time may have brought what the model does
     * not foresee: later its moment would not be known. False if the process died on the way.
     */
    boolean turn(List<Act> acts) {
        return carryOut(acts) && lookAtUnsure();
    }

    private boolean carryOut(List<Act> acts) {
        tellTime();
        long submitAt = clock;
        int submitted = 0;
        try {
            for (Act act : acts) {
                if (telling) {
                    tell("  " + act.text().get());
                }
                submitted++;
                if (diskFull) {
                    act.answer().fullDisk();
                }
                engine().submit(act.command(), submitAt);
                counts.commands += act.looks() ? 0 : 1;
            }
            engine().turn(submitAt);
        } catch (Killed e) {
            tell("    " + e.getMessage());
            died(acts.subList(0, submitted));
            return false;
        }
        if (engine().failure() != null) {
            tell("    " + String.valueOf(engine().failure().getMessage()));
            died(acts);
            return false;
        }
        process(acts);
        try {
            rest();
        } catch (Killed e) {
            tell("    " + e.getMessage());
            died(List.of());
            return false;
        }
        if (engine().failure() != null) {
            died(List.of());
            return false;
        }
        settlePromise();
        return true;
    }

    private void died(List<Act> acts) {
        deliveries.clear();
        for (Act act : acts) {
            act.answer().lost();
            act.judge().run();
        }
        beforeLeases = model.history.size();
        ranOut = model.timers();
        for (ModelQueue queue : model.all()) {
            noteDrops(queue);
            queue.maybeHanded |= queue.consumers.stream().anyMatch(c -> c.credit > 0);
            queue.maybeTaken |= queue.consumers.stream().anyMatch(c -> c.credit > 0 && c.settings.autoAcknowledge());
        }
    }

    /** Turns until the broker waits for time or for commands, and what its keeper does meanwhile. */
    private void rest() {
        for (int turns = 0; turns < MOST_TURNS; turns++) {
            tellTime();
            long due = engine().turn(clock);
            if (engine().failure() != null) {
                return;
            }
            process(List.of());
            // A checkpoint begins with a sync of all there is.
            promised |= keep();
            if (due > clock) {
                return;
            }
        }
        throw new Violation("the broker does not come to rest");
    }

    /** The same, where the model does not follow yet. */
    private void restQuietly() {
        engine().steadyTime(steady);
        for (int turns = 0; turns < MOST_TURNS; turns++) {
            long due = engine().turn(clock);
            Violation.unless(
                    engine().failure() == null, () -> "the broker failed while recovering: " + engine().failure());
            keep();
            if (due > clock) {
                return;
            }
        }
        throw new Violation("the broker does not come to rest after recovery");
    }

    /** What its keeper does. True if a checkpoint was begun. */
    private boolean keep() {
        try {
            if (engine().spareNeeded()) {
                engine().prepareSpare();
            }
            if (engine().writeBackNeeded()) {
                engine().writeBack();
            }
        } catch (JournalException e) {
            tell("    keeper: " + e.getMessage());
        }
        if (checkpoint == null && engine().failure() == null) {
            checkpoint = engine().checkpoint(false);
            checkpointWritten = false;
            if (checkpoint != null) {
                tell("    checkpoint begun");
                return true;
            }
        }
        return false;
    }

    /** One step of a checkpoint: begun, written, or told to be there. */
    boolean checkpointStep(boolean always) {
        Engine.CheckpointTask task = checkpoint;
        try {
            if (task == null) {
                checkpoint = engine().checkpoint(always);
                checkpointWritten = false;
                tell("    checkpoint " + (checkpoint == null ? "not needed" : "begun"));
                promised |= checkpoint != null;
                settlePromise();
            } else if (!checkpointWritten) {
                tell("    checkpoint written");
                task.write();
                checkpointWritten = true;
            } else {
                tell("    checkpoint there");
                engine().checkpointed(task);
                checkpoint = null;
            }
        } catch (Killed e) {
            tell("    " + e.getMessage());
            return false;
        } catch (IOException e) {
            tell("    checkpoint failed: " + e.getMessage());
            engine().checkpointFailed();
            checkpoint = null;
        }
        return engine().failure() == null;
    }

    private void process(List<Act> acts) {
        for (Act act : acts) {
            if (act.command() instanceof Command.Fetch fetch && fetch.waitUntilMillis() > 0) {
                waiting.add(act);
            } else {
                act.judge().run();
            }
        }
        model.timers();
        for (ModelQueue queue : model.all()) {
            noteDrops(queue);
        }
        for (EngineDelivery delivery : deliveries) {
            counts.deliveries++;
            delivered(delivery);
        }
        deliveries.clear();
        readStreams();
        for (Act act : List.copyOf(waiting)) {
            if (!act.answer().waiting()) {
                waiting.remove(act);
                act.judge().run();
            }
        }
        idleQueues();
        lastTurn = model.steady;
        for (ModelConsumer consumer : cancelled) {
            Violation.unless(consumer.gone, () -> "a consumer of " + consumer.queue + " was cancelled for no reason");
        }
        cancelled.clear();
    }

    /** Queues that were idle for too long go by themselves. */
    private void idleQueues() {
        List<ModelQueue> fleeting = new ArrayList<>();
        for (ModelQueue queue : model.queues.values()) {
            if (queue.definition.expiresMillis() > 0) {
                fleeting.add(queue);
            }
        }
        for (ModelQueue queue : fleeting) {
            long idle = queue.definition.expiresMillis();
            if (engine().definition(queue.name()) == null) {
                Violation.unless(
                        queue.consumers.isEmpty() && queue.idleSince + idle <= model.now,
                        () -> queue + " is gone, and was not idle for " + idle + " ms");
                tell("    " + queue + " was idle for too long");
                if (queue.definition.deadLetter() != null && unsure(queue)) {
                    // What was over or too much just before has become dead letters, which nobody has looked at.
                    throw new Model.Unforeseen();
                }
                if (model.lateTargets.contains(queue)) {
                    // Dead letters came to it, or found it gone.
                    throw new Model.Unforeseen();
                }
                model.delete(queue);
            }
        }
    }

    /** The client was told that what it asked for is on disk. */
    void promise() {
        promised = true;
    }

    void used(@Nullable String id) {
        if (id != null) {
            idsSincePromise.add(id);
        }
    }

    private void settlePromise() {
        if (promised) {
            model.history.forget();
            idsSincePromise.clear();
            unsynced.clear();
        }
        promised = false;
        // What waits for the broker's next sync does so for this long at most, by the time it was told last.
        while (!unsynced.isEmpty() && unsynced.peek().since + settings.bufferedMillis() <= model.steady) {
            int synced = unsynced.poll().changes;
            model.history.forget(synced);
            unsynced.forEach(later -> later.changes -= synced);
        }
        int known = unsynced.isEmpty() ? 0 : unsynced.getLast().changes;
        if (model.history.size() > known) {
            unsynced.add(new Unsynced(model.steady, model.history.size()));
        } else if (model.history.isEmpty()) {
            idsSincePromise.clear();
        }
    }

    /** So many changes of the model have been made at this time or before. */
    private static final class Unsynced {
        final long since;
        int changes;

        Unsynced(long since, int changes) {
            this.since = since;
            this.changes = changes;
        }
    }

    // ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** Where a consumer's deliveries go. */
    DeliverySink sink(ModelConsumer consumer) {
        return new DeliverySink() {
            @Override
            public void deliver(EngineDelivery delivery) {
                if (!dead) {
                    if (cancelled.contains(consumer)) {
                        throw new Violation("a delivery after the end of its consumer");
                    }
                    handles.putIfAbsent(delivery.consumerId(), consumer);
                    deliveries.add(delivery);
                }
            }

            @Override
            public void cancelled(String reason) {
                if (!dead) {
                    cancelled.add(consumer);
                }
            }
        };
    }

    private void delivered(EngineDelivery d) {
        ModelConsumer consumer = handles.get(d.consumerId());
        if (consumer == null) {
            throw new Violation("delivered to nobody: " + told(d));
        }
        delivered(d, consumer);
    }

    private void delivered(EngineDelivery d, ModelConsumer consumer) {
        ModelQueue queue = consumer.queue;
        if (consumer.gone || (consumer.leaving && consumer.holder == null)) {
            throw new Violation(told(d) + " delivered from " + queue + " to a consumer that has left");
        }
        Copy copy = find(queue, d);
        if (copy == null) {
            throw new Violation(told(d) + " delivered from " + queue + " and not there; there is " + queue.all());
        }
        if (telling) {
            tell("    " + told(d) + " delivered from " + queue + " to consumer " + consumer.id);
        }
        check(copy, consumer, d);
        if (copy.number < 0) {
            model.bind(copy, d.number());
        }
        model.batch();
        model.delivered(copy, consumer);
        if (queue.durable()) {
            promise();
        }
    }

    private static String told(EngineDelivery d) {
        return "m" + d.message().timestampMillis() + " (number " + d.number() + ", attempt " + d.attempt() + ")";
    }

    private @Nullable Copy find(ModelQueue queue, EngineDelivery d) {
        Copy known = queue.byNumber.get(d.number());
        if (known != null) {
            return known;
        }
        long tag = d.message().timestampMillis();
        Copy first = queue.firstReady(model.now);
        if (first != null
                && first.number < 0
                && first.tag() == tag
                && Contents.difference(first.body, first.letter, d.message()) == null) {
            return first;
        }
        for (int attempt = 0; attempt < 2; attempt++) {
            for (Copy copy : queue.all()) {
                if (copy.number < 0
                        && copy.tag() == tag
                        && Contents.difference(copy.body, copy.letter, d.message()) == null) {
                    return copy;
                }
            }
            if (!expiredElsewhere(d)) {
                break;
            }
        }
        return null;
    }

    /** A dead letter whose time to live was over: the model learns of it by this delivery. */
    private boolean expiredElsewhere(EngineDelivery d) {
        Map<String, Object> headers = d.message().headers();
        if (!"expired".equals(headers.get(DeadLetterHeaders.CAUSE))) {
            return false;
        }
        for (ModelQueue queue : model.all()) {
            for (Copy copy : queue.all()) {
                if (copy.tag() == d.message().timestampMillis()
                        && Model.home(queue).equals(headers.get(DeadLetterHeaders.ORIGIN))
                        && Objects.equals(
                                queue.stream == null ? null : queue.name(), headers.get(DeadLetterHeaders.GROUP))
                        && copy.holder == null
                        && copy.mayExpire > 0
                        && copy.mayExpire <= model.now) {
                    model.expired(copy);
                    return true;
                }
            }
        }
        return false;
    }

    /** Asked for every delivery: what is wrong is put into words only where something is. */
    private void check(Copy copy, ModelConsumer consumer, EngineDelivery d) {
        String wrong = wrong(copy, consumer, d);
        if (wrong != null) {
            throw new Violation(told(d) + " delivered from " + copy.queue + wrong);
        }
    }

    private @Nullable String wrong(Copy copy, ModelConsumer consumer, EngineDelivery d) {
        ModelQueue queue = copy.queue;
        if (!copy.there) {
            return " although it was settled";
        }
        if (copy.tag() != d.message().timestampMillis()) {
            return " under the number of " + copy;
        }
        String difference = Contents.difference(copy.body, copy.letter, d.message());
        if (difference != null) {
            return ": " + difference;
        }
        if (copy.holder != null) {
            return " although another holds it";
        }
        if (copy.notBefore > model.now) {
            return " too early: " + copy + " at " + model.now;
        }
        if (copy.expiry != 0 && copy.expiry <= model.now) {
            return " after its time to live: " + copy;
        }
        if (d.attempt() != copy.attempts + 1) {
            return " where attempt " + (copy.attempts + 1) + " is next";
        }
        if (consumer.credit <= 0) {
            return " to a consumer without credit";
        }
        if (!consumer.takes(copy)) {
            return " to a consumer whose filter does not take it";
        }
        if (d.partition() != copy.partition || d.offset() != copy.offset) {
            return " with a wrong offset";
        }
        boolean titled = queue.stream == null
                ? d.queue().equals(queue.name()) && d.group() == null
                : d.queue().equals(queue.stream.name()) && queue.name().equals(d.group());
        if (!titled) {
            return " under the name " + d.queue() + "/" + d.group();
        }
        if (queue.definition.singleActiveConsumer() && consumer.holder == null && queue.active() != consumer) {
            return " to a consumer that stands by";
        }
        return outOfTurn(copy, consumer.holder != null);
    }

    private @Nullable String outOfTurn(Copy copy, boolean taken) {
        ModelQueue queue = copy.queue;
        if (taken ? queue.strictToAnyone() : queue.strict()) {
            Copy first = queue.firstReady(model.now);
            return first == copy || expiring(queue) ? null : " out of order: " + first + " is next of " + queue.all();
        }
        if (!queue.definition.keyOrdered() || copy.key == null) {
            return null;
        }
        boolean anyOrder = queue.delayedKeys || queue.loose || expiring(queue);
        for (Copy other : queue.all()) {
            if (other != copy && copy.key.equals(other.key)) {
                if (other.holder != null) {
                    return " while " + other + " of its key is in flight";
                }
                if (!anyOrder && other.order <= copy.order && !(other.expiry > 0 && other.expiry <= model.now)) {
                    return " before an earlier one of its key: " + other;
                }
            }
        }
        return null;
    }

    /** True if a message may have gone whose time to live was over. */
    boolean expiring(ModelQueue queue) {
        for (Copy copy : queue.all()) {
            if (copy.mayExpire > 0 && copy.mayExpire <= model.now && copy.holder == null) {
                return true;
            }
        }
        return false;
    }

    // ── Looking at everything ────────────────────────────────────────────────────────────────────────────────────────

    /** What a broker shows that has just recovered; the model does not follow. */
    private Observed observe() {
        Answer<EngineStatus> inspected = new Answer<>(() -> "inspect");
        engine().submit(new Command.Inspect(inspected), clock);
        restQuietly();
        Observed observed = new Observed(inspected.result());
        List<Runnable> then = new ArrayList<>();
        for (EngineStatus.Queue queue : observed.status().queues()) {
            submit(browse(queue.definition().name(), null, observed, then));
        }
        for (EngineStatus.Group group : observed.status().groups()) {
            String stream = group.stream();
            if (stream != null) {
                submit(browse(stream, group.name(), observed, then));
            }
        }
        for (EngineStatus.Stream stream : observed.status().streams()) {
            for (int p = 0; p < stream.definition().partitions(); p++) {
                submit(fetch(stream.definition().name(), p, observed, then));
            }
        }
        restQuietly();
        then.forEach(Runnable::run);
        return observed;
    }

    private void submit(Command command) {
        engine().submit(command, clock);
    }

    private static Command browse(String channel, @Nullable String group, Observed observed, List<Runnable> then) {
        Answer<List<Command.Browsed>> browsed = new Answer<>(() -> "browse " + channel);
        then.add(() -> observed.queues().put(group == null ? channel : channel + "\n" + group, browsed.result()));
        return new Command.Browse(channel, group, null, 10_000, browsed);
    }

    private static Command fetch(String stream, int partition, Observed observed, List<Runnable> then) {
        String place = stream + "/" + partition;
        Answer<Command.Fetched> fetched = new Answer<>(() -> "fetch " + place);
        then.add(() -> observed.partitions().put(place, fetched.result()));
        return new Command.Fetch(stream, partition, 0, 100_000, Integer.MAX_VALUE, 0, fetched);
    }

    /** Compares everything the broker shows with the model. False if the process died meanwhile. */
    boolean look() {
        // The first look is from before what this moment brings.
        return lookOnce() && lookAtUnsure();
    }

    private boolean lookOnce() {
        List<Act> acts = new ArrayList<>();
        lookFirst(acts);
        tell("  look at everything");
        return carryOut(acts);
    }

    /** Adds acts that look at everything, before others in the same turn. */
    void lookFirst(List<Act> acts) {
        counts.checks++;
        List<Runnable> then = new ArrayList<>();
        Answer<EngineStatus> inspected = new Answer<>(() -> "inspect");
        Observed parts = new Observed(null);
        acts.add(new Act(() -> "inspect", new Command.Inspect(inspected), inspected, () -> {}, true));
        browseAll(model.all(), parts, then).forEach(look -> acts.add(act(look)));
        for (ModelStream stream : model.streams.values()) {
            for (int p = 0; p < stream.partitions.length; p++) {
                acts.add(act(fetch(stream.name(), p, parts, then)));
            }
        }
        compare(acts, then, () -> {
            EngineStatus status = inspected.result();
            Violation.unless(
                    status.journal().heapBytes() <= settings.indexBytes() + (8 << 20),
                    () -> "indexes take " + status.journal().heapBytes() + " bytes");
            return new Comparison(model, new Observed(status, parts.queues(), parts.partitions()), false);
        });
    }

    private static List<Command> browseAll(Collection<ModelQueue> queues, Observed parts, List<Runnable> then) {
        List<Command> looks = new ArrayList<>();
        for (ModelQueue queue : queues) {
            looks.add(
                    queue.stream == null
                            ? browse(queue.name(), null, parts, then)
                            : browse(queue.stream.name(), queue.name(), parts, then));
        }
        return looks;
    }

    private static Act act(Command look) {
        return new Act(() -> "look", look, (Answer<?>) look.reply(), () -> {}, true);
    }

    /** Adds the act that compares, after all those that look. */
    private void compare(List<Act> acts, List<Runnable> then, Supplier<Comparison> with) {
        Answer<List<Command.Position>> last = new Answer<>(() -> "offsets");
        Runnable judge = () -> {
            if (last.known()) {
                then.forEach(Runnable::run);
                Comparison comparison = with.get();
                String difference = comparison.difference();
                Violation.unless(difference == null, () -> "looking: " + difference);
                comparison.adopt();
            }
        };
        acts.add(new Act(() -> "compare", new Command.GroupOffsets("nobody", last), last, judge, true));
    }

    /** Looks at the queues of which time may have brought something that the model does not know of yet, if there are any. */
    private boolean lookAtUnsure() {
        Set<ModelQueue> seen = new LinkedHashSet<>();
        for (ModelQueue queue : model.all()) {
            if (unsure(queue)) {
                withLetters(queue, seen);
            }
        }
        if (seen.isEmpty()) {
            return true;
        }
        if (telling) {
            tell("  look at " + seen);
        }
        counts.looks++;
        List<Act> acts = new ArrayList<>();
        List<Runnable> then = new ArrayList<>();
        Observed parts = new Observed(null);
        browseAll(seen, parts, then).forEach(look -> acts.add(act(look)));
        compare(acts, then, () -> new Comparison(model, parts, seen));
        return carryOut(acts);
    }

    /** Where the dead letters of a queue tell what became of its messages, they are looked at too. */
    private void withLetters(ModelQueue queue, Set<ModelQueue> seen) {
        if (!seen.add(queue)) {
            return;
        }
        QueueDefinition.DeadLetterTarget target = queue.definition.deadLetter();
        if (target != null && target.topic() != null) {
            seen.addAll(model.all());
        } else if (target != null) {
            ModelQueue letters = model.queues.get(String.valueOf(target.channel()));
            ModelStream stream = model.streams.get(String.valueOf(target.channel()));
            if (letters != null) {
                withLetters(letters, seen);
            } else if (stream != null) {
                stream.groups.forEach(group -> withLetters(group, seen));
            }
        }
    }

    private boolean unsure(ModelQueue queue) {
        if (queue.loose) {
            return true;
        }
        for (Copy copy : queue.all()) {
            if (copy.mayExpire > 0 && copy.mayExpire <= model.latest && copy.holder == null) {
                return true;
            }
        }
        return false;
    }

    /** What could be delivered must be. */
    void checkNothingStuck() {
        model.readers.values().forEach(reader -> reader.checkNothingStuck(model.latest));
        for (ModelQueue queue : model.all()) {
            if (!queue.consumers.isEmpty()) {
                queue.active(); // elected when it can be, which is before the next one comes
            }
            if (queue.loose || queue.consumers.isEmpty() || expiring(queue)) {
                continue;
            }
            Copy ready = queue.filtered() ? null : queue.firstReady(model.now);
            boolean taker = queue.definition.singleActiveConsumer()
                    ? queue.active().credit > 0
                    : queue.consumers.stream().anyMatch(c -> c.credit > 0);
            Violation.unless(
                    ready == null || !taker || queue.delayedKeys,
                    () -> queue + " does not deliver " + ready + " although a consumer has credit");
        }
    }

    /** Messages of shared groups that no consumer's filter takes may be passed over for good. */
    private static void noteDrops(ModelQueue queue) {
        if (queue.stream != null && queue.consumers.stream().anyMatch(c -> c.credit > 0) && queue.filtered()) {
            for (Copy copy : queue.all()) {
                if (copy.holder == null
                        && copy.notBefore == 0
                        && queue.consumers.stream().noneMatch(c -> c.takes(copy))) {
                    copy.mayDrop = true;
                    queue.loose = true;
                }
            }
        }
    }
}
