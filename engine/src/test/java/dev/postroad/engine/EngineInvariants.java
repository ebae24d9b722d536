package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.SegmentInfo;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What must hold of an engine between turns, worked out anew from the indexes: counts add up, every message referred to is
 * where it is said to be, and every byte the journal keeps is kept for a reason.
 */
final class EngineInvariants {
    private final Engine engine;
    private final Map<Long, Integer> references = new HashMap<>();
    private final Map<Long, Integer> sizes = new HashMap<>();
    private final Map<QueueState.DeadKey, Integer> letters = new HashMap<>();
    private final Map<Long, Long> pages = new HashMap<>();

    private EngineInvariants(Engine engine) {
        this.engine = engine;
    }

    static void check(Engine engine) {
        EngineInvariants invariants = new EngineInvariants(engine);
        engine.state.queues().forEach(invariants::queue);
        engine.state.streams().forEach(invariants::stream);
        engine.state.queues().forEach(invariants::deadKeys);
        invariants.space();
    }

    private void refer(long position, int size) {
        references.merge(position, 1, Integer::sum);
        Integer before = sizes.putIfAbsent(position, size);
        assertThat(before == null || before == size)
                .as("all indexes know message %d by one size", position)
                .isTrue();
    }

    private void queue(QueueState queue) {
        String name = queue.definition().name();
        long count = 0;
        long bytes = 0;
        long held = 0;
        long delayed = 0;
        int active = 0;
        int origins = 0;
        Set<Long> keysHeld = new HashSet<>();
        Map<ConsumerState, Integer> inFlight = new HashMap<>();
        for (long n = queue.nextNumber(-1); n != PagedIndex.NONE; n = queue.nextNumber(n)) {
            count++;
            bytes += queue.size(n);
            refer(queue.position(n), queue.size(n));
            QueueState.Active known = queue.active(n);
            if (known != null) {
                active++;
                assertThat(known.idle())
                        .as("message %d of %s is remembered for a reason", n, name)
                        .isFalse();
                if (known.holder != null) {
                    held++;
                    inFlight.merge(known.holder, 1, Integer::sum);
                    assertThat(known.attempts)
                            .as("attempts of a held message of %s", name)
                            .isPositive();
                    long hash = queue.definition().keyOrdered() ? queue.keyHash(n) : 0;
                    assertThat(hash == 0 || keysHeld.add(hash))
                            .as("one in flight per key of %s", name)
                            .isTrue();
                }
                delayed += known.notBefore != 0 ? 1 : 0;
            }
            QueueState.Origin origin = queue.origin(n);
            if (origin != null) {
                origins++;
                letters.merge(origin.key(), 1, Integer::sum);
            }
        }
        assertThat(queue.messages()).as("messages of %s", name).isEqualTo(count);
        assertThat(queue.bytes()).as("bytes of %s", name).isEqualTo(bytes);
        assertThat(queue.heldMessages()).as("held messages of %s", name).isEqualTo(held);
        assertThat(queue.delayedMessages()).as("delayed messages of %s", name).isEqualTo(delayed);
        assertThat(queue.activeEntries())
                .as("what is remembered of messages of %s that are there", name)
                .isEqualTo(active);
        assertThat(queue.originEntries())
                .as("origins of letters of %s that are there", name)
                .isEqualTo(origins);
        assertThat(queue.parkedMessages()).as("parked messages of %s", name).isBetween(0L, count - held - delayed);
        inFlight.forEach((consumer, number) -> {
            assertThat(consumer.inFlight)
                    .as("in flight at consumer %d of %s", consumer.id, name)
                    .isEqualTo(number);
            assertThat(consumer.queue).isSameAs(queue);
        });
        for (ConsumerState consumer : queue.consumers) {
            assertThat(consumer.credit).as("credit of a consumer of %s", name).isNotNegative();
            assertThat(consumer.inFlight).isEqualTo(inFlight.getOrDefault(consumer, 0));
        }
        for (int lane = 0; lane < queue.lanes(); lane++) {
            queue.lane(lane).forEachPageRecord(this::page);
        }
    }

    private void stream(StreamState stream) {
        for (int p = 0; p < stream.definition().partitions(); p++) {
            long count = 0;
            long bytes = 0;
            long lastTime = 0;
            for (long n = stream.nextLive(p, 0); n != PagedIndex.NONE; n = stream.nextLive(p, n + 1)) {
                count++;
                bytes += stream.size(p, n);
                refer(stream.position(p, n), stream.size(p, n));
                assertThat(stream.time(p, n))
                        .as("times of a stream do not decrease")
                        .isGreaterThanOrEqualTo(lastTime);
                lastTime = stream.time(p, n);
                assertThat(n).isLessThan(stream.nextOffset(p));
            }
            PagedIndex index = stream.index(p);
            assertThat(index.live())
                    .as("messages of %s/%d", stream.definition().name(), p)
                    .isEqualTo(count);
            assertThat(index.liveBytes())
                    .as("bytes of %s/%d", stream.definition().name(), p)
                    .isEqualTo(bytes);
            index.forEachPageRecord(this::page);
        }
    }

    private void page(long position, int size) {
        assertThat(pages.put(position, (long) size)).as("one page per record").isNull();
    }

    private void deadKeys(QueueState queue) {
        int letterCount = 0;
        for (long hash : queue.deadKeyHashes()) {
            int expected = letters.entrySet().stream()
                    .filter(e ->
                            e.getKey().channelId() == queue.id && e.getKey().keyHash() == hash)
                    .mapToInt(Map.Entry::getValue)
                    .sum();
            assertThat(queue.deadLetters(hash))
                    .as("letters that keep a key of %s dead", queue.definition().name())
                    .isEqualTo(expected);
            letterCount += expected;
        }
        int all = letters.entrySet().stream()
                .filter(e -> e.getKey().channelId() == queue.id)
                .mapToInt(Map.Entry::getValue)
                .sum();
        assertThat(letterCount)
                .as("letters of keys of %s", queue.definition().name())
                .isEqualTo(all);
    }

    private void space() {
        Map<Long, Long> live = new TreeMap<>();
        MessageStore store = engine.state.store;
        int shared = 0;
        int moved = 0;
        for (Map.Entry<Long, Integer> reference : references.entrySet()) {
            long position = reference.getKey();
            assertThat(store.references(position))
                    .as("references to message %d", position)
                    .isEqualTo(reference.getValue());
            shared += reference.getValue() > 1 ? 1 : 0;
            long location = store.location(position);
            moved += location != position ? 1 : 0;
            live.merge(segment(location), (long) sizes.getOrDefault(position, 0), Long::sum);
        }
        assertThat(store.sharedEntries()).as("messages that several refer to").isEqualTo(shared);
        assertThat(store.movedEntries()).as("messages that were moved").isEqualTo(moved);
        pages.forEach((position, size) -> live.merge(segment(position), size, Long::sum));
        Map<Long, Long> kept = new TreeMap<>();
        for (SegmentInfo segment : engine.journal.segments()) {
            if (segment.liveBytes() > 0) {
                kept.put(segment.number(), segment.liveBytes());
            }
        }
        assertThat(kept).as("bytes kept in each segment").isEqualTo(live);
    }

    private long segment(long position) {
        long found = -1;
        for (SegmentInfo segment : engine.journal.segments()) {
            if (segment.basePosition() <= position) {
                found = segment.number();
            }
        }
        return found;
    }
}
