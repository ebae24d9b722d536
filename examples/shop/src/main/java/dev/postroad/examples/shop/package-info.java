/**
 * A web shop, as a program on Postroad's patterns looks. It knows {@code api} and {@code patterns} alone: on which broker it runs
 * is a URL, and in which database its rows lie is another.
 *
 * <pre>
 *   Checkout ── one transaction: order row · event OrderPlaced · outbox record
 *                                                               │ relay
 *                                                               ▼
 *              ┌── order-events (event) ◀───────────────────────┤
 *              │                                                │ outbox record
 *              ├─▶ CheckoutSaga ──▶ stock ──▶ Stock             │
 *              │        ▲      ├──▶ payments ──▶ Payments       │
 *              │        │      └──▶ shipping ──▶ Shipping ──────┘   each: its rows · its event · the answer, one transaction
 *              │        └── answers, timeouts
 *              └─▶ Billing, by an inbox: one invoice for each order that was shipped
 *
 *   events ──▶ OrderStatus, Sales: tables for reading, made from what happened, made anew beside the live one
 *   Quotes ──▶ three shippers at once; what came in time is the result
 * </pre>
 *
 * <p>What makes it right although messages come twice and programs die at any moment:
 *
 * <ul>
 *   <li>A row and the message about it are one transaction: {@link dev.postroad.patterns.outbox.Outbox}.
 *   <li>A service does each command of the saga once, and answers its repetitions as it answered the first: {@link
 *       dev.postroad.patterns.saga.JdbcParticipant}. What handles events does so too: {@link dev.postroad.patterns.inbox.Inbox}.
 *   <li>What fails is undone in reverse; what does not answer may have been done, and is undone as well: {@link
 *       dev.postroad.patterns.saga.Saga}.
 *   <li>What happened is stored as it happened: {@link dev.postroad.patterns.eventstore.EventStore}; everything that is read is
 *       made from it.
 * </ul>
 *
 * <p>Reading order: {@link dev.postroad.examples.shop.Shop}, {@code Checkout}, {@code CheckoutSaga}, {@code Stock}, {@code
 * Payments}, {@code Shipping}, {@code Billing}, {@code OrderStatus}, {@code Sales}, {@link dev.postroad.examples.shop.Quotes},
 * {@link dev.postroad.examples.shop.Worker}, {@link dev.postroad.examples.shop.Books}.
 */
@NullMarked
package dev.postroad.examples.shop;

import org.jspecify.annotations.NullMarked;
