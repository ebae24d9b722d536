package dev.postroad.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Postroad;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class OrderFlowTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void everyOrderIsProcessedOnceInOrderAndComesToEveryService() throws Exception {
        OrderFlow.Plan plan = new OrderFlow.Plan(120, Duration.ofMillis(500), 7, 0.05, "");
        try (Postroad postroad = Postroad.connect("embedded:memory");
                OrderFlow flow = new OrderFlow(postroad, plan)) {
            flow.start();
            assertThat(flow.awaitPlaced(PATIENCE)).isTrue();
            assertThat(flow.awaitQuiet(PATIENCE)).isTrue();
            assertThat(flow.books().balance())
                    .as("before the poison is redriven")
                    .isFalse();
            assertThat(flow.mendAndRedrive()).isGreaterThanOrEqualTo(3);
            assertThat(flow.awaitProcessed(PATIENCE)).isTrue();

            Books books = flow.books();
            assertThat(books.balance()).as(books.toString()).isTrue();
            assertThat(books.poison()).isEqualTo(3);
            assertThat(books.failures()).isGreaterThanOrEqualTo(12);
        }
    }

    @Test
    void theLedgerTellsRepetitionsAndWhatIsOutOfOrder() {
        Ledger ledger = new Ledger();
        Order first = order("a", 1);
        Order second = order("b", 2);

        assertThat(ledger.note(second)).isTrue();
        assertThat(ledger.note(first)).isTrue();
        assertThat(ledger.note(first)).isFalse();
        assertThat(ledger.knows(second)).isTrue();

        assertThat(ledger.size()).isEqualTo(2);
        assertThat(ledger.outOfOrder()).isEqualTo(1);
        assertThat(ledger.duplicates()).isEqualTo(2);
    }

    @Test
    void percentilesAreWithinAStep() {
        Latencies latencies = new Latencies();
        for (int millis = 1; millis <= 1_000; millis++) {
            latencies.add(Duration.ofMillis(millis));
        }

        assertThat(latencies.percentile(0.5).toMillis()).isBetween(475L, 525L);
        assertThat(latencies.percentile(0.99).toMillis()).isBetween(945L, 1_040L);
    }

    private static Order order(String id, int number) {
        return new Order(id, "customer", number, "a lamp", 100, Instant.EPOCH);
    }
}
