package dev.postroad.benchmarks;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import java.io.Closeable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import org.jctools.queues.SpscArrayQueue;

/** Postroad's engine in this process, driven by its commands: what the embedded transport and every protocol stand on. */
final class PostroadEngine implements Contender {
    private static final int CREDIT = 8192;

    private final Broker broker;

    PostroadEngine(Path directory) {
        broker = Broker.open(BrokerSettings.directory(directory));
    }

    @Override
    public void declareQueue(String queue) {
        broker.<Boolean>await(reply -> new Command.Declare(QueueDefinition.named(queue), null, reply));
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        return new Sender() {
            @Override
            public void send(byte[] payload) {
                broker.<Command.Published>await(reply -> publish(queue, List.of(EngineMessage.of(payload)), reply));
            }

            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                broker.submit(publish(queue, List.of(EngineMessage.of(payload)), new Confirms(confirmation)));
            }

            @Override
            public void close() {}
        };
    }

    private static Command publish(String channel, List<EngineMessage> messages, Reply<Command.Published> reply) {
        return new Command.Publish(null, channel, messages, null, false, null, reply);
    }

    private record Confirms(Confirmation confirmation) implements Reply<Command.Published> {
        @Override
        public void done(Command.Published result) {
            confirmation.confirmed();
        }

        @Override
        public void failed(EngineException cause) {
            confirmation.failed(cause);
        }
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        return new Receiver(queue, arrivals);
    }

    /** Deliveries go from the broker's thread to one of the consumer's own, which settles as many at once as have come. */
    private final class Receiver implements DeliverySink, Closeable {
        private static final int MOST_SETTLED_AT_ONCE = 1024;

        private final SpscArrayQueue<EngineDelivery> inbox = new SpscArrayQueue<>(2 * CREDIT);
        private final LongConsumer arrivals;
        private final Thread thread;
        private final long id;
        private volatile boolean sleeping;
        private volatile boolean closing;

        Receiver(String queue, LongConsumer arrivals) {
            this.arrivals = arrivals;
            this.thread = Thread.ofPlatform().name("consumer").unstarted(this::run);
            this.id = broker.<Long>await(reply -> new Command.Subscribe(
                    queue, null, Command.ConsumerSettings.prefetch(CREDIT, "benchmark"), this, reply));
            thread.start();
        }

        @Override
        public void deliver(EngineDelivery delivery) {
            if (!inbox.offer(delivery)) {
                throw new IllegalStateException("more deliveries than credit");
            }
        }

        @Override
        public void flush() {
            if (sleeping) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void cancelled(String reason) {
            closing = true;
            LockSupport.unpark(thread);
        }

        private void run() {
            while (!closing) {
                long[] numbers = new long[MOST_SETTLED_AT_ONCE];
                int count = 0;
                for (EngineDelivery delivery = inbox.poll(); delivery != null; delivery = inbox.poll()) {
                    byte[] payload = delivery.message().payload();
                    if (payload != null) {
                        arrivals.accept(Payloads.sentAt(payload));
                    }
                    numbers[count++] = delivery.number();
                    if (count == numbers.length) {
                        break;
                    }
                }
                if (count > 0) {
                    broker.submit(new Command.Settle(
                            id, numbers, count, Command.Outcome.Acknowledge.INSTANCE, Reply.ignored()));
                } else {
                    sleeping = true;
                    if (inbox.isEmpty() && !closing) {
                        LockSupport.parkNanos(1_000_000);
                    }
                    sleeping = false;
                }
            }
        }

        @Override
        public void close() {
            closing = true;
            LockSupport.unpark(thread);
            Stopwatch.join(thread);
            broker.<Integer>await(reply -> new Command.Unsubscribe(id, true, reply));
        }
    }

    @Override
    public Log log(String name, int batch) {
        broker.<Boolean>await(reply -> new Command.Declare(
                StreamDefinition.named(name, 1)
                        .withDurability(Durability.BUFFERED)
                        .withRetentionBytes(1L << 30),
                null,
                reply));
        return new StreamLog(name, batch);
    }

    private final class StreamLog implements Log {
        private static final int MOST_FETCHED = 4096;
        private static final int MOST_FETCHED_BYTES = 4 << 20;
        private static final long WAIT_MILLIS = 100;

        private final String stream;
        private final int batch;
        private List<EngineMessage> pending = new ArrayList<>();
        private List<Confirmation> confirmations = new ArrayList<>();
        private long next;

        StreamLog(String stream, int batch) {
            this.stream = stream;
            this.batch = batch;
        }

        @Override
        public void append(byte[] payload, Confirmation confirmation) {
            if (batch == 1) {
                broker.submit(publish(stream, List.of(EngineMessage.of(payload)), new Confirms(confirmation)));
                return;
            }
            pending.add(EngineMessage.of(payload));
            confirmations.add(confirmation);
            if (pending.size() == batch) {
                flush();
            }
        }

        @Override
        public void flush() {
            if (!pending.isEmpty()) {
                broker.submit(publish(stream, pending, new AllConfirm(confirmations)));
                pending = new ArrayList<>(batch);
                confirmations = new ArrayList<>(batch);
            }
        }

        @Override
        public int tail(LongConsumer arrivals, boolean spinning) {
            long until = spinning ? 0 : System.currentTimeMillis() + WAIT_MILLIS;
            Command.Fetched fetched = broker.await(
                    reply -> new Command.Fetch(stream, 0, next, MOST_FETCHED, MOST_FETCHED_BYTES, until, reply));
            for (Command.StreamRecord found : fetched.records()) {
                byte[] payload = found.message().payload();
                if (payload != null) {
                    arrivals.accept(Payloads.sentAt(payload));
                }
            }
            next = fetched.nextFetch();
            return fetched.records().size();
        }

        @Override
        public void close() {
            broker.<Long>await(reply -> new Command.DeleteChannel(stream, false, false, null, reply));
        }
    }

    private record AllConfirm(List<Confirmation> confirmations) implements Reply<Command.Published> {
        @Override
        public void done(Command.Published result) {
            confirmations.forEach(Confirmation::confirmed);
        }

        @Override
        public void failed(EngineException cause) {
            confirmations.forEach(confirmation -> confirmation.failed(cause));
        }
    }

    @Override
    public void close() {
        broker.close();
    }
}
