/**
 * The contract on RabbitMQ, and on a Postroad server, through AMQP 0-9-1.
 *
 * <pre>
 *   AmqpTransport ── DedupStore, Schedules, Groups ──▶ StreamLog ───┐
 *        ├── Catalog ──▶ QuorumTable ───────────────────────────────┤
 *        ├── Publisher (confirms, many in flight) ──▶ Outgoing ─────┤──▶ Link ──▶ the broker
 *        └── SteadyReceiver ◀── SharedReceiver ◀── QueueConsumer, ──┘
 *                                                  StreamReader
 * </pre>
 *
 * Where many messages go by, their frames are ours: {@code Outgoing} writes them, {@code Incoming} and {@code Deliveries} read them.
 * All else on the connection is the client's.
 *
 * A channel of the contract is a queue of the same name, a stream one stream queue for each partition. What AMQP does not keep of
 * a channel lies in the one message of a quorum queue, {@code postroad-catalog}.
 */
@NullMarked
package dev.postroad.transports.amqp;

import org.jspecify.annotations.NullMarked;
