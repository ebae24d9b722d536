package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Property;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MessageCacheTest {
    private static final int OVERHEAD = 100;

    private static Stored message(int number) {
        return new Stored(EngineMessage.of(new byte[] {(byte) number}), -1, number, false);
    }

    @Test
    void itKeepsWhatCameLastUpToItsBoundWhateverIsRemovedAndLookedUp() {
        Property.forAll("a MessageCache is a bounded map", 200, gen -> {
            long limit = gen.choose(2_000L, 20_000L, 1_000_000L);
            MessageCache cache = new MessageCache(limit);
            TreeMap<Long, Integer> sizes = new TreeMap<>();
            long next = gen.uniform(0, 1_000);
            long bytes = 0;
            long cursor = 0;
            for (int step = gen.between(10, 3_000); step > 0; step--) {
                if (gen.chance(1, 2)) {
                    int size = gen.between(1, 200);
                    cache.add(next, message((int) next), size);
                    sizes.put(next, size);
                    bytes += size + OVERHEAD;
                    next += gen.between(1, 300);
                    while (bytes > limit) {
                        bytes -= sizes.pollFirstEntry().getValue() + OVERHEAD;
                    }
                } else {
                    // the next in order, or any
                    Long position = gen.chance(3, 4) ? sizes.higherKey(cursor) : Long.valueOf(gen.uniform(0, next));
                    cursor = position == null ? 0 : position;
                    Integer size = sizes.get(cursor);
                    Stored found = cache.get(cursor);
                    assertThat(found == null ? null : found.offset()).isEqualTo(size == null ? null : cursor);
                    if (gen.flip()) {
                        cache.remove(cursor);
                        bytes -= size == null ? 0 : sizes.remove(cursor) + OVERHEAD;
                        assertThat(cache.get(cursor)).isNull();
                    }
                }
                assertThat(cache.bytes()).isEqualTo(bytes);
            }
            sizes.forEach((position, size) -> assertThat(cache.get(position)).isNotNull());
        });
    }

    @Test
    void aMessageThatWouldTakeMuchOfItIsNotKept() {
        MessageCache cache = new MessageCache(8_000);

        cache.add(1, message(1), 1_001);

        assertThat(cache.get(1)).isNull();
        assertThat(cache.bytes()).isZero();
    }

    @Test
    void aPositionThatDoesNotGrowIsAMistakeThatIsTold() {
        MessageCache cache = new MessageCache(8_000);
        cache.add(5, message(5), 10);

        assertThatThrownBy(() -> cache.add(5, message(6), 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("position 5");
    }
}
