package dev.postroad.integrations.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

@PostroadTest
class PostroadExtensionTest {

    @Test
    void gives_a_broker_its_connection_and_its_clock(TestBroker broker, Postroad postroad, Clock clock) {
        assertThat(broker.postroad()).isSameAs(postroad);
        assertThat(broker.clock()).isSameAs(clock);
        postroad.declare(Channel.command("orders"));
    }

    @Test
    void gives_each_test_its_own(Postroad postroad) {
        assertThat(postroad.find("orders")).isEmpty();
    }

    @SeededTest(runs = 3, faults = Fault.DUPLICATE)
    void tries_many_seeds(TestBroker broker) {
        assertThat(broker.faults().seed()).isBetween(1L, 3L);
        assertThat(broker.faults().rates()).containsOnlyKeys(Fault.DUPLICATE);
    }

    @Test
    void a_failure_tells_its_seed_and_the_story_of_the_message() {
        TestExecutionSummary summary = run("books_twice");
        assertThat(summary.getTestsFailedCount()).isEqualTo(1);
        assertThat(summary.getFailures().getFirst().getException())
                .hasMessageContaining("order-1 had its effect 2 times")
                .hasMessageContaining("seed 77")
                .hasMessageContaining("order-1  delivered, attempt 1")
                .hasMessageContaining("FAULT: the program dies before the delivery is acknowledged")
                .hasMessageContaining("order-1  delivered, attempt 2")
                .hasMessageContaining("-Dpostroad.seed=77");
        Postroad used = Objects.requireNonNull(Failing.used);
        assertThatThrownBy(() -> used.declare(Channel.command("more")))
                .as("closed when the test is over")
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("closed");
    }

    private static TestExecutionSummary run(String method) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(DiscoverySelectors.selectMethod(
                                        Failing.class, method, TestBroker.class.getName()))
                                .build(),
                        listener);
        return listener.getSummary();
    }

    /** Run by the test above alone. */
    @Tag("soak")
    @PostroadTest(seed = 77)
    static class Failing {
        private static @Nullable Postroad used;

        @Test
        void books_twice(TestBroker broker) {
            used = broker.postroad();
            broker.faults(new Faults(77, Map.of(Fault.CRASH_BEFORE_SETTLE, 1.0)));
            broker.postroad().declare(Channel.command("orders"));
            List<String> booked = Collections.synchronizedList(new ArrayList<>());
            broker.postroad()
                    .listen(
                            "orders",
                            Format.strings(),
                            ConsumerOptions.DEFAULT,
                            delivery ->
                                    booked.add(String.valueOf(delivery.message().value())));
            broker.postroad()
                    .producer(Format.strings())
                    .send(
                            "orders",
                            Message.<String, String>of("customer-7", "order-1").withId("order-1"));
            broker.settle();
            broker.assertExactlyOnce(List.of("order-1"), booked);
        }
    }
}
