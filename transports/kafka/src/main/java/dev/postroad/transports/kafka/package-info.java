/**
 * The contract on Apache Kafka.
 *
 * <pre>
 *   KafkaTransport ── Catalog, DedupStore ──▶ KafkaLog ──▶ topics of its own
 *        ├── Producers: one idempotent, behind SendAhead, and transactional ones as they are needed
 *        └── SharedReceiver ◀── Member (group) · AloneReader ◀── KafkaConsumer, each on a thread of its own or its consumer's
 * </pre>
 *
 * A stream of the contract is a topic, a queue is a topic that one group reads and that is cut off behind it. A member hands out
 * the messages of a partition side by side, one of each key where order is kept, and commits exactly what is settled: the first
 * offset that is not, and in the commit's metadata which later ones are.
 *
 * <p>What is given up of a queue that keeps order per key is one transaction: the dead letter, the note that its key is dead, and
 * the commit. Later messages of the key go the same way. A redrive is a transaction too, and what it puts back tells which letter
 * it was; so the member that reads the last one knows that the key lives on ({@code DeadKeys}). A letter that leaves by another way
 * leaves a record in the queue's partition that tells so.
 */
@NullMarked
package dev.postroad.transports.kafka;

import org.jspecify.annotations.NullMarked;
