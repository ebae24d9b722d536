package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.simulation.disk.Fault;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the world does, step by step. Each step draws from dice of its own, which depend on the seed and the step's number
 * alone: so steps can be left out, and those that stay mean the same.
 */
final class Workload {
    private static final int MOST_BACKLOG = 150;

    private final World world;
    private final Model model;
    private final Commands commands;
    private final StreamCommands streams;
    private final Draws draws;
    private final Scenario scenario;
    private final List<long[]> settled = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private long turns;
    private final int crashOneIn;
    private final RareWorkload rare;

    /** An idempotent producer. */
    private static final class Writer {
        final long id;
        short epoch;

        Writer(long id) {
            this.id = id;
        }
    }

    Workload(World world, Scenario scenario, Dice dice) {
        this.world = world;
        this.model = world.model;
        this.scenario = scenario;
        commands = new Commands(world);
        streams = new StreamCommands(world, commands);
        draws = new Draws(scenario, dice);
        rare = new RareWorkload(world, commands, streams, this, draws);
        crashOneIn = scenario == Scenario.BUSY ? dice.choose(30, 100, 300) : dice.choose(15, 40, 150);
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    void step(Dice dice) {
        passTime(dice);
        int what = dice.below(200);
        boolean mayDie = dice.chance(1, crashOneIn);
        if (scenario == Scenario.STRAIN && dice.chance(1, 6)) {
            strain(dice, mayDie);
        } else if (scenario == Scenario.RARE && dice.chance(1, 3)) {
            draws.small = mayDie;
            carryOut(rare.turn(dice, mayDie), mayDie, dice);
        } else if (scenario == Scenario.BUSY && dice.chance(4, 5)) {
            busy(dice, mayDie);
        } else if (what < 3) {
            world.restart();
            restarted();
        } else if (what < 13) {
            checkpoint(dice, mayDie);
        } else if (what < 18) {
            look(dice);
        } else if (mayDie && dice.chance(1, 4)) {
            crash(dice);
        } else {
            act(dice, mayDie);
        }
        if (++turns % 16 == 0) {
            world.checkNothingStuck();
        }
    }

    private void passTime(Dice dice) {
        switch (dice.below(scenario == Scenario.TIMER ? 6 : 12)) {
            case 0 -> pass(dice.choose(1, 10, 100));
            case 1 -> pass(dice.choose(500, 1_000, 1_001));
            case 2 -> pass(dice.choose(1, 3_000, 20_000));
            case 3 -> {
                if (dice.chance(1, 12)) {
                    long jump = dice.choose(-3_600_000L, -5_000L, 60_000L, -86_400_000L * 400, 86_400_000L);
                    world.tell("  the clock jumps by " + jump + " ms");
                    world.clock = Math.max(1_000_000_000_000L, world.clock + jump);
                }
            }
            default -> {}
        }
    }

    private void pass(long millis) {
        world.tell("  " + millis + " ms pass");
        world.pass(millis);
    }

    private void restarted() {
        streams.restarted();
    }

    private void look(Dice dice) {
        if (!world.look()) {
            throw new Violation("the broker failed without a fault");
        }
        world.checkNothingStuck();
        if (dice.chance(1, 8)) {
            world.inspectFiles();
        }
    }

    private void crash(Dice dice) {
        world.recover(dice, dice.chance(3, 4), dice.chance(1, 4) ? dice.between(1, 3) : 0);
        restarted();
    }

    private void checkpoint(Dice dice, boolean mayDie) {
        if (mayDie) {
            world.armKill(dice.between(1, 6));
        }
        boolean alive = true;
        for (int i = dice.between(1, 3); i > 0 && alive; i--) {
            alive = world.checkpointStep(dice.chance(2, 3));
        }
        world.disarm();
        if (!alive) {
            crash(dice);
        }
    }

    private void act(Dice dice, boolean mayDie) {
        List<Act> acts = new ArrayList<>();
        if (mayDie) {
            if (dice.chance(2, 3)) {
                world.armKill(dice.between(1, 5));
            } else {
                world.armFault(dice.between(1, 4), dice.choose(Fault.values()));
            }
        }
        draws.small = mayDie;
        int most = scenario == Scenario.STRAIN ? dice.choose(3, 20, 60, 150) : dice.choose(1, 3, 8, 20);
        for (int i = dice.between(1, most); i > 0; i--) {
            add(acts, dice);
        }
        boolean alive = world.turn(acts);
        world.disarm();
        if (!alive) {
            if (!mayDie) {
                throw new Violation("the broker failed without a fault");
            }
            crash(dice);
        }
    }

    private void add(List<Act> acts, Dice dice) {
        int before = acts.size();
        for (int attempt = 0; attempt < 8 && acts.size() == before; attempt++) {
            Act act = draw(dice, acts);
            if (act != null) {
                acts.add(act);
            }
        }
    }

    private @Nullable Act draw(Dice dice, List<Act> acts) {
        int kind = dice.below(100);
        if (scenario.wide() && dice.chance(1, 25)) {
            return putBack(dice);
        }
        return switch (scenario) {
            case QUEUE, KEYED -> kind < 8 ? declareQueue(dice) : kind < 40 ? publish(dice) : consume(dice);
            case TIMER -> kind < 8 ? declareQueue(dice) : kind < 45 ? publish(dice) : consume(dice);
            case STREAM -> kind < 8 ? declareStream(dice) : kind < 60 ? publishToStream(dice) : read(dice);
            case GROUP ->
                kind < 5
                        ? declareStream(dice)
                        : kind < 12
                                ? sharedGroup(dice, acts)
                                : kind < 35
                                        ? publishToStream(dice)
                                        : kind < 60 ? members(dice) : kind < 65 ? read(dice) : consume(dice);
            case TRANSACTION ->
                kind < 5
                        ? declareQueue(dice)
                        : kind < 8
                                ? declareStream(dice)
                                : kind < 45 ? transact(dice) : kind < 65 ? publish(dice) : consume(dice);
            case ALL, WIDE, STRAIN, BUSY, RARE ->
                switch (kind / 4) {
                    case 0 -> declareQueue(dice);
                    case 1 -> dice.chance(1, 2) ? declareStream(dice) : sharedGroup(dice, acts);
                    case 2, 3 -> topics(dice);
                    case 4, 5, 6, 7, 8 -> publish(dice);
                    case 9, 10 -> publishToTopic(dice);
                    case 11, 12 -> publishToStream(dice);
                    case 13 -> read(dice);
                    case 14 -> members(dice);
                    case 15, 16 -> transact(dice);
                    default -> consume(dice);
                };
        };
    }

    // ── Much at once ─────────────────────────────────────────────────────────────────────────────────────────────────

    private void busy(Dice dice, boolean mayDie) {
        List<Act> acts = new ArrayList<>();
        List<ModelQueue> all = model.all();
        List<ModelStream> logs = List.copyOf(model.streams.values());
        List<ModelConsumer> consumers = List.copyOf(model.consumers.values());
        int waiting = 0;
        for (ModelQueue queue : all) {
            waiting += queue.size();
        }
        for (int i = all.size() < 3 ? 4 : dice.below(3); i > 0; i--) {
            add(acts, dice);
        }
        for (int i = consumers.size() < 6 ? 2 : dice.below(2); i > 0 && !all.isEmpty(); i--) {
            ModelQueue queue = dice.pick(all);
            if (!queue.name().startsWith("dead")) {
                boolean automatic = dice.chance(1, 6);
                acts.add(commands.subscribe(
                        queue,
                        new Command.ConsumerSettings(
                                dice.choose(20, 100), !automatic, automatic, false, 0, 0, null, owner(dice), "b"),
                        null));
            }
        }
        for (ModelConsumer consumer : consumers) {
            settleMost(acts, consumer, dice);
        }
        List<String> names = new ArrayList<>();
        all.stream().filter(queue -> queue.stream == null).forEach(queue -> names.add(queue.name()));
        int room = (dice.chance(1, 10) ? 4 : 1) * MOST_BACKLOG - waiting;
        for (int i = dice.between(0, Math.max(0, room)); i > 0 && !names.isEmpty(); i--) {
            boolean log = !logs.isEmpty() && dice.chance(1, 8);
            String to = log ? dice.pick(logs).name() : dice.pick(names);
            EngineMessage message = draws.message(world.clock, dice.chance(1, 20), log, dice);
            acts.add(commands.publish(null, to, List.of(message), durability(dice), false));
        }
        carryOut(acts, mayDie, dice);
    }

    /** Of what it holds, some one by one, some together, and some not yet. */
    private void settleMost(List<Act> acts, ModelConsumer consumer, Dice dice) {
        int together = dice.choose(1, 1, 1, 10);
        List<Copy> held = List.copyOf(consumer.held.values());
        for (int from = 0; from < held.size(); from += together) {
            if (dice.chance(1, 12)) {
                continue;
            }
            long[] numbers = new long[Math.min(together, held.size() - from)];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = held.get(from + i).number;
            }
            acts.add(commands.settle(
                    consumer.id,
                    numbers,
                    null,
                    dice.chance(6, 7) ? Command.Outcome.Acknowledge.INSTANCE : outcome(dice)));
        }
    }

    // ── Strain ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void strain(Dice dice, boolean mayDie) {
        switch (dice.below(20)) {
            case 0, 1 -> fullDisk(dice);
            case 2 -> manyLetters(dice);
            case 3, 4, 5, 6, 7 -> {
                List<Act> acts = new ArrayList<>();
                // What has gone by the policies that were must be known first.
                world.lookFirst(acts);
                acts.add(policy(dice));
                carryOut(acts, mayDie, dice);
            }
            default -> {
                // How many bytes a message takes is the broker's affair: what follows from it is looked at act by act.
                Act act = heavy(dice);
                if (act != null) {
                    carryOut(List.of(act), mayDie, dice);
                }
            }
        }
    }

    private void carryOut(List<Act> acts, boolean mayDie, Dice dice) {
        if (mayDie) {
            world.armKill(dice.between(1, 5));
        }
        boolean alive = world.turn(acts);
        world.disarm();
        if (!alive) {
            if (!mayDie) {
                throw new Violation("the broker failed without a fault");
            }
            crash(dice);
        }
    }

    private Act policy(Dice dice) {
        boolean operator = dice.chance(1, 3);
        String name = Draws.name(dice, "p", 3);
        boolean known = model.policies.get(operator, name) != null;
        return dice.chance(known ? 2 : 1, known ? 4 : 12)
                ? commands.deletePolicy(operator, name)
                : commands.set(draws.policy(name, operator, dice));
    }

    /** On queues whose bound is in bytes. */
    private @Nullable Act heavy(Dice dice) {
        String name = Draws.name(dice, "w", 2);
        ModelQueue queue = model.queues.get(name);
        ModelQueue letters = model.queues.get("dead2");
        if (letters == null || dice.chance(1, 40)) {
            return commands.declare(letters == null ? QueueDefinition.named("dead2") : letters.declared, null);
        }
        if (queue == null || dice.chance(1, 30)) {
            return queue == null
                    ? commands.declare(draws.queue(name, dice), owner(dice))
                    : commands.deleteChannel(name, false, false, queue.owner);
        }
        List<EngineMessage> messages = new ArrayList<>();
        for (int i = dice.choose(1, 1, 2, 4); i > 0; i--) {
            messages.add(draws.message(world.clock, false, false, dice.choose(100, 600, 3_000), dice));
        }
        List<Copy> held = new ArrayList<>();
        queue.consumers.forEach(consumer -> held.addAll(consumer.held.values()));
        return switch (dice.below(10)) {
            case 0 -> {
                ModelQueue other = model.queues.get(queueName(dice));
                if (other == null) {
                    yield null;
                }
                long most = dice.choose(1L, 100L);
                yield commands.move(name, other.name(), null, most);
            }
            case 1 -> letters.size() > 20 ? commands.purge("dead2") : commands.purge(name);
            case 2, 3 -> {
                List<Commands.Settlement> settlements = new ArrayList<>();
                if (!held.isEmpty()) {
                    Copy copy = dice.pick(held);
                    settlements.add(new Commands.Settlement(
                            java.util.Objects.requireNonNull(copy.holder),
                            new long[] {copy.number},
                            null,
                            outcome(dice)));
                }
                yield commands.transact(
                        List.of(new Command.Publish(
                                null, name, messages, null, false, null, new Answer<>(() -> "part"))),
                        settlements,
                        List.of());
            }
            case 4, 5 -> {
                if (held.isEmpty()) {
                    yield null;
                }
                Copy copy = dice.pick(held);
                yield commands.settle(
                        java.util.Objects.requireNonNull(copy.holder).id,
                        new long[] {copy.number},
                        null,
                        outcome(dice));
            }
            default -> commands.publish(null, name, messages, durability(dice), false);
        };
    }

    /** The disk has no space for some turns: what is refused is refused, what was confirmed stays, and after it all goes on. */
    private void fullDisk(Dice dice) {
        world.fillDisk(dice.choose(0, 3_000, 100_000));
        for (int i = dice.between(1, 6); i > 0; i--) {
            List<Act> acts = new ArrayList<>();
            for (int j = dice.choose(1, 5, 40); j > 0; j--) {
                Act act = plain(dice);
                if (act != null) {
                    acts.add(act);
                }
            }
            if (!world.turn(acts)) {
                throw new Violation("the broker failed because the disk was full");
            }
            if (dice.chance(1, 3) && !world.checkpointStep(dice.chance(1, 2))) {
                throw new Violation("the broker failed because the disk was full");
            }
        }
        if (!world.look()) {
            throw new Violation("the broker failed because the disk was full");
        }
        world.freeDisk();
        pass(1_000);
        look(dice);
    }

    /** What has no consequences that would wait for space, so that each is done or refused as a whole. */
    private @Nullable Act plain(Dice dice) {
        List<ModelConsumer> consumers = List.copyOf(model.consumers.values());
        ModelStream stream = anyStream(dice);
        if (stream != null && dice.chance(1, 4)) {
            return commands.publish(null, stream.name(), messages(dice, true), durability(dice), false);
        }
        if (!consumers.isEmpty() && dice.chance(1, 3)) {
            ModelConsumer consumer = dice.pick(consumers);
            if (consumer.held.isEmpty()) {
                return commands.credit(consumer, dice.choose(1, 5));
            }
            Copy copy = dice.pick(List.copyOf(consumer.held.values()));
            Command.Outcome done = Command.Outcome.Acknowledge.INSTANCE;
            return dice.chance(2, 3)
                    ? commands.settle(consumer.id, new long[] {copy.number}, null, done)
                    : commands.transact(
                            List.of(new Command.Publish(
                                    null,
                                    Draws.name(dice, "q", 4),
                                    messages(dice, false),
                                    null,
                                    false,
                                    null,
                                    new Answer<>(() -> "part"))),
                            List.of(new Commands.Settlement(consumer, new long[] {copy.number}, null, done)),
                            List.of());
        }
        ModelQueue queue = model.queues.get(Draws.name(dice, "q", 4));
        return queue == null || queue.definition.overflow() != QueueDefinition.Overflow.REJECT_PUBLISH || tooMany()
                ? null
                : commands.publish(null, queue.name(), messages(dice, false), durability(dice), false);
    }

    /** More dead letters of few keys than go back in one batch; then all of them, or most, go back together. */
    private void manyLetters(Dice dice) {
        ModelQueue known = model.queues.get("lines");
        QueueDefinition lines = QueueDefinition.named("lines")
                .withKeyOrdered(true)
                .withDeadLetter(QueueDefinition.DeadLetterTarget.channel("dead3"));
        List<Act> acts = new ArrayList<>();
        acts.add(commands.declare(QueueDefinition.named("dead3"), null));
        acts.add(commands.declare(lines, null));
        int keys = dice.between(1, 5);
        for (int i = known == null ? 45 : 20; i > 0; i--) {
            List<EngineMessage> messages = new ArrayList<>();
            for (int j = 0; j < 8; j++) {
                messages.add(draws.message(world.clock, false, false, dice.between(1, 20), dice)
                        .withTtlMillis(0)
                        .withKey(("k" + dice.below(keys)).getBytes(StandardCharsets.UTF_8)));
            }
            acts.add(commands.publish(null, "lines", messages, null, false));
        }
        carryOut(acts, false, dice);
        ModelQueue queue = model.queues.get("lines");
        if (queue == null) {
            return;
        }
        if (queue.consumers.isEmpty()) {
            acts = List.of(commands.subscribe(queue, Command.ConsumerSettings.prefetch(5, "l"), null));
            carryOut(acts, false, dice);
        }
        List<Act> settled = new ArrayList<>();
        for (ModelConsumer consumer : queue.consumers) {
            for (Copy copy : consumer.held.values()) {
                settled.add(commands.settle(
                        consumer.id,
                        new long[] {copy.number},
                        null,
                        dice.chance(9, 10)
                                ? new Command.Outcome.DeadLetter("no")
                                : Command.Outcome.Acknowledge.INSTANCE));
            }
        }
        List<ModelConsumer> consumers = List.copyOf(queue.consumers);
        if (dice.chance(1, 2)) {
            consumers.forEach(consumer -> settled.add(commands.unsubscribe(consumer, true)));
        }
        carryOut(settled, false, dice);
        look(dice);
        boolean all = dice.chance(1, 2);
        List<Long> numbers = new ArrayList<>();
        ModelQueue letters = model.queues.get("dead3");
        for (Copy copy : letters == null ? List.<Copy>of() : letters.all()) {
            if (copy.number >= 0 && (all || dice.chance(99, 100))) {
                numbers.add(copy.number);
            }
        }
        carryOut(List.of(commands.putBack("dead3", numbers)), dice.chance(1, 2), dice);
        look(dice);
        if (dice.chance(3, 4)) {
            carryOut(List.of(commands.purge("lines"), commands.purge("dead3")), false, dice);
        }
    }

    // ── Declaring ────────────────────────────────────────────────────────────────────────────────────────────────────

    String queueName(Dice dice) {
        return switch (dice.below(6)) {
            case 0 -> "dead" + dice.below(2);
            case 1, 2 -> draws.bounds ? Draws.name(dice, "b", 2) : Draws.name(dice, "q", 4);
            default -> Draws.name(dice, "q", scenario.everything() ? 4 : 3);
        };
    }

    @Nullable
    Object owner(Dice dice) {
        return dice.chance(1, 3) ? "connection-" + dice.below(3) : null;
    }

    private @Nullable Act declareQueue(Dice dice) {
        String name = queueName(dice);
        ModelQueue known = model.queues.get(name);
        if (dice.chance(1, 4)) {
            return commands.deleteChannel(name, dice.chance(1, 3), dice.chance(1, 3), owner(dice));
        }
        if (known != null && dice.chance(1, 2)) {
            return commands.declare(known.declared, dice.chance(1, 2) ? known.owner : owner(dice));
        }
        Object owner = owner(dice);
        return commands.declare(draws.queue(name, dice), owner);
    }

    private @Nullable Act declareStream(Dice dice) {
        String name = Draws.name(dice, "s", 2);
        if (model.streams.containsKey(name) && dice.chance(1, 4)) {
            streams.stirred = true;
            boolean ifUnused = dice.chance(1, 4);
            // Whether it is empty by now is not the model's to foresee, and must be heard from the broker.
            boolean ifEmpty = dice.chance(1, 4) && !draws.small;
            return commands.deleteChannel(name, ifUnused, ifEmpty, null);
        }
        if (model.streams.containsKey(name) && dice.chance(2, 3)) {
            return null;
        }
        streams.stirred = true;
        return commands.declare(draws.stream(name, dice));
    }

    @Nullable
    ModelStream anyStream(Dice dice) {
        return model.streams.isEmpty() ? null : dice.pick(List.copyOf(model.streams.values()));
    }

    private @Nullable Act sharedGroup(Dice dice, List<Act> acts) {
        ModelStream stream = anyStream(dice);
        if (stream == null) {
            return null;
        }
        String name = Draws.name(dice, "g", 2);
        ModelQueue known = model.group(stream.name(), name);
        if (dice.chance(1, 3)) {
            return streams.deleteGroup(stream.name(), name);
        }
        if (known != null && (acts.isEmpty() || !stream.retains())) {
            return streams.declareGroup(stream, known.definition, new Command.Start.Earliest());
        }
        if (stream.retains()) {
            // What has gone meanwhile must be known first.
            if (acts.size() > 0) {
                return null;
            }
            world.lookFirst(acts);
        }
        Command.Start start = switch (dice.below(5)) {
            case 0, 1 -> new Command.Start.Earliest();
            case 2 -> new Command.Start.Latest();
            case 3 -> new Command.Start.Offset(dice.below(10));
            default -> new Command.Start.Timestamp(world.clock - dice.choose(0, 1_000, 100_000));
        };
        return streams.declareGroup(stream, draws.group(name, dice), start);
    }

    private @Nullable Act topics(Dice dice) {
        String name = Draws.name(dice, "t", 3);
        TopicDefinition known = model.topology.topics.get(name);
        if (known == null) {
            String alternate = dice.chance(1, 3) ? Draws.name(dice, "t", 3) : null;
            return commands.declare(draws.topic(name, name.equals(alternate) ? null : alternate, dice));
        }
        return switch (dice.below(8)) {
            case 0 -> commands.declare(dice.chance(1, 2) ? known : draws.topic(name, null, dice));
            case 1 -> commands.deleteTopic(name, dice.chance(1, 2));
            case 2 -> unbind(dice);
            default -> {
                boolean toTopic = dice.chance(1, 4);
                String to = toTopic
                        ? Draws.name(dice, "t", 3)
                        : dice.chance(1, 5) ? Draws.name(dice, "s", 2) : queueName(dice);
                yield commands.bind(draws.binding(known, to, toTopic, dice));
            }
        };
    }

    private @Nullable Act unbind(Dice dice) {
        List<Binding> all = model.topology.bindings;
        return all.isEmpty() ? null : commands.unbind(dice.pick(all));
    }

    // ── Publishing ───────────────────────────────────────────────────────────────────────────────────────────────────

    private List<EngineMessage> messages(Dice dice, boolean stream) {
        List<EngineMessage> messages = new ArrayList<>();
        for (int i = dice.choose(1, 1, 1, 2, 5); i > 0; i--) {
            boolean delays = scenario == Scenario.TIMER || dice.chance(1, 3);
            EngineMessage message = draws.message(world.clock, delays && !stream, stream, dice);
            messages.add(identified(message, dice));
        }
        return messages;
    }

    /** Some messages have an id. */
    EngineMessage identified(EngineMessage message, Dice dice) {
        if (dice.chance(1, 3)) {
            String id = draws.id(dice);
            if (usable(id)) {
                return message.withId(id);
            }
        }
        return message;
    }

    /** False for an id of which nobody can know whether it is a duplicate. */
    private boolean usable(String id) {
        if (world.openIds.contains(id)) {
            return false;
        }
        for (ModelQueue queue : model.queues.values()) {
            if (queue.dedup != null && !queue.dedup.certain(id, Math.max(model.now, world.clock), model.latest)) {
                return false;
            }
        }
        for (ModelStream stream : model.streams.values()) {
            if (stream.dedup != null && !stream.dedup.certain(id, Math.max(model.now, world.clock), model.latest)) {
                return false;
            }
        }
        return true;
    }

    boolean tooMany() {
        int sum = 0;
        for (ModelQueue queue : model.all()) {
            sum += queue.size();
        }
        return sum > MOST_BACKLOG;
    }

    @Nullable
    Durability durability(Dice dice) {
        return dice.chance(5, 6) ? null : dice.choose(Durability.DURABLE, Durability.BUFFERED);
    }

    private @Nullable Act publish(Dice dice) {
        if (tooMany()) {
            return purge();
        }
        return commands.publish(null, queueName(dice), messages(dice, false), durability(dice), dice.chance(1, 10));
    }

    private @Nullable Act publishToTopic(Dice dice) {
        if (tooMany()) {
            return purge();
        }
        String topic = Draws.name(dice, "t", 3);
        return commands.publish(
                topic, draws.routingKey(dice), messages(dice, false), durability(dice), dice.chance(1, 4));
    }

    @Nullable
    Act purge() {
        ModelQueue largest = null;
        for (ModelQueue queue : model.all()) {
            if (largest == null || queue.size() > largest.size()) {
                largest = queue;
            }
        }
        if (largest == null) {
            return null;
        }
        ModelStream stream = largest.stream;
        return stream == null ? commands.purge(largest.name()) : streams.deleteGroup(stream.name(), largest.name());
    }

    private @Nullable Act publishToStream(Dice dice) {
        ModelStream stream = anyStream(dice);
        if (stream == null || tooMany()) {
            return stream == null ? null : purge();
        }
        if (dice.chance(2, 3)) {
            return commands.publish(null, stream.name(), messages(dice, true), durability(dice), false);
        }
        if (writers.isEmpty() || (writers.size() < 3 && dice.chance(1, 5))) {
            return streams.newProducer(id -> writers.add(new Writer(id)));
        }
        Writer writer = dice.pick(writers);
        int partition = dice.below(stream.partitions.length);
        if (dice.chance(1, 12)) {
            writer.epoch++;
        }
        ModelStream.Written known = stream.producers.get(writer.id + "/" + writer.epoch + "/" + partition);
        int sequence = known == null ? 0 : known.expected;
        List<EngineMessage> messages = messages(dice, true);
        short epoch = writer.epoch;
        if (known != null && dice.chance(1, 4)) {
            // A batch is sent again, as after a lost reply.
            long[] batch = dice.pick(known.batches);
            sequence = (int) batch[0];
            while (messages.size() < batch[1]) {
                messages.add(draws.message(world.clock, false, true, dice));
            }
            messages = new ArrayList<>(messages.subList(0, (int) batch[1]));
        } else if (dice.chance(1, 10)) {
            sequence += dice.choose(1, 5);
        } else if (epoch > 0 && dice.chance(1, 10)) {
            epoch--;
        }
        return streams.publish(stream, messages, new Command.Producer(writer.id, epoch, sequence, partition));
    }

    // ── Consuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable Act consume(Dice dice) {
        List<ModelConsumer> consumers = List.copyOf(model.consumers.values());
        if (consumers.isEmpty() || (consumers.size() < 12 && dice.chance(1, 8))) {
            return subscribe(dice);
        }
        return switch (dice.below(20)) {
            case 0 -> commands.unsubscribe(dice.pick(consumers), dice.chance(3, 4));
            case 1, 2 -> commands.credit(dice.pick(consumers), dice.choose(1, 3, 20, -2));
            case 3 -> keep(dice);
            case 4 -> dice.chance(1, 3) ? commands.closeOwner("connection-" + dice.below(3)) : lie(dice, consumers);
            default -> settle(dice, consumers);
        };
    }

    private @Nullable Act subscribe(Dice dice) {
        List<ModelQueue> all = model.all();
        if (all.isEmpty()) {
            return null;
        }
        ModelQueue queue = dice.pick(all);
        if (queue.name().equals("dead2")) {
            return null; // what bounds in bytes put there is known only when somebody has looked
        }
        boolean automatic = dice.chance(1, 8);
        Filter filter = dice.chance(1, 8) ? Filter.number(dice.below(Filter.COUNT)) : null;
        Object owner = queue.owner != null && dice.chance(3, 4) ? queue.owner : owner(dice);
        Command.ConsumerSettings settings = new Command.ConsumerSettings(
                dice.choose(0, 1, 2, 5, 20),
                !automatic && dice.chance(4, 5),
                automatic,
                dice.chance(1, 12),
                dice.chance(1, 6) ? dice.choose(1, 5) : 0,
                dice.chance(1, 8) ? dice.choose(-1L, 100L, 10_000L) : 0,
                filter == null ? null : filter.rule(),
                owner,
                "c");
        return commands.subscribe(queue, settings, filter);
    }

    Command.Outcome outcome(Dice dice) {
        return switch (dice.below(scenario == Scenario.KEYED ? 12 : 16)) {
            case 0, 1 -> new Command.Outcome.Release(0, "again", true);
            case 2 -> new Command.Outcome.Release(0, null, false);
            case 3 -> new Command.Outcome.Release(dice.choose(1, 800, 4_000), "later", true);
            case 4, 5 -> new Command.Outcome.DeadLetter("no");
            case 6 -> new Command.Outcome.Extend(dice.choose(1, 700, 10_000));
            default -> Command.Outcome.Acknowledge.INSTANCE;
        };
    }

    private @Nullable Act settle(Dice dice, List<ModelConsumer> consumers) {
        ModelConsumer consumer = dice.pick(consumers);
        if (consumer.held.isEmpty()) {
            return null;
        }
        List<Copy> held = new ArrayList<>(consumer.held.values());
        int from = dice.below(held.size());
        int count = Math.min(held.size() - from, dice.choose(1, 1, 2, 20));
        long[] numbers = new long[count];
        int[] attempts = new int[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = held.get(from + i).number;
            attempts[i] = held.get(from + i).attempts;
        }
        if (settled.size() < 1000) {
            settled.add(new long[] {consumer.id, numbers[0]});
        }
        return commands.settle(consumer.id, numbers, dice.chance(1, 2) ? attempts : null, outcome(dice));
    }

    /** What a client that is late, confused or malicious may say. */
    private @Nullable Act lie(Dice dice, List<ModelConsumer> consumers) {
        if (!settled.isEmpty() && dice.chance(1, 2)) {
            long[] old = dice.pick(settled);
            return commands.settle(old[0], new long[] {old[1], old[1]}, null, outcome(dice));
        }
        ModelConsumer consumer = dice.pick(consumers);
        long number = dice.choose(0L, 1L, 7L, -1L, 1L << 48, Long.MAX_VALUE, Long.MIN_VALUE);
        int[] attempts = dice.chance(1, 2) ? new int[] {dice.below(4)} : null;
        return commands.settle(consumer.id, new long[] {number}, attempts, outcome(dice));
    }

    private @Nullable Act keep(Dice dice) {
        Filter filter = dice.chance(1, 4) ? Filter.number(dice.below(Filter.COUNT)) : null;
        long max = dice.choose(1L, 2L, 100L);
        return switch (dice.below(8)) {
            case 0 -> dice.chance(1, 3) ? commands.purge(queueName(dice)) : null;
            case 1, 2 -> {
                String to = scenario.everything() && dice.chance(1, 6) ? "s0" : queueName(dice);
                yield commands.move(queueName(dice), to, filter, max);
            }
            case 3, 4, 5 -> commands.redrive("dead" + dice.below(2), filter, max);
            default -> commands.cancel(queueName(dice), draws.anyId(dice));
        };
    }

    /** Some of the dead letters there are, and now and then what is none. */
    private Act putBack(Dice dice) {
        String name = "dead" + dice.below(2);
        ModelQueue letters = model.queues.get(name);
        List<Long> numbers = new ArrayList<>();
        boolean most = dice.chance(1, 2);
        for (Copy copy : letters == null ? List.<Copy>of() : letters.all()) {
            if (copy.number >= 0 && dice.chance(most ? 7 : 2, 8)) {
                numbers.add(copy.number);
            }
        }
        if (dice.chance(1, 6)) {
            numbers.add(numbers.isEmpty() || dice.chance(1, 2) ? 1L << 40 : numbers.getFirst());
        }
        return commands.putBack(name, numbers);
    }

    // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable Act transact(Dice dice) {
        if (tooMany()) {
            return purge();
        }
        List<Command.Publish> publishes = new ArrayList<>();
        for (int i = dice.below(3); i > 0; i--) {
            boolean stream = dice.chance(1, 4);
            String topic = scenario.everything() && dice.chance(1, 5) ? Draws.name(dice, "t", 3) : null;
            String channel =
                    topic != null ? draws.routingKey(dice) : stream ? Draws.name(dice, "s", 2) : queueName(dice);
            publishes.add(new Command.Publish(
                    topic, channel, messages(dice, stream), null, dice.chance(1, 8), null, new Answer<>(() -> "part")));
        }
        List<Commands.Settlement> settlements = new ArrayList<>();
        for (ModelConsumer consumer : List.copyOf(model.consumers.values())) {
            if (!consumer.held.isEmpty() && settlements.size() < 3 && dice.chance(1, 2)) {
                Copy copy = dice.pick(List.copyOf(consumer.held.values()));
                long number = dice.chance(1, 20) ? 999 : copy.number;
                settlements.add(new Commands.Settlement(
                        consumer,
                        new long[] {number},
                        dice.chance(1, 2) ? new int[] {copy.attempts} : null,
                        outcome(dice)));
            }
        }
        List<Command.CommitOffsets> commits = new ArrayList<>();
        ModelStream stream = anyStream(dice);
        if (stream != null && dice.chance(1, 3)) {
            commits.add(
                    new Command.CommitOffsets("tr", null, List.of(position(stream, dice)), new Answer<>(() -> "part")));
        }
        return publishes.isEmpty() && settlements.isEmpty() && commits.isEmpty()
                ? null
                : commands.transact(publishes, settlements, commits);
    }

    private static Command.Position position(ModelStream stream, Dice dice) {
        int partition = dice.below(stream.partitions.length);
        int next = (int) stream.partitions[partition].next();
        return new Command.Position(
                stream.name(),
                partition,
                dice.between(0, next + (dice.chance(1, 20) ? 3 : 0)),
                dice.chance(1, 3) ? "note" : null);
    }

    // ── Streams ──────────────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable Act read(Dice dice) {
        ModelStream stream = anyStream(dice);
        if (stream == null) {
            return null;
        }
        int partition = dice.below(stream.partitions.length);
        int next = (int) stream.partitions[partition].next();
        return switch (dice.below(6)) {
            case 0 -> streams.offsetAt(stream, partition, world.clock - dice.choose(0, 1_000, 10_000, 100_000, -1_000));
            case 1 -> scenario == Scenario.STREAM && dice.chance(1, 4) ? commands.purge(stream.name()) : null;
            case 2 -> streams.fetch(stream, partition, next, 10, 1000, world.clock + dice.choose(1, 500, 3_000));
            default ->
                streams.fetch(
                        stream,
                        partition,
                        dice.between(Math.max(0, next - 20), next),
                        dice.choose(1, 5, 1000),
                        dice.choose(1, 200, 1 << 20),
                        0);
        };
    }

    private @Nullable Act members(Dice dice) {
        String group = Draws.name(dice, "r", 2);
        List<StreamCommands.Member> members = List.copyOf(streams.members(group).values());
        ModelStream stream = anyStream(dice);
        if (stream == null) {
            return null;
        }
        if (draws.small) {
            // Whether somebody is a member still is not the model's to foresee.
            return streams.offsets(group);
        }
        if (dice.chance(1, 4) || members.isEmpty()) {
            return switch (dice.below(6)) {
                case 0 -> streams.deleteOffsets(group);
                case 1 -> streams.offsets(group);
                case 2 -> streams.commit(group, null, 0, List.of(position(stream, dice)));
                default ->
                    members.size() > 4
                            ? null
                            : streams.join(group, null, wanted(dice), dice.choose(500L, 5_000L, 100_000L));
            };
        }
        StreamCommands.Member member = dice.pick(members);
        return switch (dice.below(8)) {
            case 0 -> streams.leave(group, member);
            case 1 -> streams.join(group, member, wanted(dice), dice.choose(500L, 5_000L));
            case 2, 3 -> {
                int generation = dice.chance(1, 8) ? member.generation - 1 : member.generation;
                yield streams.commit(group, member, generation, List.of(position(stream, dice)));
            }
            default -> streams.heartbeat(group, member, member.generation);
        };
    }

    private List<String> wanted(Dice dice) {
        return dice.chance(1, 2) ? List.copyOf(model.streams.keySet()) : List.of(Draws.name(dice, "s", 2));
    }
}
