package dev.postroad.examples.shop;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.examples.shop.Order.Card;
import dev.postroad.patterns.saga.JdbcParticipant;
import dev.postroad.patterns.saga.Participant;
import dev.postroad.patterns.saga.StepFailedException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** The provider of payments: takes the money for an order, and gives back what was taken. */
final class Payments implements Handler<String, Order> {
    private final Handler<String, Order> participant;
    private final History history;
    private final Stops stops;

    Payments(JdbcParticipant participant, History history, Stops stops) {
        this.participant = participant.around(this::perform);
        this.history = history;
        this.stops = stops;
    }

    @Override
    public void handle(Delivery<String, Order> delivery) throws Exception {
        Message<String, Order> command = delivery.message();
        if (Orders.of(command).card() == Card.UNANSWERED && !Participant.undoes(command)) {
            return; // It has the request, and nobody will ever hear of it: the saga's timeouts have to see to that.
        }
        participant.handle(delivery);
    }

    private byte[] perform(Message<String, Order> command, Connection connection) throws SQLException {
        Order order = Orders.of(command);
        if (Participant.undoes(command)) {
            giveBack(connection, order);
        } else if (order.card() == Card.OVERDRAWN) {
            history.decline(order, "the card is overdrawn");
            throw new StepFailedException("the card is overdrawn");
        } else {
            book(connection, order, order.total());
            history.add(connection, History.PAID, order, Text.money(order.total()));
            stops.here(Stops.Place.PAYMENT_BOOKED, order);
        }
        return Participant.nothing();
    }

    /** Harmless where nothing was taken, which the saga cannot know if there was no answer. */
    private void giveBack(Connection connection, Order order) throws SQLException {
        long taken = taken(connection, order);
        if (taken == 0) {
            history.add(
                    connection,
                    History.CANCELLED,
                    order,
                    "no answer, asked " + Plan.ATTEMPTS + " times; nothing had been taken");
        } else {
            book(connection, order, -taken);
            history.add(connection, History.REFUNDED, order, Text.money(taken) + " given back");
        }
    }

    private static void book(Connection connection, Order order, long cents) throws SQLException {
        Orders.update(connection, "insert into shop_payment (order_id, cents) values (?, ?)", order.id(), cents);
    }

    private static long taken(Connection connection, Order order) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select coalesce(sum(cents), 0) from shop_payment where order_id = ?")) {
            select.setString(1, order.id());
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
