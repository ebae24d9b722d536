package dev.postroad.patterns.routing;

import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.MessageBytes;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.outbox.Outbox;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A handler that gathers messages that belong together and makes one message of each group. Safe for use by many threads, and
 * by many instances of a program on one database.
 *
 * <p>Everything is in the database: a part is a row before it is acknowledged, and the end of a group, the deletion of its
 * parts and the message that it comes to (by an {@link Outbox}, whose relay sends it) are one transaction. So a crash loses
 * nothing and makes nothing twice. A part that comes again is known by its id; one that comes after the end of its group is
 * acknowledged and counted.
 *
 * <p>No group stays for ever: it ends when it is complete, at its timeout, or at a bound, with a message that knows why.
 *
 * @param <K> type of the parts' keys
 * @param <V> type of the parts' values
 * @param <L> type of the results' keys
 * @param <W> type of the results' values
 */
public final class Aggregator<K, V, L, W> implements Handler<K, V>, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Aggregator.class.getName());
    private static final int MAX_NAME = 255;

    /**
     * What a group comes to.
     *
     * @param <K> type of the parts' keys
     * @param <V> type of the parts' values
     * @param <L> type of the result's key
     * @param <W> type of the result's value
     */
    @FunctionalInterface
    public interface Combiner<K, V, L, W> {
        /** The group as one message; null for none. What it throws leaves the group as it was, and is a failure of handling. */
        @Nullable
        Message<L, W> combine(Group<K, V> group) throws Exception;
    }

    private final DataSource database;
    private final AggregatorSettings settings;
    private final GroupTables tables;
    private final Format<K, V> format;
    private final Completion<K, V> completion;
    private final Function<Message<K, V>, @Nullable String> groupOf;
    private final Combiner<K, V, L, W> combiner;
    private final Outbox<L, W> outbox;
    private final String channel;
    private final Thread sweeper;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicLong complete = new AtomicLong();
    private final AtomicLong partial = new AtomicLong();
    private final AtomicLong duplicates = new AtomicLong();
    private final AtomicLong late = new AtomicLong();

    private Aggregator(
            DataSource database,
            AggregatorSettings settings,
            Format<K, V> format,
            Function<Message<K, V>, @Nullable String> groupOf,
            Completion<K, V> completion,
            Combiner<K, V, L, W> combiner,
            Outbox<L, W> outbox,
            String channel) {
        this.database = database;
        this.settings = settings;
        this.tables = new GroupTables(settings);
        this.format = format;
        this.groupOf = groupOf;
        this.completion = completion;
        this.combiner = combiner;
        this.outbox = outbox;
        this.channel = channel;
        this.sweeper =
                Thread.ofVirtual().name("postroad-aggregate-" + settings.name()).unstarted(this::run);
    }

    /**
     * An aggregator at work: it ends groups at their timeouts from now on. Its tables must be there, see {@link #create}.
     *
     * @param format of the parts, in which they are kept
     * @param groupOf what parts of a group have in common, at most 255 characters; a part without is a dead letter
     * @param combiner called within the transaction that ends the group
     * @param outbox on the same database, with a relay somewhere
     * @param channel where results go
     */
    public static <K, V, L, W> Aggregator<K, V, L, W> start(
            DataSource database,
            AggregatorSettings settings,
            Format<K, V> format,
            Function<Message<K, V>, @Nullable String> groupOf,
            Completion<K, V> completion,
            Combiner<K, V, L, W> combiner,
            Outbox<L, W> outbox,
            String channel) {
        Aggregator<K, V, L, W> aggregator =
                new Aggregator<>(database, settings, format, groupOf, completion, combiner, outbox, channel);
        aggregator.sweeper.start();
        return aggregator;
    }

    /** The group of a part that a {@link Splitter} made; null for others. */
    public static @Nullable String splitGroup(Message<?, ?> part) {
        return part.headers().get(Splitter.GROUP_HEADER);
    }

    /** The statements that make the tables, for those who make theirs with a tool of their own. */
    public static List<String> schema(Dialect dialect, AggregatorSettings settings) {
        return GroupTables.schema(dialect, settings);
    }

    /** Makes the tables, where they are not there yet; fine to be called by each program at its start. */
    public static void create(Connection connection, AggregatorSettings settings) throws SQLException {
        GroupTables.create(connection, settings);
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        Message<K, V> part = delivery.message();
        String group = groupOf.apply(part);
        String id = String.valueOf(part.id());
        if (group == null || group.isEmpty() || group.length() > MAX_NAME || id.length() > MAX_NAME) {
            throw new DeadLetterException(
                    "its group is '" + group + "' and its id '" + id + "'; each must have 1 to 255 characters");
        }
        inTransaction(connection -> take(connection, group, id, part));
    }

    /** What is to be counted once it is committed; null for nothing. */
    private @Nullable AtomicLong take(Connection connection, String group, String id, Message<K, V> part)
            throws Exception {
        tables.open(connection, group);
        GroupTables.Locked locked = tables.lock(connection, group);
        if (locked.ended()) {
            return late;
        }
        byte[] bytes = MessageBytes.encode(MessageBytes.serialize(format, part));
        int arrival = locked.parts();
        if (!tables.add(connection, group, id, number(part, Splitter.PART_HEADER, arrival), arrival, bytes)) {
            return duplicates;
        }
        int parts = arrival + 1;
        if (isComplete(connection, group, parts, part)) {
            return end(connection, group, Group.Ending.COMPLETE);
        }
        return parts >= settings.maxParts() ? end(connection, group, Group.Ending.OVERFLOW) : null;
    }

    private boolean isComplete(Connection connection, String group, int parts, Message<K, V> latest)
            throws SQLException {
        return switch (completion) {
            case Completion.Size<K, V> size -> parts >= size.parts();
            case Completion.Sequence<K, V> sequence ->
                parts >= number(latest, Splitter.PARTS_HEADER, Integer.MAX_VALUE);
            case Completion.When<K, V> when -> when.complete().test(read(connection, group));
        };
    }

    private static int number(Message<?, ?> message, String header, int otherwise) {
        String text = message.headers().get(header);
        if (text == null) {
            return otherwise;
        }
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new DeadLetterException("its header " + header + " is '" + text + "', which is no number");
        }
    }

    private AtomicLong end(Connection connection, String group, Group.Ending ending) throws Exception {
        Message<L, W> result = combiner.combine(new Group<>(group, read(connection, group), ending));
        if (result != null) {
            outbox.record(connection, channel, result.id() == null ? result.withId(resultId(group)) : result);
        }
        tables.close(connection, group);
        return ending == Group.Ending.COMPLETE ? complete : partial;
    }

    private String resultId(String group) {
        byte[] bytes = (settings.name() + "/" + group).getBytes(StandardCharsets.UTF_8);
        return UUID.nameUUIDFromBytes(bytes).toString();
    }

    private List<Message<K, V>> read(Connection connection, String group) throws SQLException {
        List<Message<K, V>> parts = new ArrayList<>();
        for (byte[] bytes : tables.parts(connection, group)) {
            Message<byte[], byte[]> part = MessageBytes.decode(bytes);
            byte[] key = part.key();
            byte[] value = part.value();
            parts.add(part.withKeyAndValue(
                    key == null ? null : format.key().deserialize(key),
                    value == null ? null : format.value().deserialize(value)));
        }
        return parts;
    }

    @FunctionalInterface
    private interface Work {
        @Nullable
        AtomicLong on(Connection connection) throws Exception;
    }

    private void inTransaction(Work work) throws Exception {
        AtomicLong count = Transactions.<@Nullable AtomicLong, Exception>run(database, connection -> {
            // What another transaction has committed must be seen once its lock is had.
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            return work.on(connection);
        });
        if (count != null) {
            count.incrementAndGet();
        }
    }

    private void run() {
        try {
            do {
                try {
                    sweep();
                } catch (Exception e) {
                    LOG.log(Level.WARNING, "the groups of " + settings.name() + " could not be swept: " + e);
                }
            } while (!closing.await(settings.sweepInterval().toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends groups whose time is over, and the oldest where there are too many; forgets those that ended long ago. */
    private void sweep() throws Exception {
        List<String> old = new ArrayList<>();
        List<String> tooMany = new ArrayList<>();
        inTransaction(connection -> {
            old.addAll(tables.olderThan(connection, settings.timeout()));
            tooMany.addAll(tables.beyondBound(connection));
            tables.forget(connection);
            return null;
        });
        for (String group : old) {
            endOf(group, Group.Ending.TIMEOUT);
        }
        for (String group : tooMany) {
            endOf(group, Group.Ending.OVERFLOW);
        }
    }

    private void endOf(String group, Group.Ending ending) throws Exception {
        try {
            // Another instance, or its last part, may have ended it meanwhile.
            inTransaction(connection -> tables.lock(connection, group).ended() ? null : end(connection, group, ending));
        } catch (SQLException e) {
            throw e;
        } catch (Exception e) {
            LOG.log(
                    Level.WARNING,
                    "group " + group + " of " + settings.name() + " could not be combined and is tried again in "
                            + settings.timeout() + ": " + e);
            inTransaction(connection -> {
                tables.postpone(connection, group);
                return null;
            });
        }
    }

    /** Groups that were complete. */
    public long complete() {
        return complete.get();
    }

    /** Groups that ended by their timeout or at a bound. */
    public long partial() {
        return partial.get();
    }

    /** Parts that had come before. */
    public long duplicates() {
        return duplicates.get();
    }

    /** Parts that came after the end of their group. */
    public long late() {
        return late.get();
    }

    /** Groups that are open now. */
    public int open() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return tables.open(connection);
        }
    }

    /** Looks for timeouts no more; open groups stay for the next start. Idempotent. */
    @Override
    public void close() {
        closing.countDown();
        try {
            sweeper.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
