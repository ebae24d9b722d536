package dev.postroad.examples.orders;

import java.time.Instant;

/**
 * An order, as it travels.
 *
 * @param id of the order
 * @param customer who placed it; the key of its messages
 * @param number 1 for the customer's first order, then counting up: by it the services see whether the order is kept
 * @param item what
 * @param cents what it costs
 * @param placed when
 */
public record Order(String id, String customer, int number, String item, long cents, Instant placed) {}
