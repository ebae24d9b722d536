package dev.postroad.engine;

import dev.postroad.engine.routing.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Consumers, and handing messages to them: each delivery is recorded, and leaves when its record is safe. */
final class Consuming {
    /** Deliveries of one queue in one turn: others want theirs, and confirms wait. */
    private static final int MOST_PER_TURN = 4096;

    private static final int CHUNK = 1024;

    /** Payload bytes of that: all of a turn's deliveries are in memory at once. */
    private static final long MOST_BYTES_PER_TURN = 8 << 20;

    private record Handover(ConsumerState consumer, EngineDelivery delivery) {}

    private final Engine engine;
    private final Settling settling;
    private final Declaring declaring;
    private final MessageFields fields;
    private final Map<Object, List<ConsumerState>> byOwner = new HashMap<>();
    private final List<Handover> handovers = new ArrayList<>();
    private final List<ConsumerState> flushes = new ArrayList<>();
    private long[] numbers = new long[16];
    private ConsumerState[] takers = new ConsumerState[16];
    private Stored[] messages = new Stored[16];
    private final List<Long> expired = new ArrayList<>();
    /** Payload bytes that were chosen in this turn of the queue. */
    private long chosenBytes;

    private long nextConsumerId = 1;

    Consuming(Engine engine, Settling settling, Declaring declaring) {
        this.engine = engine;
        this.settling = settling;
        this.declaring = declaring;
        this.fields = engine.fields;
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void subscribe(Command.Subscribe subscribe) {
        Command.ConsumerSettings settings = subscribe.settings();
        checkSettings(settings);
        StreamState stream = subscribe.group() == null ? engine.state.stream(subscribe.channel()) : null;
        Command.Start start = settings.start();
        if (stream != null && start != null) {
            checkPerOwner(settings.owner());
            engine.streamConsuming.subscribe(nextConsumerId++, stream, start, subscribe);
            return;
        }
        QueueState queue = queue(subscribe);
        if (start != null) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "'" + subscribe.channel() + "' has no place to start from: only a consumer of a stream has");
        }
        QueueDefinition definition = queue.definition();
        Declaring.checkOwner(queue, settings.owner());
        checkExclusive(queue, settings.exclusive());
        if (queue.consumers.size() >= engine.settings.maxConsumersPerQueue()) {
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "queue '" + definition.name() + "' has " + queue.consumers.size() + " consumers, the most allowed");
        }
        checkPerOwner(settings.owner());
        ConsumerState consumer = new ConsumerState(nextConsumerId++, queue, settings, subscribe.sink());
        add(consumer);
        queue.consumerCame(consumer);
        elect(queue);
        engine.touch(queue);
        engine.park(subscribe.reply(), consumer.id, false);
    }

    private void add(ConsumerState consumer) {
        engine.consumers().put(consumer.id, consumer);
        Object owner = consumer.settings.owner();
        if (owner != null) {
            byOwner.computeIfAbsent(owner, o -> new ArrayList<>()).add(consumer);
        }
    }

    private static void elect(QueueState queue) {
        ConsumerState active = queue.electConsumer();
        if (active != null) {
            active.sink.activated();
        }
    }

    private void checkSettings(Command.ConsumerSettings settings) {
        if (settings.credit() < 0 || settings.credit() > engine.settings.maxUnsettledPerConsumer()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "credit is " + settings.credit() + "; it must be 0 to "
                            + engine.settings.maxUnsettledPerConsumer());
        }
        if (settings.autoAcknowledge() && settings.restoring()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a consumer that acknowledges by taking can't have its credit restored by settling: nothing would bound"
                            + " it; give it credit as it goes");
        }
    }

    /** @throws EngineException {@code IN_USE} if the queue is one consumer's alone, or is to be and has another */
    private static void checkExclusive(QueueState queue, boolean exclusive) {
        boolean exclusiveThere = !queue.consumers.isEmpty()
                && queue.consumers.getFirst().settings.exclusive();
        if (exclusiveThere || (exclusive && !queue.consumers.isEmpty())) {
            String name = queue.definition().name();
            throw new EngineException(
                    EngineException.Reason.IN_USE,
                    exclusiveThere
                            ? "queue '" + name + "' has an exclusive consumer"
                            : "queue '" + name + "' has " + queue.consumers.size()
                                    + " consumers, and an exclusive one wants to be alone");
        }
    }

    private QueueState queue(Command.Subscribe subscribe) {
        String group = subscribe.group();
        if (group == null) {
            QueueState queue = engine.state.queue(subscribe.channel());
            if (queue == null && engine.state.stream(subscribe.channel()) != null) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "'" + subscribe.channel() + "' is a stream: name a group to consume it, say where to start, or"
                                + " fetch by offset");
            }
            if (queue == null) {
                throw Routes.noChannel(subscribe.channel());
            }
            return queue;
        }
        QueueState queue = engine.state.sharedGroup(subscribe.channel(), group);
        if (queue == null) {
            throw new EngineException(
                    EngineException.Reason.NOT_FOUND,
                    "stream '" + subscribe.channel() + "' has no group '" + group + "'; declare it first");
        }
        return queue;
    }

    private void checkPerOwner(@org.jspecify.annotations.Nullable Object owner) {
        if (owner == null) {
            return;
        }
        int count = byOwner.getOrDefault(owner, List.of()).size();
        if (count >= engine.settings.maxConsumersPerOwner()) {
            throw new EngineException(
                    EngineException.Reason.FULL, "this connection has " + count + " consumers, the most allowed");
        }
    }

    // ── Without a consumer ───────────────────────────────────────────────────────────────────────────────────────────

    private record Taker(QueueState queue, Object holder) {}

    private final Map<Taker, ConsumerState> takersByHolder = new HashMap<>();

    void get(Command.Get get) {
        QueueState queue = engine.state.queue(get.channel());
        if (queue == null) {
            if (engine.state.stream(get.channel()) != null) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "'" + get.channel() + "' is a stream: fetch by offset, nothing is taken from it");
            }
            throw Routes.noChannel(get.channel());
        }
        Declaring.checkOwner(queue, get.owner());
        if (!queue.consumers.isEmpty() && queue.consumers.getFirst().settings.exclusive()) {
            throw new EngineException(
                    EngineException.Reason.IN_USE, "queue '" + get.channel() + "' has an exclusive consumer");
        }
        queue.idleSince = engine.now();
        queue.wakeDelayed(engine.now());
        while (true) {
            long number = queue.nextReadyToAnyone(engine.now());
            if (number == PagedIndex.NONE) {
                engine.park(get.reply(), new Command.Got(null, 0), false);
                return;
            }
            long expiry = queue.expiry(number);
            if (expiry != 0 && expiry <= engine.now()) {
                settling.giveUp(queue, number, Settling.Why.EXPIRED, "its time to live was over");
                continue;
            }
            Stored stored = engine.state.store.readIfSound(queue.position(number));
            if (stored == null) {
                queue.passOverUnreadable(number);
                queue.counts.damaged++;
                continue;
            }
            take(get, queue, number, stored);
            return;
        }
    }

    private void take(Command.Get get, QueueState queue, long number, Stored stored) {
        long[] one = {number};
        try {
            engine.records.begin(engine.now(), 2, 2 * Records.numbersBytes(1));
        } catch (EngineException e) {
            queue.giveBack(number);
            throw e;
        }
        engine.records.delivered(queue, one, 1);
        int attempt = queue.attempts(number);
        queue.counts.delivered++;
        if (attempt > 1) {
            queue.counts.redelivered++;
        }
        long holderId = 0;
        if (get.autoAcknowledge()) {
            engine.records.removed(queue, Records.Cause.ACKNOWLEDGED, one, 1);
        } else {
            ConsumerState taker = taker(queue, get);
            holderId = taker.id;
            queue.hold(number, taker, 0);
        }
        engine.records.end();
        EngineDelivery delivery = new EngineDelivery(
                holderId,
                queue.definition().name(),
                null,
                number,
                attempt,
                queue.firstFailure(number),
                -1,
                -1,
                stored.message());
        engine.park(get.reply(), new Command.Got(delivery, queue.readyMessages()), queue.durable());
    }

    private ConsumerState taker(QueueState queue, Command.Get get) {
        Taker key = new Taker(queue, get.holder());
        ConsumerState known = takersByHolder.get(key);
        if (known != null) {
            return known;
        }
        Command.ConsumerSettings settings =
                new Command.ConsumerSettings(0, false, false, false, 0, -1, null, get.owner(), "get");
        ConsumerState taker = new ConsumerState(nextConsumerId++, queue, settings, NOBODY);
        taker.taker = key;
        takersByHolder.put(key, taker);
        engine.consumers().put(taker.id, taker);
        Object owner = get.owner();
        if (owner != null) {
            byOwner.computeIfAbsent(owner, o -> new ArrayList<>()).add(taker);
        }
        return taker;
    }

    private static final DeliverySink NOBODY = new DeliverySink() {
        @Override
        public void deliver(EngineDelivery delivery) {}

        @Override
        public void cancelled(String reason) {}
    };

    private ConsumerState consumer(long id) {
        ConsumerState consumer = engine.consumers().get(id);
        if (consumer == null) {
            throw new EngineException(EngineException.Reason.NOT_FOUND, "there is no consumer " + id + " (any more)");
        }
        return consumer;
    }

    void credit(Command.Credit command) {
        if (engine.streamConsuming.has(command.consumerId())) {
            engine.streamConsuming.credit(command);
            return;
        }
        ConsumerState consumer = consumer(command.consumerId());
        int most = engine.settings.maxUnsettledPerConsumer();
        int more = (int) Math.min(command.more(), (long) most - consumer.credit);
        boolean paused = consumer.paused;
        consumer.paused = false;
        consumer.queue.gainCredit(consumer, more);
        if (more > 0 || paused) {
            engine.touch(consumer.queue);
        }
        engine.park(command.reply(), consumer.credit, false);
    }

    void unsubscribe(Command.Unsubscribe command) {
        if (engine.streamConsuming.has(command.consumerId())) {
            engine.park(command.reply(), engine.streamConsuming.end(command.consumerId()), false);
            return;
        }
        ConsumerState consumer = consumer(command.consumerId());
        if (!command.releaseDeliveries() && consumer.inFlight > 0) {
            consumer.leaving = true;
            consumer.credit = 0;
            leaveQueue(consumer);
            engine.park(command.reply(), 0, false);
            return;
        }
        int back = end(consumer);
        engine.park(command.reply(), back, consumer.queue.durable() && back > 0);
    }

    void closeOwner(Command.CloseOwner command) {
        List<ConsumerState> mine = List.copyOf(byOwner.getOrDefault(command.owner(), List.of()));
        for (ConsumerState consumer : mine) {
            // One of them may have been the last of its queue, which took the others with it.
            if (!consumer.ended) {
                end(consumer);
            }
        }
        int readers = engine.streamConsuming.closeOwner(command.owner());
        for (QueueState queue : List.copyOf(engine.state.queues())) {
            if (queue.owner != null && queue.owner.equals(command.owner())) {
                declaring.delete(queue, "its connection closed");
            }
        }
        engine.park(command.reply(), mine.size() + readers, true);
    }

    /** Ends a consumer: what it holds goes back, in order. Returns how much that was. */
    int end(ConsumerState consumer) {
        QueueState queue = consumer.queue;
        forget(consumer);
        queue.consumerWent(consumer);
        long[] held = queue.heldBy(consumer);
        for (long number : held) {
            settling.takeBack(queue, number, "its consumer closed");
        }
        leaveQueue(consumer);
        return held.length;
    }

    private void leaveQueue(ConsumerState consumer) {
        QueueState queue = consumer.queue;
        if (consumer.taker != null) {
            engine.touch(queue);
            return;
        }
        queue.consumerWent(consumer);
        elect(queue);
        queue.idleSince = engine.now();
        engine.touch(queue);
        if (queue.definition().autoDelete() && queue.consumers.isEmpty() && engine.state.queue(queue.id) == queue) {
            declaring.delete(queue, "its last consumer left");
        }
    }

    /** The consumer is known no more. */
    void forget(ConsumerState consumer) {
        consumer.ended = true;
        if (consumer.taker != null) {
            takersByHolder.remove(consumer.taker);
        }
        engine.consumers().remove(consumer.id);
        Object owner = consumer.settings.owner();
        List<ConsumerState> others = owner == null ? null : byOwner.get(owner);
        if (others != null) {
            others.remove(consumer);
            if (others.isEmpty()) {
                byOwner.remove(owner);
            }
        }
    }

    // ── Dispatch ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Hands ready messages to consumers that have credit. Returns true if there may be more to do at once. */
    boolean dispatch(QueueState queue) {
        try {
            return dispatchNow(queue);
        } catch (EngineException e) {
            expired.forEach(queue::giveBack);
            expired.clear();
            throw e;
        }
    }

    private boolean dispatchNow(QueueState queue) {
        if (queue.consumers.isEmpty()) {
            return false;
        }
        queue.wakeDelayed(engine.now());
        chosenBytes = 0;
        for (int handed = 0; handed < MOST_PER_TURN && chosenBytes < MOST_BYTES_PER_TURN; ) {
            int count = choose(queue);
            boolean freed = false;
            if (count > 0) {
                // What is acknowledged by being taken gives way to the next of its key at once.
                freed = hand(queue, count) && queue.definition().keyOrdered();
                handed += count;
            }
            boolean late = !expired.isEmpty();
            while (!expired.isEmpty()) {
                settling.giveUp(queue, expired.getFirst(), Settling.Why.EXPIRED, "its time to live was over");
                expired.removeFirst();
            }
            if (count < CHUNK && chosenBytes < MOST_BYTES_PER_TURN && !late && !freed) {
                return false;
            }
        }
        return true;
    }

    /** Chooses messages and who takes each; nothing durable changes. */
    private int choose(QueueState queue) {
        boolean filters = queue.hasFilters();
        int count = 0;
        while (count < CHUNK && chosenBytes < MOST_BYTES_PER_TURN) {
            ConsumerState taker = queue.nextConsumer();
            if (taker == null) {
                break;
            }
            long number = queue.nextReady(engine.now());
            if (number == PagedIndex.NONE) {
                break;
            }
            long expiry = queue.expiry(number);
            if (expiry != 0 && expiry <= engine.now()) {
                expired.add(number);
                if (queue.definition().keyOrdered()) {
                    // When it has gone, the next of its key has its turn before others.
                    break;
                }
                continue;
            }
            Stored stored = engine.state.store.readIfSound(queue.position(number));
            if (stored == null) {
                queue.passOverUnreadable(number);
                queue.counts.damaged++;
                continue;
            }
            if (filters) {
                taker = match(queue, taker, number, stored.message());
                if (taker == null) {
                    continue;
                }
            }
            if (!taker.sink.takes(stored.message())) {
                taker.paused = true;
                queue.giveBack(number);
                continue;
            }
            taker.credit--;
            queue.took(taker);
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, 4 * count);
                takers = Arrays.copyOf(takers, 4 * count);
                messages = Arrays.copyOf(messages, 4 * count);
            }
            numbers[count] = number;
            takers[count] = taker;
            messages[count] = stored;
            byte[] payload = stored.message().payload();
            chosenBytes += payload == null ? 0 : payload.length;
            count++;
        }
        return count;
    }

    /** The consumer that takes the message by its filter; null if none does now, and the message is put aside. */
    private @org.jspecify.annotations.Nullable ConsumerState match(
            QueueState queue, ConsumerState first, long number, EngineMessage message) {
        MessageFields view = fields.of(message);
        if (first.filter() == null || first.filter().matches(view)) {
            return first;
        }
        boolean matched = false;
        for (ConsumerState other : queue.consumers) {
            Rule filter = other.filter();
            if (filter == null || filter.matches(view)) {
                if (other.canTake() && !queue.definition().singleActiveConsumer()) {
                    return other;
                }
                matched = true;
            }
        }
        if (matched) {
            queue.passOverUnserved(number);
        } else if (queue.stream != null) {
            // In a group, what its filter does not take is passed over for good.
            engine.records.begin(engine.now(), 1, Records.numbersBytes(1));
            engine.records.removed(queue, Records.Cause.DROPPED, new long[] {number}, 1);
            engine.records.end();
        } else {
            queue.passOverUnmatched(number);
        }
        return null;
    }

    /** Returns true if any was acknowledged by being handed over. */
    private boolean hand(QueueState queue, int count) {
        try {
            engine.records.begin(engine.now(), 2, 2 * Records.numbersBytes(count));
        } catch (EngineException e) {
            for (int i = 0; i < count; i++) {
                takers[i].credit++;
                takers[i].sink.withheld(messages[i].message());
                queue.giveBack(numbers[i]);
            }
            throw e;
        }
        engine.records.delivered(queue, numbers, count);
        int automatic = 0;
        for (int i = 0; i < count; i++) {
            long number = numbers[i];
            ConsumerState taker = takers[i];
            handovers.add(new Handover(taker, delivery(queue, taker, number, messages[i])));
            if (taker.settings.autoAcknowledge()) {
                numbers[automatic++] = number;
            } else {
                hold(queue, taker, number);
            }
        }
        if (automatic > 0) {
            engine.records.removed(queue, Records.Cause.ACKNOWLEDGED, numbers, automatic);
        }
        engine.records.end();
        Arrays.fill(messages, 0, count, null);
        if (queue.durable()) {
            engine.wantSync();
        }
        return automatic > 0;
    }

    /** A delivery that has just been recorded. */
    private EngineDelivery delivery(QueueState queue, ConsumerState taker, long number, Stored stored) {
        String stream = queue.stream;
        String name = queue.definition().name();
        int attempt = queue.attempts(number);
        queue.counts.delivered++;
        if (attempt > 1) {
            queue.counts.redelivered++;
        }
        int partition = stored.partition() >= 0 ? engine.routes.partition(queue, stored) : -1;
        return new EngineDelivery(
                taker.id,
                stream == null ? name : stream,
                stream == null ? null : name,
                number,
                attempt,
                queue.firstFailure(number),
                partition,
                partition < 0 ? -1 : stored.offset(),
                stored.message());
    }

    private void hold(QueueState queue, ConsumerState taker, long number) {
        long lease = taker.leaseMillis();
        queue.hold(number, taker, lease > 0 ? Times.after(engine.steady(), lease) : 0);
    }

    /** What was handed over in this turn goes to the consumers. */
    void letOutDeliveries() {
        for (int i = 0; i < handovers.size(); i++) {
            Handover handover = handovers.get(i);
            ConsumerState consumer = handover.consumer();
            if (consumer.ended) {
                continue;
            }
            consumer.sink.deliver(handover.delivery());
            if (!consumer.touched) {
                consumer.touched = true;
                flushes.add(consumer);
            }
        }
        handovers.clear();
        for (ConsumerState consumer : flushes) {
            consumer.touched = false;
            consumer.sink.flush();
        }
        flushes.clear();
    }

    void dropDeliveries() {
        handovers.clear();
    }
}
