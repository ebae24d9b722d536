/**
 * An order flow, as an application on Postroad looks: services that share nothing but channels, each with a ledger of its
 * own, and at the end the books.
 *
 * <pre>
 *              each confirmed
 *   Checkout ───────┬────────────▶ orders (command, in order per customer) ──▶ OrderProcessor ──▶ Payments
 *                   │                    │ given up after 4 attempts, with what follows of that customer
 *                   │                    └────▶ orders.dead ──▶ redriven once the fault is mended
 *                   │
 *                   └────────────▶ order-events (event) ─┬─▶ Subscriber "inventory"
 *                                                        ├─▶ Subscriber "billing"
 *                                                        └─▶ Subscriber "notification"
 * </pre>
 *
 * <p>What the services do to be right although messages may come twice and the broker may die at any moment:
 *
 * <ul>
 *   <li>Checkout gives every message an id that follows from the order's, and repeats a send whose outcome it does not know:
 *       the channels' dedup windows drop the repetition. An order is placed when both its messages are confirmed.
 *   <li>Handlers look into their ledger first: a message that is in it was handled, and its repetition is only counted.
 *   <li>The processor does no order before the one its customer placed before: it looks, and trusts no transport for it.
 *   <li>A handler that can't go on throws; waiting, repeating and giving up is the channel's business.
 * </ul>
 *
 * <p>Nothing of this is more than every transport gives: the same program runs on {@code embedded:}, {@code amqp://} and {@code
 * kafka://} by another url.
 *
 * <p>Reading order: {@link dev.postroad.examples.orders.OrderFlow}, {@code Checkout}, {@code OrderProcessor}, {@code
 * Subscriber}, {@code Ledger}, {@link dev.postroad.examples.orders.Books}.
 */
@NullMarked
package dev.postroad.examples.orders;

import org.jspecify.annotations.NullMarked;
