package dev.postroad.protocols.amqp091;

import dev.postroad.engine.runtime.Connections;
import dev.postroad.engine.runtime.Connections.Details;
import dev.postroad.engine.runtime.Connections.Endpoint;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A connection as operators see it. What belongs to its event loop is asked for there. */
final class ShownConnection implements Connections.Connection {
    private static final long PATIENCE_MILLIS = 1_000;

    private final AmqpConnection connection;
    private final Channel channel;
    private final Details opened;
    private volatile Details last;

    private ShownConnection(AmqpConnection connection, int heartbeatSeconds) {
        this.connection = connection;
        this.channel = connection.context().channel();
        Handshake handshake = connection.handshake();
        Endpoint client = endpoint((InetSocketAddress) channel.remoteAddress());
        Endpoint server = endpoint((InetSocketAddress) channel.localAddress());
        Map<String, Long> limits = new LinkedHashMap<>();
        limits.put("heartbeat", (long) heartbeatSeconds);
        limits.put("channel_max", (long) handshake.channelMax());
        limits.put("frame_max", (long) handshake.largestFrame());
        this.opened = new Details(
                client + " -> " + server,
                "AMQP 0-9-1",
                client,
                server,
                channel.pipeline().get(SslHandler.class) != null,
                handshake.userName(),
                handshake.mechanism(),
                handshake.virtualHost().name(),
                System.currentTimeMillis(),
                "running",
                limits,
                plain(handshake.clientProperties()),
                0,
                0,
                List.of());
        this.last = opened;
    }

    /** On the connection's event loop. */
    static Connections.Registration register(AmqpConnection connection, int heartbeatSeconds) {
        ShownConnection shown = new ShownConnection(connection, heartbeatSeconds);
        return connection.server.broker.connections().register(shown.opened.name(), shown);
    }

    private static Endpoint endpoint(InetSocketAddress address) {
        return new Endpoint(address.getAddress().getHostAddress(), address.getPort());
    }

    /** Without what has no value. */
    private static Map<String, Object> plain(Map<String, @Nullable Object> properties) {
        Map<String, Object> plain = new LinkedHashMap<>();
        properties.forEach((name, value) -> {
            if (value != null) {
                plain.put(name, value);
            }
        });
        return plain;
    }

    @Override
    public Details details() {
        CompletableFuture<Details> answer = new CompletableFuture<>();
        try {
            channel.eventLoop().execute(() -> answer.complete(now()));
            last = answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException | TimeoutException | ExecutionException e) {
            return last; // its event loop is busy or gone: what was known last is better than nothing
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return last;
    }

    private Details now() {
        return new Details(
                opened.name(),
                opened.protocol(),
                opened.client(),
                opened.server(),
                opened.encrypted(),
                opened.user(),
                opened.mechanism(),
                opened.vhost(),
                opened.connectedMillis(),
                connection.isBlocked() ? "blocked" : "running",
                opened.limits(),
                opened.clientProperties(),
                connection.receivedBytes(),
                connection.output().sentBytes(),
                connection.channelDetails());
    }

    @Override
    public void close(String reason) {
        channel.eventLoop().execute(() -> connection.end(ReplyCode.CONNECTION_FORCED, reason, 0));
    }
}
