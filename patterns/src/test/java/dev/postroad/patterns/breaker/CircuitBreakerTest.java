package dev.postroad.patterns.breaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.breaker.CircuitBreaker.State;
import dev.postroad.testkit.Await;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CircuitBreakerTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final RetryPolicy AT_ONCE = RetryPolicy.DEFAULT.withDelays(Duration.ZERO, Duration.ZERO);
    private static final BreakerSettings QUICK = BreakerSettings.DEFAULT
            .withWindow(10, 5)
            .withOpenFor(Duration.ofMillis(2), Duration.ofMillis(10))
            .withTriesPerMessage(1_000_000);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(STRINGS);
    private final Set<String> handled = ConcurrentHashMap.newKeySet();
    private final AtomicInteger calls = new AtomicInteger();
    private volatile boolean outage = true;

    @AfterEach
    void close() {
        postroad.close();
    }

    private Handler<String, String> paying() {
        return delivery -> {
            calls.incrementAndGet();
            if (outage) {
                throw new IllegalStateException("the bank does not answer");
            }
            if (!handled.add(delivery.message().value())) {
                throw new AssertionError("paid twice: " + delivery.message().value());
            }
        };
    }

    private void send(int count) {
        for (int i = 0; i < count; i++) {
            producer.send("payments", Message.of("payment " + i));
        }
    }

    private Subscription listen(int concurrency, Handler<String, String> handler) {
        return postroad.listen("payments", STRINGS, ConsumerOptions.DEFAULT.withConcurrency(concurrency), handler);
    }

    private ChannelStatus status(String channel) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void an_outage_however_long_makes_no_dead_letters_and_ends_by_itself() {
        postroad.declare(Channel.command("payments").withRetry(AT_ONCE));
        send(200);
        CircuitBreaker bank = new CircuitBreaker("bank", QUICK);
        try (Subscription subscription = listen(8, bank.around(paying()))) {
            Await.until("many probes have failed", () -> bank.opened() > 30);
            // Consumption pauses: none of the others was called meanwhile.
            int called = calls.get();
            assertThat(called).isLessThanOrEqualTo((int) bank.opened() + 2 * 8 + 5);
            assertThat(bank.state()).isNotEqualTo(State.CLOSED);
            outage = false;
            Await.until("all are paid", () -> handled.size() == 200);
            Await.until("all are settled", () -> subscription.counts().acknowledged() == 200);
            assertThat(subscription.counts().deadLettered()).isZero();
        }
        assertThat(bank.state()).isEqualTo(State.CLOSED);
        assertThat(bank.held()).isZero();
        assertThat(status("payments.dead").ready()).isZero();
    }

    @Test
    void a_message_that_nobody_can_handle_does_not_keep_the_circuit_open() {
        outage = false;
        postroad.declare(Channel.command("payments").withRetry(AT_ONCE));
        producer.send("payments", Message.of("poison"));
        send(20);
        CircuitBreaker bank = new CircuitBreaker("bank", QUICK.withWindow(1, 1).withTriesPerMessage(3));
        Handler<String, String> handler = delivery -> {
            if ("poison".equals(delivery.message().value())) {
                throw new IllegalStateException("what is this?");
            }
            paying().handle(delivery);
        };
        try (Subscription subscription = listen(1, bank.around(handler))) {
            Await.until("the others are paid", () -> handled.size() == 20);
            Await.until("it is given up", () -> subscription.counts().deadLettered() == 1);
        }
    }

    @Test
    void a_dead_letter_is_no_outage() {
        postroad.declare(Channel.command("payments"));
        send(20);
        CircuitBreaker bank = new CircuitBreaker("bank", QUICK);
        try (Subscription subscription = listen(1, bank.around(delivery -> {
            throw new Handler.DeadLetterException("no such account");
        }))) {
            Await.until("all are given up", () -> subscription.counts().deadLettered() == 20);
        }
        assertThat(bank.opened()).isZero();
    }

    @Test
    void a_subscription_closes_while_the_circuit_is_open_and_gives_back_what_is_held() {
        postroad.declare(Channel.command("payments"));
        send(10);
        CircuitBreaker bank = new CircuitBreaker(
                "bank", QUICK.withWindow(1, 1).withOpenFor(Duration.ofHours(1), Duration.ofHours(1)));
        Subscription subscription = listen(4, bank.around(paying()));
        Await.until("four are held", () -> bank.held() == 4);
        assertThat(subscription.close(Duration.ofMinutes(5))).isTrue();
        Await.until("all are back", () -> status("payments").ready() == 10);
        assertThat(bank.held()).isZero();
    }

    @Test
    void it_opens_probes_one_at_a_time_and_closes_by_the_clock() {
        AtomicLong now = new AtomicLong();
        BreakerSettings settings = BreakerSettings.DEFAULT
                .withWindow(4, 4)
                .withOpenFor(Duration.ofNanos(1_000_000), Duration.ofNanos(3_000_000))
                .withProbes(2);
        CircuitBreaker breaker = new CircuitBreaker("bank", settings, now::get);
        Gate gate = breaker.gate();
        Gate.Entry.Go slow = go(gate);
        succeed(gate, go(gate));
        succeed(gate, go(gate));
        assertThat(fail(gate, go(gate))).isFalse();
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
        // The fourth call within the window: two of four have failed.
        assertThat(fail(gate, go(gate))).isTrue();
        assertThat(breaker.state()).isEqualTo(State.OPEN);
        assertWaits(gate, 1_000_000);
        now.addAndGet(1_000_000);
        Gate.Entry.Go probe = go(gate);
        assertThat(breaker.state()).isEqualTo(State.HALF_OPEN);
        assertThat(gate.enter()).isInstanceOf(Gate.Entry.Wait.class);
        // What had begun long before says nothing about now.
        succeed(gate, slow);
        assertThat(gate.enter()).isInstanceOf(Gate.Entry.Wait.class);
        assertThat(fail(gate, probe)).isTrue();
        assertWaits(gate, 2_000_000);
        now.addAndGet(2_000_000);
        assertThat(fail(gate, go(gate))).isTrue();
        assertWaits(gate, 3_000_000);
        now.addAndGet(3_000_000);
        succeed(gate, go(gate));
        assertThat(breaker.state()).isEqualTo(State.HALF_OPEN);
        succeed(gate, go(gate));
        assertThat(breaker.state()).isEqualTo(State.CLOSED);
        // Counted anew, and open for the first time again.
        for (int i = 0; i < 3; i++) {
            assertThat(fail(gate, go(gate))).isFalse();
        }
        assertThat(fail(gate, go(gate))).isTrue();
        assertWaits(gate, 1_000_000);
        assertThat(breaker.opened()).isEqualTo(4);
    }

    private static Gate.Entry.Go go(Gate gate) {
        return (Gate.Entry.Go) gate.enter();
    }

    private static void succeed(Gate gate, Gate.Entry.Go entry) {
        gate.succeeded(entry, Duration.ZERO);
    }

    private static boolean fail(Gate gate, Gate.Entry.Go entry) {
        return gate.failed(entry, Duration.ZERO, new IllegalStateException("no answer"));
    }

    private static void assertWaits(Gate gate, long nanos) {
        assertThat(gate.enter())
                .isInstanceOfSatisfying(
                        Gate.Entry.Wait.class, wait -> assertThat(wait.time()).isEqualTo(Duration.ofNanos(nanos)));
    }

    @Test
    void a_circuit_of_resilience4j_pauses_consumption_just_as_well() {
        postroad.declare(Channel.command("payments").withRetry(AT_ONCE));
        send(50);
        var circuit = io.github.resilience4j.circuitbreaker.CircuitBreaker.of(
                "bank",
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(5)
                        .minimumNumberOfCalls(5)
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .waitDurationInOpenState(Duration.ofMillis(100))
                        .build());
        AtomicInteger opened = new AtomicInteger();
        circuit.getEventPublisher().onStateTransition(event -> {
            if (event.getStateTransition().getToState()
                    == io.github.resilience4j.circuitbreaker.CircuitBreaker.State.OPEN) {
                opened.incrementAndGet();
            }
        });
        try (Subscription subscription = listen(4, Resilience4j.around(circuit, paying()))) {
            Await.until("it has probed in vain", () -> opened.get() >= 3);
            outage = false;
            Await.until("all are settled", () -> subscription.counts().acknowledged() == 50);
            assertThat(subscription.counts().deadLettered()).isZero();
        }
        assertThat(handled).hasSize(50);
    }
}
