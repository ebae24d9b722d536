package dev.postroad.proof.process;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.impl.ForgivingExceptionHandler;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A queue over AMQP: one connection; the sends of all threads go through one channel with confirms, batches through one of their own. */
final class AmqpLoad implements Load {
    private static final int PREFETCH = 1_000;
    private static final int PATIENCE_MILLIS = 60_000;
    private static final int TRIES_TO_CONNECT = 4;

    private final Connection connection;
    private final Channel publishing;
    private final String queue;
    private final Map<String, Object> arguments;
    private final @Nullable Channel transactions;
    private final NavigableMap<Long, CompletableFuture<Place>> open = new ConcurrentSkipListMap<>();
    private final Object publishLock = new Object();

    /**
     * Connects.
     *
     * @param arguments of the queue
     * @param transactions true if what is sent within {@code tx} is stored whole or not at all
     */
    AmqpLoad(int port, String queue, Map<String, Object> arguments, boolean transactions) {
        this.queue = queue;
        this.arguments = Map.copyOf(arguments);
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(port);
        factory.setAutomaticRecoveryEnabled(false);
        // A machine may have much else to do; that says nothing about the broker.
        factory.setHandshakeTimeout(PATIENCE_MILLIS);
        factory.setConnectionTimeout(PATIENCE_MILLIS);
        // That connections break is what this is about.
        factory.setExceptionHandler(new ForgivingExceptionHandler() {
            @Override
            protected void log(String message, Throwable e) {}
        });
        try {
            connection = connected(factory);
            publishing = connection.createChannel();
            publishing.confirmSelect();
            publishing.addConfirmListener(
                    (tag, multiple) -> settle(tag, multiple, null),
                    (tag, multiple) -> settle(
                            tag, multiple, new Refused("nack", new IOException("the broker nacked the message"))));
            publishing.addShutdownListener(cause -> settle(Long.MAX_VALUE, true, cause));
            this.transactions = transactions ? connection.createChannel() : null;
            if (this.transactions != null) {
                this.transactions.txSelect();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The broker breaks off who takes more than seconds to log in, which on a busy machine says nothing about either. */
    private static Connection connected(ConnectionFactory factory) throws IOException, TimeoutException {
        for (int left = TRIES_TO_CONNECT - 1; ; left--) {
            try {
                return factory.newConnection();
            } catch (PossibleAuthenticationFailureException e) {
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    private void settle(long tag, boolean multiple, @Nullable Throwable failure) {
        NavigableMap<Long, CompletableFuture<Place>> done =
                multiple ? open.headMap(tag, true) : open.subMap(tag, true, tag, true);
        for (Long each : List.copyOf(done.keySet())) {
            CompletableFuture<Place> outcome = open.remove(each);
            if (outcome != null && failure == null) {
                outcome.complete(Place.NONE);
            } else if (outcome != null) {
                outcome.completeExceptionally(failure);
            }
        }
    }

    @Override
    public void declare() {
        try (Channel declaring = connection.createChannel()) {
            declaring.queueDeclare(queue, true, false, false, arguments);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public CompletableFuture<Place> send(Sending message) {
        CompletableFuture<Place> outcome = new CompletableFuture<>();
        synchronized (publishLock) {
            long tag = publishing.getNextPublishSeqNo();
            open.put(tag, outcome);
            try {
                publishing.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, message.payload());
            } catch (IOException | RuntimeException e) {
                open.remove(tag);
                outcome.completeExceptionally(e);
            }
        }
        return outcome;
    }

    @Override
    public boolean batches() {
        return transactions != null;
    }

    @Override
    public CompletableFuture<Void> sendBatch(List<Sending> messages) {
        Channel channel = transactions;
        if (channel == null) {
            throw new UnsupportedOperationException("no batches here");
        }
        try {
            synchronized (channel) {
                for (Sending message : messages) {
                    channel.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, message.payload());
                }
                channel.txCommit();
            }
            return CompletableFuture.completedFuture(null);
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public boolean transacts() {
        return false;
    }

    @Override
    public void sendTogether(Map<String, Sending> messages) {
        throw new UnsupportedOperationException("one queue only");
    }

    @Override
    public Receiver receiver() {
        try {
            return new Taking(connection.createChannel(), queue);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public long left() {
        return -1;
    }

    @Override
    public void close() {
        connection.abort();
    }

    private static final class Taking implements Load.Receiver {
        private final Channel channel;
        private final BlockingQueue<Load.Taken> arrived = new LinkedBlockingQueue<>();

        Taking(Channel channel, String queue) throws IOException {
            this.channel = channel;
            channel.basicQos(PREFETCH);
            channel.basicConsume(queue, false, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(
                        String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    arrived.add(new Load.Taken(0, Load.Place.NONE, body, envelope.getDeliveryTag()));
                }
            });
        }

        @Override
        public List<Load.Taken> receive(int max, Duration wait) throws InterruptedException {
            List<Load.Taken> taken = new ArrayList<>();
            Load.Taken first = arrived.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
            if (first != null) {
                taken.add(first);
                arrived.drainTo(taken, max - 1);
            } else if (!channel.isOpen()) {
                throw new IllegalStateException("the channel is closed");
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Load.Taken> taken) {
            try {
                for (Load.Taken each : taken) {
                    channel.basicAck((Long) each.handle(), false);
                }
                return CompletableFuture.completedFuture(null);
            } catch (IOException | RuntimeException e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        @Override
        public void giveBack(List<Load.Taken> taken) {
            try {
                for (Load.Taken each : taken) {
                    channel.basicReject((Long) each.handle(), true);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean settles() {
            return false;
        }

        @Override
        public void close() {
            try {
                channel.abort();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
