package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.Receipt;
import dev.postroad.transports.emulation.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Kafka's transactions, each on a producer of its own, which are kept and used again. Safe for use by many threads. */
final class Transactions implements AutoCloseable {
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final KafkaUrl url;
    private final Map<String, Object> settings;
    private final ConcurrentLinkedQueue<KafkaProducer<byte[], byte[]>> idle = new ConcurrentLinkedQueue<>();

    /** @param timeout after which the broker aborts a transaction whose client is gone; null for Kafka's own */
    Transactions(KafkaUrl url, @Nullable Duration timeout) {
        this.url = url;
        this.settings =
                timeout == null ? Map.of() : Map.of("transaction.timeout.ms", Math.toIntExact(timeout.toMillis()));
    }

    /** A message to send. */
    record Sending(String channel, String id, ProducerRecord<byte[], byte[]> message) {}

    /** Sends and settles all or nothing, with what belongs to the settling; blocks. */
    List<Receipt> run(List<Sending> sends, List<Held> acknowledged) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(sends.size());
        sends.forEach(sending -> records.add(sending.message));
        Map<Member, List<Held>> members = byMember(acknowledged);
        members.forEach((member, held) -> records.addAll(member.alongside(held)));
        List<RecordMetadata> places = write(records, members);
        List<Receipt> receipts = new ArrayList<>(sends.size());
        for (int i = 0; i < sends.size(); i++) {
            Sending sending = sends.get(i);
            RecordMetadata at = places.get(i);
            receipts.add(new Receipt(sending.id, sending.channel, at.partition(), at.offset(), false));
        }
        return receipts;
    }

    /** Writes and settles just these, all or nothing; blocks. */
    void write(List<ProducerRecord<byte[], byte[]>> records, List<Held> settled) {
        write(records, byMember(settled));
    }

    private List<RecordMetadata> write(List<ProducerRecord<byte[], byte[]>> records, Map<Member, List<Held>> members) {
        KafkaProducer<byte[], byte[]> producer = null;
        boolean usable = false;
        try {
            producer = take();
            List<RecordMetadata> places = run(producer, records, members);
            usable = true;
            return places;
        } catch (RuntimeException e) {
            int settled = members.values().stream().mapToInt(List::size).sum();
            throw Failures.of(
                    "a transaction of " + records.size() + " records and " + settled + " acknowledgements", url, e);
        } finally {
            if (usable) {
                idle.add(producer);
            } else if (producer != null) {
                // One that failed may be fenced: the next transaction makes another.
                producer.close(CLOSE);
            }
        }
    }

    private static Map<Member, List<Held>> byMember(List<Held> acknowledged) {
        // In one order, so that two transactions do not wait for each other.
        Map<Member, List<Held>> members = new TreeMap<>(Comparator.comparingLong(Member::number));
        for (Held held : acknowledged) {
            if (held.settler() instanceof Member member) {
                members.computeIfAbsent(member, any -> new ArrayList<>()).add(held);
            }
        }
        return members;
    }

    private List<RecordMetadata> run(
            KafkaProducer<byte[], byte[]> producer,
            List<ProducerRecord<byte[], byte[]>> records,
            Map<Member, List<Held>> members) {
        Map<Member, List<Held>> entered = new LinkedHashMap<>();
        boolean committed = false;
        try {
            producer.beginTransaction();
            // First of all: a member that waits for what others have open must not be waited for with something open.
            for (Map.Entry<Member, List<Held>> each : members.entrySet()) {
                Map<TopicPartition, OffsetAndMetadata> offsets = each.getKey().transacting(each.getValue());
                entered.put(each.getKey(), each.getValue());
                producer.sendOffsetsToTransaction(offsets, each.getKey().metadata());
            }
            List<Future<RecordMetadata>> sent = new ArrayList<>(records.size());
            for (ProducerRecord<byte[], byte[]> record : records) {
                sent.add(producer.send(record));
            }
            producer.commitTransaction();
            committed = true;
            List<RecordMetadata> places = new ArrayList<>(sent.size());
            for (Future<RecordMetadata> each : sent) {
                places.add(each.get());
            }
            return places;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(MessagingException.Reason.TIMEOUT, "interrupted in a transaction", e);
        } catch (java.util.concurrent.ExecutionException e) {
            throw Failures.of("sending in a transaction", url, e);
        } finally {
            boolean took = committed;
            if (!took) {
                abort(producer);
            }
            entered.forEach((member, held) -> member.transacted(held, took));
        }
    }

    private static void abort(KafkaProducer<byte[], byte[]> producer) {
        try {
            producer.abortTransaction();
        } catch (RuntimeException e) {
            // The broker aborts what nobody commits.
            System.getLogger("dev.postroad.transports.kafka")
                    .log(System.Logger.Level.DEBUG, "aborting a transaction failed", e);
        }
    }

    private KafkaProducer<byte[], byte[]> take() {
        KafkaProducer<byte[], byte[]> present = idle.poll();
        if (present != null) {
            return present;
        }
        Map<String, Object> more = new HashMap<>(settings);
        more.put("transactional.id", "postroad-" + UUID.randomUUID());
        more.put("linger.ms", 0);
        KafkaProducer<byte[], byte[]> made = new KafkaProducer<>(
                url.client(KafkaTransport.producerSettings(url, more)),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        boolean ready = false;
        try {
            made.initTransactions();
            ready = true;
            return made;
        } finally {
            if (!ready) {
                made.close(CLOSE);
            }
        }
    }

    @Override
    public void close() {
        for (var each = idle.poll(); each != null; each = idle.poll()) {
            each.close(CLOSE);
        }
    }
}
