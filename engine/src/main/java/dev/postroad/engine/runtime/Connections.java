package dev.postroad.engine.runtime;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Who is connected, by whatever protocol: protocols enter their connections, operators look at them and close them. Safe for
 * use by many threads.
 */
public final class Connections {
    private final Map<String, Connection> connections = new ConcurrentHashMap<>();

    /** Of a broker. */
    Connections() {}

    /** A connection, as its protocol shows it. Called by any thread but the connection's own; must not throw. */
    public interface Connection {
        /** What it is like now, or was at last if its own thread is too busy to say. Takes a second at most. */
        Details details();

        /** Ends it: tells the client why, if its protocol can. Does nothing if it has ended. */
        void close(String reason);
    }

    /**
     * A connection at one moment.
     *
     * @param name unique among all connections: {@code 127.0.0.1:50312 -> 127.0.0.1:5672}, the client's end first
     * @param protocol such as {@code AMQP 0-9-1}
     * @param client address and port of the client
     * @param server address and port it connected to
     * @param encrypted whether it is TLS
     * @param user who logged in; null where nobody has to
     * @param mechanism how; null where nobody has to
     * @param vhost the virtual host, of protocols that have them; null for others
     * @param connectedMillis since when, milliseconds since 1970
     * @param state {@code running}, or {@code blocked} while its publishes have to wait
     * @param limits what was negotiated, by name: heartbeat seconds and largest frame, say
     * @param clientProperties what the client says of itself: text, numbers, booleans, lists and maps of these
     * @param receivedBytes from the client
     * @param sentBytes to the client
     * @param channels of protocols that have several of them on a connection; else one
     */
    public record Details(
            String name,
            String protocol,
            Endpoint client,
            Endpoint server,
            boolean encrypted,
            @Nullable String user,
            @Nullable String mechanism,
            @Nullable String vhost,
            long connectedMillis,
            String state,
            Map<String, Long> limits,
            Map<String, Object> clientProperties,
            long receivedBytes,
            long sentBytes,
            List<ChannelDetails> channels) {
        public Details {
            limits = Map.copyOf(limits);
            clientProperties = Map.copyOf(clientProperties);
            channels = List.copyOf(channels);
        }
    }

    /** One end of a connection. */
    public record Endpoint(String host, int port) {
        @Override
        public String toString() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /**
     * What goes on side by side within a connection.
     *
     * @param number of the channel, from 1
     * @param confirming whether publishes are confirmed one by one
     * @param transactional whether publishes and acknowledgements wait for a commit
     * @param prefetch deliveries that a consumer may hold unsettled, for those to come; 0 for no bound
     * @param channelPrefetch the same for all consumers together; 0 for no bound
     * @param unsettled deliveries that the client has not settled
     * @param unconfirmed publishes that it has not been told about
     * @param uncommitted publishes and acknowledgements of an open transaction
     * @param counters since the channel was opened; null where they are not counted
     */
    public record ChannelDetails(
            int number,
            boolean confirming,
            boolean transactional,
            int prefetch,
            int channelPrefetch,
            long unsettled,
            long unconfirmed,
            long uncommitted,
            List<ConsumerDetails> consumers,
            @Nullable Counters counters) {
        public ChannelDetails {
            consumers = List.copyOf(consumers);
        }
    }

    /**
     * A consumer of a channel.
     *
     * @param tag what the client calls it
     * @param queue the engine's name of what it consumes
     * @param id the engine's
     */
    public record ConsumerDetails(
            String tag,
            String queue,
            long id,
            boolean acknowledging,
            boolean exclusive,
            int prefetch,
            int priority,
            Map<String, Object> arguments) {
        public ConsumerDetails {
            arguments = Map.copyOf(arguments);
        }
    }

    /** Messages that went over a channel. */
    public record Counters(
            long published,
            long confirmed,
            long returned,
            long delivered,
            long deliveredUnacknowledged,
            long redelivered,
            long acknowledged,
            long got) {
        /** None. */
        public static final Counters NONE = new Counters(0, 0, 0, 0, 0, 0, 0, 0);
    }

    /** An entry, which ends with the connection. */
    public interface Registration extends AutoCloseable {
        /** Takes the connection out. Idempotent. */
        @Override
        void close();
    }

    /**
     * Enters a connection, once its client has logged in.
     *
     * @param name as its details say
     * @throws IllegalStateException if there is one of that name
     */
    public Registration register(String name, Connection connection) {
        if (connections.putIfAbsent(name, connection) != null) {
            throw new IllegalStateException("there is a connection '" + name + "' already");
        }
        return () -> connections.remove(name, connection);
    }

    /** How many there are. */
    public int size() {
        return connections.size();
    }

    /** All of them, in the order in which they came. */
    public List<Details> list() {
        return connections.values().stream()
                .map(Connection::details)
                .sorted(Comparator.comparingLong(Details::connectedMillis).thenComparing(Details::name))
                .toList();
    }

    /** The one of this name; empty if it is not there, or no longer. */
    public Optional<Details> find(String name) {
        return Optional.ofNullable(connections.get(name)).map(Connection::details);
    }

    /**
     * Ends a connection.
     *
     * @param reason for the client
     * @return false if there is none of this name
     */
    public boolean close(String name, String reason) {
        Connection connection = connections.get(name);
        if (connection == null) {
            return false;
        }
        connection.close(reason);
        return true;
    }

    /** Ends all connections of a user: it was deleted, say, or has another password now. @return how many */
    public int closeAllOf(String user, String reason) {
        int closed = 0;
        for (Connection connection : connections.values()) {
            if (user.equals(connection.details().user())) {
                connection.close(reason);
                closed++;
            }
        }
        return closed;
    }
}
