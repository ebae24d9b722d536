package dev.postroad.patterns.jdbc;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * A database whose connections break at a chosen step, as they do when the program dies there: before it, or after it and
 * before its outcome is known. What had not been committed is undone by the database.
 */
public final class FaultyDatabase implements DataSource {
    private final DataSource inner;
    private final AtomicInteger stepsLeft = new AtomicInteger(Integer.MAX_VALUE);
    private volatile boolean after;
    private final AtomicInteger breaks = new AtomicInteger();

    public FaultyDatabase(DataSource inner) {
        this.inner = inner;
    }

    /** The step so many from now breaks, 1 being the next; {@code afterwards} if it takes effect all the same. */
    public void breakAt(int step, boolean afterwards) {
        after = afterwards;
        stepsLeft.set(step);
    }

    /** True if the step that was asked for has broken. */
    public boolean broke() {
        return stepsLeft.get() <= 0;
    }

    /** How many steps have broken so far. */
    public int breaks() {
        return breaks.get();
    }

    /** No step breaks any more. */
    public void heal() {
        stepsLeft.set(Integer.MAX_VALUE);
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = inner.getConnection();
        return proxy(Connection.class, connection, connection);
    }

    private <T> T proxy(Class<T> face, T target, Connection connection) {
        return face.cast(Proxy.newProxyInstance(
                face.getClassLoader(), new Class<?>[] {face}, (self, method, arguments) -> {
                    boolean step = method.getName().startsWith("execute")
                            || method.getName().equals("commit")
                            || method.getName().equals("rollback");
                    boolean breaks = step && stepsLeft.get() != Integer.MAX_VALUE && stepsLeft.decrementAndGet() == 0;
                    if (breaks && !after) {
                        throw broken(connection, method.getName());
                    }
                    Object result;
                    try {
                        result = method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (breaks) {
                        throw broken(connection, method.getName());
                    }
                    if (result instanceof PreparedStatement statement) {
                        return proxy(PreparedStatement.class, statement, connection);
                    }
                    return result instanceof Statement statement
                            ? proxy(Statement.class, statement, connection)
                            : result;
                }));
    }

    private SQLException broken(Connection connection, String step) {
        breaks.incrementAndGet();
        try {
            if (!connection.getAutoCommit()) {
                connection.rollback();
            }
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            return new SQLException("broken at " + step, "08006", e);
        }
        return new SQLException("broken at " + step, "08006");
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return inner.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        inner.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        inner.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return inner.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return inner.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> face) throws SQLException {
        return inner.unwrap(face);
    }

    @Override
    public boolean isWrapperFor(Class<?> face) throws SQLException {
        return inner.isWrapperFor(face);
    }
}
