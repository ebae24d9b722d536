package dev.postroad.transports.amqp;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The connection to the broker, made anew when it breaks: at once, then after pauses that double up to five seconds, with jitter.
 * Whoever has something open on it is told of each new one. Safe for use by many threads.
 *
 * <p>Consumers of queues have a second one, from when the first of them begins; they break and are made anew together. What comes by it
 * is handed over by the thread that reads it, and where the broker takes no more messages, and so reads nothing more from the first, it
 * still learns by this one of what was settled.
 */
final class Link implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final int CLOSE_MILLIS = 10_000;

    /** Has something open on the connection. */
    interface User {
        /** There is a new connection: what was open on the former is gone. May block. @throws IOException to be told again */
        void connected(Link link) throws IOException;

        /** The connection broke. Must not block. */
        void broken();
    }

    private final AmqpUrl url;
    private final ConnectionFactory factory;
    private final List<User> users = new CopyOnWriteArrayList<>();
    private final AtomicReference<@Nullable Connection> current = new AtomicReference<>();

    /** That of consumers; null as long as there are none. It belongs to the current one. Written under this object's lock. */
    private volatile @Nullable Connection receiving;

    /** True once there was a consumer: those that come back find their connection there. */
    private volatile boolean receives;

    private volatile @Nullable MessagingException failure;
    private volatile @Nullable String blocked;
    private final AtomicBoolean atWork = new AtomicBoolean();
    private volatile boolean closed;
    private volatile @Nullable Thread repairing;

    /** @throws MessagingException if there is no connection to be had: {@code UNREACHABLE}, {@code DENIED}, {@code NOT_FOUND} */
    Link(AmqpUrl url) {
        this.url = url;
        this.factory = url.factory();
        try {
            connect();
        } catch (IOException | TimeoutException e) {
            throw Failures.connecting(url, e);
        }
    }

    AmqpUrl url() {
        return url;
    }

    private void connect() throws IOException, TimeoutException {
        Connection connection = factory.newConnection("postroad");
        connection.addBlockedListener(reason -> blocked = reason, () -> blocked = null);
        blocked = null;
        failure = null;
        try {
            enter(connection);
        } catch (IOException | TimeoutException | RuntimeException e) {
            connection.abort(CLOSE_MILLIS);
            throw e;
        }
        connection.addShutdownListener(cause -> broken(connection, cause));
        if (closed) {
            abort(receiving);
            connection.abort(CLOSE_MILLIS);
        }
    }

    /** Under the lock, so that the second one there is belongs to the first. */
    private synchronized void enter(Connection connection) throws IOException, TimeoutException {
        receiving = receives ? connectReceiving(connection) : null;
        current.set(connection);
    }

    /** Where it breaks, the other one is ended too, and both are made anew. */
    private Connection connectReceiving(Connection connection) throws IOException, TimeoutException {
        Connection opened = factory.newConnection("postroad-receiving");
        opened.addShutdownListener(cause -> {
            if (!cause.isInitiatedByApplication()) {
                Thread.startVirtualThread(() -> connection.abort(CLOSE_MILLIS));
            }
        });
        return opened;
    }

    private static void abort(@Nullable Connection connection) {
        if (connection != null) {
            connection.abort(CLOSE_MILLIS);
        }
    }

    private void broken(Connection connection, ShutdownSignalException cause) {
        if (closed || !current.compareAndSet(connection, null)) {
            return;
        }
        failure = Failures.of("the connection", url, cause);
        LOG.log(Level.WARNING, "the connection to {0} broke: {1}", url.shown(), cause.getMessage());
        users.forEach(User::broken);
        if (atWork.compareAndSet(false, true)) {
            repairing = Thread.ofVirtual().name("postroad-amqp-connect").start(this::repair);
        }
    }

    private void repair() {
        try {
            for (int failures = 0; !closed; failures++) {
                if (failures > 0) {
                    pause(failures);
                }
                // What still comes by it is to be forgotten before consumers begin anew.
                abort(receiving);
                if (!reconnected(failures + 1)) {
                    continue;
                }
                tellAll();
                atWork.set(false);
                // It may have broken while that was told.
                if (current.get() != null || !atWork.compareAndSet(false, true)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private boolean reconnected(int attempt) {
        try {
            connect();
            LOG.log(Level.INFO, "connected to {0} again", url.shown());
            return true;
        } catch (IOException | TimeoutException | RuntimeException e) {
            MessagingException why = Failures.connecting(url, e);
            failure = why;
            LOG.log(Level.WARNING, "attempt {0} to connect failed: {1}", attempt, why.getMessage());
            return false;
        }
    }

    /**
     * Until each has been told, or the connection is gone again. One whose queue is not back yet stops nobody else: after a crash
     * a broker may take minutes with one stream, and never get it back.
     */
    private void tellAll() throws InterruptedException {
        List<User> untold = List.copyOf(users);
        for (int round = 1; ; round++) {
            List<User> again = new ArrayList<>();
            for (User user : untold) {
                try {
                    if (current.get() != null && users.contains(user)) {
                        user.connected(this);
                    }
                } catch (IOException | RuntimeException e) {
                    again.add(user);
                    LOG.log(
                            Level.WARNING,
                            "something that was open on {0} could not be opened again (attempt {1}): {2}",
                            url.shown(),
                            round,
                            Failures.of("opening it", url, e).getMessage());
                }
            }
            if (again.isEmpty() || closed || current.get() == null) {
                return;
            }
            untold = again;
            pause(round);
        }
    }

    private static void pause(int failures) throws InterruptedException {
        long longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failures - 1, 10));
        Thread.sleep(longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1));
    }

    /** @throws MessagingException {@code UNREACHABLE} with the reason while there is none, {@code CLOSED} */
    Connection connection() {
        Connection connection = current.get();
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + url.shown() + " is closed");
        }
        if (connection == null || !connection.isOpen()) {
            MessagingException why = failure;
            throw new MessagingException(
                    why == null || why.reason() == Reason.TIMEOUT ? Reason.UNREACHABLE : why.reason(),
                    "there is no connection to " + url.shown() + " at present, and another is being tried"
                            + (why == null ? "" : ": " + why.getMessage()),
                    why);
        }
        return connection;
    }

    /** A new channel. */
    Channel channel() throws IOException {
        return channel(connection());
    }

    /** A new channel for a consumer. */
    Channel receivingChannel() throws IOException {
        return channel(receiving());
    }

    private synchronized Connection receiving() throws IOException {
        Connection connection = connection();
        Connection opened = receiving;
        if (opened == null) {
            try {
                opened = connectReceiving(connection);
            } catch (TimeoutException e) {
                throw Failures.connecting(url, e);
            }
            receiving = opened;
            receives = true;
            if (current.get() != connection) {
                // The other one broke meanwhile, and what is made anew has both.
                receiving = null;
                opened.abort(CLOSE_MILLIS);
            }
        }
        return opened;
    }

    private Channel channel(Connection connection) throws IOException {
        Channel channel = connection.createChannel();
        if (channel == null) {
            throw new MessagingException(
                    Reason.FULL, url.shown() + " gives no more channels on one connection (channel_max)");
        }
        return channel;
    }

    /** Why the broker takes no messages at present; null if it does. */
    @Nullable
    String blocked() {
        return blocked;
    }

    /** Does something on a channel of its own. @throws MessagingException said of what was being done */
    <T> T with(String what, Work<T> work) {
        Channel channel = null;
        try {
            channel = channel();
            return work.on(channel);
        } catch (IOException | RuntimeException e) {
            throw Failures.of(what, url, e);
        } finally {
            release(channel);
        }
    }

    /** Work on a channel. */
    interface Work<T> {
        T on(Channel channel) throws IOException;
    }

    /** Closes a channel, whatever state it is in. */
    static void release(@Nullable Channel channel) {
        if (channel != null && channel.isOpen()) {
            try {
                channel.close();
            } catch (IOException | TimeoutException | RuntimeException e) {
                LOG.log(Level.DEBUG, "closing a channel failed", e);
            }
        }
    }

    void add(User user) {
        users.add(user);
    }

    void remove(User user) {
        users.remove(user);
    }

    @Override
    public void close() {
        closed = true;
        Thread thread = repairing;
        if (thread != null) {
            thread.interrupt();
        }
        Connection connection = current.getAndSet(null);
        close(receiving);
        close(connection);
    }

    private static void close(@Nullable Connection connection) {
        if (connection != null && connection.isOpen()) {
            try {
                connection.close(CLOSE_MILLIS);
            } catch (IOException | RuntimeException e) {
                LOG.log(Level.DEBUG, "closing the connection failed", e);
            }
        }
    }
}
