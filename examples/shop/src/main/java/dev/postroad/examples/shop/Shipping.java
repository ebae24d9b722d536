package dev.postroad.examples.shop;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.examples.shop.Order.Zone;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.saga.JdbcParticipant;
import dev.postroad.patterns.saga.Participant;
import dev.postroad.patterns.saga.StepFailedException;
import java.sql.Connection;
import java.sql.SQLException;

/** Sends parcels, and says so to all whom it concerns: the parcel and the message are one transaction. */
final class Shipping implements Handler<String, Order> {
    private final Handler<String, Order> participant;
    private final History history;
    private final Outbox<String, Order> outbox;
    private final Plan plan;
    private final Stops stops;

    Shipping(JdbcParticipant participant, History history, Outbox<String, Order> outbox, Plan plan, Stops stops) {
        this.participant = participant.around(this::perform);
        this.history = history;
        this.outbox = outbox;
        this.plan = plan;
        this.stops = stops;
    }

    @Override
    public void handle(Delivery<String, Order> delivery) throws Exception {
        participant.handle(delivery);
        stops.here(Stops.Place.SHIPPING_ANSWERED, Orders.of(delivery.message()));
    }

    private byte[] perform(Message<String, Order> command, Connection connection) throws SQLException {
        Order order = Orders.of(command);
        if (order.zone() == Zone.LIGHTHOUSE) {
            throw new StepFailedException("no boat goes to the lighthouse in winter");
        }
        Orders.update(connection, "insert into shop_parcel (order_id) values (?)", order.id());
        history.add(connection, History.SHIPPED, order, "to the " + Text.lower(order.zone()));
        outbox.record(
                connection,
                plan.events(),
                Message.of(order.id(), order).withId(order.id() + "/shipped").withType(History.SHIPPED));
        return Participant.nothing();
    }
}
