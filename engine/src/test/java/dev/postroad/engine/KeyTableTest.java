package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Property;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeyTableTest {
    private record Key(long first, long second) {}

    private record Place(long offset, boolean tombstone, long position, int size) {}

    private static Place place(KeyTable table, int slot) {
        return new Place(table.offset(slot), table.tombstone(slot), table.position(slot), table.messageSize(slot));
    }

    @Test
    void itRemembersTheLastPlaceOfEachKeyEvenWhereFirstHashesAreEqual() {
        Property.forAll("a KeyTable is a map", 100, gen -> {
            KeyTable table = new KeyTable();
            Map<Key, Place> model = new HashMap<>();
            long firsts = gen.choose(3L, 200L, 3_000L);
            long offset = 0;
            for (int step = gen.between(10, 5_000); step > 0; step--) {
                Key key = new Key(gen.uniform(1, firsts) << gen.choose(0, 32, 40), gen.uniform(0, 2));
                int slot = table.find(key.first, key.second);
                Place known = model.get(key);
                assertThat(slot >= 0).isEqualTo(known != null);
                Place place = new Place(offset++, gen.flip(), gen.uniform(0, Long.MAX_VALUE), gen.between(0, 1 << 30));
                if (known != null) {
                    assertThat(place(table, slot)).isEqualTo(known);
                    assertThat(table.findOffset(key.first, known.offset)).isEqualTo(slot);
                    if (gen.flip()) {
                        table.remove(slot);
                        model.remove(key);
                    } else {
                        table.replace(slot, place.offset, place.tombstone, place.position, place.size);
                        model.put(key, place);
                    }
                } else if (gen.chance(2, 3)) {
                    table.add(key.first, key.second, place.offset, place.tombstone, place.position, place.size);
                    model.put(key, place);
                }
                assertThat(table.size()).isEqualTo(model.size());
                if (gen.chance(1, 2_000)) {
                    table = restored(table);
                }
            }
            KeyTable last = gen.flip() ? restored(table) : table;
            model.forEach((key, place) ->
                    assertThat(place(last, last.find(key.first, key.second))).isEqualTo(place));
        });
    }

    private static KeyTable restored(KeyTable table) {
        Snapshot snapshot = new Snapshot();
        table.write(snapshot);
        KeyTable again = new KeyTable();
        again.read(snapshot.finish());
        return again;
    }

    @Test
    void aKeyCostsAtMostNinetySixBytes() {
        KeyTable table = new KeyTable();
        for (int i = 0; i < 100_000; i++) {
            table.add(Hash.of("k" + i, 0), Hash.of("k" + i, Hash.OTHER_SEED), i, false, i, i);
            assertThat(table.heapBytes()).isLessThanOrEqualTo(Math.max(576, 96L * table.size()));
        }
    }
}
