package dev.postroad.examples.shop;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.saga.JdbcSagaStore;
import dev.postroad.patterns.saga.Orchestrator;
import dev.postroad.patterns.saga.Saga;
import dev.postroad.patterns.saga.SagaSettings;
import dev.postroad.patterns.saga.Step;
import java.time.Clock;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * Takes each order through its three steps, or back: reserve the goods, take the money, send the parcel. It begins when the event
 * comes that the order was placed; a repetition of the event begins nothing.
 */
final class CheckoutSaga implements AutoCloseable {
    private static final int AT_ONCE = 8;

    private final Orchestrator<Order> orchestrator;
    private final Subscription placed;

    CheckoutSaga(Postroad postroad, DataSource database, Plan plan, Clock clock) {
        Function<Order, Message<String, Order>> command = order -> Message.of(order.id(), order);
        Saga<Order> saga = Saga.of(plan.saga(), Order.JSON)
                .withStep(Step.of("reserve", plan.stockCommands(), Order.FORMAT, command)
                        .withCompensation(plan.stockCommands(), Order.FORMAT, command))
                .withStep(Step.of("pay", plan.payments(), Order.FORMAT, command)
                        .withCompensation(plan.payments(), Order.FORMAT, command)
                        .withTimeout(plan.patience().dividedBy(Plan.ATTEMPTS))
                        .withAttempts(Plan.ATTEMPTS))
                .withStep(Step.of("ship", plan.shipping(), Order.FORMAT, command));
        this.orchestrator = Orchestrator.open(
                postroad,
                saga,
                new JdbcSagaStore(database),
                SagaSettings.DEFAULT.withConcurrency(AT_ONCE).withClock(clock));
        this.placed = postroad.listen(
                plan.events(),
                Order.FORMAT,
                ConsumerOptions.DEFAULT.withGroup("checkout").withConcurrency(AT_ONCE),
                delivery -> {
                    Order order = delivery.message().value();
                    if (order != null
                            && History.PLACED.equals(delivery.message().type())) {
                        orchestrator.start(order.id(), order);
                    }
                });
    }

    @Override
    public void close() {
        placed.close();
        orchestrator.close();
    }
}
