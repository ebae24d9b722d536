package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.impl.AMQConnection;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Publishes with confirms, many in flight on one channel, which is opened anew when the broker closes it. What is unconfirmed when
 * a channel goes fails: whether the broker has it is unknown. Safe for use by many threads; keeps the order of the calls.
 *
 * <p>A message goes to the broker at once while few are unconfirmed. Where many are, their senders do not wait for each, and what
 * comes within a quarter of a millisecond goes together. Confirms are counted here and not by the client, which would keep a sorted
 * set of what is unconfirmed beside ours.
 */
final class Publisher implements Link.User, AutoCloseable {
    private static final long CONFIRM_SECONDS = 60;

    /** The one value of Void, of messages whose confirm tells nothing more. */
    @SuppressWarnings("NullAway")
    static final Void CONFIRMED = null;

    /** With so many unconfirmed messages, others wait for company. */
    private static final int MANY = 64;

    private static final long COMPANY_NANOS = 250_000;
    private static final Pattern LIMIT = Pattern.compile("larger than (?:configured )?max size (\\d+)");

    /** A message under way, completed with its outcome when it is confirmed. */
    private static final class Sending<T> extends CompletableFuture<T> {
        private final String routingKey;
        private final @Nullable String id;
        private final int bytes;
        private final T outcome;
        private final long since = System.nanoTime();

        Sending(String routingKey, @Nullable String id, int bytes, T outcome) {
            this.routingKey = routingKey;
            this.id = id;
            this.bytes = bytes;
            this.outcome = outcome;
        }

        void confirmed() {
            complete(outcome);
        }

        /** For who gets the future: one that is this much and no more. */
        @Override
        public <U> CompletableFuture<U> newIncompleteFuture() {
            return new CompletableFuture<>();
        }

        String name() {
            return routingKey + '\n' + id;
        }
    }

    /** A channel with what is unconfirmed on it. */
    private static final class Session {
        private final Channel channel;
        private final AMQConnection connection;
        private final Outgoing outgoing;
        private final Unconfirmed<Sending<?>> unconfirmed = new Unconfirmed<>();
        private final Set<String> returned = ConcurrentHashMap.newKeySet();
        private final AtomicBoolean over = new AtomicBoolean();

        /** The number of the last message. Guarded by the lock. */
        private long last;

        Session(Channel channel) {
            this.channel = channel;
            // Ours recover nothing by themselves, and such a connection is one of these.
            this.connection = (AMQConnection) channel.getConnection();
            this.outgoing = new Outgoing(channel.getChannelNumber(), connection.getFrameMax(), channel::getCloseReason);
        }
    }

    private final Link link;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Session current;

    /** True while there may be messages that wait for company; written under the lock. */
    private volatile boolean busy;

    private @Nullable Thread sender;
    private volatile boolean closed;

    Publisher(Link link) {
        this.link = link;
        link.add(this);
    }

    /** @return completes with the confirm; fails {@code NOT_FOUND} where no queue took it, {@code FULL} where one refused */
    CompletableFuture<Void> publish(String exchange, String routingKey, AMQP.BasicProperties properties, byte[] body) {
        return publish(exchange, routingKey, properties, body, CONFIRMED);
    }

    /** As the other, and completes with this. */
    <T> CompletableFuture<T> publish(
            String exchange, String routingKey, AMQP.BasicProperties properties, byte[] body, T outcome) {
        String blocked = link.blocked();
        if (blocked != null) {
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.FULL, link.url().shown() + " takes no messages at present: " + blocked));
        }
        Sending<T> sending = new Sending<>(routingKey, properties.getMessageId(), body.length, outcome);
        lock.lock();
        try {
            Session session = session();
            session.outgoing.add(exchange, routingKey, properties, body);
            session.unconfirmed.add(++session.last, sending);
            if (session.outgoing.isFull() || session.unconfirmed.size() < MANY) {
                send(session);
            } else {
                sendSoon();
            }
            if (session.over.get()) {
                // Its end may have been told before this was entered.
                failAll(session, session.channel.getCloseReason());
            }
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(
                    Failures.of("sending message " + sending.id + " to '" + routingKey + "'", link.url(), e));
        } finally {
            lock.unlock();
        }
        return sending;
    }

    /** Under the lock. What can't be written fails, with all that is unconfirmed: part of it may have been. */
    private void send(Session session) {
        try {
            session.outgoing.sendOn(session.connection);
        } catch (AlreadyClosedException e) {
            failAll(session, session.channel.getCloseReason());
        } catch (IOException | RuntimeException e) {
            failAll(session, e);
        }
    }

    // ── What waits for company ───────────────────────────────────────────────────────────────────────────────────────

    /** Under the lock. */
    private void sendSoon() {
        if (busy) {
            return;
        }
        busy = true;
        Thread present = sender;
        if (present == null) {
            sender = Thread.ofPlatform().daemon().name("postroad-amqp-sender").start(this::sendWhileBusy);
        } else {
            LockSupport.unpark(present);
        }
    }

    private void sendWhileBusy() {
        while (!closed) {
            if (busy) {
                LockSupport.parkNanos(this, COMPANY_NANOS);
                sendRest();
            } else {
                LockSupport.park(this);
            }
        }
    }

    private void sendRest() {
        lock.lock();
        try {
            Session session = current;
            if (session == null || session.outgoing.isEmpty()) {
                busy = false;
            } else {
                send(session);
            }
        } finally {
            lock.unlock();
        }
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private Session session() throws IOException {
        Session session = current;
        if (session != null && session.channel.isOpen() && !session.over.get()) {
            return session;
        }
        Channel channel = link.channel();
        Session opened = new Session(channel);
        channel.rpc(new AMQP.Confirm.Select.Builder().build());
        channel.addConfirmListener(
                (number, multiple) -> confirmed(opened, number, multiple, true),
                (number, multiple) -> confirmed(opened, number, multiple, false));
        channel.addReturnListener(back -> opened.returned.add(
                back.getRoutingKey() + '\n' + back.getProperties().getMessageId()));
        channel.addShutdownListener(cause -> failAll(opened, cause));
        current = opened;
        return opened;
    }

    private void confirmed(Session session, long number, boolean multiple, boolean taken) {
        if (multiple) {
            for (Sending<?> sending : session.unconfirmed.removeUpTo(number)) {
                end(session, sending, taken);
            }
        } else {
            Sending<?> sending = session.unconfirmed.remove(number);
            if (sending != null) {
                end(session, sending, taken);
            }
        }
    }

    private void end(Session session, Sending<?> sending, boolean taken) {
        if (!session.returned.isEmpty() && session.returned.remove(sending.name())) {
            sending.completeExceptionally(new MessagingException(
                    Reason.NOT_FOUND,
                    "there is no queue '" + sending.routingKey + "' on "
                            + link.url().shown() + " any more; declare the channel again"));
        } else if (taken) {
            sending.confirmed();
        } else {
            sending.completeExceptionally(new MessagingException(
                    Reason.FULL,
                    "queue '" + sending.routingKey + "' on " + link.url().shown() + " refuses message " + sending.id
                            + ": it is full (maxMessages, maxBytes)"));
        }
    }

    private void failAll(Session session, @Nullable Throwable cause) {
        session.over.set(true);
        Throwable why = cause == null ? new IOException("the channel is closed") : cause;
        for (Sending<?> sending : session.unconfirmed.removeUpTo(Long.MAX_VALUE)) {
            MessagingException failure =
                    Failures.of("sending message " + sending.id + " to '" + sending.routingKey + "'", link.url(), why);
            if (failure.reason() == Reason.TOO_LARGE && sending.bytes <= limit(failure)) {
                failure = new MessagingException(
                        Reason.UNREACHABLE,
                        "message " + sending.id + " to '" + sending.routingKey
                                + "' was under way when another was refused; the outcome is unknown",
                        why);
            }
            sending.completeExceptionally(failure);
        }
    }

    private static long limit(MessagingException failure) {
        Matcher limit = LIMIT.matcher(String.valueOf(failure.getMessage()));
        return limit.find() ? Long.parseLong(limit.group(1)) : 0;
    }

    /** Gives up waiting for confirms that are a minute late. */
    void sweep() {
        Session session = current;
        if (session == null) {
            return;
        }
        long before = System.nanoTime() - TimeUnit.SECONDS.toNanos(CONFIRM_SECONDS);
        for (Sending<?> sending : session.unconfirmed.removeWhile(each -> each.since - before <= 0)) {
            sending.completeExceptionally(new MessagingException(
                    Reason.TIMEOUT,
                    "message " + sending.id + " to '" + sending.routingKey + "' was not confirmed by "
                            + link.url().shown() + " within " + CONFIRM_SECONDS + " s; the outcome is unknown"));
        }
    }

    @Override
    public void connected(Link newLink) {
        // The next message opens a channel.
    }

    @Override
    public void broken() {
        // The channel's own end is told to its listener.
    }

    /** Waits for what is unconfirmed, for so long. */
    void drain(long millis) {
        Session session = current;
        if (session == null) {
            return;
        }
        sendRest();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Sending<?> sending : session.unconfirmed.all()) {
            try {
                sending.handle((confirmed, failure) -> sending)
                        .get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
                return;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        link.remove(this);
        lock.lock();
        try {
            closed = true;
            if (sender != null) {
                LockSupport.unpark(sender);
            }
        } finally {
            lock.unlock();
        }
        Session session = current;
        if (session != null) {
            Link.release(session.channel);
        }
    }
}
