package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DedupWindowTest {
    private static final long WINDOW = 1_000;

    @Test
    void an_id_is_known_for_the_window_and_no_longer() {
        DedupWindow window = new DedupWindow(WINDOW, 10);
        window.add("a", 5_000);
        assertThat(window.contains("a", 5_999)).isTrue();
        assertThat(window.contains("a", 6_000)).isFalse();
    }

    @Test
    void an_id_that_comes_again_after_its_time_is_known_anew_although_the_clock_was_set_back() {
        DedupWindow window = new DedupWindow(WINDOW, 10);
        window.add("from the future", 1_000_000);
        window.add("a", 5_000);
        window.add("a", 6_500);
        assertThat(window.contains("a", 7_499)).isTrue();
    }

    @Test
    void ids_from_what_is_now_the_future_leave_in_time_and_make_room() {
        DedupWindow window = new DedupWindow(WINDOW, 2);
        window.add("one", 1_000_000);
        window.add("two", 1_000_000);
        assertThat(window.full(5_000)).isTrue();
        window = new DedupWindow(WINDOW, 3);
        window.add("one", 1_000_000);
        window.add("two", 1_000_000);
        window.add("three", 5_000);
        assertThat(window.contains("one", 5_999)).isTrue();
        assertThat(window.contains("one", 6_000)).isFalse();
        assertThat(window.full(5_999)).isTrue();
        assertThat(window.full(6_000)).isFalse();
    }

    @Test
    void the_memory_of_ids_whose_time_is_over_comes_back_and_the_others_stay_known() {
        DedupWindow window = new DedupWindow(WINDOW, 100_000);
        long empty = window.heapBytes();
        for (int i = 0; i < 50_000; i++) {
            window.add("early" + i, 5_000);
        }
        for (int i = 0; i < 500; i++) {
            window.add("late" + i, 5_500);
        }

        window.shrink(6_000);

        assertThat(window.heapBytes()).isLessThan(50_000);
        for (int i = 0; i < 500; i++) {
            assertThat(window.contains("late" + i, 6_499)).isTrue();
        }
        assertThat(window.contains("early7", 6_000)).isFalse();
        for (int i = 0; i < 2_000; i++) {
            window.add("later" + i, 6_100);
        }
        assertThat(window.contains("later1999", 6_200)).isTrue();

        window.shrink(8_000);

        assertThat(window.heapBytes()).isEqualTo(empty);
    }
}
