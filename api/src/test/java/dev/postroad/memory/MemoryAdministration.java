package dev.postroad.memory;

import dev.postroad.api.Administration;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

final class MemoryAdministration implements Administration {
    private final MemoryBroker broker;

    MemoryAdministration(MemoryBroker broker) {
        this.broker = broker;
    }

    @Override
    public List<ChannelStatus> channels() {
        return locked(() -> broker.channels.values().stream().map(this::status).toList());
    }

    private ChannelStatus status(Stored stored) {
        Instant now = broker.clock.instant();
        stored.lines().forEach(line -> broker.sweep(line, now));
        boolean stream = stored.channel.kind().isStream();
        List<Item> waiting = stream ? stored.log : stored.queue.items;
        long inFlight = stored.lines().stream()
                .flatMap(line -> line.items.stream())
                .filter(Item::inFlight)
                .count();
        long delayed = stream
                ? 0
                : waiting.stream()
                        .filter(item -> !item.inFlight() && item.waits(now))
                        .count();
        long ready = stream
                ? waiting.size()
                : waiting.stream()
                        .filter(item -> !item.inFlight() && !item.waits(now))
                        .count();
        int consumers =
                stored.lines().stream().mapToInt(line -> line.receivers.size()).sum();
        return new ChannelStatus(
                stored.channel,
                ready,
                inFlight,
                delayed,
                consumers,
                waiting.stream().mapToLong(MemoryAdministration::bytes).sum(),
                stored.accepted,
                stored.acknowledged,
                stored.redelivered,
                stored.deadLettered);
    }

    private static long bytes(Item item) {
        byte[] value = item.message.value();
        return value == null ? 0 : value.length;
    }

    @Override
    public List<GroupStatus> groups(String channel) {
        return locked(() -> {
            List<GroupStatus> groups = new ArrayList<>();
            broker.stored(channel)
                    .groups
                    .forEach((name, line) -> groups.add(new GroupStatus(
                            name,
                            line.items.size(),
                            (int) line.items.stream().filter(Item::inFlight).count(),
                            line.receivers.size(),
                            positions(line))));
            return groups;
        });
    }

    private static Map<Integer, Long> positions(Line line) {
        Map<Integer, Long> positions = new HashMap<>();
        for (int partition = 0; partition < line.stored.nextOffsets.length; partition++) {
            positions.put(partition, line.stored.nextOffsets[partition]);
        }
        for (Item item : line.items) {
            positions.merge(item.partition, item.offset, Math::min);
        }
        return positions;
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, int max) {
        return browse(channel, filter, -1, max);
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, long after, int max) {
        requirePossible(Need.BROWSE);
        var rule = Filter.of(filter);
        return locked(() -> {
            Stored stored = broker.stored(channel);
            Instant now = broker.clock.instant();
            boolean stream = stored.channel.kind().isStream();
            List<Item> items = stream ? stored.log : stored.queue.items;
            List<Browsed> browsed = new ArrayList<>();
            for (Item item : List.copyOf(items)) {
                if (item.sequence > after && browsed.size() < max && rule.test(item.message)) {
                    State state = stream
                            ? State.KEPT
                            : item.inFlight() ? State.IN_FLIGHT : item.waits(now) ? State.DELAYED : State.READY;
                    Delivery.Origin origin =
                            stream ? new Delivery.Origin(item.partition, item.offset, null) : Delivery.Origin.QUEUE;
                    browsed.add(new Browsed(
                            item.message,
                            state,
                            item.attempts,
                            item.waits(now) ? item.due : null,
                            origin,
                            item.sequence));
                    if (broker.bugs.contains(Bug.BROWSE_CONSUMES)) {
                        items.remove(item);
                    }
                }
            }
            return browsed;
        });
    }

    @Override
    public long purge(String channel) {
        return locked(() -> {
            Stored stored = broker.stored(channel);
            List<Item> items = stored.channel.kind().isStream() ? stored.log : stored.queue.items;
            long before = items.size();
            items.removeIf(item -> !item.inFlight());
            return before - items.size();
        });
    }

    @Override
    public void delete(String channel) {
        locked(() -> {
            Stored stored = broker.stored(channel);
            if (stored.lines().stream().anyMatch(line -> !line.receivers.isEmpty())) {
                throw new MessagingException(Reason.IN_USE, "channel '" + channel + "' has consumers");
            }
            return broker.channels.remove(channel);
        });
    }

    @Override
    public long redrive(String deadLetterChannel, @Nullable String filter, long max) {
        requirePossible(Need.REDRIVE);
        var rule = Filter.of(filter);
        return locked(() -> {
            Stored grave = broker.stored(deadLetterChannel);
            List<Item> items = new ArrayList<>(grave.queue.items);
            if (broker.bugs.contains(Bug.REDRIVES_BACKWARDS)) {
                items = items.reversed();
            }
            long redriven = 0;
            for (Item item : items) {
                if (redriven < max && !item.inFlight() && rule.test(item.message) && broker.exhume(grave, item)) {
                    redriven++;
                }
            }
            return redriven;
        });
    }

    @Override
    public long putBack(String deadLetterChannel, List<Long> numbers) {
        requirePossible(Need.REDRIVE);
        return locked(() -> {
            Stored grave = broker.stored(deadLetterChannel);
            long done = 0;
            for (Item item : List.copyOf(grave.queue.items)) {
                boolean chosen = numbers.contains(item.sequence) || broker.bugs.contains(Bug.PUTS_BACK_ANY);
                if (chosen && !item.inFlight() && broker.exhume(grave, item)) {
                    done++;
                }
            }
            return done;
        });
    }

    @Override
    public boolean putBack(String deadLetterChannel, long number, Message<byte[], byte[]> edited) {
        requirePossible(Need.REDRIVE);
        return locked(() -> {
            Stored grave = broker.stored(deadLetterChannel);
            for (Item item : List.copyOf(grave.queue.items)) {
                if (item.sequence == number && !item.inFlight()) {
                    return broker.exhume(grave, item, broker.bugs.contains(Bug.IGNORES_EDITS) ? item.message : edited);
                }
            }
            return false;
        });
    }

    @Override
    public boolean cancel(String channel, String messageId) {
        return locked(() -> {
            Instant now = broker.clock.instant();
            Stored stored = broker.stored(channel);
            Set<Item> found = new HashSet<>();
            for (Item item : stored.queue.items) {
                if (messageId.equals(item.message.id()) && !item.inFlight() && item.waits(now)) {
                    found.add(item);
                }
            }
            if (broker.bugs.contains(Bug.CANCELS_NOTHING)) {
                return true;
            }
            return stored.queue.items.removeAll(found);
        });
    }

    private void requirePossible(Need need) {
        if (broker.impossible(need)) {
            throw new MessagingException(Reason.IMPOSSIBLE_NEED, need + " is impossible here");
        }
    }

    private <T> T locked(Supplier<T> look) {
        broker.lock.lock();
        try {
            return look.get();
        } finally {
            broker.lock.unlock();
        }
    }
}
