package dev.postroad.transports.amqp;

import dev.postroad.transports.emulation.Log;
import dev.postroad.transports.emulation.PartitionTracker;
import dev.postroad.transports.emulation.Waiting;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Which groups read which streams, by a {@link Log}; and the names of what a group has. Safe for use by many threads. */
final class Groups implements AutoCloseable {
    private static final char SEPARATOR = '\n';

    private final Map<String, Set<String>> byChannel = new ConcurrentHashMap<>();
    private final Log log;

    Groups(Log.Opener opener) {
        this.log = opener.open("groups", this::read);
        log.catchUp();
    }

    private void read(byte[] entry) {
        String text = new String(entry, StandardCharsets.UTF_8);
        int separator = text.indexOf(SEPARATOR);
        if (separator < 0) {
            byChannel.remove(text);
        } else {
            byChannel
                    .computeIfAbsent(text.substring(0, separator), any -> ConcurrentHashMap.newKeySet())
                    .add(text.substring(separator + 1));
        }
    }

    void enter(String channel, String group) {
        if (!byChannel.getOrDefault(channel, Set.of()).contains(group)) {
            Waiting.await(
                    log.append((channel + SEPARATOR + group).getBytes(StandardCharsets.UTF_8)),
                    "entering group '" + group + "' of stream '" + channel + "'");
        }
    }

    /** The groups of a stream, by name. */
    List<String> of(String channel) {
        log.catchUp();
        return List.copyOf(new TreeSet<>(byChannel.getOrDefault(channel, Set.of())));
    }

    void strike(String channel) {
        Waiting.await(
                log.append(channel.getBytes(StandardCharsets.UTF_8)),
                "striking the groups of stream '" + channel + "'");
    }

    /** What the names of a group's queues end with: names of channels and groups may be too long to be part of them. */
    static String suffix(String channel, String group) {
        return UUID.nameUUIDFromBytes((channel + SEPARATOR + group).getBytes(StandardCharsets.UTF_8))
                .toString();
    }

    /** The queue whose one active consumer is the group's member at work. */
    static String lock(String channel, String group) {
        return "postroad-member-" + suffix(channel, group);
    }

    /** The log of positions, without the prefix of all logs. */
    static String positions(String channel, String group) {
        return "positions-" + suffix(channel, group);
    }

    /** Positions by partition, as one entry. */
    static byte[] entry(Map<Integer, PartitionTracker> positions) {
        StringBuilder text = new StringBuilder();
        positions.forEach((partition, tracker) ->
                text.append(partition).append('=').append(tracker.text()).append(SEPARATOR));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    static Map<Integer, PartitionTracker> positions(byte[] entry) {
        Map<Integer, PartitionTracker> positions = new TreeMap<>();
        for (String line : new String(entry, StandardCharsets.UTF_8).split("\n", -1)) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                positions.put(
                        Integer.valueOf(line.substring(0, equals)), PartitionTracker.read(line.substring(equals + 1)));
            }
        }
        return positions;
    }

    @Override
    public void close() {
        log.close();
    }
}
