package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Log;
import dev.postroad.transports.emulation.Table;
import dev.postroad.transports.emulation.Waiting;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
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
import org.jspecify.annotations.Nullable;

/** A log, or a table, as a topic of one partition, read on a thread of its own. The topic of a table is compacted. */
final class KafkaLog implements Log, Table {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.kafka");
    private static final String PREFIX = "postroad-";
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long CATCH_UP_SECONDS = 30;
    private static final long PAUSE_MILLIS = 500;

    private final KafkaTransport transport;
    private final TopicPartition place;
    private final Consumer<ConsumerRecord<byte[], byte[]>> reader;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition read = lock.newCondition();
    private long next;
    private volatile boolean closed;

    static Log log(KafkaTransport transport, String name, Duration retention, Consumer<byte[]> reader) {
        Map<String, String> settings = Map.of("cleanup.policy", "delete", "retention.ms", "" + retention.toMillis());
        return new KafkaLog(transport, name, settings, entry -> {
            if (entry.value() != null) {
                reader.accept(entry.value());
            }
        });
    }

    static Table table(KafkaTransport transport, String name, Reader reader) {
        return new KafkaLog(transport, name, Map.of("cleanup.policy", "compact"), entry -> {
            if (entry.key() != null) {
                byte[] text = entry.value();
                reader.read(
                        new String(entry.key(), StandardCharsets.UTF_8),
                        text == null ? null : new String(text, StandardCharsets.UTF_8));
            }
        });
    }

    private KafkaLog(
            KafkaTransport transport,
            String name,
            Map<String, String> settings,
            Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        this.transport = transport;
        this.place = new TopicPartition(PREFIX + name, 0);
        this.reader = reader;
        Map<String, String> all = new HashMap<>(settings);
        all.put("flush.messages", transport.url0().flushed() ? "1" : Long.toString(Long.MAX_VALUE));
        transport.topics().create(place.topic(), 1, all, "Postroad's " + name);
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
                        reader.accept(entry);
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
    public void enter(String name, String text) {
        put(name, text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void strike(String name) {
        put(name, null);
    }

    private void put(String name, byte @Nullable [] text) {
        Waiting.await(
                transport.produce(new ProducerRecord<>(place.topic(), 0, name.getBytes(StandardCharsets.UTF_8), text)),
                "writing '" + name + "' to '" + place.topic() + "'");
        catchUp();
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
