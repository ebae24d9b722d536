package dev.postroad.patterns.outbox;

import dev.postroad.api.Message;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The statements of an outbox. */
final class OutboxTable {
    private static final int MAX_FAILURE = 1_000;
    private static final int FETCHED_AT_ONCE = 128;

    private final OutboxSettings settings;

    OutboxTable(OutboxSettings settings) {
        this.settings = settings;
    }

    /** A message that waits, as it lies in the table. */
    record Row(int lane, long seq, @Nullable Long orderingKey, String channel, byte[] message) {}

    void insert(Connection connection, String channel, List<Message<byte[], byte[]>> messages) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into " + settings.table()
                + " (lane, ordering_key, channel, message_id, message) values (?, ?, ?, ?, ?)")) {
            for (Message<byte[], byte[]> message : messages) {
                byte[] key = message.key();
                String id = String.valueOf(message.id());
                long hash = hash(key == null ? id.getBytes(StandardCharsets.UTF_8) : key);
                insert.setInt(1, (int) Math.floorMod(hash, (long) settings.lanes()));
                if (key == null) {
                    insert.setNull(2, Types.BIGINT);
                } else {
                    insert.setLong(2, hash);
                }
                insert.setString(3, channel);
                insert.setString(4, id);
                insert.setBytes(5, MessageBytes.encode(message));
                insert.addBatch();
            }
            insert.executeBatch();
        }
        if (Dialect.of(connection) == Dialect.POSTGRESQL) {
            // Delivered when the transaction commits, once however often it was called.
            try (PreparedStatement notify = connection.prepareStatement("select pg_notify(?, '')")) {
                notify.setString(1, settings.notification());
                notify.execute();
            }
        }
    }

    /** 64 bits of FNV-1a, mixed once more so that its low bits are as good as its high ones. */
    static long hash(byte[] bytes) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : bytes) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        return hash ^ (hash >>> 33);
    }

    /** Locks lanes that have something to send and that no other relay holds, beginning with lane {@code from}. */
    List<Integer> lockLanes(Connection connection, int from) throws SQLException {
        List<Integer> lanes = new ArrayList<>();
        // A plain comparison in the order, since not every database sorts by a condition.
        String sql =
                "select l.lane from " + settings.lanesTable() + " l where exists (select 1 from " + settings.table()
                        + " o where o.lane = l.lane and o.failure is null)"
                        + " order by case when l.lane >= ? then 0 else 1 end, l.lane limit ? for update skip locked";
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            select.setInt(1, from);
            select.setInt(2, settings.lanesAtOnce());
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    lanes.add(rows.getInt(1));
                }
            }
        }
        return lanes;
    }

    /**
     * What is next in these lanes, each lane in its order, up to the bounds of a batch. Keys with a failed row are passed over.
     *
     * <p>Each lane is read from its beginning and for its share alone: asked for the first of all lanes together a database reads
     * all that waits. What lanes with little leave of the batch goes to those that have more.
     */
    List<Row> next(Connection connection, List<Integer> lanes) throws SQLException {
        List<Row> next = new ArrayList<>();
        Map<Integer, Long> from = new LinkedHashMap<>();
        lanes.forEach(lane -> from.put(lane, Long.MIN_VALUE));
        long bytes = 0;
        while (!from.isEmpty() && next.size() < settings.batch() && bytes < settings.batchBytes()) {
            int share = (settings.batch() - next.size() + from.size() - 1) / from.size();
            Map<Integer, Integer> came = new HashMap<>();
            List<Row> more = read(connection, from, share, settings.batchBytes() - bytes);
            for (Row row : more) {
                bytes += row.message.length;
                came.merge(row.lane, 1, Integer::sum);
                from.put(row.lane, row.seq);
            }
            next.addAll(more);
            from.keySet().removeIf(lane -> came.getOrDefault(lane, 0) < share);
        }
        return next;
    }

    /** The next of each lane behind a row of it, at most so many each, until the bytes are reached. */
    private List<Row> read(Connection connection, Map<Integer, Long> from, int share, long bytes) throws SQLException {
        String ofLane = "(select o.lane, o.seq, o.ordering_key, o.channel, o.message from " + settings.table()
                + " o where o.lane = ? and o.seq > ? and o.failure is null"
                + " and (o.ordering_key is null or not exists (select 1 from " + settings.table()
                + " f where f.lane = o.lane and f.ordering_key = o.ordering_key and f.seq < o.seq"
                + " and f.failure is not null)) order by o.seq limit ?)";
        List<Row> rows = new ArrayList<>();
        try (PreparedStatement select =
                connection.prepareStatement(String.join(" union all ", Collections.nCopies(from.size(), ofLane)))) {
            int at = 1;
            for (Map.Entry<Integer, Long> lane : from.entrySet()) {
                select.setInt(at++, lane.getKey());
                select.setLong(at++, lane.getValue());
                select.setInt(at++, share);
            }
            // Not all of it at once: a batch may be cut short by its bytes.
            select.setFetchSize(FETCHED_AT_ONCE);
            long left = bytes;
            try (ResultSet found = select.executeQuery()) {
                while (left > 0 && found.next()) {
                    long key = found.getLong(3);
                    Long orderingKey = found.wasNull() ? null : key;
                    byte[] message = found.getBytes(5);
                    left -= message.length;
                    rows.add(new Row(found.getInt(1), found.getLong(2), orderingKey, found.getString(4), message));
                }
            }
        }
        return rows;
    }

    /**
     * Deletes these rows and no others: a transaction that began before theirs and commits after it may have rows in between.
     */
    void delete(Connection connection, List<Row> sent) throws SQLException {
        for (int from = 0; from < sent.size(); from += 500) {
            List<Row> some = sent.subList(from, Math.min(sent.size(), from + 500));
            StringBuilder sql =
                    new StringBuilder("delete from ").append(settings.table()).append(" where ");
            // One lane after the other, so that the primary key finds them.
            List<Integer> lanes = some.stream().map(Row::lane).distinct().toList();
            List<Row> ordered = new ArrayList<>();
            for (int lane : lanes) {
                List<Row> ofLane =
                        some.stream().filter(row -> row.lane() == lane).toList();
                sql.append(ordered.isEmpty() ? "" : " or ")
                        .append("(lane = ")
                        .append(lane)
                        .append(" and seq in (")
                        .append(marks(ofLane.size()))
                        .append("))");
                ordered.addAll(ofLane);
            }
            try (PreparedStatement delete = connection.prepareStatement(sql.toString())) {
                for (int i = 0; i < ordered.size(); i++) {
                    delete.setLong(i + 1, ordered.get(i).seq());
                }
                delete.executeUpdate();
            }
        }
    }

    /**
     * Makes the room of deleted rows free for new ones, where the database does not do so by itself, or, as PostgreSQL, once a
     * minute: at some ten thousand rows a second that is a large table. It also counts what is in it: until it has, PostgreSQL takes
     * rows without a failure for rare, and reads and sorts all that waits in a lane for each batch. Whoever is at it already does it
     * for all.
     */
    void tidy(Connection connection) throws SQLException {
        if (Dialect.of(connection) != Dialect.POSTGRESQL) {
            return;
        }
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            statement.execute("vacuum (skip_locked, truncate false, analyze) " + settings.table());
        }
    }

    void fail(Connection connection, Row row, String failure) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "update " + settings.table() + " set failure = ? where lane = ? and seq = ?")) {
            update.setString(1, failure.length() <= MAX_FAILURE ? failure : failure.substring(0, MAX_FAILURE));
            update.setInt(2, row.lane());
            update.setLong(3, row.seq());
            update.executeUpdate();
        }
    }

    /** Messages that wait, the age of the oldest, and those that were refused. */
    Backlog backlog(Connection connection) throws SQLException {
        String sql = "select count(*), coalesce(max(" + Dialect.of(connection).millisSince("recorded_at")
                + "), 0), coalesce(sum(case when failure is null then 0 else 1 end), 0) from " + settings.table();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            long millis = Math.max(0, (long) row.getDouble(2));
            return new Backlog(row.getLong(1), Duration.ofMillis(millis), row.getLong(3));
        }
    }

    List<FailedMessage> failed(Connection connection, int max) throws SQLException {
        List<FailedMessage> failed = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement("select channel, message_id, message, failure from "
                + settings.table() + " where failure is not null order by seq limit ?")) {
            select.setInt(1, max);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    failed.add(new FailedMessage(
                            rows.getString(1),
                            rows.getString(2),
                            MessageBytes.decode(rows.getBytes(3)),
                            rows.getString(4)));
                }
            }
        }
        return failed;
    }

    int retryFailed(Connection connection, String messageId) throws SQLException {
        return update(
                connection,
                "update " + settings.table() + " set failure = null where message_id = ? and failure is not null",
                messageId);
    }

    int discardFailed(Connection connection, String messageId) throws SQLException {
        return update(
                connection,
                "delete from " + settings.table() + " where message_id = ? and failure is not null",
                messageId);
    }

    private static int update(Connection connection, String sql, String messageId) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            update.setString(1, messageId);
            return update.executeUpdate();
        }
    }

    static int count(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getInt(1);
        }
    }

    private static String marks(int count) {
        return "?,".repeat(count - 1) + "?";
    }
}
