package dev.postroad.examples.shop;

import dev.postroad.examples.shop.Order.Card;
import dev.postroad.examples.shop.Order.Zone;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What is to happen.
 *
 * @param orders how many are placed, 20 to 10,000
 * @param seed of all that is random: the same seed places the same orders, which end the same way
 * @param patience how long an answer to a payment is waited for, in three attempts together; 100 ms or more
 * @param prefix of the channels' names, so that two shops on one broker keep apart
 */
public record Plan(int orders, long seed, Duration patience, String prefix) {
    /** Attempts of a payment that is not answered. */
    static final int ATTEMPTS = 3;

    private static final int CUSTOMERS = 17;
    private static final int EACH_STOCK = 10;

    /** @throws IllegalArgumentException naming what is out of its bounds */
    public Plan {
        if (orders < 20 || orders > 10_000) {
            throw new IllegalArgumentException("orders is " + orders + "; it must be 20 to 10,000");
        }
        if (patience.toMillis() < 100) {
            throw new IllegalArgumentException("patience is " + patience + "; it must be 100 ms or more");
        }
    }

    /** What the shop sells. */
    record Product(String name, long cents) {}

    List<Product> products() {
        return List.of(
                new Product("chair", 8_900),
                new Product("kettle", 3_490),
                new Product("lamp", 4_250),
                new Product("teapot", 1_995),
                new Product("three books", 2_700));
    }

    /** Pieces of each product in the beginning: enough for all orders. */
    int stock() {
        return EACH_STOCK * orders;
    }

    /**
     * The orders, in the order in which they are placed: of twenty, two cards are overdrawn, one payment is not answered, and one
     * parcel is for the lighthouse.
     *
     * @param fees for a parcel, by zone
     */
    List<Order> orders(Map<Zone, Long> fees) {
        Random random = new Random(seed);
        List<Integer> fates = new ArrayList<>();
        for (int i = 0; i < orders; i++) {
            fates.add(i % 20);
        }
        Collections.shuffle(fates, random);
        List<Order> all = new ArrayList<>();
        for (int fate : fates) {
            Product product = products().get(random.nextInt(products().size()));
            int pieces = 1 + random.nextInt(3);
            Zone zone = fate == 3 ? Zone.LIGHTHOUSE : Zone.values()[random.nextInt(3)];
            Card card = fate == 0 || fate == 1 ? Card.OVERDRAWN : fate == 2 ? Card.UNANSWERED : Card.VALID;
            all.add(new Order(
                    "order-" + (1_001 + all.size()),
                    "customer-" + (1 + random.nextInt(CUSTOMERS)),
                    product.name(),
                    pieces,
                    pieces * product.cents(),
                    fees.getOrDefault(zone, 0L),
                    zone,
                    card));
        }
        return all;
    }

    /** Customers who click twice: each seventh. */
    boolean clicksTwice(int index) {
        return index % 7 == 3;
    }

    /** The first order from the middle on that will be shipped: workers die over it. */
    static Order unlucky(List<Order> orders) {
        return orders.stream()
                .skip(orders.size() / 2)
                .filter(order -> order.card() == Card.VALID && order.zone() != Zone.LIGHTHOUSE)
                .findFirst()
                .orElseThrow();
    }

    // ── The channels ─────────────────────────────────────────────────────────────────────────────────────────────────

    String events() {
        return prefix + "order-events";
    }

    String stockCommands() {
        return prefix + "stock";
    }

    String payments() {
        return prefix + "payments";
    }

    String shipping() {
        return prefix + "shipping";
    }

    String saga() {
        return prefix + "checkout";
    }

    String quotes(String shipper) {
        return prefix + "quotes." + shipper;
    }
}
