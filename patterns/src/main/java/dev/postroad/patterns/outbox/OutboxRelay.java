package dev.postroad.patterns.outbox;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.patterns.jdbc.MessageBytes;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.outbox.OutboxTable.Row;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Sends what an {@link Outbox} recorded, on a thread of its own, until closed. Run one in each instance of a program: they
 * share the work by locking lanes, and need no leader. Safe for use by many threads.
 *
 * <p>A row is deleted in a transaction that commits after the broker's confirms, so that nothing committed is ever left
 * unsent. What was sent and not deleted, because the relay died in between, is sent again with the same message id.
 *
 * <p>While the broker can't be reached or takes nothing, the relay waits, longer each time up to {@link
 * OutboxSettings#maxBackoff}, and goes on by itself. A message that the broker refuses for good is marked and stays, and so
 * do the later ones of its key; all others flow.
 */
public final class OutboxRelay implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(OutboxRelay.class.getName());
    private static final RetryPolicy BACKOFF =
            new RetryPolicy(1_000_000, Duration.ofMillis(100), Duration.ofHours(1), 2.0, 0.5);

    /** Rows that a relay has sent, and deleted, before it tidies the table. */
    private static final int TIDIED_AFTER = 20_000;

    private final DataSource database;
    private final MessageProducer<byte[], byte[]> producer;
    private final OutboxSettings settings;
    private final OutboxTable table;
    private final Consumer<Backlog> alarm;
    private final Bell bell;
    private final Thread thread;
    private final AtomicLong relayed = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private volatile boolean closing;
    private boolean alarmed;
    private long nextBacklogCheck;
    private int nextLane;

    /** As if there were much to tidy: what lies there at the start was perhaps never counted. */
    private int untidied = TIDIED_AFTER;

    private OutboxRelay(DataSource database, Postroad postroad, OutboxSettings settings, Consumer<Backlog> alarm) {
        this.database = database;
        this.producer = postroad.producer(Format.bytes());
        this.settings = settings;
        this.table = new OutboxTable(settings);
        this.alarm = alarm;
        this.bell = Bell.of(database, settings);
        this.thread =
                Thread.ofVirtual().name("postroad-outbox-" + settings.table()).unstarted(this::run);
    }

    /**
     * Starts a relay.
     *
     * @param database where the outbox lies; the relay uses one connection of it while it works, and on PostgreSQL one more
     *     all the time, on which it listens
     * @param postroad where messages go; it must outlive the relay
     * @param settings the same as those of the {@link Outbox}
     * @param alarm told, on the relay's thread, when the oldest message has waited for {@link OutboxSettings#alarmAge}, and
     *     once more when that is over; it must not block
     */
    public static OutboxRelay start(
            DataSource database, Postroad postroad, OutboxSettings settings, Consumer<Backlog> alarm) {
        OutboxRelay relay = new OutboxRelay(database, postroad, settings, alarm);
        relay.thread.start();
        return relay;
    }

    /** As {@link #start(DataSource, Postroad, OutboxSettings, Consumer)}, with an alarm that is logged. */
    public static OutboxRelay start(DataSource database, Postroad postroad, OutboxSettings settings) {
        return start(
                database,
                postroad,
                settings,
                backlog -> LOG.log(
                        Level.WARNING,
                        "the oldest of {0} messages in the outbox {1} has waited for {2}",
                        backlog.messages(),
                        settings.table(),
                        backlog.oldestAge()));
    }

    /** Messages that this relay has sent. */
    public long relayed() {
        return relayed.get();
    }

    /** Messages that this relay found refused for good. */
    public long refused() {
        return refused.get();
    }

    /** What waits now. */
    public Backlog backlog() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return table.backlog(connection);
        }
    }

    /** Messages that were refused for good, oldest first, at most so many. */
    public List<FailedMessage> failed(int max) throws SQLException {
        try (Connection connection = database.getConnection()) {
            return table.failed(connection, max);
        }
    }

    /** Has a refused message sent again, in its place. @return false if there is none of this id */
    public boolean retryFailed(String messageId) throws SQLException {
        return decide(connection -> table.retryFailed(connection, messageId));
    }

    /** Drops a refused message, so that the later ones of its key go on. @return false if there is none of this id */
    public boolean discardFailed(String messageId) throws SQLException {
        return decide(connection -> table.discardFailed(connection, messageId));
    }

    private boolean decide(Decision decision) throws SQLException {
        boolean found;
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(true);
            found = decision.on(connection) > 0;
        }
        bell.ring();
        return found;
    }

    @FunctionalInterface
    private interface Decision {
        int on(Connection connection) throws SQLException;
    }

    /** Looks at the outbox at once, where the relay waits: for a program that knows that it has just committed. */
    public void wake() {
        bell.ring();
    }

    private void run() {
        int failures = 0;
        while (!closing) {
            Duration wait;
            try {
                wait = relayBatch() ? Duration.ZERO : settings.pollInterval();
                failures = 0;
            } catch (SQLException | MessagingException e) {
                failures = Math.min(failures + 1, 1_000);
                wait = backoff(failures);
                LOG.log(
                        Level.WARNING,
                        "the outbox " + settings.table() + " could not be relayed, tried again in " + wait + ": "
                                + e.getMessage());
            }
            // Also, and above all, while nothing can be relayed.
            checkBacklog();
            if (!wait.isZero() && !closing) {
                bell.await(wait);
            }
        }
    }

    private Duration backoff(int failures) {
        Duration delay =
                BACKOFF.delayAfter(failures, ThreadLocalRandom.current().nextDouble());
        return delay.compareTo(settings.maxBackoff()) < 0 ? delay : settings.maxBackoff();
    }

    /**
     * What became of a batch.
     *
     * @param rows that were read
     * @param failure which ended it before its end; null if there was none
     */
    private record Batch(
            int rows, int sent, int refused, @Nullable MessagingException failure) {}

    /** Sends one batch. @return false if there was nothing to send */
    private boolean relayBatch() throws SQLException {
        Batch batch = Transactions.run(database, this::relayBatch);
        relayed.addAndGet(batch.sent);
        tidyAfter(batch.sent);
        refused.addAndGet(batch.refused);
        if (batch.failure != null) {
            throw batch.failure;
        }
        return batch.rows > 0;
    }

    private void tidyAfter(int sent) {
        untidied += sent;
        if (untidied < TIDIED_AFTER) {
            return;
        }
        untidied = 0;
        try (Connection connection = database.getConnection()) {
            table.tidy(connection);
        } catch (SQLException e) {
            LOG.log(Level.DEBUG, "the table of the outbox " + settings.table() + " could not be tidied", e);
        }
    }

    private Batch relayBatch(Connection connection) throws SQLException {
        // The rows must be read as they are once the lanes are locked, not as they were before.
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        List<Integer> lanes = table.lockLanes(connection, nextLane);
        if (lanes.isEmpty()) {
            return new Batch(0, 0, 0, null);
        }
        nextLane = (lanes.getLast() + 1) % settings.lanes();
        List<Row> rows = table.next(connection, lanes);
        Map<String, List<Row>> byChannel = new LinkedHashMap<>();
        for (Row row : rows) {
            byChannel
                    .computeIfAbsent(row.channel(), channel -> new ArrayList<>())
                    .add(row);
        }
        List<Row> sent = new ArrayList<>(rows.size());
        List<Row> failed = new ArrayList<>();
        MessagingException failure = null;
        for (Map.Entry<String, List<Row>> channel : byChannel.entrySet()) {
            try {
                send(connection, channel.getKey(), channel.getValue(), sent, failed);
            } catch (MessagingException e) {
                // What went before is sent and must not be sent again; the rest waits.
                failure = e;
                break;
            }
        }
        table.delete(connection, sent);
        return new Batch(rows.size(), sent.size(), failed.size(), failure);
    }

    /**
     * Sends the rows of one channel as one batch, whole or not at all and so in order. If the broker refuses it for good, one
     * by one, to find what it does not take.
     */
    private void send(Connection connection, String channel, List<Row> rows, List<Row> sent, List<Row> failed)
            throws SQLException {
        try {
            producer.sendBatch(channel, messages(rows));
            sent.addAll(rows);
            return;
        } catch (MessagingException e) {
            if (!forGood(e) && e.reason() != Reason.TOO_LARGE) {
                throw e;
            }
        }
        Set<Long> held = new HashSet<>();
        for (Row row : rows) {
            if (row.orderingKey() != null && held.contains(row.orderingKey())) {
                continue;
            }
            try {
                producer.send(channel, MessageBytes.decode(row.message()));
                sent.add(row);
            } catch (MessagingException e) {
                if (!forGood(e)) {
                    throw e;
                }
                refuse(connection, row, e);
                failed.add(row);
                if (row.orderingKey() != null) {
                    held.add(row.orderingKey());
                }
            }
        }
    }

    private void refuse(Connection connection, Row row, MessagingException e) throws SQLException {
        table.fail(connection, row, e.reason() + ": " + e.getMessage());
        LOG.log(
                Level.WARNING,
                "a message of the outbox " + settings.table() + " for channel " + row.channel()
                        + " was refused and stays there until somebody decides: " + e.getMessage());
    }

    private static List<Message<byte[], byte[]>> messages(List<Row> rows) {
        return rows.stream().map(row -> MessageBytes.decode(row.message())).toList();
    }

    /** True where the same message would be refused again; all else passes, or concerns every message alike. */
    private static boolean forGood(MessagingException e) {
        return switch (e.reason()) {
            case INVALID, NOT_FOUND, IMPOSSIBLE_NEED, TOO_LARGE, SERDE, DENIED -> true;
            default -> false;
        };
    }

    private void checkBacklog() {
        long now = System.nanoTime();
        if (now < nextBacklogCheck) {
            return;
        }
        nextBacklogCheck = now + Math.max(settings.alarmAge().toNanos() / 4, 1_000_000);
        Backlog backlog;
        try {
            backlog = backlog();
        } catch (SQLException e) {
            LOG.log(Level.DEBUG, "the backlog of the outbox " + settings.table() + " can't be told", e);
            return;
        }
        boolean late = backlog.oldestAge().compareTo(settings.alarmAge()) >= 0;
        if (late != alarmed) {
            alarmed = late;
            alarm.accept(backlog);
        }
    }

    /** Ends after the batch under way, waiting for it. What it leaves is for other relays, or for later. Idempotent. */
    @Override
    public void close() {
        closing = true;
        bell.ring();
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        bell.close();
        producer.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** What a relay that has nothing to do waits for. */
    interface Bell extends AutoCloseable {
        /** Returns when rung, or after so long. */
        void await(Duration atMost);

        /** Wakes who waits; or who waits next, if nobody does. */
        void ring();

        @Override
        void close();

        static Bell of(DataSource database, OutboxSettings settings) {
            @Nullable Bell listening = PostgresBell.listen(database, settings);
            return listening == null ? new LocalBell() : listening;
        }
    }
}
