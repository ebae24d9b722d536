package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Property;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class UnacknowledgedTest {

    @Test
    void it_holds_what_a_plain_map_would() {
        Property.forAll("unacknowledged", 300, random -> {
            Unacknowledged<String> actual = new Unacknowledged<>();
            TreeMap<Long, Long> model = new TreeMap<>();
            long next = 1;
            for (int step = random.between(1, 400); step > 0; step--) {
                long tag = random.between(0, next);
                switch (random.between(0, 9)) {
                    case 0, 1, 2, 3, 4 -> {
                        assertThat(actual.add("c", next * 10)).isEqualTo(next);
                        model.put(next, next * 10);
                        next++;
                    }
                    case 5 -> assertThat(actual.skip()).isEqualTo(next++);
                    case 6, 7 -> {
                        assertThat(actual.has(tag)).isEqualTo(model.containsKey(tag));
                        List<Long> taken = new ArrayList<>();
                        assertThat(actual.take(tag, (c, number, t) -> taken.add(number)))
                                .isEqualTo(model.containsKey(tag));
                        Long expected = model.remove(tag);
                        assertThat(taken).isEqualTo(expected == null ? List.of() : List.of(expected));
                        if (expected != null && random.flip()) {
                            actual.restore("c", expected, tag);
                            model.put(tag, expected);
                        }
                    }
                    default -> {
                        if (random.chance(1, 5)) {
                            List<Long> taken = new ArrayList<>();
                            actual.takeUpTo(tag, (c, number, t) -> taken.add(number));
                            Map<Long, Long> gone = model.headMap(tag, true);
                            assertThat(taken).isEqualTo(List.copyOf(gone.values()));
                            gone.clear();
                        }
                    }
                }
                assertThat(actual.count()).isEqualTo(model.size());
            }
        });
    }
}
