package dev.postroad.protocols.http;

import java.time.Duration;
import java.util.Objects;

/**
 * Where the HTTP interface listens, and its bounds. Change {@link #DEFAULT} with the {@code with…} methods.
 *
 * @param host address to listen on
 * @param port 0 to 65,535; 0 picks a free one
 * @param maxConnections connections at once; more are turned away
 * @param maxWaiting long polls and streams at once; more are refused with 503
 * @param maxBodyBytes largest body of a request that carries no messages
 * @param maxBatchBytes largest body of a request that carries messages
 * @param maxBatchMessages messages in one request
 * @param maxBufferedBytes bytes of request bodies held at once, over all connections
 * @param maxPendingRequests requests of the bridge that wait for their reply or hold it for being fetched
 * @param idleTimeout a connection without a request for so long is closed
 * @param heartbeat a stream sends something at least so often, which is how a receiver that is gone gets noticed
 */
public record HttpSettings(
        String host,
        int port,
        int maxConnections,
        int maxWaiting,
        int maxBodyBytes,
        int maxBatchBytes,
        int maxBatchMessages,
        long maxBufferedBytes,
        int maxPendingRequests,
        Duration idleTimeout,
        Duration heartbeat) {

    private static final int MIB = 1024 * 1024;

    /** Port where nothing else was said. */
    public static final int DEFAULT_PORT = 8480;

    /** Loopback, port {@value #DEFAULT_PORT}. */
    public static final HttpSettings DEFAULT = new HttpSettings(
            "127.0.0.1",
            DEFAULT_PORT,
            10_000,
            5_000,
            MIB,
            32 * MIB,
            10_000,
            256L * MIB,
            10_000,
            Duration.ofMinutes(5),
            Duration.ofSeconds(1));

    /** @throws IllegalArgumentException naming the setting that is out of bounds */
    public HttpSettings {
        Objects.requireNonNull(host, "host");
        check(port >= 0 && port <= 65_535, "port", port, "0 (pick a free one) to 65,535");
        check(maxConnections >= 1, "maxConnections", maxConnections, "1 or more");
        check(maxWaiting >= 1, "maxWaiting", maxWaiting, "1 or more");
        check(maxBodyBytes >= 1024, "maxBodyBytes", maxBodyBytes, "1,024 or more");
        check(maxBatchBytes >= maxBodyBytes, "maxBatchBytes", maxBatchBytes, "at least maxBodyBytes, " + maxBodyBytes);
        check(maxBatchMessages >= 1, "maxBatchMessages", maxBatchMessages, "1 or more");
        check(
                maxBufferedBytes >= maxBatchBytes,
                "maxBufferedBytes",
                maxBufferedBytes,
                "at least maxBatchBytes, " + maxBatchBytes);
        check(maxPendingRequests >= 1, "maxPendingRequests", maxPendingRequests, "1 or more");
        check(idleTimeout.toMillis() >= 1000, "idleTimeout", idleTimeout, "1 s or more");
        check(heartbeat.toMillis() >= 10, "heartbeat", heartbeat, "10 ms or more");
    }

    private static void check(boolean holds, String setting, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException("http: " + setting + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings, listening elsewhere. */
    public HttpSettings withAddress(String newHost, int newPort) {
        return new HttpSettings(
                newHost,
                newPort,
                maxConnections,
                maxWaiting,
                maxBodyBytes,
                maxBatchBytes,
                maxBatchMessages,
                maxBufferedBytes,
                maxPendingRequests,
                idleTimeout,
                heartbeat);
    }

    /** These settings with other bounds on connections, and on those of them that wait. */
    public HttpSettings withConnections(int newMaxConnections, int newMaxWaiting) {
        return new HttpSettings(
                host,
                port,
                newMaxConnections,
                newMaxWaiting,
                maxBodyBytes,
                maxBatchBytes,
                maxBatchMessages,
                maxBufferedBytes,
                maxPendingRequests,
                idleTimeout,
                heartbeat);
    }

    /** These settings with other bounds on bodies. */
    public HttpSettings withBodies(
            int newMaxBodyBytes, int newMaxBatchBytes, int newMaxBatchMessages, long newMaxBuffered) {
        return new HttpSettings(
                host,
                port,
                maxConnections,
                maxWaiting,
                newMaxBodyBytes,
                newMaxBatchBytes,
                newMaxBatchMessages,
                newMaxBuffered,
                maxPendingRequests,
                idleTimeout,
                heartbeat);
    }

    /** These settings with another bound on requests of the bridge. */
    public HttpSettings withMaxPendingRequests(int newMaxPendingRequests) {
        return new HttpSettings(
                host,
                port,
                maxConnections,
                maxWaiting,
                maxBodyBytes,
                maxBatchBytes,
                maxBatchMessages,
                maxBufferedBytes,
                newMaxPendingRequests,
                idleTimeout,
                heartbeat);
    }

    /** These settings with other times. */
    public HttpSettings withTimes(Duration newIdleTimeout, Duration newHeartbeat) {
        return new HttpSettings(
                host,
                port,
                maxConnections,
                maxWaiting,
                maxBodyBytes,
                maxBatchBytes,
                maxBatchMessages,
                maxBufferedBytes,
                maxPendingRequests,
                newIdleTimeout,
                newHeartbeat);
    }
}
