package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Commands on streams and their groups, each with what it should do to the model. */
final class StreamCommands {
    private final World world;
    private final Commands commands;
    private final Model model;

    /** Who reads which group, as far as the broker has told; what no restart outlives. */
    final Map<String, ReadingGroup> groups = new TreeMap<>();

    /** Highest producer id given. */
    private final Set<Long> producerIds = new HashSet<>();

    private int opening;

    /** A group whose members share partitions. */
    static final class ReadingGroup {
        final Map<String, Member> members = new TreeMap<>();
        int generation;
    }

    /** A member as it was told to be. */
    static final class Member {
        final String id;
        List<String> streams;
        int generation;
        Map<String, int[]> partitions = Map.of();
        long deadline;
        long sessionMillis;

        Member(String id, List<String> streams) {
            this.id = id;
            this.streams = streams;
        }
    }

    StreamCommands(World world, Commands commands) {
        this.world = world;
        this.commands = commands;
        this.model = world.model;
    }

    /** The broker was opened again: nobody is a member of anything. */
    void restarted() {
        groups.clear();
        unheard = false;
        opening++;
    }

    int opening() {
        return opening;
    }

    private static Reason[] when(boolean refused, Reason reason) {
        return refused ? new Reason[] {reason} : new Reason[0];
    }

    private void promise(Answer<?> answer) {
        if (answer.done()) {
            world.promise();
        }
    }

    /** The stream of this name now, which may be another than when it was asked for; null if the command must be refused. */
    private @Nullable ModelStream now(ModelStream asked, int partition, Answer<?> answer) {
        ModelStream stream = model.streams.get(asked.name());
        if (stream == null || partition >= stream.partitions.length) {
            answer.carriedOut(Reason.NOT_FOUND, Reason.INVALID);
            return null;
        }
        return stream;
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    Act fetch(ModelStream asked, int partition, long offset, int most, int bytes, long until) {
        Supplier<String> text = () -> "fetch " + most + " from " + offset + " of " + asked.name() + "/" + partition
                + (until == 0 ? "" : " until " + until);
        Answer<Command.Fetched> answer = new Answer<>(text);
        return new Act(
                text, new Command.Fetch(asked.name(), partition, offset, most, bytes, until, answer), answer, () -> {
                    if (!answer.known()) {
                        return;
                    }
                    if (until > 0 && model.streams.get(asked.name()) != asked) {
                        return;
                    }
                    ModelStream stream = now(asked, partition, answer);
                    if (stream == null) {
                        return;
                    }
                    boolean out = offset > stream.partitions[partition].next();
                    if (answer.carriedOut(
                            when(out, Reason.INVALID), until > 0 ? new Reason[] {Reason.NOT_FOUND} : new Reason[0])) {
                        Observed nothing = new Observed(null);
                        Comparison comparison = new Comparison(model, nothing, false);
                        comparison.full = false;
                        comparison.waited = until > 0;
                        String difference = comparison.partition(stream, partition, answer.result(), offset);
                        Violation.unless(difference == null, () -> text.get() + ": " + difference);
                        Violation.unless(
                                answer.result().records().size() <= most,
                                () -> text.get() + ": came "
                                        + answer.result().records().size());
                    }
                });
    }

    Act offsetAt(ModelStream asked, int partition, long millis) {
        Supplier<String> text = () -> "offset of " + asked.name() + "/" + partition + " at " + millis;
        Answer<Long> answer = new Answer<>(text);
        return new Act(text, new Command.OffsetAt(asked.name(), partition, millis, answer), answer, () -> {
            ModelStream stream = answer.known() ? now(asked, partition, answer) : null;
            if (stream != null && answer.carriedOut()) {
                long at = answer.result();
                ModelStream.Partition of = stream.partitions[partition];
                for (ModelStream.Entry entry : of.entries) {
                    boolean passed = entry.offset < at && entry.accepted >= millis && !entry.gone;
                    Violation.unless(
                            !passed || stream.mayGo(of, entry, model.latest),
                            () -> text.get() + " is " + at + ", and not " + entry.offset);
                }
                Violation.unless(
                        at == of.next() || (at < of.next() && of.entries.get((int) at).accepted >= millis),
                        () -> text.get() + " is " + at);
            }
        });
    }

    // ── Idempotent producers ─────────────────────────────────────────────────────────────────────────────────────────

    Act newProducer(java.util.function.LongConsumer got) {
        Answer<Long> answer = new Answer<>(() -> "new producer");
        return new Act(() -> "new producer", new Command.NewProducer(answer), answer, () -> {
            if (answer.carriedOut() && answer.known()) {
                Violation.unless(
                        producerIds.add(answer.result()), () -> "producer id " + answer.result() + " was given before");
                got.accept(answer.result());
                promise(answer);
            }
        });
    }

    Act publish(ModelStream asked, List<EngineMessage> messages, Command.Producer producer) {
        Supplier<String> text = () -> "publish " + Commands.tell(messages) + " to " + asked.name() + " by " + producer;
        Answer<Command.Published> answer = new Answer<>(text);
        Command.Publish publish = new Command.Publish(null, asked.name(), messages, null, false, producer, answer);
        return new Act(text, publish, answer, () -> {
            ModelStream stream = now(asked, producer.partition(), answer);
            if (stream == null) {
                return;
            }
            messages.forEach(m -> world.used(m.id()));
            commands.foreseen(List.of(publish), answer.known());
            Reason[] full = when(commands.forgetful(publish), Reason.FULL);
            Reason[] mayBeFull = when(commands.mayForget(List.of(publish)), Reason.FULL);
            if (stream.definition.compacted() && messages.stream().anyMatch(m -> m.key() == null)) {
                answer.carriedOut(Commands.both(when(true, Reason.INVALID), full), mayBeFull);
                return;
            }
            if (full.length > 0) {
                answer.carriedOut(full);
                return;
            }
            Short epoch = stream.epochs.get(producer.id());
            if (epoch != null && producer.epoch() < epoch) {
                answer.carriedOut(when(true, Reason.FENCED), mayBeFull);
                return;
            }
            ModelStream.Written known =
                    stream.producers.get(producer.id() + "/" + producer.epoch() + "/" + producer.partition());
            int expected = known == null ? 0 : known.expected;
            if (producer.sequence() == expected) {
                if (answer.carriedOut(new Reason[0], mayBeFull)) {
                    model.batch();
                    Command.Published published = model.publish(publish);
                    model.wrote(stream, producer, published.offsets());
                    if (answer.done()) {
                        Commands.compare(published, answer.result(), true, true, text);
                    }
                    model.afterBatch();
                    if (stream.durable()) {
                        promise(answer);
                    }
                }
                return;
            }
            repeated(stream, known, messages.size(), producer, answer, mayBeFull, text);
        });
    }

    private void repeated(
            ModelStream stream,
            ModelStream.@Nullable Written known,
            int count,
            Command.Producer producer,
            Answer<Command.Published> answer,
            Reason[] mayBeFull,
            Supplier<String> text) {
        long[] batch = null;
        boolean recent = false;
        for (int i = 0; known != null && i < known.batches.size(); i++) {
            long[] each = known.batches.get(i);
            if (each[0] == producer.sequence() && each[1] == count) {
                batch = each;
                recent = i >= known.batches.size() - 5;
            }
        }
        if (batch == null) {
            // Part of a batch, or a gap: it may be known as part of a run, and is never stored.
            if (answer.carriedOut(new Reason[0], Commands.both(when(true, Reason.OUT_OF_SEQUENCE), mayBeFull))
                    && answer.known()) {
                Violation.unless(
                        known != null && producer.sequence() + count <= known.expected,
                        () -> "a gap was confirmed: " + text.get());
            }
            return;
        }
        if (answer.carriedOut(new Reason[0], Commands.both(when(!recent, Reason.OUT_OF_SEQUENCE), mayBeFull))
                && answer.known()) {
            Violation.unless(answer.result().duplicates() == count, () -> "stored again: " + text.get());
            long first = batch[2];
            Violation.unless(
                    answer.result().firstOffset() == first,
                    () -> "a repeated batch got offset " + answer.result().firstOffset() + " instead of " + first + ": "
                            + text.get());
            if (stream.durable()) {
                promise(answer);
            }
        }
    }

    // ── Shared groups ────────────────────────────────────────────────────────────────────────────────────────────────

    Act declareGroup(ModelStream asked, QueueDefinition definition, Command.Start start) {
        Supplier<String> text = () -> "declare group of " + asked.name() + " from " + start + ": " + definition;
        Answer<Boolean> answer = new Answer<>(text);
        return new Act(text, new Command.DeclareSharedGroup(asked.name(), definition, start, answer), answer, () -> {
            ModelStream stream = now(asked, 0, answer);
            if (stream == null) {
                return;
            }
            ModelQueue known = model.group(stream.name(), definition.name());
            if (answer.carriedOut(when(known != null && !known.definition.equals(definition), Reason.MISMATCH))) {
                answer.equalTo(known == null);
                if (known == null) {
                    model.declareGroup(stream, definition, start);
                }
                promise(answer);
            }
        });
    }

    Act deleteGroup(String stream, String group) {
        Answer<Boolean> answer = new Answer<>(() -> "delete group " + group + " of " + stream);
        return new Act(
                () -> "delete group " + group + " of " + stream,
                new Command.DeleteSharedGroup(stream, group, answer),
                answer,
                () -> {
                    ModelQueue known = model.group(stream, group);
                    if (answer.carriedOut(when(known != null && !known.consumers.isEmpty(), Reason.IN_USE))) {
                        answer.equalTo(known != null);
                        if (known != null) {
                            model.delete(known);
                        }
                        promise(answer);
                    }
                });
    }

    // ── Positions ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Why a commit of offsets must be refused, apart from who commits. */
    static Reason[] refusal(Model model, Command.CommitOffsets commit) {
        for (Command.Position position : commit.positions()) {
            ModelStream stream = model.streams.get(position.stream());
            if (stream == null) {
                return when(true, Reason.NOT_FOUND);
            }
            if (position.partition() >= stream.partitions.length
                    || position.offset() > stream.partitions[position.partition()].next()) {
                return when(true, Reason.INVALID);
            }
        }
        return new Reason[0];
    }

    Act commit(String group, @Nullable Member member, int generation, List<Command.Position> positions) {
        Supplier<String> text = () ->
                "commit " + group + (member == null ? "" : " as " + member.id + " of " + generation) + " " + positions;
        Answer<Command.Done> answer = new Answer<>(text);
        Command.CommitOffsets commit = new Command.CommitOffsets(
                group, member == null ? null : new Command.Member(member.id, generation), positions, answer);
        return new Act(text, commit, answer, () -> {
            ReadingGroup known = groups.get(group);
            Reason[] may = member != null ? when(true, Reason.FENCED) : when(known != null, Reason.IN_USE);
            Reason[] must = refusal(model, commit);
            if (must.length > 0) {
                List<Reason> both = new ArrayList<>(List.of(must));
                both.addAll(List.of(may));
                answer.carriedOut(both.toArray(Reason[]::new));
                return;
            }
            if (!answer.known() && refusedUnheard(known, member, generation)) {
                return;
            }
            if (answer.carriedOut(must, may)) {
                if (answer.known() && member != null) {
                    Violation.unless(
                            known != null && generation == known.generation && known.members.containsKey(member.id),
                            () -> "committed by a member of an older generation than "
                                    + (known == null ? 0 : known.generation) + ": " + text.get());
                }
                model.batch();
                model.commit(group, positions);
                promise(answer);
            } else if (answer.known() && member != null) {
                Violation.unless(
                        known == null
                                || member.deadline <= model.steady
                                || generation != known.generation
                                || changed(known),
                        () -> "refused to a member of the newest generation: " + text.get());
            }
        });
    }

    /** True if a commit was refused of which nobody has heard what became of it; false if it was carried out. */
    private boolean refusedUnheard(@Nullable ReadingGroup group, @Nullable Member member, int generation) {
        if (member == null) {
            foreseen((group == null || group.members.isEmpty()) && !unheard);
            return false;
        }
        if (group == null || !group.members.containsKey(member.id) || generation < group.generation) {
            return true;
        }
        foreseen(!changed(group) && !unheard);
        return false;
    }

    private static void foreseen(boolean sure) {
        if (!sure) {
            throw new Model.Unforeseen();
        }
    }

    /** Somebody has joined or left since, and did not live to hear of it. */
    private boolean unheard;

    /** True if somebody has left, or a stream has, since the generation was told. */
    private boolean changed(ReadingGroup group) {
        return group.members.values().stream()
                .anyMatch(m -> m.deadline <= model.steady
                        || m.streams.stream().anyMatch(s -> !model.streams.containsKey(s))
                        || stirred);
    }

    /** Streams have come and gone: who reads what may have changed. */
    boolean stirred;

    Act offsets(String group) {
        Answer<List<Command.Position>> answer = new Answer<>(() -> "offsets of " + group);
        return new Act(() -> "offsets of " + group, new Command.GroupOffsets(group, answer), answer, () -> {
            if (answer.carriedOut() && answer.known()) {
                Set<Command.Position> expected = new HashSet<>(
                        model.offsets.getOrDefault(group, new TreeMap<>()).values());
                Violation.unless(
                        new HashSet<>(answer.result()).equals(expected),
                        () -> "group " + group + " has stored " + answer.result() + " instead of " + expected);
            }
        });
    }

    Act deleteOffsets(String group) {
        Answer<Boolean> answer = new Answer<>(() -> "delete offsets of " + group);
        return new Act(() -> "delete group " + group, new Command.DeleteGroup(group, answer), answer, () -> {
            ReadingGroup known = groups.get(group);
            foreseen(answer.known() || ((known == null || known.members.isEmpty()) && !unheard));
            if (answer.carriedOut(new Reason[0], when(known != null && !known.members.isEmpty(), Reason.IN_USE))) {
                model.deleteOffsets(group);
                promise(answer);
            }
        });
    }

    // ── Members ──────────────────────────────────────────────────────────────────────────────────────────────────────

    Act join(String group, @Nullable Member again, List<String> streams, long sessionMillis) {
        Supplier<String> text = () -> "join " + group + (again == null ? "" : " again as " + again.id) + " for "
                + streams + " session " + sessionMillis;
        Answer<Command.Joined> answer = new Answer<>(text);
        Command command = new Command.JoinGroup(group, again == null ? null : again.id, streams, sessionMillis, answer);
        return new Act(text, command, answer, () -> {
            unheard |= !answer.known();
            boolean missing = streams.stream().anyMatch(s -> !model.streams.containsKey(s));
            if (missing) {
                answer.carriedOut(Reason.NOT_FOUND);
                return;
            }
            if (!answer.carriedOut(new Reason[0], when(again != null, Reason.FENCED)) || !answer.known()) {
                return;
            }
            ReadingGroup known = groups.computeIfAbsent(group, g -> new ReadingGroup());
            String id = answer.result().memberId();
            Member member = known.members.get(id);
            Violation.unless(
                    again == null ? member == null : again.id.equals(id), () -> "joined as " + id + ": " + text.get());
            if (member == null) {
                member = new Member(id, streams);
                known.members.put(id, member);
            }
            member.streams = streams;
            member.sessionMillis = sessionMillis;
            told(known, member, answer.result(), text);
        });
    }

    private void told(ReadingGroup group, Member member, Command.Joined joined, Supplier<String> text) {
        Violation.unless(
                joined.generation() >= group.generation,
                () -> "the generation went from " + group.generation + " to " + joined.generation() + ": "
                        + text.get());
        if (joined.generation() > group.generation) {
            group.members.values().removeIf(m -> m != member && m.deadline <= world.lastTurn);
        }
        group.generation = joined.generation();
        member.generation = joined.generation();
        member.partitions = joined.partitions();
        member.deadline = model.steady + member.sessionMillis;
        Set<String> taken = new HashSet<>();
        boolean all = true;
        for (Member each : group.members.values()) {
            if (each.generation != group.generation || each.deadline <= model.steady) {
                all = false;
                continue;
            }
            each.partitions.forEach((stream, numbers) -> {
                Violation.unless(
                        each.streams.contains(stream),
                        () -> each.id + " reads " + stream + ", for which it did not ask: " + text.get());
                for (int number : numbers) {
                    Violation.unless(
                            taken.add(stream + "/" + number),
                            () -> "two members read " + stream + "/" + number + ": " + text.get());
                }
            });
        }
        for (Member each : all ? group.members.values() : List.<Member>of()) {
            for (String name : each.streams) {
                ModelStream stream = model.streams.get(name);
                for (int p = 0; stream != null && p < stream.partitions.length; p++) {
                    String place = name + "/" + p;
                    Violation.unless(
                            taken.contains(place) || stirred,
                            () -> "nobody reads " + place + " of " + taken + ": " + text.get());
                }
            }
        }
    }

    Act heartbeat(String group, Member member, int generation) {
        Supplier<String> text = () -> "heartbeat of " + member.id + " of " + generation;
        Answer<Command.Joined> answer = new Answer<>(text);
        return new Act(
                text, new Command.Heartbeat(group, new Command.Member(member.id, generation), answer), answer, () -> {
                    if (answer.carriedOut(new Reason[0], when(true, Reason.FENCED)) && answer.known()) {
                        ReadingGroup known = groups.get(group);
                        if (known == null || !known.members.containsKey(member.id)) {
                            throw new Violation("known still: " + text.get());
                        }
                        told(known, member, answer.result(), text);
                    } else if (answer.known()) {
                        ReadingGroup known = groups.get(group);
                        boolean alive = known != null
                                && known.members.get(member.id) == member
                                && member.deadline > model.steady;
                        Violation.unless(
                                !alive || generation > member.generation, () -> "not known any more: " + text.get());
                    }
                });
    }

    Act leave(String group, Member member) {
        Supplier<String> text = () -> "leave " + group + " as " + member.id;
        Answer<Boolean> answer = new Answer<>(text);
        return new Act(
                text,
                new Command.LeaveGroup(group, new Command.Member(member.id, member.generation), answer),
                answer,
                () -> {
                    unheard |= !answer.known();
                    if (answer.carriedOut()) {
                        ReadingGroup known = groups.get(group);
                        if (known != null && known.members.remove(member.id) != null && known.generation > 0) {
                            // Those who stay are of another generation now, and have not been told.
                            known.generation++;
                        }
                    }
                });
    }

    static String tell(Command.Joined joined) {
        StringBuilder text = new StringBuilder();
        joined.partitions().forEach((stream, numbers) -> text.append(stream).append(Arrays.toString(numbers)));
        return text.toString();
    }

    Map<String, Member> members(String group) {
        ReadingGroup known = groups.get(group);
        return known == null ? new HashMap<>() : known.members;
    }
}
