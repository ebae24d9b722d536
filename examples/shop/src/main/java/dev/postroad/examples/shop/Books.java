package dev.postroad.examples.shop;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each service's own tables say; money in cents.
 *
 * @param orders rows of checkout
 * @param outcomes orders that have ended, by how: shipped, declined, timed out, refunded
 * @param taken money that payments took
 * @param givenBack money that payments gave back
 * @param invoices written by billing
 * @param invoiced money on them
 * @param parcels sent
 * @param twice payments, parcels and invoices beyond the first of an order
 * @param products what became of the goods
 */
public record Books(
        long orders,
        Map<String, Outcome> outcomes,
        long taken,
        long givenBack,
        long invoices,
        long invoiced,
        long parcels,
        long twice,
        List<Goods> products) {
    static final List<String> OUTCOMES = List.of("shipped", "declined", "timed out", "refunded");

    /**
     * Orders that ended alike.
     *
     * @param orders how many
     * @param cents what they were to cost
     */
    public record Outcome(long orders, long cents) {}

    /**
     * A product.
     *
     * @param name of it
     * @param initial pieces in the beginning
     * @param onHand pieces in the warehouse
     * @param sold pieces, by the table of sales
     * @param cents what these brought, by the table of sales, with their shipping
     */
    public record Goods(String name, long initial, long onHand, long sold, long cents) {}

    static Books read(Connection connection, String statuses, String sales, Plan plan) throws SQLException {
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        for (String outcome : OUTCOMES) {
            outcomes.put(outcome, new Outcome(0, 0));
        }
        each(
                connection,
                "select s.status, count(*), sum(o.cents) from " + statuses + " s join shop_order o on o.id = s.order_id"
                        + " where s.ended = 1 group by s.status",
                row -> outcomes.put(row.getString(1), new Outcome(row.getLong(2), row.getLong(3))));
        List<Goods> products = new ArrayList<>();
        each(
                connection,
                "select k.product, k.on_hand, coalesce(s.pieces, 0), coalesce(s.goods + s.shipping, 0)"
                        + " from shop_stock k left join " + sales + " s on s.product = k.product order by k.product",
                row -> products.add(
                        new Goods(row.getString(1), plan.stock(), row.getLong(2), row.getLong(3), row.getLong(4))));
        return new Books(
                Orders.number(connection, "select count(*) from shop_order"),
                outcomes,
                Orders.number(connection, "select coalesce(sum(cents), 0) from shop_payment where cents > 0"),
                -Orders.number(connection, "select coalesce(sum(cents), 0) from shop_payment where cents < 0"),
                Orders.number(connection, "select count(*) from shop_invoice"),
                Orders.number(connection, "select coalesce(sum(cents), 0) from shop_invoice"),
                Orders.number(connection, "select count(*) from shop_parcel"),
                Orders.number(
                                connection,
                                "select count(*) - count(distinct order_id) from shop_payment where cents > 0")
                        + Orders.number(connection, "select count(*) - count(distinct order_id) from shop_parcel")
                        + Orders.number(connection, "select count(*) - count(distinct order_id) from shop_invoice"),
                products);
    }

    /** What is done with a row. */
    @FunctionalInterface
    private interface Row {
        void read(ResultSet row) throws SQLException;
    }

    private static void each(Connection connection, String sql, Row row) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                row.read(rows);
            }
        }
    }

    /** Orders that have come to an end. */
    public long ended() {
        return outcomes.values().stream().mapToLong(Outcome::orders).sum();
    }

    long initial() {
        return products.stream().mapToLong(Goods::initial).sum();
    }

    long onHand() {
        return products.stream().mapToLong(Goods::onHand).sum();
    }

    long sold() {
        return products.stream().mapToLong(Goods::sold).sum();
    }

    long revenue() {
        return products.stream().mapToLong(Goods::cents).sum();
    }

    private long shipped() {
        return outcomes.getOrDefault("shipped", new Outcome(0, 0)).orders();
    }

    /** Each order has one end. */
    boolean ordersBalance() {
        return orders == ended() && parcels == shipped() && invoices == shipped() && twice == 0;
    }

    /** Each piece is in the warehouse, or sold. */
    boolean goodsBalance() {
        return products.stream().allMatch(goods -> goods.initial() == goods.onHand() + goods.sold());
    }

    /** What was taken and not given back is what was invoiced, is what the sales say. */
    boolean moneyBalances() {
        return taken - givenBack == invoiced && invoiced == revenue();
    }

    /** True if nothing was lost, and nothing done twice. */
    public boolean balance() {
        return ordersBalance() && goodsBalance() && moneyBalances();
    }
}
