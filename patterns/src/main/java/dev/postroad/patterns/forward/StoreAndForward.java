package dev.postroad.patterns.forward;

import dev.postroad.api.Administration.Browsed;
import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transport;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a program send although the remote broker is away: messages are kept by a local broker, durably, and forwarded in the
 * order in which they were sent, as soon as the remote one takes them. Safe for use by many threads; one for each local
 * channel.
 *
 * <pre>{@code
 *   Postroad local = Postroad.connect("embedded:outgoing");
 *   try (StoreAndForward forward = StoreAndForward.start(
 *           local, () -> Postroad.connect("http://broker:8480"), ForwardSettings.of("outgoing"))) {
 *       forward.producer(Format.strings()).send("orders", Message.of("three books"));   // stored; returns
 *   }
 * }</pre>
 *
 * <p>A message is removed from the local channel after the remote broker's confirm: at least once, with the same message id
 * if it is sent again. What the remote broker refuses for good (too large, unknown channel) goes to the local dead-letter
 * channel with the reason, and the later ones go on. A time to live is counted from the sending; what has expired meanwhile is
 * dropped and counted.
 */
public final class StoreAndForward implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(StoreAndForward.class.getName());
    private static final RetryPolicy BACKOFF =
            new RetryPolicy(1_000_000, Duration.ofMillis(50), Duration.ofHours(1), 2.0, 0.5);
    private static final Duration WAIT = Duration.ofSeconds(30);

    private final Postroad local;
    private final Supplier<Postroad> connect;
    private final ForwardSettings settings;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicLong forwarded = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong expired = new AtomicLong();
    private @Nullable Remote remote;
    private int failures;

    private record Remote(Postroad postroad, MessageProducer<byte[], byte[]> producer) {}

    /** One message on its way: its delivery by the local broker, and the message itself. */
    private record Letter(Delivery<byte[], byte[]> delivery, String to, Message<byte[], byte[]> message) {
        /** Time to live that is left; null for ever. */
        @Nullable
        Duration left() {
            Duration ttl = message.properties().ttl();
            if (ttl == null) {
                return null;
            }
            Duration left = ttl.minus(Duration.between(delivery.message().timestamp(), Instant.now()));
            return left.compareTo(ttl) < 0 ? left : ttl;
        }

        Message<byte[], byte[]> aged() {
            Duration left = left();
            return left == null ? message : message.withTtl(left.toMillis() < 1 ? Duration.ofMillis(1) : left);
        }
    }

    private StoreAndForward(Postroad local, Supplier<Postroad> connect, ForwardSettings settings) {
        this.local = local;
        this.connect = connect;
        this.settings = settings;
        this.thread = Thread.ofVirtual()
                .name("postroad-forward-" + settings.channel())
                .unstarted(this::run);
    }

    /**
     * Declares the local channel and begins to forward what is in it.
     *
     * @param local where messages are kept: {@code embedded:DIR}; it must outlive this
     * @param remote opens a connection to the remote broker, each time anew after it was lost; what it throws means that the
     *     broker is away
     * @param settings of the local channel
     * @throws MessagingException as declaring the local channel fails
     */
    public static StoreAndForward start(Postroad local, Supplier<Postroad> remote, ForwardSettings settings) {
        local.declare(settings.local());
        StoreAndForward forward = new StoreAndForward(local, remote, settings);
        forward.thread.start();
        return forward;
    }

    /**
     * A producer whose sends return when the message is on the local disk. The channels it sends to are those of the remote
     * broker; they need not be known here. It throws {@code FULL} when too many messages wait.
     */
    public <K, V> MessageProducer<K, V> producer(Format<K, V> format) {
        return new StoringProducer<>(local.producer(Format.bytes()), format, settings.channel());
    }

    /** Messages that the remote broker took. */
    public long forwarded() {
        return forwarded.get();
    }

    /** Messages that the remote broker refused for good; they are in the local channel {@code NAME.refused}. */
    public long refused() {
        return refused.get();
    }

    /** Messages whose time to live was over before they could be forwarded. */
    public long expired() {
        return expired.get();
    }

    /** What waits now. */
    public Waiting waiting() {
        long waiting = 0;
        long given = 0;
        for (ChannelStatus status : local.administration().channels()) {
            if (status.channel().name().equals(settings.channel())) {
                waiting = status.ready() + status.inFlight() + status.delayed();
            } else if (status.channel().name().equals(settings.refused())) {
                given = status.ready();
            }
        }
        List<Browsed> oldest = local.administration().browse(settings.channel(), null, 1);
        Duration age = oldest.isEmpty()
                ? Duration.ZERO
                : Duration.between(oldest.getFirst().message().timestamp(), Instant.now());
        return new Waiting(waiting, age.isNegative() ? Duration.ZERO : age, given);
    }

    private void run() {
        try {
            while (closing.getCount() > 0) {
                // Exclusive: two that forward would get in each other's way and spoil the order.
                ConsumerOptions alone = ConsumerOptions.DEFAULT
                        .withExclusive(true)
                        .withPrefetch(settings.batch())
                        .withName(thread.getName());
                try (Transport.Receiver receiver = local.transport().receive(List.of(settings.channel()), alone)) {
                    while (closing.getCount() > 0) {
                        forward(receiver, receiver.receive(settings.batch(), WAIT));
                    }
                } catch (MessagingException e) {
                    pause("the local channel " + settings.channel() + " can't be read", e);
                }
            }
        } catch (InterruptedException e) {
            // Closed: what was not confirmed went back with the receiver.
            return;
        } finally {
            disconnect();
        }
    }

    private void forward(Transport.Receiver receiver, List<Delivery<byte[], byte[]>> deliveries)
            throws InterruptedException {
        List<Letter> letters = new ArrayList<>();
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            Letter letter = open(delivery);
            if (letter != null) {
                letters.add(letter);
            }
        }
        int at = 0;
        while (at < letters.size()) {
            int end = at + 1;
            while (end < letters.size()
                    && letters.get(end).to().equals(letters.get(at).to())) {
                end++;
            }
            forwardRun(receiver, letters.subList(at, end));
            at = end;
        }
    }

    /** Messages to one channel: all at once, and one by one where that is refused. */
    private void forwardRun(Transport.Receiver receiver, List<Letter> letters) throws InterruptedException {
        List<Letter> run = letters;
        while (true) {
            run = alive(run);
            if (run.isEmpty()) {
                return;
            }
            try {
                send(run);
                failures = 0;
                break;
            } catch (MessagingException e) {
                boolean forGood = forGood(e);
                if (forGood && run.size() == 1) {
                    refuse(run.getFirst().delivery(), String.valueOf(e.getMessage()));
                    return;
                }
                if (run.size() > 1 && (forGood || e.reason() == Reason.FULL)) {
                    // A channel may have room for one where it will never have room for all at once.
                    for (Letter letter : run) {
                        forwardRun(receiver, List.of(letter));
                    }
                    return;
                }
                if (e.reason() != Reason.FULL) {
                    disconnect();
                }
                pause(
                        "the remote broker does not take messages for channel "
                                + run.getFirst().to(),
                        e);
            }
        }
        receiver.acknowledge(run.stream().map(Letter::delivery).toList()).join();
        forwarded.addAndGet(run.size());
    }

    /** Those that have not expired, with the time to live that they still have; the others are dropped. */
    private List<Letter> alive(List<Letter> run) {
        List<Letter> alive = new ArrayList<>(run.size());
        for (Letter letter : run) {
            Duration left = letter.left();
            if (left == null || left.toMillis() >= 1) {
                alive.add(letter);
            } else {
                letter.delivery().acknowledge().join();
                expired.incrementAndGet();
            }
        }
        return alive;
    }

    private void send(List<Letter> run) {
        Remote open = remote;
        if (open == null) {
            try {
                Postroad postroad = connect.get();
                open = new Remote(postroad, postroad.producer(Format.bytes()));
                remote = open;
            } catch (MessagingException e) {
                throw new MessagingException(Reason.UNREACHABLE, String.valueOf(e.getMessage()), e);
            } catch (RuntimeException e) {
                throw new MessagingException(Reason.UNREACHABLE, "connecting failed: " + e, e);
            }
        }
        open.producer()
                .sendBatch(run.getFirst().to(), run.stream().map(Letter::aged).toList());
    }

    /** Null if there is nothing to send: settled already. */
    private @Nullable Letter open(Delivery<byte[], byte[]> delivery) {
        String to = delivery.message().headers().get(StoringProducer.TO_HEADER);
        byte[] value = delivery.message().value();
        if (to == null || value == null) {
            refuse(delivery, "this is no message to be forwarded: it has no header " + StoringProducer.TO_HEADER);
            return null;
        }
        try {
            return new Letter(delivery, to, MessageBytes.decode(value));
        } catch (MessagingException e) {
            refuse(delivery, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private void refuse(Delivery<byte[], byte[]> delivery, String reason) {
        delivery.deadLetter(reason).join();
        refused.incrementAndGet();
        LOG.log(
                Level.WARNING,
                "message " + delivery.message().id() + " can't be forwarded and is now in " + settings.refused() + ": "
                        + reason);
    }

    private static boolean forGood(MessagingException e) {
        return switch (e.reason()) {
            case CLOSED, STORAGE_FAILED, DENIED, FAILED -> false;
            default -> !e.reason().repeatable();
        };
    }

    private void pause(String what, MessagingException why) throws InterruptedException {
        failures = Math.min(failures + 1, 1_000);
        Duration backoff =
                BACKOFF.delayAfter(failures, ThreadLocalRandom.current().nextDouble());
        Duration pause = backoff.compareTo(settings.maxPause()) < 0 ? backoff : settings.maxPause();
        LOG.log(Level.WARNING, what + ", tried again in " + pause + ": " + why.getMessage());
        if (closing.await(pause.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new InterruptedException("closing");
        }
    }

    private void disconnect() {
        Remote open = remote;
        remote = null;
        if (open != null) {
            try {
                open.postroad().close();
            } catch (RuntimeException e) {
                LOG.log(Level.DEBUG, "closing the connection to the remote broker failed: " + e.getMessage());
            }
        }
    }

    /** Stops forwarding and closes the connection to the remote broker. What waits stays, for the next start. Idempotent. */
    @Override
    public void close() {
        closing.countDown();
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
