package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Property;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.junit.jupiter.api.Test;

class LongHeapTest {
    @Test
    void pairsComeOutSmallestFirstAndOfEqualFirstsTheSmallestSecond() {
        Property.forAll("a LongHeap is a priority queue", 200, gen -> {
            LongHeap heap = new LongHeap();
            PriorityQueue<long[]> model = new PriorityQueue<>(
                    Comparator.<long[]>comparingLong(p -> p[0]).thenComparingLong(p -> p[1]));
            long range = gen.choose(3L, 1_000L, Long.MAX_VALUE / 2);
            boolean growing = true;
            for (int step = gen.between(10, 5_000); step > 0; step--) {
                if (step % 700 == 0) {
                    growing = gen.flip();
                }
                if (model.isEmpty() || gen.chance(growing ? 3 : 1, 4)) {
                    long[] pair = {gen.between(-range, range), gen.between(-range, range)};
                    heap.add(pair[0], pair[1]);
                    model.add(pair);
                } else {
                    heap.removeFirst();
                    model.remove();
                }
                assertThat(heap.size()).isEqualTo(model.size());
                assertThat(heap.isEmpty()).isEqualTo(model.isEmpty());
                long[] first = model.peek();
                if (first != null) {
                    assertThat(heap.first()).isEqualTo(first[0]);
                    assertThat(heap.second()).isEqualTo(first[1]);
                }
            }
            for (long[] next = model.poll(); next != null; next = model.poll()) {
                assertThat(new long[] {heap.first(), heap.second()}).containsExactly(next);
                heap.removeFirst();
            }
            assertThat(heap.isEmpty()).isTrue();
        });
    }

    @Test
    void itGivesMemoryBackWhenItEmpties() {
        LongHeap heap = new LongHeap();
        for (int i = 0; i < 100_000; i++) {
            heap.add(i, i);
        }
        while (!heap.isEmpty()) {
            heap.removeFirst();
        }

        assertThat(heap.heapBytes()).isLessThan(20_000);

        heap.add(2, 0);
        heap.add(1, 0);
        assertThat(heap.first()).isEqualTo(1);
        heap.clear();
        assertThat(heap.isEmpty()).isTrue();
    }
}
