package dev.postroad.benchmarks;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** On what terms all contenders work on a broker: as an engineer would set them who wants throughput and loses nothing. */
final class Terms {
    /** Messages with a consumer, unacknowledged; also what one poll of Kafka brings at most. */
    static final int PREFETCH = 500;

    /** Messages to one acknowledgement, where the consumer is not given them in batches. */
    static final int ACKNOWLEDGED_TOGETHER = 100;

    static final String GROUP = "bench";

    /** A queue as Postroad declares its own: replicated, forced to disk before its confirm. */
    static final Map<String, Object> QUEUE = Map.of("x-queue-type", "quorum");

    /**
     * The header of AMQP with the milliseconds of a message's time: its own property knows seconds. Named as Postroad names it, lest
     * anybody send fewer bytes.
     */
    static final String TIME = "postroad-t-time";

    /** The header of Kafka with a message's id, named so for the same reason. */
    static final String ID = "postroad-t-id";

    private static final long PROCESS = new SplittableRandom().nextLong();
    private static final AtomicLong NUMBERS = new AtomicLong();

    private Terms() {}

    /** Bytes of one partition that go to Kafka together. */
    static final int BATCH_BYTES = 64 * 1024;

    /** An id that costs no more than Postroad's own: nobody is to be slow for want of entropy. */
    static String id() {
        return new UUID(NUMBERS.incrementAndGet(), PROCESS).toString();
    }

    /** Confirmed by all replicas, no duplicates, a millisecond for a batch to fill. */
    static Map<String, Object> producer(String servers) {
        return Map.of(
                "bootstrap.servers",
                servers,
                "acks",
                "all",
                "enable.idempotence",
                true,
                "linger.ms",
                1,
                "batch.size",
                BATCH_BYTES,
                "request.timeout.ms",
                10_000,
                "delivery.timeout.ms",
                30_000,
                "buffer.memory",
                64L * 1024 * 1024);
    }

    static Map<String, Object> consumer(String servers) {
        return Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                GROUP,
                "enable.auto.commit",
                false,
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed",
                "max.poll.records",
                PREFETCH);
    }
}
