package dev.postroad.examples.shop;

import dev.postroad.api.Format;
import dev.postroad.api.Serde;
import dev.postroad.api.Serdes;

/**
 * An order, as it travels and as it is remembered.
 *
 * @param id of the order; the key of its messages, the stream of its events
 * @param customer who placed it
 * @param product what
 * @param pieces how many of it
 * @param goods what these cost, in cents
 * @param shipping what sending them costs, in cents
 * @param zone where they go
 * @param card what is paid with
 */
public record Order(
        String id, String customer, String product, int pieces, long goods, long shipping, Zone zone, Card card) {
    static final Serde<Order> JSON = Serdes.json(Order.class);
    static final Format<String, Order> FORMAT = Format.of(JSON);

    /** Where parcels go. */
    public enum Zone {
        CITY,
        COUNTRY,
        OVERSEAS,
        /** No boat goes there in winter, which nobody knows before the parcel is to leave. */
        LIGHTHOUSE
    }

    /** Cards for testing, as providers of payments have them. */
    public enum Card {
        VALID,
        OVERDRAWN,
        /** The provider takes the request and never answers. */
        UNANSWERED
    }

    /** What the customer pays, in cents. */
    long total() {
        return goods + shipping;
    }
}
