package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Property;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LongMapTest {
    @Test
    void itDoesWhatATreeMapDoesWhateverTheKeysAndTheirOrder() {
        Property.forAll("a LongMap is a map", 200, gen -> {
            LongMap<String> map = new LongMap<>();
            Map<Long, String> model = new TreeMap<>();
            // few keys to meet again, or keys that lie in one slot of a small table, or any
            int shape = gen.between(0, 2);
            long range = gen.choose(8L, 300L, 5_000L);
            boolean growing = gen.flip();
            for (int step = gen.between(10, 4_000); step > 0; step--) {
                long key = switch (shape) {
                    case 0 -> gen.uniform(-range, range);
                    case 1 -> gen.uniform(0, range) << 40;
                    default -> gen.chance(1, 2) ? gen.uniform(0, range) : gen.nextLong();
                };
                if (step % 1000 == 0) {
                    growing = gen.flip();
                }
                if (gen.chance(growing ? 3 : 1, 4)) {
                    String value = "v" + step;
                    assertThat(map.put(key, value)).isEqualTo(model.put(key, value));
                } else {
                    assertThat(map.remove(key)).isEqualTo(model.remove(key));
                }
                assertThat(map.get(key)).isEqualTo(model.get(key));
                assertThat(map.size()).isEqualTo(model.size());
            }
            assertThat(map.isEmpty()).isEqualTo(model.isEmpty());
            assertThat(map.sortedKeys())
                    .containsExactly(model.keySet().stream().mapToLong(k -> k).toArray());
            model.forEach((key, value) -> assertThat(map.get(key)).isEqualTo(value));
        });
    }

    @Test
    void itGivesMemoryBackWhenItEmpties() {
        LongMap<Integer> map = new LongMap<>();
        long small = map.heapBytes();
        for (int i = 0; i < 10_000; i++) {
            map.put(i * 7919L, i);
        }
        assertThat(map.heapBytes()).isGreaterThan(100_000);

        for (int i = 0; i < 10_000; i++) {
            map.remove(i * 7919L);
        }

        assertThat(map.heapBytes()).isEqualTo(small);
        assertThat(map.sortedKeys()).isEmpty();
    }

    @Test
    void aClearedMapIsEmptyAndCanBeUsedAgain() {
        LongMap<String> map = new LongMap<>();
        for (int i = 0; i < 100; i++) {
            map.put(i, "x");
        }

        map.clear();

        assertThat(map.isEmpty()).isTrue();
        assertThat(map.get(5)).isNull();
        assertThat(map.put(5, "y")).isNull();
        assertThat(map.get(5)).isEqualTo("y");
    }
}
