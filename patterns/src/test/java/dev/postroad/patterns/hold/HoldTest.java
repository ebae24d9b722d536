package dev.postroad.patterns.hold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HoldTest {
    private static final Duration LONG = Duration.ofMinutes(5);

    /** A delivery whose lease can be lost, and whose subscription can close. */
    private static final class Held implements Delivery<String, String> {
        private final AtomicInteger extensions = new AtomicInteger();
        private volatile CompletableFuture<Void> answer = CompletableFuture.completedFuture(null);
        private volatile boolean closing;

        @Override
        public Message<String, String> message() {
            return Message.<String, String>of("held").withId("m-1");
        }

        @Override
        public String channel() {
            return "orders";
        }

        @Override
        public int attempt() {
            return 1;
        }

        @Override
        public Origin origin() {
            return Origin.QUEUE;
        }

        @Override
        public CompletableFuture<Void> acknowledge() {
            throw new AssertionError("who holds does not settle");
        }

        @Override
        public CompletableFuture<Void> retry(Duration delay) {
            throw new AssertionError("who holds does not settle");
        }

        @Override
        public CompletableFuture<Void> deadLetter(String reason) {
            throw new AssertionError("who holds does not settle");
        }

        @Override
        public CompletableFuture<Void> extend(Duration lease) {
            extensions.incrementAndGet();
            return answer;
        }

        @Override
        public boolean closing() {
            return closing;
        }
    }

    private final Held delivery = new Held();

    @Test
    void the_lease_is_extended_again_and_again_while_held() throws Exception {
        CompletableFuture<Void> better = new CompletableFuture<>();
        Thread.startVirtualThread(() -> {
            Await.until("it was extended", () -> delivery.extensions.get() >= 4);
            better.complete(null);
        });
        new Hold(delivery, Duration.ofMillis(30)).pause(LONG, better);
        assertThat(delivery.extensions.get()).isGreaterThanOrEqualTo(4);
    }

    @Test
    void a_channel_without_leases_is_asked_once() throws Exception {
        delivery.answer =
                CompletableFuture.failedFuture(new MessagingException(Reason.IMPOSSIBLE_NEED, "there are none"));
        Hold hold = new Hold(delivery, Duration.ofMillis(1));
        hold.pause(Duration.ofMillis(20));
        hold.pause(Duration.ofMillis(20));
        assertThat(delivery.extensions).hasValue(1);
    }

    @Test
    void a_lost_lease_ends_the_wait() {
        delivery.answer = CompletableFuture.failedFuture(new MessagingException(Reason.LEASE_LOST, "gone"));
        assertThatThrownBy(() -> new Hold(delivery, Duration.ofMillis(10)).pause(LONG))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("m-1")
                .hasMessageContaining("lost to another consumer");
    }

    @Test
    void a_closing_subscription_ends_the_wait() {
        delivery.closing = true;
        assertThatThrownBy(() -> new Hold(delivery, Duration.ofMillis(10)).pause(LONG))
                .isInstanceOf(InterruptedException.class);
    }
}
