package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.postroad.engine.EngineException.Reason;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GroupsTest {
    private static final long SESSION = 1_000;

    private final Map<String, StreamState> streams = new HashMap<>();
    private final PageStore store = new PageStore();
    private Groups groups = new Groups();

    @BeforeEach
    void declareStreams() {
        declare("orders", 4);
        declare("payments", 2);
        groups.attach(3, streams::get);
    }

    private void declare(String name, int partitions) {
        streams.put(name, new StreamState(1, StreamDefinition.named(name, partitions), store, store));
    }

    private void put(String stream, int partition, int messages) {
        StreamState state = streams.get(stream);
        for (int i = 0; state != null && i < messages; i++) {
            state.applyMessage(partition, 1, store.record(10), 10, null, false);
        }
    }

    private Command.Joined join(String... names) {
        return groups.join("g", null, List.of(names), SESSION, 0);
    }

    private static Command.Member member(Command.Joined joined) {
        return new Command.Member(joined.memberId(), joined.generation());
    }

    private static Command.Position position(String stream, int partition, long offset) {
        return new Command.Position(stream, partition, offset, null);
    }

    private void commit(Command.@Nullable Member member, Command.Position... positions) {
        groups.checkCommit("g", member, Arrays.asList(positions));
        for (Command.Position p : positions) {
            groups.applyCommit("g", p.stream(), p.partition(), p.offset(), p.metadata());
        }
    }

    private Groups restored(int term) {
        Snapshot snapshot = new Snapshot();
        groups.write(snapshot);
        Groups again = new Groups();
        again.read(snapshot.finish());
        again.attach(term, streams::get);
        return again;
    }

    private static void refused(Reason reason, ThrowingCallable call, String... words) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason))
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    private static boolean exists(Groups groups) {
        return groups.status().stream().anyMatch(g -> g.name().equals("g"));
    }

    private static int[] held(Command.Joined joined, String stream) {
        return joined.partitions().getOrDefault(stream, new int[0]);
    }

    // ── Offsets ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void offsetsSurviveARestartWithWhatWasSaidToThem() {
        put("orders", 1, 10);
        put("payments", 0, 10);
        commit(null, position("payments", 0, 5), new Command.Position("orders", 1, 7, "batch 12"));
        commit(null, position("payments", 0, 6));

        groups = restored(4);

        assertThat(groups.positions("g"))
                .containsExactly(new Command.Position("orders", 1, 7, "batch 12"), position("payments", 0, 6));
        assertThat(groups.positions("unknown")).isEmpty();
    }

    @Test
    void offsetsOfADeletedStreamAreGoneForWhatIsDeclaredUnderItsNameLater() {
        put("orders", 0, 10);
        put("payments", 0, 10);
        commit(null, position("orders", 0, 5), position("payments", 0, 5));

        groups.applyStreamDeleted("orders");

        assertThat(groups.positions("g")).containsExactly(position("payments", 0, 5));
        groups.applyStreamDeleted("payments");
        assertThat(exists(groups)).isFalse();
    }

    @Test
    void aDeletedGroupHasNoOffsets() {
        put("orders", 0, 10);
        commit(null, position("orders", 0, 5));
        assertThat(groups.checkDelete("g")).isTrue();

        groups.applyDelete("g");

        assertThat(exists(groups)).isFalse();
        assertThat(groups.checkDelete("g")).isFalse();
        assertThat(exists(restored(4))).isFalse();
    }

    @Test
    void aGroupWithMembersCannotBeDeletedAndOnlyTheyCommit() {
        Command.Joined joined = join("orders");

        refused(Reason.IN_USE, () -> groups.checkDelete("g"), "'g' has 1 members");
        refused(Reason.IN_USE, () -> commit(null, position("orders", 0, 0)), "only they may commit");
        commit(member(joined), position("orders", 0, 0));

        groups.leave("g", joined.memberId());
        commit(null, position("orders", 0, 0));
        assertThat(groups.checkDelete("g")).isTrue();
    }

    @Test
    void whatCannotBeCommittedIsRefusedByName() {
        put("orders", 1, 10);

        refused(Reason.NOT_FOUND, () -> commit(null, position("nothing", 0, 0)), "no stream 'nothing'");
        refused(Reason.INVALID, () -> commit(null, position("orders", 4, 0)), "no partition 4", "0 to 3");
        refused(Reason.INVALID, () -> commit(null, position("orders", 1, -1)), "offset is -1", "0 to 10");
        refused(Reason.INVALID, () -> commit(null, position("orders", 1, 11)), "offset is 11", "0 to 10");
        refused(
                Reason.INVALID,
                () -> commit(null, new Command.Position("orders", 1, 1, "x".repeat(5_000))),
                "metadata is 5000",
                "4096");
        refused(Reason.INVALID, () -> groups.checkCommit("", null, List.of()), "name of a group");
        commit(null, position("orders", 1, 10));
    }

    @Test
    void itsStatusTellsMembersAndLag() {
        put("orders", 0, 10);
        Command.Joined joined = join("orders");
        commit(member(joined), position("orders", 0, 4));

        assertThat(groups.status())
                .containsExactly(new EngineStatus.Group(
                        "g",
                        null,
                        null,
                        joined.generation(),
                        List.of(joined.memberId()),
                        List.of(new EngineStatus.GroupPosition("orders", 0, 4, 6))));
    }

    // ── Members ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void theFirstMemberReadsAllAndTheSecondHalfOfIt() {
        Command.Joined first = join("orders");
        assertThat(held(first, "orders")).containsExactly(0, 1, 2, 3);

        Command.Joined second = join("orders");
        assertThat(second.generation()).isEqualTo(first.generation() + 1);
        assertThat(held(second, "orders")).hasSize(2);

        Command.Joined learned = groups.heartbeat("g", member(first), 1);
        assertThat(learned.generation()).isEqualTo(second.generation());
        assertThat(held(learned, "orders")).hasSize(2).doesNotContain(held(second, "orders"));
    }

    @Test
    void aMemberOfAnOldGenerationCannotCommitUntilAHeartbeatToldItTheNewOne() {
        Command.Joined first = join("orders");
        join("orders");

        refused(
                Reason.FENCED,
                () -> commit(member(first), position("orders", 0, 0)),
                first.memberId(),
                "generation " + first.generation(),
                "the group's is " + (first.generation() + 1));

        commit(member(groups.heartbeat("g", member(first), 1)), position("orders", 0, 0));
    }

    @Test
    void unknownMembersAndGenerationsThatNeverWereAreFenced() {
        Command.Joined joined = join("orders");
        Command.Member stranger = new Command.Member("somebody", joined.generation());
        Command.Member liar = new Command.Member(joined.memberId(), joined.generation() + 1);

        refused(Reason.FENCED, () -> groups.heartbeat("g", stranger, 1), "no member 'somebody'");
        refused(Reason.FENCED, () -> commit(stranger, position("orders", 0, 0)), "no member 'somebody'");
        refused(Reason.FENCED, () -> groups.heartbeat("g", liar, 1), "generation " + (joined.generation() + 1));
        refused(Reason.FENCED, () -> groups.heartbeat("other", stranger, 1), "'other'");
        refused(Reason.FENCED, () -> groups.join("g", "somebody", List.of("orders"), SESSION, 0), "join anew");
        assertThat(groups.leave("g", "somebody")).isFalse();
    }

    @Test
    void whatAMemberLeavesGoesToTheOthers() {
        Command.Joined first = join("orders");
        Command.Joined second = join("orders");

        assertThat(groups.leave("g", first.memberId())).isTrue();

        Command.Joined rest = groups.heartbeat("g", member(second), 1);
        assertThat(held(rest, "orders")).containsExactly(0, 1, 2, 3);
        assertThat(rest.generation()).isGreaterThan(second.generation());
    }

    @Test
    void aMemberThatIsSilentForItsSessionIsOut() {
        Command.Joined silent = join("orders");
        Command.Joined alive = join("orders");
        assertThat(groups.nextExpiryMillis()).isEqualTo(SESSION);
        Command.Joined renewed = groups.heartbeat("g", member(alive), 900);

        assertThat(groups.expire(999)).isZero();
        assertThat(groups.expire(1_000)).isEqualTo(1);

        refused(Reason.FENCED, () -> groups.heartbeat("g", member(silent), 1_001), "session is over");
        assertThat(held(groups.heartbeat("g", member(renewed), 1_001), "orders"))
                .hasSize(4);
        assertThat(groups.nextExpiryMillis()).isLessThanOrEqualTo(2_001);
        assertThat(groups.expire(2_001)).isEqualTo(1);
        assertThat(exists(groups)).isFalse();
        assertThat(groups.nextExpiryMillis()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aMemberMayShortenItsSession() {
        Command.Joined joined = join("orders");

        groups.join("g", joined.memberId(), List.of("orders"), 10, 5);

        assertThat(groups.nextExpiryMillis()).isEqualTo(15);
        assertThat(groups.expire(15)).isEqualTo(1);
    }

    @Test
    void joiningAgainForTheSameStreamsChangesNothing() {
        Command.Joined joined = join("orders");

        Command.Joined again = groups.join("g", joined.memberId(), List.of("orders"), SESSION, 5);

        assertThat(again.memberId()).isEqualTo(joined.memberId());
        assertThat(again.generation()).isEqualTo(joined.generation());
        assertThat(held(again, "orders")).containsExactly(0, 1, 2, 3);
    }

    @Test
    void joiningAgainForOtherStreamsAssignsAnew() {
        Command.Joined joined = join("orders");

        Command.Joined again = groups.join("g", joined.memberId(), List.of("payments"), SESSION, 5);

        assertThat(again.generation()).isGreaterThan(joined.generation());
        assertThat(again.partitions()).containsOnlyKeys("payments");
    }

    @Test
    void nobodyReadsADeletedStreamAndItsSuccessorIsReadFromTheNextHeartbeatOn() {
        Command.Joined joined = join("orders", "payments");
        streams.remove("orders");
        groups.applyStreamDeleted("orders");

        refused(Reason.FENCED, () -> commit(member(joined), position("payments", 0, 0)), "generation");
        Command.Joined without = groups.heartbeat("g", member(joined), 1);
        assertThat(without.partitions()).containsOnlyKeys("payments");
        assertThat(without.generation()).isGreaterThan(joined.generation());

        declare("orders", 6);
        Command.Joined with = groups.heartbeat("g", member(without), 2);
        assertThat(held(with, "orders")).hasSize(6);
        assertThat(with.generation()).isGreaterThan(without.generation());
        assertThat(groups.heartbeat("g", member(with), 3).generation()).isEqualTo(with.generation());
    }

    @Test
    void afterARestartNobodyIsAMemberAndGenerationsAreHigher() {
        put("orders", 0, 10);
        Command.Joined before = join("orders");
        commit(member(before), position("orders", 0, 4));

        groups = restored(4);

        refused(Reason.FENCED, () -> groups.heartbeat("g", member(before), 1), "opened again");
        Command.Joined after = join("orders");
        assertThat(after.generation()).isGreaterThan(before.generation());
        assertThat(after.memberId()).isNotEqualTo(before.memberId());
        refused(Reason.FENCED, () -> commit(member(before), position("orders", 0, 5)), before.memberId());
        assertThat(groups.positions("g")).containsExactly(position("orders", 0, 4));
    }

    @Test
    void aGroupThatWasGoneGoesOnWithHigherGenerations() {
        Command.Joined first = join("orders");
        groups.leave("g", first.memberId());
        assertThat(exists(groups)).isFalse();

        assertThat(join("orders").generation()).isGreaterThan(first.generation());
    }

    @Test
    void whatCannotJoinIsRefusedByName() {
        refused(Reason.NOT_FOUND, () -> join("nothing"), "no stream 'nothing'", "'g'");
        refused(Reason.INVALID, () -> join(), "number of streams", "1 to 1000");
        refused(Reason.INVALID, () -> groups.join("g", null, List.of("orders"), 0, 0), "sessionMillis is 0");
        refused(Reason.INVALID, () -> groups.join("", null, List.of("orders"), 1, 0), "name of a group");
        assertThat(exists(groups)).isFalse();

        for (int i = 0; i < Groups.MOST_MEMBERS; i++) {
            groups.join("g", null, List.of("payments"), SESSION, 0);
        }
        refused(Reason.FULL, () -> join("payments"), "has 1000 members");
    }

    @Test
    void sessionsOfMembersThatLeftTakeNoMemory() {
        for (int i = 0; i < 20_000; i++) {
            Command.Joined joined = groups.join("g", null, List.of("orders"), Groups.LONGEST_SESSION_MILLIS, i);
            groups.leave("g", joined.memberId());
        }

        assertThat(groups.heapBytes()).isLessThan(20_000);
    }
}
