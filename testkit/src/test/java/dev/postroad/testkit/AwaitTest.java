package dev.postroad.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AwaitTest {
    private final AtomicInteger looks = new AtomicInteger();

    @Test
    void itLooksUntilTheValueIsAsWishedAndReturnsIt() {
        assertThat(Await.value("five looks", looks::incrementAndGet, n -> n == 5))
                .isEqualTo(5);
        Await.until("nine looks", () -> looks.incrementAndGet() == 9);
        assertThat(looks).hasValue(9);
    }

    @Test
    void whatWasAwaitedAndLastSeenIsInTheFailure() {
        assertThatThrownBy(() -> Await.value("depth is 3", Duration.ofMillis(20), () -> 2, n -> n == 3))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("waited 20 ms for: depth is 3; last seen: 2");
    }

    @Test
    void thereIsAlwaysOneLook() {
        Await.until("at once", Duration.ZERO, () -> true);
    }

    @Test
    void aFailingLookFailsTheTest() {
        assertThatThrownBy(() -> Await.until("never", () -> {
                    throw new IOException("no disk");
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("never")
                .hasMessageContaining("no disk");
    }

    @Test
    void anInterruptedWaitFailsAtOnceAndStaysInterrupted() {
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> Await.until("never", () -> false)).hasMessageContaining("interrupted");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }
}
