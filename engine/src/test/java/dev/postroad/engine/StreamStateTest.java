package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.postroad.engine.EngineException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StreamStateTest {
    private static final StreamDefinition PLAIN = StreamDefinition.named("orders", 3);
    private static final StreamDefinition COMPACTED = PLAIN.withCompacted(true).withTombstoneMillis(1_000);

    private final PageStore store = new PageStore();

    private StreamState stream(StreamDefinition definition) {
        return new StreamState(10, definition, store, store);
    }

    private static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private long put(StreamState stream, int partition, long millis, @Nullable String key) {
        return put(stream, partition, millis, key, false, 100);
    }

    private long put(
            StreamState stream, int partition, long millis, @Nullable String key, boolean tombstone, int size) {
        return stream.applyMessage(partition, millis, store.record(size), size, bytes(key), tombstone);
    }

    private static List<String> trims(StreamState stream, long now) {
        List<String> told = new ArrayList<>();
        stream.decideTrims(now, new StreamState.TrimSink() {
            @Override
            public void trim(int partition, long newEarliest) {
                told.add("trim " + partition + " to " + newEarliest);
            }

            @Override
            public void tombstone(int partition, long offset) {
                told.add("tombstone " + partition + " at " + offset);
            }
        });
        return told;
    }

    private static List<Long> offsets(StreamState stream, int partition) {
        List<Long> all = new ArrayList<>();
        for (long n = stream.nextLive(partition, 0); n != PagedIndex.NONE; n = stream.nextLive(partition, n + 1)) {
            all.add(n);
        }
        return all;
    }

    // ── Partitions, offsets and times ────────────────────────────────────────────────────────────────────────────────

    @Test
    void offsetsCountUpInEachPartitionOnItsOwn() {
        StreamState stream = stream(PLAIN);

        assertThat(put(stream, 0, 5, null)).isZero();
        assertThat(put(stream, 0, 5, null)).isEqualTo(1);
        assertThat(put(stream, 2, 5, null)).isZero();
        assertThat(stream.nextOffset(0)).isEqualTo(2);
        assertThat(stream.nextOffset(1)).isZero();
        assertThat(stream.earliest(1)).isZero();
        assertThat(stream.messages()).isEqualTo(3);
    }

    @Test
    void aKeyAlwaysHasTheSamePartitionAndMessagesWithoutAKeyGoRound() {
        StreamState stream = stream(PLAIN);
        EngineMessage keyed = EngineMessage.of(new byte[1]).withKey(bytes("customer-7"));
        int itsPartition = stream.partitionFor(keyed);
        List<Integer> turns = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int partition = stream.partitionFor(EngineMessage.of(new byte[1]));
            turns.add(partition);
            put(stream, partition, 1, null);
            assertThat(stream.partitionFor(keyed)).isEqualTo(itsPartition);
        }

        assertThat(turns).containsExactly(0, 1, 2, 0, 1, 2);
    }

    @Test
    void whoseTurnItIsSurvivesARestart() {
        StreamState stream = stream(PLAIN);
        put(stream, 0, 1, null);
        put(stream, 0, 1, null);

        assertThat(restored(stream).partitionFor(EngineMessage.of(new byte[1]))).isEqualTo(2);
    }

    @Test
    void timesNeverDecreaseInAPartitionThoughTheClockGoesBack() {
        StreamState stream = stream(PLAIN);
        put(stream, 0, 1_000, null);
        put(stream, 0, 400, null);
        StreamState again = restored(stream);
        put(again, 0, 600, null);
        put(again, 0, 2_000, null);
        put(again, 1, 400, null);

        assertThat(again.time(0, 1)).isEqualTo(1_000);
        assertThat(again.time(0, 2)).isEqualTo(1_000);
        assertThat(again.time(0, 3)).isEqualTo(2_000);
        assertThat(again.time(1, 0)).isEqualTo(400);
    }

    @Test
    void anOffsetIsFoundByTime() {
        StreamState stream = stream(PLAIN);
        put(stream, 0, 100, null);
        put(stream, 0, 200, null);
        put(stream, 0, 200, null);
        put(stream, 0, 300, null);

        assertThat(stream.offsetAt(0, Long.MIN_VALUE)).isZero();
        assertThat(stream.offsetAt(0, 100)).isZero();
        assertThat(stream.offsetAt(0, 101)).isEqualTo(1);
        assertThat(stream.offsetAt(0, 200)).isEqualTo(1);
        assertThat(stream.offsetAt(0, 300)).isEqualTo(3);
        assertThat(stream.offsetAt(0, 301)).isEqualTo(4);
        assertThat(stream.offsetAt(1, 0)).isZero();
    }

    @Test
    void aMessageIsFoundByItsRecordWhileItIsKept() {
        StreamState stream = stream(PLAIN);
        put(stream, 1, 1, null);
        put(stream, 1, 1, null);
        long position = stream.position(1, 0);

        assertThat(stream.find(position, 1)).isZero();
        assertThat(stream.find(position, 0)).isEqualTo(PagedIndex.NONE);
        assertThat(stream.find(position + 1, 1)).isEqualTo(PagedIndex.NONE);

        stream.applyTrim(1, 1);
        assertThat(stream.find(position, 1)).isEqualTo(PagedIndex.NONE);
    }

    @Test
    void aPartitionThatIsNotThereIsRefusedWithThoseThatAre() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> stream(PLAIN).checkPartition(3))
                .withMessageContaining("'orders' has no partition 3")
                .withMessageContaining("0 to 2");
    }

    @Test
    void lagCountsWhatIsStillThere() {
        StreamState stream = stream(PLAIN);
        for (int i = 0; i < 10; i++) {
            put(stream, 0, 1, null);
        }
        stream.applyTrim(0, 4);

        assertThat(stream.lag(0, 0)).isEqualTo(6);
        assertThat(stream.lag(0, 7)).isEqualTo(3);
        assertThat(stream.lag(0, 10)).isZero();
        assertThat(stream.lag(0, 99)).isZero();
    }

    // ── Retention ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void messagesGoWhenTheirTimeIsOverAndOffsetsGoOn() {
        StreamState stream = stream(PLAIN.withRetentionMillis(1_000));
        put(stream, 0, 100, null);
        put(stream, 0, 200, null);
        put(stream, 0, 300, null);

        assertThat(trims(stream, 1_099)).isEmpty();
        assertThat(trims(stream, 1_200)).containsExactly("trim 0 to 2");
        stream.applyTrim(0, 2);

        assertThat(offsets(stream, 0)).containsExactly(2L);
        assertThat(stream.earliest(0)).isEqualTo(2);
        assertThat(store.retainedMessages()).hasSize(1);
        assertThat(trims(stream, 9_999)).containsExactly("trim 0 to 3");
        stream.applyTrim(0, 3);
        assertThat(stream.earliest(0)).isEqualTo(3);
        assertThat(put(stream, 0, 10_000, null)).isEqualTo(3);
    }

    @Test
    void itTellsWhenToLookAgainALittleLateSoThatManyGoAtOnce() {
        StreamState stream = stream(PLAIN.withRetentionMillis(128_000));
        assertThat(stream.nextTrimMillis()).isEqualTo(Long.MAX_VALUE);

        put(stream, 1, 5_000, null);
        put(stream, 0, 6_000, null);

        assertThat(stream.nextTrimMillis()).isEqualTo(5_000 + 128_000 + 1_000);
        stream.applyTrim(1, 1);
        assertThat(stream.nextTrimMillis()).isEqualTo(6_000 + 128_000 + 1_000);
        stream.applyTrim(0, 1);
        assertThat(stream.nextTrimMillis()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aPartitionOverItsBytesLosesItsOldestButNeverItsLast() {
        StreamState stream = stream(PLAIN.withRetentionBytes(1_000));
        for (int i = 0; i < 10; i++) {
            put(stream, 0, 1, null);
        }
        assertThat(stream.nextTrimMillis()).isEqualTo(Long.MAX_VALUE);

        put(stream, 0, 1, null);
        assertThat(stream.nextTrimMillis()).isZero();
        assertThat(trims(stream, 5)).containsExactly("trim 0 to 1");
        stream.applyTrim(0, 1);
        assertThat(stream.nextTrimMillis()).isEqualTo(Long.MAX_VALUE);

        put(stream, 0, 1, null, false, 5_000);
        assertThat(trims(stream, 5)).containsExactly("trim 0 to 11");
        stream.applyTrim(0, 11);
        assertThat(trims(stream, 5)).isEmpty();
        assertThat(offsets(stream, 0)).containsExactly(11L);
    }

    @Test
    void retentionForEverTrimsNothing() {
        StreamState stream = stream(PLAIN);
        put(stream, 0, 1, null);

        assertThat(trims(stream, Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void afterARestartRetentionLooksAtOnce() {
        StreamState stream = stream(PLAIN.withRetentionMillis(1_000));
        put(stream, 2, 100, null);
        StreamState again = restored(stream);

        assertThat(again.nextTrimMillis()).isZero();
        assertThat(trims(again, 500)).isEmpty();
        assertThat(again.nextTrimMillis()).isEqualTo(1_107);
        assertThat(trims(again, 1_107)).containsExactly("trim 2 to 1");
    }

    // ── Compaction by key ────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void ofEachKeyTheLastMessageStays() {
        StreamState stream = stream(COMPACTED);
        put(stream, 0, 1, "a");
        put(stream, 0, 1, "b");
        put(stream, 0, 1, "a");
        put(stream, 0, 1, "c");
        put(stream, 1, 1, "a");

        assertThat(offsets(stream, 0)).containsExactly(1L, 2L, 3L);
        assertThat(offsets(stream, 1)).containsExactly(0L);
        assertThat(store.retainedMessages()).hasSize(4);

        StreamState again = restored(stream);
        put(again, 0, 1, "b");
        assertThat(offsets(again, 0)).containsExactly(2L, 3L, 4L);
    }

    @Test
    void aTombstoneTakesItsKeyAwayAndGoesAfterItsTime() {
        StreamState stream = stream(COMPACTED);
        put(stream, 0, 100, "a");
        put(stream, 0, 200, "a", true, 50);

        assertThat(offsets(stream, 0)).containsExactly(1L);
        assertThat(stream.nextTrimMillis()).isEqualTo(1_200 + 7);
        StreamState again = restored(stream);
        assertThat(trims(again, 1_199)).isEmpty();
        assertThat(trims(again, 1_200)).containsExactly("tombstone 0 at 1");

        again.applyTombstoneRemoved(0, 1);
        assertThat(again.messages()).isZero();
        assertThat(store.retainedMessages()).isEmpty();
        assertThat(again.nextTrimMillis()).isEqualTo(Long.MAX_VALUE);
        put(again, 0, 1_300, "a");
        assertThat(offsets(again, 0)).containsExactly(2L);
    }

    @Test
    void aTombstoneThatIsOverwrittenNeedsNoRemoval() {
        StreamState stream = stream(COMPACTED);
        put(stream, 0, 100, "a", true, 50);
        put(stream, 0, 100, "b", true, 50);
        put(stream, 0, 200, "a");

        assertThat(trims(stream, 5_000)).containsExactly("tombstone 0 at 1");
        stream.applyTombstoneRemoved(0, 0);
        assertThat(offsets(stream, 0)).containsExactly(1L, 2L);
    }

    @Test
    void keysThatComeAndGoAllTheTimeTakeNoMoreMemoryThanThoseThatAreThere() {
        StreamState stream = stream(COMPACTED.withPartitions(1));
        for (int i = 0; i < 200_000; i++) {
            put(stream, 0, i, "k" + i % 10, i % 20 >= 10, 10);
            if (i % 1000 == 0) {
                store.writePages(stream.index(0));
            }
        }

        assertThat(stream.messages()).isEqualTo(10);
        assertThat(stream.heapBytes()).isLessThan(100_000);
    }

    @Test
    void aCompactedStreamRefusesMessagesWithoutAKey() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> stream(COMPACTED).check(EngineMessage.of(new byte[1])))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                .withMessageContaining("'orders' is compacted")
                .withMessageContaining("no key");

        stream(PLAIN).check(EngineMessage.of(new byte[1]));
    }

    // ── Producers, deletion, status ──────────────────────────────────────────────────────────────────────────────────

    @Test
    void whatProducersSentSurvivesARestart() {
        StreamState stream = stream(PLAIN);
        long offset = put(stream, 1, 5, null);
        stream.applyProducer(77, (short) 2, 0, 1, offset, 5);
        StreamState again = restored(stream);

        assertThat(again.check(new Command.Producer(77, (short) 2, 0, 1), 1, 1, 5))
                .isZero();
        assertThat(again.check(new Command.Producer(77, (short) 2, 1, 1), 1, 4, 5))
                .isEqualTo(-1);
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> again.check(new Command.Producer(77, (short) 1, 1, 1), 1, 1, 5))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.FENCED));
    }

    @Test
    void messageIdsAreRememberedThroughARestart() {
        StreamState stream = stream(PLAIN.withDedupMillis(1_000));
        DedupWindow dedup = stream.dedup();
        assertThat(dedup).isNotNull();
        if (dedup != null) {
            dedup.add("id-1", 100);
        }
        DedupWindow again = restored(stream).dedup();

        assertThat(again != null && again.contains("id-1", 200)).isTrue();
        assertThat(stream(PLAIN).dedup()).isNull();
    }

    @Test
    void aDeletedStreamLetsGoOfEverything() {
        StreamState stream = stream(COMPACTED.withPartitions(1));
        for (int i = 0; i < 40 * PagedIndex.PAGE_ENTRIES; i++) {
            put(stream, 0, 1, "k" + i);
        }
        store.writePages(stream.index(0));
        assertThat(store.retainedPages()).isNotEmpty();

        stream.applyDeleted();

        assertThat(store.retainedMessages()).isEmpty();
        assertThat(store.retainedPages()).isEmpty();
    }

    @Test
    void itsStatusTellsEachPartition() {
        StreamState stream = stream(PLAIN);
        put(stream, 1, 1, null);
        put(stream, 1, 1, null);
        put(stream, 1, 1, null);
        stream.applyTrim(1, 1);

        EngineStatus.Stream status = stream.status();

        assertThat(status.definition()).isEqualTo(PLAIN);
        assertThat(status.partitions())
                .containsExactly(
                        new EngineStatus.Partition(0, 0, 0, 0, 0),
                        new EngineStatus.Partition(1, 1, 3, 2, 200),
                        new EngineStatus.Partition(2, 0, 0, 0, 0));
        assertThat(status.counters().accepted()).isEqualTo(3);
        assertThat(status.counters().expired()).isEqualTo(1);
    }

    private StreamState restored(StreamState stream) {
        Snapshot snapshot = new Snapshot();
        stream.write(snapshot);
        StreamState again = stream(stream.definition());
        again.read(snapshot.finish());
        return again;
    }
}
