package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.TopicDefinition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What {@link Scenario#RARE} does beside all that the others do. */
final class RareWorkload {
    private final World world;
    private final Model model;
    private final Commands commands;
    private final StreamCommands streams;
    private final RareCommands rare;
    private final Workload workload;
    private final Draws draws;

    RareWorkload(World world, Commands commands, StreamCommands streams, Workload workload, Draws draws) {
        this.world = world;
        this.model = world.model;
        this.commands = commands;
        this.streams = streams;
        this.rare = new RareCommands(world, commands);
        this.workload = workload;
        this.draws = draws;
    }

    /** What to do in one turn: one thing alone where the broker may die of it, for what it did nobody hears. */
    List<Act> turn(Dice dice, boolean mayDie) {
        List<Act> acts = new ArrayList<>();
        if (dice.chance(1, 8)) {
            // What has gone by the policies that were, or from a stream, must be known first.
            world.lookFirst(acts);
            Act act = dice.chance(2, 3) ? policy(dice) : group(dice);
            if (act != null) {
                acts.add(act);
            }
            return acts;
        }
        for (int i = mayDie ? 1 : dice.between(1, 6); i > 0; i--) {
            Act act = one(dice);
            if (act != null) {
                acts.add(act);
            }
        }
        return acts;
    }

    private @Nullable Act one(Dice dice) {
        return switch (dice.below(20)) {
            case 0, 1, 2, 3, 4 -> get(dice);
            case 5, 6, 7, 8, 9 -> publishEach(dice);
            case 10, 11 -> edited(dice);
            case 12, 13, 14, 15 -> read(dice);
            case 16 -> rare.describe(dice.chance(1, 2) ? workload.queueName(dice) : Draws.name(dice, "s", 2), false);
            case 17 -> rare.describe(Draws.name(dice, "t", 3), true);
            case 18 -> owned(dice);
            default -> failed(dice);
        };
    }

    private Act get(Dice dice) {
        String name = dice.chance(1, 20) ? Draws.name(dice, "s", 2) : workload.queueName(dice);
        ModelQueue queue = model.queues.get(name);
        Object owner = queue != null && queue.owner != null && dice.chance(3, 4) ? queue.owner : workload.owner(dice);
        // One who takes under one name is of one connection.
        return rare.get(name, dice.chance(1, 3), owner, "taker-" + owner + "-" + dice.below(2));
    }

    private @Nullable Act publishEach(Dice dice) {
        if (workload.tooMany()) {
            return workload.purge();
        }
        String topic = dice.chance(2, 3) ? Draws.name(dice, "t", 3) : null;
        boolean stream = topic == null && dice.chance(1, 5);
        String channel =
                topic != null ? draws.routingKey(dice) : stream ? Draws.name(dice, "s", 2) : workload.queueName(dice);
        List<EngineMessage> messages = new ArrayList<>();
        for (int i = dice.choose(1, 2, 3, 6); i > 0; i--) {
            messages.add(
                    workload.identified(draws.message(world.clock, !stream, stream, dice.between(1, 60), dice), dice));
        }
        return rare.publishEach(
                topic, channel, messages, workload.durability(dice), dice.chance(1, 3), dice.chance(1, 2));
    }

    private @Nullable Act edited(Dice dice) {
        String name = "dead" + dice.below(2);
        ModelQueue letters = model.queues.get(name);
        List<Copy> known = new ArrayList<>();
        for (Copy copy : letters == null ? List.<Copy>of() : letters.all()) {
            if (copy.number >= 0) {
                known.add(copy);
            }
        }
        EngineMessage edited =
                workload.identified(draws.message(world.clock, true, false, dice.between(1, 60), dice), dice);
        if (known.isEmpty()) {
            return null;
        }
        Copy copy = dice.chance(1, 2) ? known.getFirst() : dice.pick(known);
        byte[] key = copy.body.key();
        return rare.putBackEdited(name, copy.number, key == null || dice.chance(1, 6) ? edited : edited.withKey(key));
    }

    private @Nullable Act read(Dice dice) {
        List<StreamReader> readers = List.copyOf(model.readers.values());
        if (readers.isEmpty() || (readers.size() < 5 && dice.chance(1, 4))) {
            ModelStream stream = workload.anyStream(dice);
            return stream == null ? null : subscribe(stream, dice);
        }
        StreamReader reader = dice.pick(readers);
        return switch (dice.below(6)) {
            case 0 -> rare.credit(reader, dice.choose(1, 5, -2));
            case 1 -> dice.chance(1, 3) ? rare.end(reader) : rare.credit(reader, 10);
            default -> {
                List<Long> held = new ArrayList<>();
                reader.unsettled.forEach(number -> {
                    if (dice.chance(2, 3)) {
                        held.add(number);
                    }
                });
                if (dice.chance(1, 8)) {
                    held.add(dice.choose(0L, 1L << 50, -1L));
                }
                yield rare.settle(
                        reader, held.stream().mapToLong(Long::longValue).toArray(), workload.outcome(dice));
            }
        };
    }

    private Act subscribe(ModelStream stream, Dice dice) {
        boolean automatic = dice.chance(1, 4);
        Filter filter = dice.chance(1, 4) ? Filter.number(dice.below(Filter.COUNT)) : null;
        Command.Start start = start(stream, dice);
        return rare.subscribe(
                stream,
                new Command.ConsumerSettings(
                        dice.choose(0, 1, 5, 50),
                        !automatic && dice.chance(4, 5),
                        automatic,
                        dice.chance(1, 20),
                        0,
                        0,
                        filter == null ? null : filter.rule(),
                        workload.owner(dice),
                        "r",
                        start),
                filter,
                start);
    }

    private Command.Start start(ModelStream stream, Dice dice) {
        return switch (dice.below(7)) {
            case 0, 1 -> new Command.Start.Earliest();
            case 2 -> new Command.Start.Latest();
            case 3 -> new Command.Start.Last();
            case 4 -> new Command.Start.Offset(dice.below(12));
            case 5 -> {
                List<Long> offsets = new ArrayList<>();
                for (int p = 0; p < stream.partitions.length; p++) {
                    offsets.add((long) dice.below(12));
                }
                yield new Command.Start.Offsets(offsets);
            }
            default -> new Command.Start.Timestamp(world.clock - dice.choose(0, 1_000, 100_000));
        };
    }

    private @Nullable Act group(Dice dice) {
        ModelStream stream = workload.anyStream(dice);
        String name = Draws.name(dice, "g", 2);
        return stream == null || model.group(stream.name(), name) != null
                ? null
                : streams.declareGroup(stream, draws.group(name, dice), start(stream, dice));
    }

    private Act policy(Dice dice) {
        boolean operator = dice.chance(1, 3);
        String name = Draws.name(dice, "p", 3);
        boolean known = model.policies.get(operator, name) != null;
        return dice.chance(known ? 2 : 1, known ? 4 : 12)
                ? commands.deletePolicy(operator, name)
                : commands.set(draws.scoped(draws.policy(name, operator, dice), dice));
    }

    /** As somebody says who may own what it is about. */
    private @Nullable Act owned(Dice dice) {
        Object owner = workload.owner(dice);
        if (dice.chance(1, 4)) {
            return commands.purge(workload.queueName(dice), owner);
        }
        String name = Draws.name(dice, "t", 3);
        TopicDefinition topic = model.topology.topics.get(name);
        if (topic != null && dice.chance(1, 2)) {
            return commands.bind(draws.binding(topic, workload.queueName(dice), false, dice), owner);
        }
        List<Binding> all = model.topology.bindings;
        return all.isEmpty() ? null : commands.unbind(dice.pick(all), owner);
    }

    /** A handler has thrown. */
    private @Nullable Act failed(Dice dice) {
        List<Copy> held = new ArrayList<>();
        model.consumers.values().forEach(consumer -> held.addAll(consumer.held.values()));
        if (held.isEmpty()) {
            return null;
        }
        Copy copy = dice.pick(held);
        ModelConsumer holder = copy.holder;
        return holder == null
                ? null
                : commands.settle(
                        holder.id,
                        new long[] {copy.number},
                        null,
                        new Command.Outcome.DeadLetter("thrown", dice.choose("an.Exception", "x".repeat(300))));
    }
}
