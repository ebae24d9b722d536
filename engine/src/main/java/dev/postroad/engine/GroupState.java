package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One group that reads streams. Its offsets are durable and change by the {@code apply…} methods only. Its members, who
 * reads which partition, and its generation are volatile: when the engine is opened, all have to join again.
 */
final class GroupState {
    /** A stored offset: the next one to read. */
    private record Offset(long offset, @Nullable String metadata) {}

    /** A member; volatile. */
    static final class Member {
        final String id;
        final long number;
        TreeSet<String> streams;
        long sessionMillis;
        long deadline;
        Map<String, int[]> partitions = Map.of();

        Member(String id, long number, TreeSet<String> streams, long sessionMillis) {
            this.id = id;
            this.number = number;
            this.streams = streams;
            this.sessionMillis = sessionMillis;
        }
    }

    final String name;

    // durable
    private final TreeMap<String, TreeMap<Integer, Offset>> offsets = new TreeMap<>();

    // volatile
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final TreeMap<String, Integer> partitionCounts = new TreeMap<>();
    private int generation;

    /** @param generation the next one is higher */
    GroupState(String name, int generation) {
        this.name = name;
        this.generation = generation;
    }

    // ── Offsets ──────────────────────────────────────────────────────────────────────────────────────────────────────

    boolean hasOffsets() {
        return !offsets.isEmpty();
    }

    /** All stored offsets, by stream and partition. */
    List<Command.Position> positions() {
        List<Command.Position> all = new ArrayList<>();
        offsets.forEach((stream, of) -> of.forEach((partition, stored) ->
                all.add(new Command.Position(stream, partition, stored.offset, stored.metadata))));
        return all;
    }

    void applyCommit(String stream, int partition, long offset, @Nullable String metadata) {
        offsets.computeIfAbsent(stream, s -> new TreeMap<>()).put(partition, new Offset(offset, metadata));
    }

    void applyOffsetsDeleted() {
        offsets.clear();
    }

    /** The offsets in the stream go, and nobody reads it any more: what is declared under its name later is another. */
    void applyStreamDeleted(String stream) {
        offsets.remove(stream);
        if (partitionCounts.remove(stream) != null) {
            generation++;
            for (Member member : members.values()) {
                Map<String, int[]> rest = new TreeMap<>(member.partitions);
                rest.remove(stream);
                member.partitions = rest;
            }
        }
    }

    // ── Members (volatile) ───────────────────────────────────────────────────────────────────────────────────────────

    int generation() {
        return generation;
    }

    /** The next generation is higher than this one. */
    void generationAfter(int lowest) {
        generation = Math.max(generation, lowest);
    }

    boolean hasMembers() {
        return !members.isEmpty();
    }

    int memberCount() {
        return members.size();
    }

    @Nullable
    Member member(String id) {
        return members.get(id);
    }

    /** Ids in order of joining. */
    List<String> memberIds() {
        return List.copyOf(members.keySet());
    }

    void add(Member member, Groups.Streams streams) {
        members.put(member.id, member);
        rebalance(streams);
    }

    void remove(Member member, Groups.Streams streams) {
        members.remove(member.id);
        rebalance(streams);
    }

    /** The member reads other streams from now on. */
    void resubscribe(Member member, TreeSet<String> newStreams, Groups.Streams streams) {
        member.streams = newStreams;
        rebalance(streams);
    }

    /** Assigns anew if a stream that is read has come or gone. */
    void refresh(Groups.Streams streams) {
        if (!counts(streams).equals(partitionCounts)) {
            rebalance(streams);
        }
    }

    Command.Joined place(Member member) {
        return new Command.Joined(member.id, generation, member.partitions);
    }

    /** Partitions by stream, of those streams that members read and that exist. */
    private TreeMap<String, Integer> counts(Groups.Streams streams) {
        TreeMap<String, Integer> counts = new TreeMap<>();
        for (Member member : members.values()) {
            for (String name : member.streams) {
                if (!counts.containsKey(name)) {
                    StreamState stream = streams.stream(name);
                    if (stream != null) {
                        counts.put(name, stream.partitions());
                    }
                }
            }
        }
        return counts;
    }

    private void rebalance(Groups.Streams streams) {
        generation++;
        partitionCounts.clear();
        partitionCounts.putAll(counts(streams));
        List<Member> all = List.copyOf(members.values());
        List<String> names = List.copyOf(partitionCounts.keySet());
        int[][] owners = new int[names.size()][];
        int[][] readers = new int[names.size()][];
        for (int s = 0; s < owners.length; s++) {
            String name = names.get(s);
            Integer count = partitionCounts.get(name);
            owners[s] = owners(name, count == null ? 0 : count, all);
            readers[s] = readers(name, all);
        }
        Assignment.balance(owners, readers, all.size());
        for (int m = 0; m < all.size(); m++) {
            Map<String, int[]> mine = new TreeMap<>();
            for (int s = 0; s < owners.length; s++) {
                int[] partitions = partitionsOf(m, owners[s]);
                if (partitions.length > 0) {
                    mine.put(names.get(s), partitions);
                }
            }
            all.get(m).partitions = mine;
        }
    }

    private static int[] owners(String stream, int count, List<Member> members) {
        int[] owners = new int[count];
        Arrays.fill(owners, Assignment.NOBODY);
        for (int m = 0; m < members.size(); m++) {
            int[] held = members.get(m).partitions.get(stream);
            if (held != null) {
                for (int partition : held) {
                    if (partition < count) {
                        owners[partition] = m;
                    }
                }
            }
        }
        return owners;
    }

    private static int[] readers(String stream, List<Member> members) {
        int[] readers = new int[members.size()];
        int n = 0;
        for (int m = 0; m < readers.length; m++) {
            if (members.get(m).streams.contains(stream)) {
                readers[n++] = m;
            }
        }
        return Arrays.copyOf(readers, n);
    }

    private static int[] partitionsOf(int member, int[] owners) {
        int n = 0;
        for (int owner : owners) {
            n += owner == member ? 1 : 0;
        }
        int[] partitions = new int[n];
        n = 0;
        for (int partition = 0; partition < owners.length; partition++) {
            if (owners[partition] == member) {
                partitions[n++] = partition;
            }
        }
        return partitions;
    }

    // ── Status and snapshots ─────────────────────────────────────────────────────────────────────────────────────────

    EngineStatus.Group status(Groups.Streams streams) {
        List<EngineStatus.GroupPosition> positions = new ArrayList<>();
        offsets.forEach((name, of) -> {
            StreamState stream = streams.stream(name);
            of.forEach((partition, stored) -> positions.add(new EngineStatus.GroupPosition(
                    name, partition, stored.offset, stream == null ? 0 : stream.lag(partition, stored.offset))));
        });
        return new EngineStatus.Group(name, null, null, generation, memberIds(), positions);
    }

    long heapBytes() {
        long sum = 300;
        for (TreeMap<Integer, Offset> of : offsets.values()) {
            sum += 100 + 120L * of.size();
        }
        for (Member member : members.values()) {
            sum += 400 + 120L * member.streams.size();
            for (int[] held : member.partitions.values()) {
                sum += 80 + 4L * held.length;
            }
        }
        return sum;
    }

    void write(Snapshot snapshot) {
        ByteBuffer out = snapshot.room(10 + Bytes.maxBytes(name));
        Bytes.putString(out, name);
        Bytes.putVarint(out, offsets.size());
        offsets.forEach((stream, of) -> {
            ByteBuffer head = snapshot.room(10 + Bytes.maxBytes(stream));
            Bytes.putString(head, stream);
            Bytes.putVarint(head, of.size());
            of.forEach((partition, stored) -> {
                ByteBuffer entry = snapshot.room(20 + Bytes.maxBytes(stored.metadata));
                Bytes.putVarint(entry, partition);
                Bytes.putVarint(entry, stored.offset);
                Bytes.putNullable(entry, stored.metadata);
            });
        });
    }

    /** Reads what follows the name. */
    void read(ByteBuffer in) {
        for (long left = Bytes.getVarint(in); left > 0; left--) {
            String stream = Bytes.getString(in);
            for (long entries = Bytes.getVarint(in); entries > 0; entries--) {
                int partition = (int) Bytes.getVarint(in);
                long offset = Bytes.getVarint(in);
                applyCommit(stream, partition, offset, Bytes.getNullable(in));
            }
        }
    }
}
