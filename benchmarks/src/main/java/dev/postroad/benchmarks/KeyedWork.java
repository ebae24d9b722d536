package dev.postroad.benchmarks;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.jspecify.annotations.Nullable;

/** Messages of a thousand keys in six partitions, each of which is 20 ms of work. */
final class KeyedWork {
    private static final int KEYS = 1_000;
    private static final int PARTITIONS = 6;
    private static final int AT_ONCE = 500;
    private static final long WORK_MILLIS = 20;

    private KeyedWork() {}

    /** Carries out the work, and tells of it one at a time. */
    private static final class Work implements LongConsumer {
        private final LongConsumer arrivals;
        private final ReentrantLock lock = new ReentrantLock();

        Work(LongConsumer arrivals) {
            this.arrivals = arrivals;
        }

        @Override
        public void accept(long sentAt) {
            try {
                Stopwatch.waitMillis(WORK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            lock.lock();
            try {
                arrivals.accept(sentAt);
            } finally {
                lock.unlock();
            }
        }
    }

    /** All keys in turn, again and again. */
    private static final class Keys implements Supplier<byte @Nullable []> {
        private int number;

        @Override
        public byte[] get() {
            return ("key-" + number++ % KEYS).getBytes(StandardCharsets.UTF_8);
        }
    }

    /** Keys of one partition side by side, each in its order. */
    static final class OfPostroad implements ClientContender {
        private final Postroad postroad;

        OfPostroad(String url) {
            postroad = Postroad.connect(url);
        }

        @Override
        public void declareQueue(String queue) {
            postroad.declare(Channel.event(queue).withPartitions(PARTITIONS).withDeadLetter(null));
        }

        @Override
        public Sender sender(String queue, Sending sending) {
            Keys keys = new Keys();
            return PostroadApi.sender(postroad, queue, payload -> Message.of(keys.get(), payload));
        }

        @Override
        public Closeable receive(String queue, LongConsumer arrivals) {
            Work work = new Work(arrivals);
            Subscription subscription = postroad.listen(
                    queue,
                    Format.bytes(),
                    ConsumerOptions.DEFAULT
                            .withGroup(Terms.GROUP)
                            .withConcurrency(AT_ONCE)
                            .withPrefetch(2 * AT_ONCE),
                    delivery -> {
                        byte[] payload = delivery.message().value();
                        work.accept(payload == null ? 0 : Payloads.sentAt(payload));
                    });
            return subscription::close;
        }

        @Override
        public void close() {
            postroad.close();
        }
    }

    /** Six consumers of one group, with a partition each: what a group can do at most. */
    static final class OfKafka implements ClientContender {
        private final String servers;
        private final KafkaProducer<byte[], byte[]> producer;

        OfKafka(String servers) {
            this.servers = servers;
            this.producer = RawKafka.producer(servers);
        }

        @Override
        public void declareQueue(String queue) throws IOException, InterruptedException {
            RawKafka.createTopic(servers, queue, PARTITIONS);
        }

        @Override
        public Sender sender(String queue, Sending sending) {
            return RawKafka.sender(producer, queue, new Keys());
        }

        @Override
        public Closeable receive(String queue, LongConsumer arrivals) {
            Work work = new Work(arrivals);
            List<RawKafka.Reader> readers = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                RawKafka.Reader reader = new RawKafka.Reader(servers, queue, work);
                reader.thread.start();
                readers.add(reader);
            }
            return () -> readers.forEach(RawKafka.Reader::close);
        }

        @Override
        public void close() {
            producer.close();
        }
    }
}
