package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class UnconfirmedTest {
    private final Unconfirmed<String> unconfirmed = new Unconfirmed<>();

    private void add(long from, long to) {
        for (long number = from; number <= to; number++) {
            unconfirmed.add(number, "m" + number);
        }
    }

    @Test
    void oneIsConfirmedOnceAndTheOthersStay() {
        add(1, 4);
        assertThat(unconfirmed.remove(3)).isEqualTo("m3");
        assertThat(unconfirmed.remove(3)).isNull();
        assertThat(unconfirmed.remove(9)).isNull();
        assertThat(unconfirmed.all()).containsExactly("m1", "m2", "m4");
    }

    @Test
    void allUpToANumberAreConfirmedInTheirOrder() {
        add(1, 5);
        unconfirmed.remove(2);
        assertThat(unconfirmed.removeUpTo(4)).containsExactly("m1", "m3", "m4");
        assertThat(unconfirmed.removeUpTo(Long.MAX_VALUE)).containsExactly("m5");
        assertThat(unconfirmed.removeUpTo(Long.MAX_VALUE)).isEmpty();
    }

    @Test
    void thoseThatAreLateAreTakenFromTheFrontOnly() {
        add(1, 5);
        unconfirmed.remove(1);
        assertThat(unconfirmed.removeWhile(each -> each.compareTo("m4") < 0)).containsExactly("m2", "m3");
        assertThat(unconfirmed.all()).containsExactly("m4", "m5");
    }

    /** Against a sorted map, with more under way than the ring has places at first. */
    @Test
    void itHoldsWhatASortedMapHolds() {
        RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
        TreeMap<Long, String> model = new TreeMap<>();
        long next = 1;
        for (int step = 0; step < 20_000; step++) {
            int what = random.nextInt(100);
            if (what < 70) {
                unconfirmed.add(next, "m" + next);
                model.put(next, "m" + next);
                next++;
            } else if (what < 99) {
                long number = random.nextLong(Math.max(1, next - 600), next + 1);
                assertThat(unconfirmed.remove(number)).isEqualTo(model.remove(number));
            } else {
                long upTo = random.nextLong(Math.max(1, next - 1_500), next + 1);
                List<String> expected =
                        new ArrayList<>(model.headMap(upTo, true).values());
                model.headMap(upTo, true).clear();
                assertThat(unconfirmed.removeUpTo(upTo)).isEqualTo(expected);
            }
        }
        assertThat(unconfirmed.all()).isEqualTo(List.copyOf(model.values()));
        assertThat(next).isGreaterThan(5_000);
    }
}
