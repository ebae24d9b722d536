package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Waiting;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Publishes with confirms, many in flight on one channel, which is opened anew when the broker closes it. What is unconfirmed when
 * a channel goes fails: whether the broker has it is unknown. Safe for use by many threads; keeps the order of the calls.
 */
final class Publisher implements Link.User, AutoCloseable {
    private static final long CONFIRM_SECONDS = 60;
    private static final Pattern LIMIT = Pattern.compile("larger than (?:configured )?max size (\\d+)");

    /** A message under way. */
    private static final class Sending {
        private final String routingKey;
        private final @Nullable String id;
        private final int bytes;
        private final long since = System.nanoTime();
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        Sending(String routingKey, @Nullable String id, int bytes) {
            this.routingKey = routingKey;
            this.id = id;
            this.bytes = bytes;
        }

        String name() {
            return routingKey + '\n' + id;
        }
    }

    /** A channel with what is unconfirmed on it. */
    private static final class Session {
        private final Channel channel;
        private final Unconfirmed<Sending> unconfirmed = new Unconfirmed<>();
        private final Set<String> returned = ConcurrentHashMap.newKeySet();
        private final AtomicBoolean over = new AtomicBoolean();

        Session(Channel channel) {
            this.channel = channel;
        }
    }

    private final Link link;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Session current;

    Publisher(Link link) {
        this.link = link;
        link.add(this);
    }

    /** @return completes with the confirm; fails {@code NOT_FOUND} where no queue took it, {@code FULL} where one refused */
    CompletableFuture<Void> publish(String exchange, String routingKey, AMQP.BasicProperties properties, byte[] body) {
        String blocked = link.blocked();
        if (blocked != null) {
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.FULL, link.url().shown() + " takes no messages at present: " + blocked));
        }
        Sending sending = new Sending(routingKey, properties.getMessageId(), body.length);
        lock.lock();
        try {
            Session session = session();
            long number = session.channel.getNextPublishSeqNo();
            session.unconfirmed.add(number, sending);
            try {
                session.channel.basicPublish(exchange, routingKey, true, properties, body);
            } catch (IOException | RuntimeException e) {
                session.unconfirmed.remove(number);
                throw e;
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
        return sending.done;
    }

    private Session session() throws IOException {
        Session session = current;
        if (session != null && session.channel.isOpen()) {
            return session;
        }
        Channel channel = link.channel();
        Session opened = new Session(channel);
        channel.confirmSelect();
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
            session.unconfirmed.removeUpTo(number).forEach(sending -> end(session, sending, taken));
        } else {
            Sending sending = session.unconfirmed.remove(number);
            if (sending != null) {
                end(session, sending, taken);
            }
        }
    }

    private void end(Session session, Sending sending, boolean taken) {
        if (!session.returned.isEmpty() && session.returned.remove(sending.name())) {
            sending.done.completeExceptionally(new MessagingException(
                    Reason.NOT_FOUND,
                    "there is no queue '" + sending.routingKey + "' on "
                            + link.url().shown() + " any more; declare the channel again"));
        } else if (taken) {
            Waiting.complete(sending.done);
        } else {
            sending.done.completeExceptionally(new MessagingException(
                    Reason.FULL,
                    "queue '" + sending.routingKey + "' on " + link.url().shown() + " refuses message " + sending.id
                            + ": it is full (maxMessages, maxBytes)"));
        }
    }

    private void failAll(Session session, @Nullable ShutdownSignalException cause) {
        session.over.set(true);
        Throwable why = cause == null ? new IOException("the channel is closed") : cause;
        for (Sending sending : session.unconfirmed.removeUpTo(Long.MAX_VALUE)) {
            MessagingException failure =
                    Failures.of("sending message " + sending.id + " to '" + sending.routingKey + "'", link.url(), why);
            if (failure.reason() == Reason.TOO_LARGE && sending.bytes <= limit(failure)) {
                failure = new MessagingException(
                        Reason.UNREACHABLE,
                        "message " + sending.id + " to '" + sending.routingKey
                                + "' was under way when another was refused; the outcome is unknown",
                        why);
            }
            sending.done.completeExceptionally(failure);
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
        for (Sending sending : session.unconfirmed.removeWhile(each -> each.since - before <= 0)) {
            sending.done.completeExceptionally(new MessagingException(
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
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Sending sending : session.unconfirmed.all()) {
            try {
                sending.done
                        .exceptionally(failure -> null)
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
        Session session = current;
        if (session != null) {
            Link.release(session.channel);
        }
    }
}
