package dev.postroad.protocols.amqp091;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Where AMQP 0-9-1 is spoken, and its bounds. Change {@link #DEFAULT} with the {@code with…} methods.
 *
 * @param host address to listen on
 * @param port 0 to 65,535; 0 picks a free one
 * @param eventLoops threads that serve connections
 * @param maxConnections connections at once; more are turned away
 * @param maxChannels channels of a connection
 * @param maxFrameBytes largest frame, proposed to the client
 * @param maxMessageBytes largest body of a message
 * @param maxUnacknowledged deliveries that a channel may hold unacknowledged; at the bound it gets no more
 * @param heartbeat proposed to the client; zero proposes none
 * @param handshake time in which a connection must have been opened
 * @param virtualHosts names of the virtual hosts; {@code /} is the one whose names are the engine's own
 */
public record AmqpSettings(
        String host,
        int port,
        int eventLoops,
        int maxConnections,
        int maxChannels,
        int maxFrameBytes,
        int maxMessageBytes,
        int maxUnacknowledged,
        Duration heartbeat,
        Duration handshake,
        List<String> virtualHosts) {
    /** Port where nothing else was said. */
    public static final int DEFAULT_PORT = 5672;

    /** Loopback, port {@value #DEFAULT_PORT}, the virtual host {@code /}. */
    public static final AmqpSettings DEFAULT = new AmqpSettings(
            "127.0.0.1",
            DEFAULT_PORT,
            Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 2)),
            10_000,
            2047,
            128 * 1024,
            16 << 20,
            200_000,
            Duration.ofSeconds(60),
            Duration.ofSeconds(5),
            List.of("/"));

    /** @throws IllegalArgumentException naming the setting that is out of bounds */
    public AmqpSettings {
        Objects.requireNonNull(host, "host");
        check(port >= 0 && port <= 65_535, "port", port, "0 (pick a free one) to 65,535");
        check(eventLoops >= 1 && eventLoops <= 1024, "eventLoops", eventLoops, "1 to 1,024");
        check(maxConnections >= 1, "maxConnections", maxConnections, "1 or more");
        check(maxChannels >= 1 && maxChannels <= 65_535, "maxChannels", maxChannels, "1 to 65,535");
        check(
                maxFrameBytes >= 8192 && maxFrameBytes <= 16 << 20,
                "maxFrameBytes",
                maxFrameBytes,
                "8,192 to 16,777,216");
        check(maxMessageBytes >= 1024, "maxMessageBytes", maxMessageBytes, "1,024 or more");
        check(maxUnacknowledged >= 1, "maxUnacknowledged", maxUnacknowledged, "1 or more");
        check(
                heartbeat.toSeconds() >= 0 && heartbeat.toSeconds() <= 65_535,
                "heartbeat",
                heartbeat,
                "0 (none) to 65,535 seconds");
        check(handshake.toMillis() >= 10, "handshake", handshake, "10 ms or more");
        virtualHosts = List.copyOf(virtualHosts);
        check(virtualHosts.contains("/"), "virtualHosts", virtualHosts, "a list with '/'");
    }

    private static void check(boolean holds, String setting, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException("amqp: " + setting + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings, listening elsewhere. */
    public AmqpSettings withAddress(String newHost, int newPort) {
        return new AmqpSettings(
                newHost,
                newPort,
                eventLoops,
                maxConnections,
                maxChannels,
                maxFrameBytes,
                maxMessageBytes,
                maxUnacknowledged,
                heartbeat,
                handshake,
                virtualHosts);
    }

    /** These settings with another number of threads. */
    public AmqpSettings withEventLoops(int newEventLoops) {
        return new AmqpSettings(
                host,
                port,
                newEventLoops,
                maxConnections,
                maxChannels,
                maxFrameBytes,
                maxMessageBytes,
                maxUnacknowledged,
                heartbeat,
                handshake,
                virtualHosts);
    }

    /** These settings with other bounds on connections and channels. */
    public AmqpSettings withConnections(int newMaxConnections, int newMaxChannels) {
        return new AmqpSettings(
                host,
                port,
                eventLoops,
                newMaxConnections,
                newMaxChannels,
                maxFrameBytes,
                maxMessageBytes,
                maxUnacknowledged,
                heartbeat,
                handshake,
                virtualHosts);
    }

    /** These settings with other bounds on frames, messages and what is unacknowledged. */
    public AmqpSettings withSizes(int newMaxFrameBytes, int newMaxMessageBytes, int newMaxUnacknowledged) {
        return new AmqpSettings(
                host,
                port,
                eventLoops,
                maxConnections,
                maxChannels,
                newMaxFrameBytes,
                newMaxMessageBytes,
                newMaxUnacknowledged,
                heartbeat,
                handshake,
                virtualHosts);
    }

    /** These settings with other times. */
    public AmqpSettings withTimes(Duration newHeartbeat, Duration newHandshake) {
        return new AmqpSettings(
                host,
                port,
                eventLoops,
                maxConnections,
                maxChannels,
                maxFrameBytes,
                maxMessageBytes,
                maxUnacknowledged,
                newHeartbeat,
                newHandshake,
                virtualHosts);
    }

    /** These settings with other virtual hosts. */
    public AmqpSettings withVirtualHosts(List<String> newVirtualHosts) {
        return new AmqpSettings(
                host,
                port,
                eventLoops,
                maxConnections,
                maxChannels,
                maxFrameBytes,
                maxMessageBytes,
                maxUnacknowledged,
                heartbeat,
                handshake,
                newVirtualHosts);
    }
}
