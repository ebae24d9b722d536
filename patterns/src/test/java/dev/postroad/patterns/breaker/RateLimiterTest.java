package dev.postroad.patterns.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Property;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RateLimiterTest {
    private final Postroad postroad = Postroad.connect("embedded:memory");

    @AfterEach
    void close() {
        postroad.close();
    }

    @Test
    void within_any_time_there_are_no_more_calls_than_the_rate_and_the_burst_allow_and_none_waits_without_need() {
        Property.forAll("the rate holds", 200, gen -> {
            RateSettings settings = RateSettings.of(gen.between(1, 50), Duration.ofNanos(gen.between(1_000, 100_000)))
                    .withBurst(gen.between(1, 20));
            long interval = settings.interval();
            AtomicLong now = new AtomicLong(gen.nextLong());
            RateLimiter limiter = new RateLimiter(settings, now::get);
            List<Long> turns = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                long wait = Math.max(0, limiter.reserve());
                long turn = now.get() + wait;
                turns.add(turn);
                if (wait > 0) {
                    // The turn before was as late as it could be, or the burst has been used up since a quiet time.
                    assertThat(turn - turns.get(Math.max(0, turns.size() - 2))).isLessThanOrEqualTo(interval);
                }
                for (int from = 0; from < turns.size(); from++) {
                    long calls = (long) turns.size() - from;
                    assertThat((calls - settings.burst()) * interval).isLessThanOrEqualTo(turn - turns.get(from));
                }
                now.addAndGet(gen.chance(1, 3) ? gen.between(0, 5 * interval) : 0);
            }
        });
    }

    @Test
    void handlers_that_share_a_limiter_are_called_no_more_often_than_it_allows() {
        postroad.declare(Channel.command("a"), Channel.command("b"));
        int interval = 5_000_000;
        long begin = System.nanoTime();
        RateLimiter limiter = new RateLimiter(RateSettings.of(1, Duration.ofNanos(interval)));
        assertHandledNoSoonerThan(begin, interval, limiter::around);
        assertThat(limiter.delayed()).isPositive();
        assertThat(limiter.held()).isZero();
    }

    @Test
    void a_limiter_of_resilience4j_does_as_well() {
        postroad.declare(Channel.command("a"), Channel.command("b"));
        var limiter = io.github.resilience4j.ratelimiter.RateLimiter.of(
                "bank",
                RateLimiterConfig.custom()
                        .limitForPeriod(1)
                        .limitRefreshPeriod(Duration.ofMillis(5))
                        .timeoutDuration(Duration.ofMillis(20))
                        .build());
        // Its periods have begun with itself; the first call may come at the end of one.
        assertHandledNoSoonerThan(
                System.nanoTime() - 10_000_000, 5_000_000, handler -> Resilience4j.around(limiter, handler));
    }

    private interface Limiting {
        Handler<String, String> around(Handler<String, String> handler);
    }

    private void assertHandledNoSoonerThan(long begin, long interval, Limiting limiting) {
        ConcurrentLinkedQueue<Long> times = new ConcurrentLinkedQueue<>();
        Handler<String, String> handler = limiting.around(delivery -> times.add(System.nanoTime()));
        try (MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            for (int i = 0; i < 20; i++) {
                producer.send(i % 2 == 0 ? "a" : "b", Message.of("v" + i));
            }
        }
        ConsumerOptions options = ConsumerOptions.DEFAULT.withConcurrency(5);
        try (Subscription a = postroad.listen("a", Format.strings(), options, handler);
                Subscription b = postroad.listen("b", Format.strings(), options, handler)) {
            Await.until(
                    "all are handled",
                    () -> a.counts().acknowledged() + b.counts().acknowledged() == 20);
        }
        List<Long> sorted = times.stream().sorted().toList();
        for (int i = 0; i < sorted.size(); i++) {
            assertThat(sorted.get(i) - begin).as("call " + i).isGreaterThanOrEqualTo(i * interval);
        }
    }
}
