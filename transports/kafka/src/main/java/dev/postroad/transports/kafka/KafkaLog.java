package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Log;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A log as a topic of one partition, read on a thread of its own. */
final class KafkaLog implements Log {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.kafka");
    private static final String PREFIX = "postroad-";
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long CATCH_UP_SECONDS = 30;
    private static final long PAUSE_MILLIS = 500;

    private final KafkaTransport transport;
    private final TopicPartition place;
    private final Consumer<byte[]> reader;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition read = lock.newCondition();
    private long next;
    private volatile boolean closed;

    KafkaLog(KafkaTransport transport, String name, Duration retention, Consumer<byte[]> reader) {
        this.transport = transport;
        this.place = new TopicPartition(PREFIX + name, 0);
        this.reader = reader;
        transport
                .topics()
                .create(
                        place.topic(),
                        1,
                        Map.of(
                                "cleanup.policy",
                                "delete",
                                "retention.ms",
                                retention.isZero() ? "-1" : Long.toString(retention.toMillis()),
                                "flush.messages",
                                transport.url0().flushed() ? "1" : Long.toString(Long.MAX_VALUE)),
                        "Postroad's " + name);
        this.consumer = new KafkaConsumer<>(
                transport
                        .url0()
                        .client(Map.of(
                                "enable.auto.commit",
                                false,
                                "auto.offset.reset",
                                "earliest",
                                "allow.auto.create.topics",
                                false)),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        consumer.assign(List.of(place));
        consumer.seekToBeginning(List.of(place));
        this.thread =
                Thread.ofPlatform().daemon().name("postroad-kafka-" + name).start(this::run);
    }

    private void run() {
        try (consumer) {
            while (!closed) {
                try {
                    for (ConsumerRecord<byte[], byte[]> entry : consumer.poll(POLL)) {
                        if (entry.value() != null) {
                            reader.accept(entry.value());
                        }
                    }
                    long position = consumer.position(place);
                    lock.lock();
                    try {
                        next = position;
                        read.signalAll();
                    } finally {
                        lock.unlock();
                    }
                } catch (WakeupException e) {
                    // Only close() wakes it, and the condition above sees it.
                    continue;
                } catch (RuntimeException e) {
                    LOG.log(Level.WARNING, "reading {0} failed; going on: {1}", place.topic(), e.toString());
                    Thread.sleep(PAUSE_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public CompletableFuture<Void> append(byte[] entry) {
        return transport
                .produce(new ProducerRecord<>(place.topic(), 0, null, entry))
                .thenAccept(metadata -> {});
    }

    @Override
    public void catchUp() {
        Map<TopicPartition, ListOffsetsResultInfo> found = Failures.await(
                "reading " + place.topic(),
                transport.url0(),
                transport
                        .admin()
                        .listOffsets(Map.of(place, OffsetSpec.latest()))
                        .all());
        ListOffsetsResultInfo last = found.get(place);
        long end = last == null ? 0 : last.offset();
        long left = TimeUnit.SECONDS.toNanos(CATCH_UP_SECONDS);
        lock.lock();
        try {
            while (next < end) {
                if (left <= 0) {
                    throw new MessagingException(
                            Reason.TIMEOUT,
                            "the topic '" + place.topic() + "' on " + transport.url()
                                    + " could not be read to its end within " + CATCH_UP_SECONDS + " s");
                }
                left = read.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while reading " + place.topic(), e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        consumer.wakeup();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(CATCH_UP_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
