/**
 * The contract on Apache Kafka.
 *
 * <pre>
 *   KafkaTransport ── Catalog, DedupStore ──▶ KafkaLog ──▶ topics of its own
 *        ├── Producers: one idempotent, and transactional ones as they are needed
 *        └── SharedReceiver ◀── Member (group) · AloneReader ◀── KafkaConsumer, each on a thread of its own
 * </pre>
 *
 * A stream of the contract is a topic, a queue is a topic that one group reads and that is cut off behind it. A member hands out
 * the messages of a partition side by side, one of each key where order is kept, and commits exactly what is settled: the first
 * offset that is not, and in the commit's metadata which later ones are.
 */
@NullMarked
package dev.postroad.transports.kafka;

import org.jspecify.annotations.NullMarked;
