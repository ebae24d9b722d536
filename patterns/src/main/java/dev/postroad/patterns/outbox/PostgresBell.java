package dev.postroad.patterns.outbox;

import dev.postroad.patterns.jdbc.Dialect;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * A bell that every transaction rings which records something, wherever it runs: LISTEN on a connection of its own. While
 * that connection is lost the relay looks at the outbox at its interval, as on other databases.
 */
final class PostgresBell implements OutboxRelay.Bell {
    private static final System.Logger LOG = System.getLogger(PostgresBell.class.getName());
    private static final int WAIT_MILLIS = 1_000;

    private final DataSource database;
    private final OutboxSettings settings;
    private final LocalBell bell = new LocalBell();
    private final Thread thread;
    private volatile boolean closing;
    private volatile @Nullable Connection listening;

    private PostgresBell(DataSource database, OutboxSettings settings) {
        this.database = database;
        this.settings = settings;
        this.thread =
                Thread.ofVirtual().name("postroad-listen-" + settings.table()).unstarted(this::listen);
    }

    /** Null if the database is another, or its driver is. */
    static @Nullable PostgresBell listen(DataSource database, OutboxSettings settings) {
        try (Connection connection = database.getConnection()) {
            if (Dialect.of(connection) != Dialect.POSTGRESQL || !connection.isWrapperFor(PGConnection.class)) {
                return null;
            }
        } catch (SQLException e) {
            // The relay tells of it, and tries again.
            return null;
        } catch (NoClassDefFoundError e) {
            return null;
        }
        PostgresBell bell = new PostgresBell(database, settings);
        bell.thread.start();
        return bell;
    }

    private void listen() {
        while (!closing) {
            try (Connection connection = database.getConnection()) {
                listening = connection;
                connection.setAutoCommit(true);
                try (Statement statement = connection.createStatement()) {
                    statement.execute("listen " + settings.notification());
                }
                // What was recorded before the ear was open.
                bell.ring();
                PGConnection postgres = connection.unwrap(PGConnection.class);
                while (!closing) {
                    PGNotification[] heard = postgres.getNotifications(WAIT_MILLIS);
                    if (heard != null && heard.length > 0) {
                        bell.ring();
                    }
                }
            } catch (SQLException e) {
                if (!closing) {
                    LOG.log(
                            Level.WARNING,
                            "listening for the outbox " + settings.table() + " failed, tried again: " + e.getMessage());
                    pause();
                }
            }
        }
    }

    private void pause() {
        try {
            Thread.sleep(settings.pollInterval());
        } catch (InterruptedException e) {
            closing = true;
        }
    }

    @Override
    public void await(Duration atMost) {
        bell.await(atMost);
    }

    @Override
    public void ring() {
        bell.ring();
    }

    @Override
    public void close() {
        closing = true;
        Connection open = listening;
        if (open != null) {
            try {
                open.abort(Runnable::run);
            } catch (SQLException e) {
                LOG.log(Level.DEBUG, "the listening connection could not be ended", e);
            }
        }
        thread.interrupt();
    }
}
