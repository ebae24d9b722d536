package dev.postroad.transports.embedded;

import dev.postroad.api.Administration;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Looking after the channels of a broker. */
final class EmbeddedAdministration implements Administration {
    private final Broker broker;

    EmbeddedAdministration(Broker broker) {
        this.broker = broker;
    }

    private EngineStatus inspect() {
        return Failures.<EngineStatus>await(broker, Command.Inspect::new);
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<ChannelStatus> channels() {
        EngineStatus status = inspect();
        List<ChannelStatus> channels = new ArrayList<>();
        for (EngineStatus.Queue queue : status.queues()) {
            channels.add(of(queue));
        }
        for (EngineStatus.Stream stream : status.streams()) {
            channels.add(of(stream, status.groups()));
        }
        channels.sort(Comparator.comparing(channel -> channel.channel().name()));
        return channels;
    }

    /** What waits behind its key counts as ready: consumers are all it needs. */
    private static ChannelStatus of(EngineStatus.Queue queue) {
        EngineStatus.Counters counters = queue.counters();
        return new ChannelStatus(
                Channels.of(queue.definition()),
                queue.ready() + queue.parked(),
                queue.inFlight(),
                queue.delayed(),
                queue.consumers().size(),
                queue.bytes(),
                counters.accepted(),
                counters.acknowledged(),
                counters.redelivered(),
                counters.deadLettered());
    }

    private static ChannelStatus of(EngineStatus.Stream stream, List<EngineStatus.Group> groups) {
        String name = stream.definition().name();
        long messages = 0;
        long bytes = 0;
        for (EngineStatus.Partition partition : stream.partitions()) {
            messages += partition.messages();
            bytes += partition.bytes();
        }
        long inFlight = 0;
        long delayed = 0;
        int consumers = 0;
        long acknowledged = 0;
        long redelivered = 0;
        long deadLettered = 0;
        for (EngineStatus.Group group : groups) {
            EngineStatus.Queue shared = group.shared();
            if (shared != null && name.equals(group.stream())) {
                inFlight += shared.inFlight();
                delayed += shared.delayed();
                consumers += shared.consumers().size();
                acknowledged += shared.counters().acknowledged();
                redelivered += shared.counters().redelivered();
                deadLettered += shared.counters().deadLettered();
            }
        }
        return new ChannelStatus(
                Channels.of(stream.definition()),
                messages,
                inFlight,
                delayed,
                consumers,
                bytes,
                stream.counters().accepted(),
                acknowledged,
                redelivered,
                deadLettered);
    }

    @Override
    public List<GroupStatus> groups(String channel) {
        EngineStatus status = inspect();
        boolean known = status.streams().stream()
                        .anyMatch(s -> s.definition().name().equals(channel))
                || status.queues().stream().anyMatch(q -> q.definition().name().equals(channel));
        if (!known) {
            throw new MessagingException(Reason.NOT_FOUND, "there is no channel '" + channel + "'; declare it first");
        }
        List<GroupStatus> groups = new ArrayList<>();
        for (EngineStatus.Group group : status.groups()) {
            EngineStatus.Queue shared = group.shared();
            if (shared != null && channel.equals(group.stream())) {
                groups.add(new GroupStatus(
                        group.name(),
                        shared.ready() + shared.inFlight() + shared.delayed() + shared.parked(),
                        shared.inFlight(),
                        shared.consumers().size(),
                        Map.of()));
            } else if (shared == null) {
                addPositions(group, channel, groups);
            }
        }
        return groups;
    }

    /** A group that stores offsets only: it has read what lies before them. */
    private static void addPositions(EngineStatus.Group group, String channel, List<GroupStatus> into) {
        Map<Integer, Long> positions = new TreeMap<>();
        long lag = 0;
        for (EngineStatus.GroupPosition position : group.positions()) {
            if (position.stream().equals(channel)) {
                positions.put(position.partition(), position.offset());
                lag += position.lag();
            }
        }
        if (!positions.isEmpty()) {
            into.add(new GroupStatus(group.name(), lag, 0, group.members().size(), positions));
        }
    }

    // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, int max) {
        return browse(channel, filter, -1, max);
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, long after, int max) {
        Rule rule = Failures.rule(filter);
        List<Command.Browsed> found = Failures.<List<Command.Browsed>>await(
                broker, reply -> new Command.Browse(channel, null, rule, after, max, reply));
        List<Browsed> browsed = new ArrayList<>(found.size());
        for (Command.Browsed each : found) {
            browsed.add(new Browsed(
                    Messages.fromEngine(channel, each.partition(), each.offset(), each.number(), each.message()),
                    State.valueOf(each.state().name()),
                    each.attempts(),
                    each.notBeforeMillis() == 0 ? null : Instant.ofEpochMilli(each.notBeforeMillis()),
                    each.partition() < 0
                            ? Delivery.Origin.QUEUE
                            : new Delivery.Origin(each.partition(), each.offset(), null),
                    each.state() == Command.Browsed.State.KEPT ? -1 : each.number()));
        }
        return browsed;
    }

    @Override
    public long purge(String channel) {
        return Failures.<Long>await(broker, reply -> new Command.Purge(channel, reply));
    }

    @Override
    public void delete(String channel) {
        Failures.<Long>await(broker, reply -> new Command.DeleteChannel(channel, true, false, null, reply));
    }

    @Override
    public long redrive(String deadLetterChannel, @Nullable String filter, long max) {
        Rule rule = Failures.rule(filter);
        return Failures.<Long>await(broker, reply -> new Command.Redrive(deadLetterChannel, rule, max, reply));
    }

    @Override
    public long putBack(String deadLetterChannel, List<Long> numbers) {
        long[] chosen = numbers.stream().mapToLong(Long::longValue).toArray();
        return Failures.<Long>await(broker, reply -> new Command.PutBack(deadLetterChannel, chosen, null, reply));
    }

    @Override
    public boolean putBack(String deadLetterChannel, long number, Message<byte[], byte[]> edited) {
        // Its destination is where it came from, unless its sender said otherwise.
        String origin = DeadLetter.of(edited)
                .map(DeadLetter::origin)
                .orElse(edited.properties().destination());
        EngineMessage message = Messages.toEngine(origin == null ? deadLetterChannel : origin, edited);
        return Failures.<Long>await(
                        broker, reply -> new Command.PutBack(deadLetterChannel, new long[] {number}, message, reply))
                > 0;
    }

    @Override
    public boolean cancel(String channel, String messageId) {
        return Failures.<Integer>await(broker, reply -> new Command.Cancel(channel, messageId, reply)) > 0;
    }
}
