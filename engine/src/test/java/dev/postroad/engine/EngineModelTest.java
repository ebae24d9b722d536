package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random commands on queues with random settings, with power cuts, restarts, kills in the middle of a command, checkpoints
 * and the passing of time, against {@link EngineModel}: the same messages must be there in the same order and state, and be
 * delivered in the same order.
 */
class EngineModelTest {
    private static final long SECOND = 1_000;

    @Test
    void theEngineDoesWhatThePlainModelDoes() {
        Property.forAll("the engine is its model", 200, gen -> run(gen, gen.between(20, 80)));
    }

    @Test
    @Tag("soak")
    void theEngineDoesWhatThePlainModelDoesForLong() {
        Property.forAll("the engine is its model, for long", 20_000, gen -> run(gen, gen.between(20, 200)));
    }

    /** A move that was killed leaves letters that look the same before and after, but for what they say of themselves. */
    @Test
    void whatAKilledMoveLeftIsToldByTheLetters() {
        Property.replay("the engine is its model", 226536137893199L, gen -> run(gen, gen.between(20, 200)));
    }

    private static void run(Generator gen, int steps) {
        Case each = new Case(gen);
        try {
            for (int i = 0; i < steps; i++) {
                each.step();
            }
            each.crash();
            each.pass(SECOND);
        } catch (Throwable e) {
            throw new AssertionError(e.getMessage() + "\n" + each.trace(), e);
        } finally {
            each.close();
        }
    }

    /** What a command did when it was killed is not known: these are the states it may have left. */
    private static final class Case {
        private final Generator gen;
        private final Rig rig;
        private EngineModel model = new EngineModel();
        private final List<String> trace = new ArrayList<>();
        private final Map<EngineModel.Credit, Rig.Taker> takers = new IdentityHashMap<>();
        private final Map<String, EngineDelivery> held = new HashMap<>();
        private int names;
        private int ids;

        Case(Generator gen) {
            this.gen = gen;
            rig = new Rig(Rig.SMALL.withCacheBytes(gen.choose(0, 4_000, 1 << 20)), PayloadFields.NONE, gen.nextLong());
            declare(QueueDefinition.named(EngineModel.DEAD));
            for (int i = gen.between(1, 3); i > 0; i--) {
                declare(definition("q" + i));
            }
        }

        void close() {
            try {
                rig.close();
            } catch (RuntimeException e) {
                // What went wrong has been told already.
                trace.add("close: " + e);
            }
        }

        String trace() {
            return String.join("\n", trace);
        }

        private QueueDefinition definition(String name) {
            boolean keyOrdered = gen.flip();
            QueueDefinition definition = QueueDefinition.named(name)
                    .withKeyOrdered(keyOrdered)
                    .withPriorities(keyOrdered ? 1 : gen.choose(1, 1, 3))
                    .withDeliveryLimit(gen.choose(0, 1, 2, 3))
                    .withLeaseMillis(gen.choose(0L, 5 * SECOND))
                    .withTtlMillis(gen.choose(0L, 0L, 20 * SECOND))
                    .withDedupMillis(gen.choose(0L, 15 * SECOND))
                    .withDeadLetter(gen.chance(4, 5) ? DeadLetterTarget.channel(EngineModel.DEAD) : null);
            if (gen.chance(1, 3)) {
                Overflow overflow =
                        gen.choose(Overflow.REJECT_PUBLISH, Overflow.DROP_OLDEST, Overflow.DEAD_LETTER_OLDEST);
                definition = definition
                        .withMaxMessages(gen.between(2, 8))
                        .withOverflow(
                                overflow == Overflow.DEAD_LETTER_OLDEST && definition.deadLetter() == null
                                        ? Overflow.DROP_OLDEST
                                        : overflow);
            }
            return definition;
        }

        private void declare(QueueDefinition definition) {
            trace.add("declare " + definition);
            rig.declare(definition);
            model.queues.put(definition.name(), new EngineModel.Queue(definition));
        }

        private EngineModel.Queue anyQueue() {
            return gen.choose(List.copyOf(model.queues.values()));
        }

        private EngineModel.Queue liveQueue() {
            return gen.choose(model.queues.values().stream()
                    .filter(q -> !q.name().equals(EngineModel.DEAD))
                    .toList());
        }

        // ── Steps
        // ─────────────────────────────────────────────────────────────────────────────────────────────────────

        void step() {
            switch (gen.between(0, 24)) {
                case 0, 1, 2, 3, 4, 5 -> publish();
                case 6, 7, 8 -> subscribe();
                case 9, 10, 11, 12, 13, 14 -> settle();
                case 15 -> unsubscribe();
                case 16 -> purge();
                case 17 -> move();
                case 18, 19 -> redrive();
                case 20 -> cancel();
                case 21 -> transact();
                case 22 -> crash();
                case 23 -> restart();
                default -> checkpoint();
            }
            pass(gen.choose(SECOND, SECOND, 2 * SECOND, 7 * SECOND));
        }

        /** Lets time pass in both, second by second, and compares. */
        private void pass(long millis) {
            for (long left = millis; left > 0; left -= SECOND) {
                // What has expired in somebody's hands goes a tenth of a second after it comes back.
                time(rig.now() + 100);
                rig.advance(SECOND);
                time(rig.now());
            }
            compare();
        }

        private void time(long now) {
            model.timers(now);
            model.shorten();
            model.dispatch(now);
        }

        private void compare() {
            Map<String, List<String>> delivered = new HashMap<>();
            for (EngineDelivery delivery : rig.log) {
                String name = Rig.text(delivery.message());
                delivered
                        .computeIfAbsent(delivery.queue(), q -> new ArrayList<>())
                        .add(name + "#" + delivery.attempt());
                held.put(delivery.queue() + "/" + name, delivery);
            }
            rig.log.clear();
            assertThat(delivered).as("deliveries").isEqualTo(model.delivered);
            model.delivered.clear();
            for (EngineModel.Queue queue : model.queues.values()) {
                List<Command.Browsed> actual = rig.browse(queue.name());
                if (queue.name().equals(EngineModel.DEAD)) {
                    adoptOrder(queue, actual);
                }
                int lanes = queue.definition.priorities();
                assertThat(actual.stream().map(b -> describe(b)).toList())
                        .as(queue.name())
                        .isEqualTo(queue.messages.stream()
                                .sorted(Comparator.comparingInt(m -> -Math.min(m.priority, lanes - 1)))
                                .map(m -> describe(m))
                                .toList());
            }
            rig.check();
            if (Boolean.getBoolean("postroad.trace")) {
                trace.add("    " + tell(model));
            }
        }

        private static String describe(Command.Browsed browsed) {
            String state = browsed.state() == Command.Browsed.State.IN_FLIGHT
                    ? "held"
                    : browsed.state() == Command.Browsed.State.DELAYED ? "until " + browsed.notBeforeMillis() : "waits";
            return Rig.text(browsed.message()) + "#" + browsed.attempts() + " " + state;
        }

        private static String describe(EngineModel.Msg message) {
            String state =
                    message.holder != null ? "held" : message.notBefore > 0 ? "until " + message.notBefore : "waits";
            return message.name + "#" + message.attempts + " " + state;
        }

        /** In which order letters of different queues come is not promised. */
        private static void adoptOrder(EngineModel.Queue queue, List<Command.Browsed> actual) {
            Map<String, Integer> order = new HashMap<>();
            actual.forEach(b -> order.put(Rig.text(b.message()), order.size()));
            queue.messages.sort(Comparator.comparingInt(m -> order.getOrDefault(m.name, Integer.MAX_VALUE)));
        }

        /**
         * Runs a command on both. Sometimes the process is killed on the way: then what it left must be what was before,
         * or after, or between.
         *
         * @param fresh names of messages that the command publishes, all or none
         */
        private <R> @Nullable R both(
                Function<Reply<R>, Command> command, Function<EngineModel, R> onModel, Set<String> fresh) {
            EngineModel before = model.copy();
            boolean kill = gen.chance(1, 12) && !overflows(onModel);
            if (kill) {
                forceAll();
                long n = gen.between(1, 6);
                trace.add("  killed at call " + n);
                rig.killAtCall(n);
            }
            try {
                R actual = rig.call(command);
                rig.disk().listen(operation -> {});
                R expected = onModel.apply(model);
                assertThat(actual).isEqualTo(expected);
                model.shorten();
                model.dispatch(rig.now());
                return actual;
            } catch (Rig.Killed e) {
                R expected = onModel.apply(model);
                trace.add("  died: " + e.getMessage() + ", where the model says " + expected);
                model.shorten();
                model.dispatch(rig.now());
                recover(before, fresh);
                return null;
            }
        }

        /** What is dropped after a crash, when nobody holds anything, need not be what was dropped before. */
        private <R> boolean overflows(Function<EngineModel, R> onModel) {
            EngineModel trial = model.copy();
            trace.add("  on trial: " + onModel.apply(trial));
            String before = tell(trial);
            trial.shorten();
            return !before.equals(tell(trial));
        }

        /** What time alone has brought is not forced at once, and would come about again. */
        private void forceAll() {
            rig.declare(model.queue(EngineModel.DEAD).definition);
        }

        private void recover(EngineModel before, Set<String> fresh) {
            rig.crash();
            takers.clear();
            held.clear();
            rig.log.clear();
            EngineModel after = model;
            after.restart();
            before.restart();
            // Nobody holds what has expired meanwhile.
            after.timers(rig.now());
            before.timers(rig.now());
            EngineModel found = new EngineModel();
            Set<String> names = new HashSet<>();
            for (EngineModel.Queue queue : after.queues.values()) {
                EngineModel.Queue adopted = new EngineModel.Queue(queue.definition);
                adopted.seen.putAll(before.queue(queue.name()).seen);
                for (Command.Browsed browsed : rig.browse(queue.name())) {
                    String name = Rig.text(browsed.message());
                    EngineModel.Msg earlier = before.find(queue.name(), name);
                    EngineModel.Msg message = after.find(queue.name(), name);
                    if (message != null && earlier != null && !isThere(message, earlier, browsed)) {
                        message = earlier;
                    }
                    message = message == null ? earlier : message;
                    if (message == null) {
                        throw new AssertionError(name + " was in " + queue.name() + " neither before nor after:\n  "
                                + tell(before) + "\n  " + tell(after));
                    }
                    assertThat(names.add(name)).as("%s is in one place", name).isTrue();
                    message.attempts = browsed.attempts();
                    message.notBefore = browsed.notBeforeMillis();
                    message.holder = null;
                    adopted.messages.add(message);
                }
                found.queues.put(queue.name(), adopted);
            }
            Set<String> gone = new TreeSet<>(all(before));
            gone.retainAll(all(after));
            gone.removeAll(names);
            assertThat(gone).as("there before and after, and not now").isEmpty();
            Set<String> come = new TreeSet<>(fresh);
            come.retainAll(names);
            boolean happened = !come.isEmpty();
            if (happened) {
                Set<String> stayed = new TreeSet<>(fresh);
                stayed.retainAll(all(after));
                assertThat(come).as("published whole or not at all").containsAll(stayed);
            }
            if (happened) {
                after.queues.forEach((name, queue) -> found.queue(name).seen.putAll(queue.seen));
            } else {
                for (EngineModel.Queue queue : found.queues.values()) {
                    for (EngineModel.Msg message : queue.messages) {
                        Long at = message.id == null
                                ? null
                                : after.queue(queue.name()).seen.get(message.id);
                        if (at != null && before.find(queue.name(), message.name) == null) {
                            queue.seen.put(message.id, at);
                        }
                    }
                }
                // Whether ids of what came and went at once are known is left open.
                ids += 100;
            }
            found.adoptPlaces(after);
            model = found;
        }

        /** A message that is a dead letter before and after says itself which of the two it is. */
        private static boolean isThere(EngineModel.Msg after, EngineModel.Msg before, Command.Browsed browsed) {
            Map<String, Object> headers = browsed.message().headers();
            if (!Objects.equals(after.origin, before.origin)) {
                return Objects.equals(after.origin, headers.get(DeadLetterHeaders.ORIGIN));
            }
            Object cause = headers.get(DeadLetterHeaders.CAUSE);
            boolean marks = !"expired".equals(cause) && !"overflow".equals(cause);
            return after.marks == before.marks || after.marks == marks;
        }

        private static String tell(EngineModel model) {
            StringBuilder text = new StringBuilder();
            model.queues.forEach((name, queue) -> text.append(name)
                    .append(queue.messages.stream().map(m -> describe(m)).toList()));
            return text.toString();
        }

        private static Set<String> all(EngineModel of) {
            Set<String> all = new HashSet<>();
            of.queues.values().forEach(q -> q.messages.forEach(m -> all.add(m.name)));
            return all;
        }

        private void publish() {
            EngineModel.Queue queue = liveQueue();
            List<EngineMessage> messages = new ArrayList<>();
            List<Function<EngineModel, Boolean>> parts = new ArrayList<>();
            Set<String> fresh = new TreeSet<>();
            int news = 0;
            Set<String> batchIds = new HashSet<>();
            for (int i = gen.choose(1, 1, 1, 2, 5); i > 0; i--) {
                EngineMessage message = message(queue, batchIds);
                news += model.duplicate(queue, message.id(), rig.now()) ? 0 : 1;
                fresh.add(Rig.text(message));
                messages.add(message);
                parts.add(publishing(queue.name(), message));
            }
            trace.add("publish to " + queue.name() + " "
                    + messages.stream().map(Case::tell).toList());
            boolean refused = model.refuses(queue, news);
            if (refused) {
                EngineException refusal =
                        rig.refused(Rig.publishing(queue.name(), messages.toArray(EngineMessage[]::new)));
                assertThat(refusal.reason()).isEqualTo(EngineException.Reason.FULL);
                return;
            }
            int count = messages.size();
            this.<Integer>both(
                    reply -> new Command.Publish(
                            null, queue.name(), messages, null, false, null, new Mapped<>(reply, p -> p.duplicates())),
                    m -> count
                            - (int) parts.stream().filter(part -> part.apply(m)).count(),
                    fresh);
        }

        private static String tell(EngineMessage m) {
            byte[] key = m.key();
            return Rig.text(m)
                    + (key == null ? "" : " key " + new String(key, StandardCharsets.UTF_8))
                    + (m.id() == null ? "" : " id " + m.id())
                    + (m.priority() == 0 ? "" : " priority " + m.priority())
                    + (m.ttlMillis() == 0 ? "" : " ttl " + m.ttlMillis())
                    + (m.deliverAtMillis() == 0 ? "" : " at " + m.deliverAtMillis());
        }

        private EngineMessage message(EngineModel.Queue queue, Set<String> batchIds) {
            String name = "m" + names++;
            EngineMessage message = Rig.message(name);
            if (gen.chance(2, 3)) {
                message = message.withKey(new byte[] {(byte) ('a' + gen.between(0, 2))});
            } else if (gen.chance(1, 3)) {
                message = message.withDeliverAtMillis(rig.now() + gen.between(1, 20) * SECOND);
            }
            if (gen.flip()) {
                String id = "id" + (gen.chance(1, 3) ? gen.between(Math.max(0, ids - 5), ids) : ids++);
                message = batchIds.add(id) ? message.withId(id) : message;
            }
            if (queue.definition.priorities() > 1) {
                message = message.withPriority(gen.between(0, 4));
            }
            return gen.chance(1, 4) ? message.withTtlMillis(gen.between(1, 30) * SECOND) : message;
        }

        private Function<EngineModel, Boolean> publishing(String queue, EngineMessage message) {
            byte[] key = message.key();
            String keyText = key == null ? null : new String(key, StandardCharsets.UTF_8);
            long now = rig.now();
            return m -> m.publish(
                    m.queue(queue),
                    new EngineModel.Msg(Rig.text(message), keyText, message.priority(), message.id()),
                    message.ttlMillis(),
                    message.deliverAtMillis(),
                    now);
        }

        private void subscribe() {
            EngineModel.Queue queue = anyQueue();
            int credit = gen.between(1, 3);
            if (queue.consumers.size() == 3) {
                return;
            }
            trace.add("subscribe to " + queue.name() + " credit " + credit);
            Rig.Taker taker = rig.consume(queue.name(), credit);
            EngineModel.Credit twin = new EngineModel.Credit(queue.name(), credit);
            queue.consumers.add(twin);
            takers.put(twin, taker);
            model.dispatch(rig.now());
        }

        private void unsubscribe() {
            List<EngineModel.Credit> consumers = model.queues.values().stream()
                    .flatMap(q -> q.consumers.stream())
                    .toList();
            if (consumers.isEmpty()) {
                return;
            }
            EngineModel.Credit consumer = gen.choose(consumers);
            trace.add("unsubscribe from " + consumer.queue);
            alignHolders();
            Rig.Taker taker = takers.remove(consumer);
            if (taker == null) {
                throw new IllegalStateException();
            }
            model.leave(consumer);
            taker.leave();
            model.dispatch(rig.now());
        }

        /** Who of several consumers got which message is not the model's business: it learns it. */
        private void alignHolders() {
            Map<Long, EngineModel.Credit> byId = new HashMap<>();
            takers.forEach((credit, taker) -> byId.put(taker.id, credit));
            for (EngineModel.Queue queue : model.queues.values()) {
                for (EngineModel.Msg message : queue.messages) {
                    EngineModel.Credit holder = message.holder;
                    EngineDelivery delivery = held.get(queue.name() + "/" + message.name);
                    if (holder != null && delivery != null) {
                        EngineModel.Credit actual = byId.get(delivery.consumerId());
                        if (actual != null && actual != holder) {
                            holder.credit++;
                            actual.credit--;
                            message.holder = actual;
                        }
                    }
                }
            }
        }

        private record HeldOne(EngineModel.Queue queue, EngineModel.Msg message, EngineDelivery delivery) {}

        private List<HeldOne> allHeld() {
            alignHolders();
            List<HeldOne> all = new ArrayList<>();
            for (EngineModel.Queue queue : model.queues.values()) {
                for (EngineModel.Msg message : queue.messages) {
                    EngineDelivery delivery = held.get(queue.name() + "/" + message.name);
                    if (message.holder != null && delivery != null) {
                        all.add(new HeldOne(queue, message, delivery));
                    }
                }
            }
            return all;
        }

        private void settle() {
            List<HeldOne> all = allHeld();
            if (all.isEmpty()) {
                return;
            }
            HeldOne one = gen.choose(all);
            Command.Outcome outcome = outcome();
            trace.add("settle " + one.message().name + " of " + one.queue().name() + " " + outcome);
            String queue = one.queue().name();
            String name = one.message().name;
            EngineDelivery delivery = one.delivery();
            this.<Integer>both(
                    reply -> new Command.Settle(
                            delivery.consumerId(), new long[] {delivery.number()}, 1, outcome, reply),
                    m -> {
                        settle(m, queue, name, outcome);
                        return 0;
                    },
                    Set.of());
        }

        private Command.Outcome outcome() {
            return switch (gen.between(0, 9)) {
                case 0, 1, 2, 3 -> Command.Outcome.Acknowledge.INSTANCE;
                case 4 -> new Command.Outcome.Release(0, "again", true);
                case 5 -> new Command.Outcome.Release(0, null, false);
                case 6 -> new Command.Outcome.Release(gen.between(1, 10) * SECOND, "later", true);
                case 7 -> new Command.Outcome.Extend(gen.between(1, 10) * SECOND);
                default -> new Command.Outcome.DeadLetter("no");
            };
        }

        private void settle(EngineModel m, String queueName, String name, Command.Outcome outcome) {
            EngineModel.Queue queue = m.queue(queueName);
            EngineModel.Msg message = m.find(queueName, name);
            if (message == null) {
                throw new IllegalStateException(name);
            }
            long now = rig.now();
            switch (outcome) {
                case Command.Outcome.Acknowledge a -> m.acknowledge(queue, message);
                case Command.Outcome.Release r ->
                    m.release(queue, message, r.delayMillis() > 0 ? now + r.delayMillis() : 0, r.counts());
                case Command.Outcome.DeadLetter d -> m.deadLetter(queue, message);
                case Command.Outcome.Extend e -> message.lease = now + e.leaseMillis();
            }
        }

        private void purge() {
            EngineModel.Queue queue = anyQueue();
            if (gen.chance(2, 3)) {
                return;
            }
            trace.add("purge " + queue.name());
            this.<Long>both(
                    reply -> new Command.Purge(queue.name(), reply),
                    m -> (long) m.purge(m.queue(queue.name())),
                    Set.of());
        }

        private void move() {
            EngineModel.Queue from = anyQueue();
            EngineModel.Queue to = anyQueue();
            if (from == to) {
                return;
            }
            long max = gen.choose(1L, 3L, 100L);
            long now = rig.now();
            trace.add("move " + from.name() + " to " + to.name() + " max " + max);
            this.<Long>both(
                    reply -> new Command.Move(from.name(), to.name(), null, max, reply),
                    m -> (long) m.move(m.queue(from.name()), m.queue(to.name()), max, now),
                    Set.of());
        }

        private void redrive() {
            long max = gen.choose(1L, 2L, 100L);
            long now = rig.now();
            trace.add("redrive max " + max);
            this.<Long>both(
                    reply -> new Command.Redrive(EngineModel.DEAD, null, max, reply),
                    m -> (long) m.redrive(max, now),
                    Set.of());
        }

        private void cancel() {
            EngineModel.Queue queue = liveQueue();
            String id = "id" + gen.between(Math.max(0, ids - 5), ids);
            trace.add("cancel " + id + " of " + queue.name());
            this.<Integer>both(
                    reply -> new Command.Cancel(queue.name(), id, reply),
                    m -> m.cancel(m.queue(queue.name()), id),
                    Set.of());
        }

        private void transact() {
            EngineModel.Queue to = liveQueue();
            List<HeldOne> all = gen.some(allHeld());
            Set<String> ids = new HashSet<>();
            List<EngineMessage> messages = new ArrayList<>();
            Set<String> fresh = new TreeSet<>();
            for (int i = gen.between(0, 2); i > 0; i--) {
                EngineMessage message = message(to, ids);
                messages.add(message);
                fresh.add(Rig.text(message));
            }
            List<Command> commands = new ArrayList<>();
            List<Function<EngineModel, Boolean>> parts = new ArrayList<>();
            for (EngineMessage message : messages) {
                commands.add(
                        new Command.Publish(null, to.name(), List.of(message), null, false, null, Reply.ignored()));
                parts.add(publishing(to.name(), message));
            }
            for (HeldOne one : all) {
                Command.Outcome outcome = outcome();
                commands.add(new Command.Settle(
                        one.delivery().consumerId(),
                        new long[] {one.delivery().number()},
                        1,
                        outcome,
                        Reply.ignored()));
                String queue = one.queue().name();
                String name = one.message().name;
                parts.add(m -> {
                    settle(m, queue, name, outcome);
                    return true;
                });
            }
            boolean stray = gen.chance(1, 5) && !takers.isEmpty();
            if (stray) {
                long consumer = takers.values().iterator().next().id;
                commands.add(new Command.Settle(
                        consumer, new long[] {999}, 1, Command.Outcome.Acknowledge.INSTANCE, Reply.ignored()));
            }
            if (commands.isEmpty()) {
                return;
            }
            trace.add("transact " + messages.stream().map(Case::tell).toList() + " to " + to.name() + ", "
                    + all.stream().map(h -> h.message().name).toList() + (stray ? ", stray" : ""));
            int news = (int) messages.stream()
                    .filter(m -> !model.duplicate(to, m.id(), rig.now()))
                    .count();
            if (stray || model.refuses(to, news)) {
                EngineException refusal =
                        rig.<List<Command.Published>>refused(reply -> new Command.Transact(commands, reply));
                assertThat(refusal.reason()).isIn(EngineException.Reason.NOT_DELIVERED, EngineException.Reason.FULL);
                return;
            }
            this.<Integer>both(
                    reply -> new Command.Transact(commands, new Mapped<>(reply, List::size)),
                    m -> {
                        m.transact(() -> {
                            for (Function<EngineModel, ?> part : parts) {
                                assertThat(part.apply(m)).isNotNull();
                            }
                        });
                        return messages.size();
                    },
                    fresh);
        }

        void crash() {
            trace.add("crash");
            forceAll();
            rig.crash();
            model.restart();
            takers.clear();
            held.clear();
        }

        private void restart() {
            trace.add("restart");
            rig.restart();
            model.restart();
            takers.clear();
            held.clear();
        }

        private void checkpoint() {
            trace.add("checkpoint");
            rig.checkpoint();
        }
    }

    /** A reply of which one part matters. */
    private record Mapped<A, R>(Reply<R> reply, Function<A, R> part) implements Reply<A> {
        @Override
        public void done(A result) {
            reply.done(part.apply(result));
        }

        @Override
        public void failed(EngineException cause) {
            reply.failed(cause);
        }
    }
}
