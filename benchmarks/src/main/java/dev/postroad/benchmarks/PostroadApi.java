package dev.postroad.benchmarks;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Durability;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import java.io.Closeable;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongConsumer;

/** Postroad as applications use it: producers and consumers, on {@code embedded:DIR} or any other url. */
final class PostroadApi implements Contender {
    private static final int PREFETCH = 8192;
    private static final Duration POLL = Duration.ofMillis(100);

    private final Postroad postroad;
    private final Function<String, Channel> channels;
    private final ConsumerOptions options;

    PostroadApi(Path directory) {
        this("embedded:" + directory, Channel::command, ConsumerOptions.DEFAULT.withPrefetch(PREFETCH));
    }

    /** @param channels the channel that is a queue of a name */
    PostroadApi(String url, Function<String, Channel> channels, ConsumerOptions options) {
        this.postroad = Postroad.connect(url);
        this.channels = channels;
        this.options = options;
    }

    @Override
    public void declareQueue(String queue) {
        postroad.declare(channels.apply(queue));
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        return sender(postroad, queue, Message::of);
    }

    /** @param messages the message of each payload, in turn */
    static Sender sender(Postroad postroad, String queue, Function<byte[], Message<byte[], byte[]>> messages) {
        MessageProducer<byte[], byte[]> producer = postroad.producer(Format.bytes());
        return new Sender() {
            @Override
            public void send(byte[] payload) {
                producer.send(queue, messages.apply(payload));
            }

            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                sendTo(producer, queue, messages.apply(payload), confirmation);
            }

            @Override
            public void close() {
                producer.close();
            }
        };
    }

    private static void sendTo(
            MessageProducer<byte[], byte[]> producer,
            String channel,
            Message<byte[], byte[]> message,
            Confirmation confirmation) {
        producer.sendAsync(channel, message).whenComplete((receipt, failure) -> {
            if (failure == null) {
                confirmation.confirmed();
            } else {
                confirmation.failed(failure);
            }
        });
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        Receiver receiver = new Receiver(queue, arrivals);
        receiver.thread.start();
        return receiver;
    }

    /** Polls and commits, as the simple level has it. */
    private final class Receiver implements Closeable {
        private final MessageConsumer<byte[], byte[]> consumer = postroad.consumer(Format.bytes(), options);
        private final LongConsumer arrivals;
        private final Thread thread = Thread.ofPlatform().name("consumer").unstarted(this::run);
        private volatile boolean closing;

        Receiver(String queue, LongConsumer arrivals) {
            this.arrivals = arrivals;
            consumer.subscribe(List.of(queue));
        }

        private void run() {
            while (!closing) {
                List<Message<byte[], byte[]>> messages = consumer.poll(POLL);
                if (!messages.isEmpty()) {
                    arrived(messages, arrivals);
                    consumer.commit();
                }
            }
        }

        @Override
        public void close() {
            closing = true;
            Stopwatch.join(thread);
            consumer.close();
        }
    }

    private static void arrived(List<Message<byte[], byte[]>> messages, LongConsumer arrivals) {
        for (Message<byte[], byte[]> message : messages) {
            byte[] payload = message.value();
            if (payload != null) {
                arrivals.accept(Payloads.sentAt(payload));
            }
        }
    }

    @Override
    public Log log(String name, int batch) {
        postroad.declare(Channel.event(name)
                .withDurability(Durability.BUFFERED)
                .withPartitions(1)
                .withOrderedByKey(false)
                .withDeadLetter(null)
                .withMaxBytes(1L << 30));
        return new StreamLog(name, batch);
    }

    private final class StreamLog implements Log {
        private final MessageProducer<byte[], byte[]> producer = postroad.producer(Format.bytes());
        private final MessageConsumer<byte[], byte[]> consumer = postroad.consumer(
                Format.bytes(),
                ConsumerOptions.DEFAULT
                        .withStart(new ConsumerOptions.Start.Earliest())
                        .withPrefetch(PREFETCH));
        private final String stream;
        private final int batch;
        private final List<Message<byte[], byte[]>> pending = new ArrayList<>();
        private final List<Confirmation> confirmations = new ArrayList<>();

        StreamLog(String stream, int batch) {
            this.stream = stream;
            this.batch = batch;
            consumer.subscribe(List.of(stream));
        }

        @Override
        public void append(byte[] payload, Confirmation confirmation) {
            if (batch == 1) {
                sendTo(producer, stream, Message.of(payload), confirmation);
                return;
            }
            pending.add(Message.of(payload));
            confirmations.add(confirmation);
            if (pending.size() == batch) {
                flush();
            }
        }

        @Override
        public void flush() {
            if (!pending.isEmpty()) {
                producer.sendBatch(stream, pending);
                confirmations.forEach(Confirmation::confirmed);
                pending.clear();
                confirmations.clear();
            }
        }

        @Override
        public int tail(LongConsumer arrivals, boolean spinning) {
            List<Message<byte[], byte[]>> messages = consumer.poll(spinning ? Duration.ZERO : POLL);
            arrived(messages, arrivals);
            if (!messages.isEmpty()) {
                consumer.commit();
            }
            return messages.size();
        }

        @Override
        public void close() {
            consumer.close();
            producer.close();
            postroad.administration().delete(stream);
        }
    }

    @Override
    public void close() {
        postroad.close();
    }
}
