package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The simple consumer of every transport: what polls return is kept until one commit acknowledges all of it. */
final class TransportConsumer<K, V> implements MessageConsumer<K, V> {
    private static final System.Logger LOG = System.getLogger("dev.postroad.api");
    private static final int MAX_POLLED = 10_000;

    private final Transport transport;
    private final KnownChannels channels;
    private final Needs needs;
    private final MessageCodec<K, V> codec;
    private final ConsumerOptions options;
    private final Runnable onClose;

    /** What came last, of which the first were polled. */
    private List<Delivery<byte[], byte[]>> received = List.of();

    private int polled;
    private List<Delivery<byte[], byte[]>> uncommitted = new ArrayList<>();
    private volatile Transport.@Nullable Receiver receiver;
    private volatile boolean closed;

    TransportConsumer(
            Transport transport,
            KnownChannels channels,
            Needs needs,
            MessageCodec<K, V> codec,
            ConsumerOptions options,
            Runnable onClose) {
        this.transport = transport;
        this.channels = channels;
        this.needs = needs;
        this.codec = codec;
        this.options = options;
        this.onClose = onClose;
    }

    @Override
    public void subscribe(List<String> names) {
        requireOpen();
        if (names.isEmpty()) {
            throw new MessagingException(Reason.INVALID, "subscribe needs at least one channel");
        }
        for (String name : names) {
            needs.requireConsumable(channels.get(name), options);
        }
        Transport.Receiver former = receiver;
        receiver = null;
        received = List.of();
        polled = 0;
        uncommitted = new ArrayList<>();
        if (former != null) {
            former.close();
        }
        receiver = transport.receive(List.copyOf(names), options);
    }

    @Override
    public List<Message<K, V>> poll(Duration timeout) {
        Transport.Receiver from = requireSubscribed();
        long start = System.nanoTime();
        Duration left = timeout;
        while (true) {
            if (polled == received.size()) {
                received = receive(from, left);
                polled = 0;
                if (received.isEmpty()) {
                    return List.of();
                }
            }
            List<Message<K, V>> messages = decodeReceived();
            left = timeout.minusNanos(System.nanoTime() - start);
            if (!messages.isEmpty() || left.isNegative()) {
                return messages;
            }
        }
    }

    /** What could be read of what was received; it counts as polled only once it is about to be returned. */
    private List<Message<K, V>> decodeReceived() {
        int left = received.size() - polled;
        List<Message<K, V>> messages = new ArrayList<>(left);
        if (uncommitted.isEmpty()) {
            uncommitted = new ArrayList<>(left);
        }
        while (polled < received.size()) {
            Delivery<byte[], byte[]> delivery = received.get(polled);
            try {
                messages.add(codec.decode(delivery.channel(), delivery.message()));
                uncommitted.add(delivery);
            } catch (MessagingException e) {
                if (e.reason() != Reason.SERDE && e.reason() != Reason.TOO_LARGE) {
                    if (messages.isEmpty()) {
                        throw e;
                    }
                    return messages;
                }
                giveUp(delivery, e);
            }
            polled++;
        }
        return messages;
    }

    private static List<Delivery<byte[], byte[]>> receive(Transport.Receiver from, Duration timeout) {
        try {
            return from.receive(MAX_POLLED, timeout);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.FAILED, "interrupted while waiting for messages", e);
        }
    }

    private static void giveUp(Delivery<byte[], byte[]> delivery, MessagingException why) {
        LOG.log(Level.WARNING, "dead-lettering what can't be read: {0}", Text.line(why.getMessage()));
        String reason = String.valueOf(why.getMessage());
        delivery.deadLetter(reason).whenComplete((done, failure) -> {
            if (failure != null) {
                LOG.log(
                        Level.WARNING,
                        "could not dead-letter message "
                                + Text.line(delivery.message().id()) + " of channel " + delivery.channel(),
                        failure);
            }
        });
    }

    @Override
    public void commit() {
        Transport.Receiver from = requireSubscribed();
        if (uncommitted.isEmpty()) {
            return;
        }
        List<Delivery<byte[], byte[]>> committing = uncommitted;
        uncommitted = new ArrayList<>();
        try {
            from.acknowledgeAndWait(committing);
        } catch (MessagingException e) {
            if (e.reason().repeatable()) {
                uncommitted = committing;
            }
            throw e;
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the consumer is closed");
        }
    }

    private Transport.Receiver requireSubscribed() {
        requireOpen();
        Transport.Receiver from = receiver;
        if (from == null) {
            throw new MessagingException(Reason.INVALID, "the consumer is subscribed to nothing; call subscribe first");
        }
        return from;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        onClose.run();
        Transport.Receiver from = receiver;
        if (from != null) {
            from.close();
        }
    }
}
