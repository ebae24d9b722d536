package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The groups that read streams, by name. What they have stored is durable: it changes by the {@code apply…} methods only,
 * live and at recovery alike. Who is a member is volatile: {@link #join}, {@link #heartbeat}, {@link #leave} and {@link
 * #expire} write no records, and after the engine was opened again there are no members.
 *
 * <pre>
 *   join ─▶ id, generation, partitions ─▶ read ─▶ commit offsets ─┐
 *              ▲                            ▲                     │
 *              └── refused: join again      └──── heartbeat ◀─────┘   tells a new generation and what to read now
 * </pre>
 *
 * Whoever is of an older generation cannot commit until a heartbeat has told it the new one. Generations of a group go up
 * by one with every change. They begin anew, higher, with every term of the journal; and since ids of members carry the
 * term, nobody of an older term is known, whatever the number of its generation.
 */
final class Groups {
    static final int MOST_GROUPS = 100_000;
    static final int MOST_MEMBERS = 1_000;
    static final int MOST_STREAMS = 1_000;
    static final int MOST_METADATA = 4_096;
    static final long LONGEST_SESSION_MILLIS = 24L * 60 * 60 * 1000;

    private static final int GENERATIONS_OF_TERM = 1 << 15;
    private static final int TERMS = 65_000;

    /** Finds streams by name. */
    @FunctionalInterface
    interface Streams {
        @Nullable
        StreamState stream(String name);
    }

    // durable: of each group, its offsets
    private final TreeMap<String, GroupState> groups = new TreeMap<>();

    // volatile
    private Streams streams = name -> null;
    private int term;
    private int lowestGeneration;
    private long joins;
    private final LongMap<GroupState> groupOfMember = new LongMap<>();
    private final LongMap<GroupState.Member> members = new LongMap<>();
    private final LongHeap deadlines = new LongHeap();

    /**
     * Lets members join.
     *
     * @param newTerm of the journal, higher than whenever it was open before
     */
    void attach(int newTerm, Streams newStreams) {
        term = newTerm;
        streams = newStreams;
        lowestGeneration = newTerm % TERMS * GENERATIONS_OF_TERM;
        groups.values().forEach(group -> group.generationAfter(lowestGeneration));
    }

    // ── Offsets ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** All offsets stored, by stream and partition; empty for a group that is not known. */
    List<Command.Position> positions(String group) {
        GroupState known = groups.get(group);
        return known == null ? List.of() : known.positions();
    }

    /**
     * Refuses what cannot be committed.
     *
     * @param member who commits; null for somebody who is no member
     * @throws EngineException {@code FENCED} for an unknown member or one of another generation; {@code IN_USE} for no
     *     member where there are some; {@code NOT_FOUND} for an unknown stream; {@code INVALID} for a partition or an offset
     *     that is not there, or too long a text with it; {@code FULL} if there are too many groups
     */
    void checkCommit(String group, Command.@Nullable Member member, List<Command.Position> positions) {
        GroupState known = groups.get(group);
        if (member != null) {
            checkMember(group, member, true);
        } else if (known != null && known.hasMembers()) {
            throw new EngineException(
                    EngineException.Reason.IN_USE,
                    "group '" + group + "' has " + known.memberCount()
                            + " members, and only they may commit; join it, or wait until they have left");
        }
        checkRoom(group, known);
        for (Command.Position position : positions) {
            checkPosition(group, position);
        }
    }

    private void checkPosition(String group, Command.Position position) {
        StreamState stream = streams.stream(position.stream());
        if (stream == null) {
            throw noStream(group, position.stream());
        }
        stream.checkPartition(position.partition());
        long next = stream.nextOffset(position.partition());
        String what =
                "group '" + group + "', stream '" + position.stream() + "', partition " + position.partition() + ": ";
        Definition.check(
                position.offset() >= 0 && position.offset() <= next,
                what,
                "the offset",
                position.offset(),
                "0 to " + next + ", which is next");
        String metadata = position.metadata();
        int length = metadata == null ? 0 : metadata.length();
        Definition.check(
                length <= MOST_METADATA, what, "the length of the metadata", length, "at most " + MOST_METADATA);
    }

    private void checkRoom(String group, @Nullable GroupState known) {
        if (known == null) {
            Definition.checkName("group", group);
            if (groups.size() >= MOST_GROUPS) {
                throw new EngineException(
                        EngineException.Reason.FULL,
                        "there are " + groups.size() + " groups, the most allowed; delete those that are not used");
            }
        }
    }

    private static EngineException noStream(String group, String stream) {
        return new EngineException(
                EngineException.Reason.NOT_FOUND,
                "there is no stream '" + stream + "' for group '" + group + "' to read");
    }

    void applyCommit(String group, String stream, int partition, long offset, @Nullable String metadata) {
        group(group).applyCommit(stream, partition, offset, metadata);
    }

    /** True if there is such a group. @throws EngineException {@code IN_USE} while it has members */
    boolean checkDelete(String group) {
        GroupState known = groups.get(group);
        if (known != null && known.hasMembers()) {
            throw new EngineException(
                    EngineException.Reason.IN_USE,
                    "group '" + group + "' has " + known.memberCount()
                            + " members; it can be deleted once they have left");
        }
        return known != null;
    }

    void applyDelete(String group) {
        GroupState known = groups.get(group);
        if (known != null) {
            known.applyOffsetsDeleted();
            dropIfEmpty(known);
        }
    }

    /** A stream went: all groups' offsets in it go too. */
    void applyStreamDeleted(String stream) {
        for (GroupState group : List.copyOf(groups.values())) {
            group.applyStreamDeleted(stream);
            dropIfEmpty(group);
        }
    }

    private GroupState group(String name) {
        return groups.computeIfAbsent(name, n -> new GroupState(n, lowestGeneration));
    }

    private void dropIfEmpty(GroupState group) {
        if (!group.hasOffsets() && !group.hasMembers()) {
            groups.remove(group.name);
            lowestGeneration = Math.max(lowestGeneration, group.generation());
        }
    }

    // ── Members (volatile) ───────────────────────────────────────────────────────────────────────────────────────────

    /**
     * A member joins, or says again what it reads.
     *
     * @param memberId null for a new member
     * @param now on the clock that {@link #expire} is told
     * @throws EngineException {@code FENCED} if the member is not known; {@code NOT_FOUND} for an unknown stream; {@code
     *     INVALID} for no streams or a session out of bounds; {@code FULL} if there are too many members or groups
     */
    Command.Joined join(
            String group, @Nullable String memberId, List<String> streamNames, long sessionMillis, long now) {
        String what = "group '" + group + "': ";
        Definition.check(
                sessionMillis >= 1 && sessionMillis <= LONGEST_SESSION_MILLIS,
                what,
                "sessionMillis",
                sessionMillis,
                "1 to " + LONGEST_SESSION_MILLIS);
        TreeSet<String> names = new TreeSet<>(streamNames);
        Definition.check(
                !names.isEmpty() && names.size() <= MOST_STREAMS,
                what,
                "the number of streams to read",
                names.size(),
                "1 to " + MOST_STREAMS);
        for (String name : names) {
            if (streams.stream(name) == null) {
                throw noStream(group, name);
            }
        }
        return memberId == null
                ? joinNew(group, names, sessionMillis, now)
                : joinAgain(group, memberId, names, sessionMillis, now);
    }

    private Command.Joined joinNew(String group, TreeSet<String> names, long sessionMillis, long now) {
        GroupState known = groups.get(group);
        checkRoom(group, known);
        if (known != null && known.memberCount() >= MOST_MEMBERS) {
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "group '" + group + "' has " + known.memberCount() + " members, the most allowed");
        }
        joins++;
        GroupState.Member member = new GroupState.Member(group + "-" + term + "-" + joins, joins, names, sessionMillis);
        GroupState state = group(group);
        state.add(member, streams);
        members.put(member.number, member);
        groupOfMember.put(member.number, state);
        member.deadline = now + sessionMillis;
        addDeadline(member);
        return state.place(member);
    }

    private Command.Joined joinAgain(
            String group, String memberId, TreeSet<String> names, long sessionMillis, long now) {
        GroupState state = groups.get(group);
        GroupState.Member member = state == null ? null : state.member(memberId);
        if (state == null || member == null) {
            throw unknown(group, memberId);
        }
        member.sessionMillis = sessionMillis;
        renew(member, now);
        if (member.streams.equals(names)) {
            state.refresh(streams);
        } else {
            state.resubscribe(member, names, streams);
        }
        return state.place(member);
    }

    /**
     * A member is alive. Returns its place: if that is of a newer generation than the member's, it changed.
     *
     * @throws EngineException {@code FENCED} if the member is not known, or its generation never was
     */
    Command.Joined heartbeat(String group, Command.Member member, long now) {
        GroupState.Member known = checkMember(group, member, false);
        GroupState state = group(group);
        renew(known, now);
        state.refresh(streams);
        return state.place(known);
    }

    /** A member leaves. Returns false if it was not known. */
    boolean leave(String group, String memberId) {
        GroupState state = groups.get(group);
        GroupState.Member member = state == null ? null : state.member(memberId);
        if (state == null || member == null) {
            return false;
        }
        remove(state, member);
        return true;
    }

    /** Members that have not been heard of for as long as their session is are out. Returns how many. */
    int expire(long now) {
        int out = 0;
        while (!deadlines.isEmpty() && deadlines.first() <= now) {
            long number = deadlines.second();
            deadlines.removeFirst();
            GroupState.Member member = members.get(number);
            GroupState state = groupOfMember.get(number);
            if (member == null || state == null) {
                continue;
            }
            if (member.deadline > now) {
                deadlines.add(member.deadline, number);
            } else {
                remove(state, member);
                out++;
            }
        }
        return out;
    }

    /** When {@link #expire} should be asked next; {@link Long#MAX_VALUE} for not before somebody joins. */
    long nextExpiryMillis() {
        return deadlines.isEmpty() ? Long.MAX_VALUE : deadlines.first();
    }

    private void remove(GroupState state, GroupState.Member member) {
        state.remove(member, streams);
        members.remove(member.number);
        groupOfMember.remove(member.number);
        dropIfEmpty(state);
    }

    /** The deadline in the heap may be older than the member's, never younger: then it is put back when it comes up. */
    private void renew(GroupState.Member member, long now) {
        long deadline = now + member.sessionMillis;
        boolean sooner = deadline < member.deadline;
        member.deadline = deadline;
        if (sooner) {
            addDeadline(member);
        }
    }

    private void addDeadline(GroupState.Member member) {
        deadlines.add(member.deadline, member.number);
        if (deadlines.size() > 4 * members.size() + 64) {
            deadlines.clear();
            for (long number : members.sortedKeys()) {
                GroupState.Member known = members.get(number);
                if (known != null) {
                    deadlines.add(known.deadline, number);
                }
            }
        }
    }

    private GroupState.Member checkMember(String group, Command.Member member, boolean sameGeneration) {
        GroupState state = groups.get(group);
        GroupState.Member known = state == null ? null : state.member(member.memberId());
        if (state == null || known == null) {
            throw unknown(group, member.memberId());
        }
        int generation = state.generation();
        if (member.generation() > generation || (sameGeneration && member.generation() < generation)) {
            throw new EngineException(
                    EngineException.Reason.FENCED,
                    "member '" + member.memberId() + "' of group '" + group + "' is of generation "
                            + member.generation() + ", the group's is " + generation
                            + "; a heartbeat tells what it should read now");
        }
        return known;
    }

    private static EngineException unknown(String group, String memberId) {
        return new EngineException(
                EngineException.Reason.FENCED,
                "group '" + group + "' has no member '" + memberId
                        + "': its session is over, or the engine was opened again; join anew, without a member id");
    }

    // ── Status and snapshots ─────────────────────────────────────────────────────────────────────────────────────────

    /** All groups, in order of names. */
    List<EngineStatus.Group> status() {
        List<EngineStatus.Group> all = new ArrayList<>(groups.size());
        groups.values().forEach(group -> all.add(group.status(streams)));
        return all;
    }

    /** Estimate of the heap they take. */
    long heapBytes() {
        long sum = deadlines.heapBytes() + members.heapBytes() + groupOfMember.heapBytes();
        for (GroupState group : groups.values()) {
            sum += group.heapBytes();
        }
        return sum;
    }

    void write(Snapshot snapshot) {
        long durable = groups.values().stream().filter(GroupState::hasOffsets).count();
        Bytes.putVarint(snapshot.room(10), durable);
        for (GroupState group : groups.values()) {
            if (group.hasOffsets()) {
                group.write(snapshot);
            }
        }
    }

    /** Reads what {@link #write} wrote. */
    void read(ByteBuffer in) {
        for (long left = Bytes.getVarint(in); left > 0; left--) {
            group(Bytes.getString(in)).read(in);
        }
    }
}
