package dev.postroad.examples.shop;

import dev.postroad.patterns.jdbc.Transactions;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Where workers stop dead, for the show: as if somebody pulled the plug, at the worst moments there are. Each happens once; the
 * table says which are to come. A shop that is no demo does without.
 */
final class Stops {
    /** A worst moment. */
    enum Place {
        /** What was done must be undone, and then done. */
        PAYMENT_BOOKED(History.PAID, "with the payment booked and not committed: it was booked anew, once"),
        /** The step is done, and its command comes again: it must not be done again. */
        SHIPPING_ANSWERED(
                History.SHIPPED,
                "with the step answered and its command not acknowledged: it was answered again, not done");

        /** What had happened last. */
        final String event;

        final String story;

        Place(String event, String story) {
            this.event = event;
            this.story = story;
        }
    }

    private final DataSource database;
    /** By place, the order it is about. */
    private final Map<Place, String> armed;

    private Stops(DataSource database, Map<Place, String> armed) {
        this.database = database;
        this.armed = armed;
    }

    /** For workers that are to live. */
    static Stops none(DataSource database) {
        return new Stops(database, Map.of());
    }

    /** Over this order; before any worker starts. */
    static void arm(DataSource database, Order order) throws SQLException {
        Transactions.run(database, connection -> {
            for (Place place : Place.values()) {
                Orders.update(
                        connection,
                        "insert into shop_stop (place, order_id, done) values (?, ?, 0)",
                        place.name(),
                        order.id());
            }
            return true;
        });
    }

    /** What is to come. */
    static Stops armed(DataSource database) throws SQLException {
        Map<Place, String> armed = new EnumMap<>(Place.class);
        Transactions.run(database, connection -> {
            try (PreparedStatement select =
                            connection.prepareStatement("select place, order_id from shop_stop where done = 0");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    armed.put(Place.valueOf(rows.getString(1)), rows.getString(2));
                }
                return true;
            }
        });
        return new Stops(database, armed);
    }

    /** Where workers have stopped. */
    static List<Place> done(DataSource database) throws SQLException {
        return Transactions.run(database, connection -> {
            List<Place> done = new ArrayList<>();
            try (PreparedStatement select = connection.prepareStatement("select place from shop_stop where done = 1");
                    ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    done.add(Place.valueOf(rows.getString(1)));
                }
            }
            return done;
        });
    }

    /** Stops this process dead, if that is to happen here, to this order, and has not happened yet. */
    void here(Place place, Order order) throws SQLException {
        if (!order.id().equals(armed.get(place))) {
            return;
        }
        boolean first = Transactions.run(
                database,
                connection -> Orders.update(
                                connection, "update shop_stop set done = 1 where place = ? and done = 0", place.name())
                        == 1);
        if (first) {
            // No transaction ends, no connection is closed, nothing is flushed.
            Runtime.getRuntime().halt(Worker.STOPPED_DEAD);
        }
    }
}
