/**
 * The contract on RabbitMQ, and on a Postroad server, through AMQP 0-9-1.
 *
 * <pre>
 *   AmqpTransport ── Catalog, DedupStore, Schedules ──▶ StreamLog ──┐
 *        ├── Publisher (confirms, many in flight) ──────────────────┤──▶ Link ──▶ the broker
 *        └── SharedReceiver ◀── QueueConsumer, StreamReader ────────┘
 * </pre>
 *
 * A channel of the contract is a queue of the same name, a stream one stream queue for each partition. What AMQP does not keep of
 * a channel lies in a stream queue of its own, {@code postroad-channels}.
 */
@NullMarked
package dev.postroad.transports.amqp;

import org.jspecify.annotations.NullMarked;
