package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Streams under random records, restarts and pages that go to disk, against lists of messages. */
class StreamModelTest {
    private record Entry(
            long position, int size, long time, @Nullable String key, boolean tombstone) {}

    /** One partition: all there ever was, and what is still there. */
    private static final class Model {
        final List<Entry> entries = new ArrayList<>();
        final TreeSet<Long> live = new TreeSet<>();
        final Map<String, Long> last = new HashMap<>();
        long time = 1;

        Entry entry(long offset) {
            return entries.get((int) offset);
        }

        long next() {
            return entries.size();
        }

        long bytes(long from) {
            return live.tailSet(from).stream().mapToLong(n -> entry(n).size).sum();
        }

        void remove(long offset) {
            live.remove(offset);
            String key = entry(offset).key;
            if (key != null) {
                last.remove(key, offset);
            }
        }

        void trim(long newEarliest) {
            List.copyOf(live.headSet(newEarliest)).forEach(this::remove);
        }

        long firstLive(java.util.function.LongPredicate wanted) {
            for (long offset : live) {
                if (wanted.test(offset)) {
                    return offset;
                }
            }
            return next();
        }

        long cut(StreamDefinition definition, long now) {
            long cut = 0;
            if (definition.retentionMillis() > 0) {
                cut = firstLive(n -> entry(n).time + definition.retentionMillis() > now);
            }
            long bound = definition.retentionBytes();
            if (bound > 0 && bytes(0) > bound) {
                long over = bytes(0);
                long within = live.last();
                for (long offset : live) {
                    if (over <= bound) {
                        within = offset;
                        break;
                    }
                    over -= entry(offset).size;
                }
                cut = Math.max(cut, within);
            }
            return cut;
        }
    }

    private static final class Run {
        final Generator gen;
        final PageStore store = new PageStore();
        final StreamDefinition definition;
        final List<Model> models = new ArrayList<>();
        final boolean deep;
        StreamState stream;
        long now = 1_000;

        Run(Generator gen) {
            this.gen = gen;
            deep = gen.chance(1, 6);
            definition = StreamDefinition.named("s", deep ? 1 : gen.between(1, 5))
                    .withCompacted(gen.flip())
                    .withRetentionMillis(gen.flip() ? 0 : gen.between(1, 30_000))
                    .withRetentionBytes(gen.chance(2, 3) ? 0 : gen.between(1, 200_000))
                    .withTombstoneMillis(gen.between(0, 10_000));
            for (int i = 0; i < definition.partitions(); i++) {
                models.add(new Model());
            }
            stream = new StreamState(1, definition, store, store);
        }

        void publish(int count, int keys) {
            for (int i = 0; i < count; i++) {
                now = Math.max(0, now + (gen.chance(1, 20) ? gen.uniform(-500, 1_000) : 0));
                String key = gen.chance(keys > 0 ? 9 : 1, 10) ? "k" + gen.uniform(0, keys) : null;
                byte[] bytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
                EngineMessage message = EngineMessage.of(new byte[0]).withKey(bytes);
                int partition = stream.partitionFor(message);
                Model model = models.get(partition);
                int size = gen.between(1, 500);
                boolean tombstone = gen.chance(1, 5);
                model.time = Math.max(model.time, now);
                Entry entry = new Entry(store.record(size), size, model.time, key, tombstone);
                long offset = stream.applyMessage(partition, now, entry.position, size, bytes, tombstone);
                assertThat(offset).isEqualTo(model.next());
                model.entries.add(entry);
                model.live.add(offset);
                if (definition.compacted() && key != null) {
                    Long former = model.last.put(key, offset);
                    if (former != null) {
                        model.live.remove(former);
                    }
                }
            }
        }

        void trim() {
            now += gen.between(0, 15_000);
            TreeSet<Integer> trimmed = new TreeSet<>();
            TreeSet<Long> tombstones = new TreeSet<>();
            stream.decideTrims(now, new StreamState.TrimSink() {
                @Override
                public void trim(int partition, long newEarliest) {
                    assertThat(trimmed.add(partition)).isTrue();
                    assertThat(newEarliest).isEqualTo(models.get(partition).cut(definition, now));
                }

                @Override
                public void tombstone(int partition, long offset) {
                    Model model = models.get(partition);
                    Entry entry = model.entry(offset);
                    assertThat(model.live).contains(offset);
                    assertThat(offset).isGreaterThanOrEqualTo(model.cut(definition, now));
                    assertThat(entry.tombstone && entry.time + definition.tombstoneMillis() <= now)
                            .isTrue();
                    assertThat(tombstones.add(((long) partition << 40) + offset))
                            .isTrue();
                }
            });
            for (int p = 0; p < models.size(); p++) {
                Model model = models.get(p);
                if (trimmed.contains(p)) {
                    long cut = model.cut(definition, now);
                    stream.applyTrim(p, cut);
                    model.trim(cut);
                }
                checkNothingLeftToTrim(model);
            }
            for (long tombstone : tombstones) {
                int partition = (int) (tombstone >>> 40);
                long offset = tombstone & (1L << 40) - 1;
                stream.applyTombstoneRemoved(partition, offset);
                models.get(partition).remove(offset);
            }
            if (tombstones.size() < 1_000 && definition.compacted()) {
                for (Model model : models) {
                    assertThat(model.live)
                            .noneMatch(n -> model.entry(n).tombstone
                                    && model.entry(n).key != null
                                    && model.entry(n).time + definition.tombstoneMillis() <= now);
                }
            }
        }

        private void checkNothingLeftToTrim(Model model) {
            long retention = definition.retentionMillis();
            if (retention > 0) {
                assertThat(model.live).noneMatch(n -> model.entry(n).time + retention <= now);
            }
            long bound = definition.retentionBytes();
            if (bound > 0 && model.live.size() > 1) {
                assertThat(model.bytes(0)).isLessThanOrEqualTo(bound + bound / 128);
            }
        }

        void purgeOne() {
            int partition = gen.between(0, models.size() - 1);
            Model model = models.get(partition);
            long to = gen.flip() ? model.next() : gen.between(0, model.next());
            stream.applyTrim(partition, to);
            model.trim(to);
        }

        void writePages() {
            for (int p = 0; p < models.size(); p++) {
                store.writePages(stream.index(p));
            }
        }

        void restart() {
            Snapshot snapshot = new Snapshot();
            stream.write(snapshot);
            stream = new StreamState(1, definition, store, store);
            stream.read(snapshot.finish());
        }

        void check() {
            TreeSet<Long> positions = new TreeSet<>();
            long messages = 0;
            for (int p = 0; p < models.size(); p++) {
                Model model = models.get(p);
                model.live.forEach(n -> positions.add(model.entry(n).position));
                messages += model.live.size();
                checkPartition(p, model);
            }
            assertThat(stream.messages()).isEqualTo(messages);
            assertThat(store.retainedMessages()).isEqualTo(positions);
        }

        private void checkPartition(int p, Model model) {
            assertThat(stream.nextOffset(p)).isEqualTo(model.next());
            long earliest = model.live.isEmpty() ? model.next() : model.live.first();
            assertThat(stream.earliest(p)).isEqualTo(earliest);
            EngineStatus.Partition status = stream.status().partitions().get(p);
            assertThat(status)
                    .isEqualTo(
                            new EngineStatus.Partition(p, earliest, model.next(), model.live.size(), model.bytes(0)));
            for (int i = 0; i < 20; i++) {
                long offset = gen.between(0, model.next() + 1);
                Long live = model.live.ceiling(offset);
                assertThat(stream.nextLive(p, offset)).isEqualTo(live == null ? PagedIndex.NONE : live);
                if (live != null) {
                    Entry entry = model.entry(live);
                    assertThat(stream.position(p, live)).isEqualTo(entry.position);
                    assertThat(stream.size(p, live)).isEqualTo(entry.size);
                    assertThat(stream.time(p, live)).isEqualTo(entry.time);
                    assertThat(stream.find(entry.position, p)).isEqualTo(live);
                }
                if (offset < model.next() && !model.live.contains(offset)) {
                    assertThat(stream.find(model.entry(offset).position, p)).isEqualTo(PagedIndex.NONE);
                }
                long time = gen.between(0, now + 10);
                assertThat(stream.offsetAt(p, time)).isEqualTo(model.firstLive(n -> model.entry(n).time >= time));
            }
        }
    }

    @Test
    void aStreamIsWhatItsRecordsSayWhateverIsOnDiskAndThroughRestarts() {
        Property.forAll("a stream is a list of messages", 60, gen -> {
            Run run = new Run(gen);
            int keys = gen.choose(0, 5, 1_000, 1_000_000);
            for (int step = gen.between(5, run.deep ? 25 : 60); step > 0; step--) {
                switch (gen.between(0, 7)) {
                    case 0, 1, 2 -> run.publish(gen.between(1, run.deep ? 20_000 : 300), keys);
                    case 3, 4 -> run.trim();
                    case 5 -> {
                        if (gen.chance(1, 4)) {
                            run.purgeOne();
                        }
                    }
                    case 6 -> run.writePages();
                    default -> run.restart();
                }
                run.check();
            }
            run.stream.applyDeleted();
            assertThat(run.store.retainedMessages()).isEmpty();
            assertThat(run.store.retainedPages()).isEmpty();
        });
    }
}
