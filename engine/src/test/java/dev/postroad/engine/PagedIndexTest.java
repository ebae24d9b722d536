package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PagedIndexTest {
    private static final int PAGE = PagedIndex.PAGE_ENTRIES;

    private record Entry(long position, int size, long time, long hash) {}

    /** An index beside a list of the same entries. */
    private static final class Pair {
        final Generator gen;
        final boolean times;
        final boolean hashes;
        final boolean timesAscend;
        final long start;
        final PageStore store = new PageStore();
        final List<Entry> entries = new ArrayList<>();
        final TreeSet<Long> live = new TreeSet<>();
        PagedIndex index;
        long clock = 1;

        Pair(Generator gen) {
            this.gen = gen;
            times = gen.chance(3, 4);
            hashes = gen.flip();
            timesAscend = gen.flip();
            index = index();
            start = gen.chance(1, 4) ? gen.between(0L, 1L << 40) : 0;
            if (start > 0) {
                index.startAt(start);
            }
        }

        private PagedIndex index() {
            PagedIndex made = new PagedIndex(times, hashes, store);
            made.onPageReleased(store::release);
            return made;
        }

        long next() {
            return start + entries.size();
        }

        Entry entry(long number) {
            return entries.get((int) (number - start));
        }

        void append(int count) {
            for (int i = 0; i < count; i++) {
                int size = gen.chance(1, 50) ? gen.between(0, Integer.MAX_VALUE) : (int) gen.uniform(0, 2_000);
                clock += gen.uniform(0, 3);
                long time = timesAscend ? clock : gen.chance(1, 3) ? 0 : gen.uniform(1, 5_000);
                Entry entry = new Entry(store.record(1), size, times ? time : 0, hashes ? gen.nextLong() : 0);
                assertThat(index.append(entry.position, size, time, entry.hash)).isEqualTo(next());
                live.add(next());
                entries.add(entry);
            }
        }

        void remove(long number) {
            boolean was = live.remove(number);
            if (was && gen.flip()) {
                assertThat(index.remove(number, entry(number).size)).isTrue();
            } else {
                assertThat(index.remove(number)).isEqualTo(was ? entry(number).size : -1);
            }
            assertThat(index.gone(number)).isTrue();
        }

        long anyNumber() {
            return gen.between(Math.max(0, start - 3), next() + 3);
        }

        long anyLive() {
            Long found = live.ceiling(gen.uniform(start, next()));
            return found != null ? found : live.last();
        }

        void restore() {
            Snapshot snapshot = new Snapshot();
            index.write(snapshot);
            index = index();
            index.read(snapshot.finish());
        }

        long bytes(long from) {
            return live.tailSet(from).stream().mapToLong(n -> entry(n).size).sum();
        }

        void checkAll() {
            assertThat(index.next()).isEqualTo(next());
            assertThat(index.live()).isEqualTo(live.size());
            assertThat(index.liveBytes()).isEqualTo(bytes(0));
            assertThat(index.first()).isEqualTo(live.isEmpty() ? next() : live.first());
            assertThat(index.last()).isEqualTo(live.isEmpty() ? PagedIndex.NONE : live.last());
            for (int i = 0; i < 30; i++) {
                checkOne(anyNumber());
                if (!live.isEmpty()) {
                    checkOne(anyLive());
                }
            }
            checkWithin();
            if (times) {
                checkTimes();
            }
        }

        void checkOne(long number) {
            boolean is = live.contains(number);
            assertThat(index.gone(number)).isEqualTo(!is);
            Long after = live.ceiling(number);
            assertThat(index.nextLive(number)).isEqualTo(after == null ? PagedIndex.NONE : after);
            if (is) {
                Entry entry = entry(number);
                assertThat(index.find(entry.position)).isEqualTo(number);
                assertThat(index.position(number)).isEqualTo(entry.position);
                assertThat(index.size(number)).isEqualTo(entry.size);
                assertThat(index.time(number)).isEqualTo(entry.time);
                assertThat(index.hash(number)).isEqualTo(entry.hash);
                assertThat(index.find(entry.position + 1)).isEqualTo(PagedIndex.NONE);
            } else if (number >= start && number < next()) {
                long found = index.find(entry(number).position);
                assertThat(found).isIn(number, PagedIndex.NONE);
            }
        }

        void checkWithin() {
            long bound = gen.between(0, Math.max(1, bytes(0) + 10));
            long found = index.firstWithin(bound);
            assertThat(bytes(found)).isLessThanOrEqualTo(bound);
            assertThat(found == next() || live.contains(found)).isTrue();
            Long before = live.lower(found);
            // the one before would be too much; those of no bytes at its side come with it or not
            assertThat(before == null || entry(before).size == 0 || bytes(before) > bound)
                    .isTrue();
        }

        void checkTimes() {
            if (timesAscend) {
                for (int i = 0; i < 10; i++) {
                    // now and then one that is the last of a page and the first of the next
                    long edge = start + PAGE - start % PAGE + PAGE * gen.uniform(0, 9);
                    long time = edge < next() && gen.flip() ? entry(edge).time : gen.between(0, clock + 2);
                    long wanted = live.stream()
                            .filter(n -> entry(n).time >= time)
                            .findFirst()
                            .orElse(next());
                    assertThat(index.firstAtOrAfterTime(time)).isEqualTo(wanted);
                }
            }
            long soonest = live.stream()
                    .mapToLong(n -> entry(n).time)
                    .filter(t -> t != 0)
                    .min()
                    .orElse(Long.MAX_VALUE);
            assertThat(index.minTime()).isLessThanOrEqualTo(soonest);
        }

        void checkDue() {
            long now = gen.between(0, timesAscend ? clock : 5_000);
            List<Long> due = new ArrayList<>();
            index.forEachDue(now, due::add);
            assertThat(due)
                    .isEqualTo(live.stream()
                            .filter(n -> entry(n).time != 0 && entry(n).time <= now)
                            .toList());
        }

        void rewriteSomePage() {
            long page = gen.uniform(start / PAGE, next() / PAGE);
            if (index.pageRecord(page) != PagedIndex.NONE) {
                store.writePage(index, page);
            }
        }

        void checkPages() {
            TreeSet<Long> records = new TreeSet<>();
            index.forEachPageRecord((position, size) -> records.add(position));
            assertThat(records).isEqualTo(store.retainedPages());
        }
    }

    @Test
    void itDoesWhatAListDoesWhateverIsOnDiskAndThroughRestarts() {
        Property.forAll("an index is a list", 40, gen -> {
            Pair pair = new Pair(gen);
            for (int step = gen.between(10, 60); step > 0; step--) {
                switch (gen.between(0, 9)) {
                    case 0, 1 -> pair.append(gen.choose(1, 10, PAGE, 5 * PAGE));
                    case 2 -> pair.append(gen.between(1, 3 * PAGE));
                    case 3 -> pair.append(gen.chance(1, 4) ? 30 * PAGE : 100);
                    case 4 -> removeFromTheFront(pair);
                    case 5 -> removeHereAndThere(pair);
                    case 6 -> {
                        if (gen.chance(1, 4)) {
                            pair.live.stream().toList().forEach(pair::remove);
                        }
                    }
                    case 7 -> pair.store.writePages(pair.index, pair.gen.chance(1, 3));
                    case 8 -> pair.rewriteSomePage();
                    default -> pair.restore();
                }
                pair.checkAll();
                if (pair.times && !pair.timesAscend && gen.flip()) {
                    pair.checkDue();
                }
                pair.checkPages();
            }
            pair.index.releaseAll();
            assertThat(pair.store.retainedPages()).isEmpty();
        });
    }

    private static void removeFromTheFront(Pair pair) {
        int count = pair.gen.choose(1, 100, PAGE, 10 * PAGE);
        for (int i = 0; i < count && !pair.live.isEmpty(); i++) {
            pair.remove(pair.live.first());
        }
    }

    private static void removeHereAndThere(Pair pair) {
        long from = pair.anyNumber();
        int stride = pair.gen.choose(1, 1, 7, 600);
        int count = pair.gen.choose(1, 50, 3 * PAGE);
        for (int i = 0; i < count; i++) {
            long number = from + (long) i * stride;
            if (number >= pair.start && number < pair.next()) {
                pair.remove(number);
            }
        }
    }

    @Test
    void aDeepBacklogTakesFewBytesOfMemoryForEachEntry() {
        PageStore store = new PageStore();
        PagedIndex index = new PagedIndex(true, true, store);
        int count = 500_000;
        for (int i = 0; i < count; i++) {
            index.append(store.record(100), 100, i + 1L, i);
            if (i % PAGE == 0) {
                store.writePages(index);
            }
        }

        assertThat(index.heapBytes()).isLessThan(3L * count);

        for (int i = 0; i < count; i++) {
            assertThat(index.remove(i)).isEqualTo(100);
        }
        assertThat(index.live()).isZero();
        assertThat(index.heapBytes()).isLessThan(50_000);
    }

    @Test
    void whereMemoryIsTightOnlyTheNewestPageIsKept() {
        PageStore store = new PageStore();
        PagedIndex index = new PagedIndex(false, false, store);
        int count = 5 * PAGE + 10;
        for (int i = 0; i < count; i++) {
            index.append(store.record(100), 100, 0, 0);
        }
        store.writePages(index);
        assertThat(index.heapBytes()).as("few pages are kept").isGreaterThan(12L * 5 * PAGE);

        store.writePages(index, true);

        assertThat(index.heapBytes()).isLessThan(5_000);
        for (int i = 0; i < count; i++) {
            assertThat(index.remove(i)).isEqualTo(100);
        }
        assertThat(index.live()).isZero();
    }

    @Test
    void anEntryOfKnownSizeGoesWithoutReadingItsPage() {
        PageStore store = new PageStore();
        PagedIndex index = new PagedIndex(true, true, store);
        index.onPageReleased(store::release);
        for (int i = 0; i < 50 * PAGE; i++) {
            index.append(store.record(100), 100, 1, 1);
        }
        store.writePages(index);

        for (int i = 0; i < 50 * PAGE; i++) {
            assertThat(index.remove(i, 100)).isTrue();
        }

        assertThat(store.pagesRead()).isZero();
        assertThat(store.retainedPages()).isEmpty();
        assertThat(index.liveBytes()).isZero();
    }

    @Test
    void numbersGoOnWhenAllEntriesAreGoneThroughARestart() {
        PageStore store = new PageStore();
        PagedIndex index = new PagedIndex(false, false, store);
        for (int i = 0; i < 20 * PAGE; i++) {
            index.append(store.record(1), 1, 0, 0);
        }
        for (int i = 0; i < 20 * PAGE; i++) {
            index.remove(i);
        }
        Snapshot snapshot = new Snapshot();
        index.write(snapshot);
        PagedIndex again = new PagedIndex(false, false, store);
        again.read(snapshot.finish());

        assertThat(again.find(5_000)).isEqualTo(PagedIndex.NONE);
        assertThat(again.nextLive(0)).isEqualTo(PagedIndex.NONE);
        assertThat(again.append(store.record(1), 1, 0, 0)).isEqualTo(20L * PAGE);
        assertThat(again.first()).isEqualTo(20L * PAGE);
    }

    @Test
    void anIndexThatHasEntriesCannotBeginElsewhere() {
        PagedIndex index = new PagedIndex(false, false, new PageStore());
        index.append(1, 1, 0, 0);

        assertThatThrownBy(() -> index.startAt(5)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void askingForAnEntryThatIsGoneWithItsPageIsAnError() {
        PagedIndex index = new PagedIndex(false, false, new PageStore());
        for (int i = 0; i < PAGE; i++) {
            index.append(i + 1, 1, 0, 0);
        }
        for (int i = 0; i < PAGE; i++) {
            index.remove(i);
        }

        assertThatThrownBy(() -> index.position(7))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("7");
        assertThat(index.remove(7)).isEqualTo(-1);
    }
}
