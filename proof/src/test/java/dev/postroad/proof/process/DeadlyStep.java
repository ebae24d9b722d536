package dev.postroad.proof.process;

import dev.postroad.api.Delivery;
import dev.postroad.api.Transport;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * The step of its work with database and broker at which this process dies, before it is taken or after it and before its outcome
 * is known: nothing is closed, nothing is tidied up.
 */
final class DeadlyStep {
    /** How a process ends that dies of its step. */
    static final int DEAD = 77;

    /** A step at which nobody dies. */
    static final String NONE = "none";

    /** What a statement is for, by a part of it that no other has. */
    private static final Map<String, String> STATEMENTS = new LinkedHashMap<>();

    static {
        STATEMENTS.put("insert into business", "business row");
        STATEMENTS.put("(lane, ordering_key, channel, message_id, message)", "record");
        STATEMENTS.put("pg_notify", "notify");
        STATEMENTS.put("for update skip locked", "lock lanes");
        STATEMENTS.put("select o.lane", "read batch");
        STATEMENTS.put("delete from outbox", "delete sent");
        STATEMENTS.put("select count(*)", "backlog");
        STATEMENTS.put("vacuum", "vacuum");
        STATEMENTS.put("listen ", "listen");
        STATEMENTS.put("consumer, message_id", "remember");
        STATEMENTS.put("insert into effects", "work");
        STATEMENTS.put("delete from inbox", "forget");
    }

    private final String step;
    private final boolean afterwards;
    private final AtomicInteger left;

    /** @param time which time that it comes to the step, from 1 */
    DeadlyStep(String step, boolean afterwards, int time) {
        this.step = step;
        this.afterwards = afterwards;
        this.left = new AtomicInteger(time);
    }

    private void at(String reached, boolean after) {
        if (after == afterwards && reached.equals(step) && left.decrementAndGet() == 0) {
            Runtime.getRuntime().halt(DEAD);
        }
    }

    /** A database with this step. */
    DataSource on(DataSource database) {
        return watched(DataSource.class, database, "");
    }

    /** A broker with this step. */
    Transport on(Transport broker) {
        return watched(Transport.class, broker, "");
    }

    private <T> T watched(Class<T> face, T target, String sql) {
        return face.cast(Proxy.newProxyInstance(
                face.getClassLoader(), new Class<?>[] {face}, (self, method, arguments) -> {
                    String reached = reached(target, method, arguments, sql);
                    at(reached, false);
                    Object result;
                    try {
                        result = method.invoke(target, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    if (result instanceof CompletableFuture<?> future) {
                        return future.thenApply(done -> {
                            at(reached, true);
                            return done;
                        });
                    }
                    Object watched = watchedResult(result, method, arguments);
                    if (!(watched instanceof List<?> none && none.isEmpty())) {
                        at(reached, true);
                    }
                    return watched;
                }));
    }

    private Object watchedResult(Object result, Method method, Object[] arguments) {
        return switch (result) {
            case null -> null;
            case PreparedStatement statement -> watched(PreparedStatement.class, statement, (String) arguments[0]);
            case Statement statement -> watched(Statement.class, statement, "");
            case Connection connection
            when method.getName().equals("getConnection") -> watched(Connection.class, connection, "");
            case Transport.Receiver receiver -> watched(Transport.Receiver.class, receiver, "");
            case List<?> list
            when method.getName().equals("receive") ->
                list.stream()
                        .map(delivery -> (Object) watched(Delivery.class, (Delivery<?, ?>) delivery, ""))
                        .toList();
            default -> result;
        };
    }

    private static String reached(Object target, Method method, Object[] arguments, String sql) {
        String name = method.getName();
        return switch (target) {
            case Statement statement
            when name.startsWith("execute") -> statement(sql.isEmpty() ? (String) arguments[0] : sql);
            case Connection connection when name.equals("commit") || name.equals("rollback") -> name;
            case Transport broker when name.startsWith("send") -> "send";
            case Transport.Receiver receiver when name.equals("receive") -> name;
            case Delivery<?, ?> delivery when name.equals("acknowledge") -> name;
            default -> "";
        };
    }

    private static String statement(String sql) {
        return STATEMENTS.entrySet().stream()
                .filter(entry -> sql.contains(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("what is this for? " + sql));
    }
}
