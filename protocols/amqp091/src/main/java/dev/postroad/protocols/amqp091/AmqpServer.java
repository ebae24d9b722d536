package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.FlowSink;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.security.Authenticator;
import dev.postroad.security.TlsContext;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Speaks AMQP 0-9-1 on a port. Safe for use by many threads. */
public final class AmqpServer implements AutoCloseable, FlowSink {
    private static final Logger LOG = LoggerFactory.getLogger(AmqpServer.class);

    /** Exchanges that every virtual host has, and how they route. */
    static final Map<String, TopicDefinition.Routing> PREDECLARED = Map.of(
            "amq.direct", TopicDefinition.Routing.DIRECT,
            "amq.fanout", TopicDefinition.Routing.FANOUT,
            "amq.topic", TopicDefinition.Routing.PATTERN,
            "amq.headers", TopicDefinition.Routing.HEADERS,
            "amq.match", TopicDefinition.Routing.HEADERS);

    private static final int INCOMING_SHARE_OF_HEAP = 8;

    final Broker broker;
    private final AmqpSettings settings;
    private final Authenticator authenticator;
    private final @Nullable TlsContext tls;
    private final EventLoopGroup loops;
    private final ExecutorService aside = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<EventLoop, LoopTurn> turns = new ConcurrentHashMap<>();
    private final Set<AmqpConnection> connections = ConcurrentHashMap.newKeySet();
    private final Set<String> declaredHosts = ConcurrentHashMap.newKeySet();
    private final DirectReplies directReplies = new DirectReplies();
    private final Incoming.Share incomingShare =
            new Incoming.Share(Runtime.getRuntime().maxMemory() / INCOMING_SHARE_OF_HEAP);
    private final Channel listener;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable String blocked;

    private AmqpServer(Broker broker, AmqpSettings settings, Authenticator authenticator, @Nullable TlsContext tls)
            throws IOException {
        this.broker = broker;
        this.settings = settings;
        this.authenticator = authenticator;
        this.tls = tls;
        boolean epoll = Epoll.isAvailable();
        IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        this.loops = new MultiThreadIoEventLoopGroup(
                settings.eventLoops(), new DefaultThreadFactory("postroad-amqp", true), io);
        Class<? extends ServerChannel> kind = epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
        try {
            listener = new ServerBootstrap()
                    .group(loops)
                    .channel(kind)
                    .option(ChannelOption.SO_BACKLOG, 1024)
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(256 << 10, 1 << 20))
                    .childOption(
                            ChannelOption.RECVBUF_ALLOCATOR,
                            new AdaptiveRecvByteBufAllocator(512, 8192, 256 << 10).maxMessagesPerRead(4))
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            accept(channel);
                        }
                    })
                    .bind(settings.host(), settings.port())
                    .syncUninterruptibly()
                    .channel();
            broker.watch(this);
        } catch (Throwable e) {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            aside.shutdown();
            throw e;
        }
    }

    /**
     * Listens; returns when connections are accepted.
     *
     * @param tls what connections speak; null for plain ones
     * @throws IOException if the address can't be listened on
     */
    public static AmqpServer start(
            Broker broker, AmqpSettings settings, Authenticator authenticator, @Nullable TlsContext tls)
            throws IOException {
        try {
            return new AmqpServer(broker, settings, authenticator, tls);
        } catch (IOException e) {
            throw new IOException(
                    "can't listen on amqp=" + settings.host() + ":" + settings.port() + ": " + e.getMessage(), e);
        }
    }

    private void accept(Channel channel) {
        if (connections.size() >= settings.maxConnections()) {
            LOG.warn(
                    "a connection from {} is turned away: there are {}, the most allowed",
                    channel.remoteAddress(),
                    connections.size());
            channel.close();
            return;
        }
        LoopTurn turn = turns.computeIfAbsent(channel.eventLoop(), loop -> new LoopTurn(loop, broker));
        AmqpConnection connection = new AmqpConnection(this, turn);
        connections.add(connection);
        if (tls != null) {
            SslHandler handler = new SslHandler(tls.newEngine());
            handler.setHandshakeTimeoutMillis(settings.handshake().toMillis());
            channel.pipeline().addLast(handler);
        }
        channel.pipeline().addLast(connection);
    }

    /** Where it listens, with the port that was picked. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    AmqpSettings settings() {
        return settings;
    }

    Authenticator authenticator() {
        return authenticator;
    }

    /** What deliveries that are not written yet may take, those of all connections together. */
    Incoming.Share incomingShare() {
        return incomingShare;
    }

    DirectReplies directReplies() {
        return directReplies;
    }

    @Override
    public void blocked(String reason) {
        blocked = reason;
        LOG.warn("publishers wait: {}", reason);
        tell(connection -> connection.blocked(reason));
    }

    @Override
    public void unblocked() {
        blocked = null;
        LOG.info("publishers go on");
        tell(AmqpConnection::unblocked);
    }

    /** Why publishers wait; null if they do not. */
    @Nullable
    String blockedReason() {
        return blocked;
    }

    private void tell(java.util.function.Consumer<AmqpConnection> what) {
        for (AmqpConnection connection : connections) {
            try {
                connection.context().channel().eventLoop().execute(() -> what.accept(connection));
            } catch (RejectedExecutionException e) {
                LOG.debug("the event loop has ended");
            }
        }
    }

    /** Runs what would hold up an event loop. */
    void aside(Runnable task) {
        try {
            aside.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("closing: nothing new is begun");
        }
    }

    void gone(AmqpConnection connection) {
        connections.remove(connection);
    }

    /** Makes sure that the exchanges are there that every virtual host has; once for each. */
    void predeclare(AmqpConnection connection, VirtualHost host, Runnable then) {
        if (declaredHosts.contains(host.name())) {
            then.run();
            return;
        }
        Deque<Map.Entry<String, TopicDefinition.Routing>> left = new ArrayDeque<>(PREDECLARED.entrySet());
        predeclare(connection, host, left, then);
    }

    private void predeclare(
            AmqpConnection connection,
            VirtualHost host,
            Deque<Map.Entry<String, TopicDefinition.Routing>> left,
            Runnable then) {
        Map.Entry<String, TopicDefinition.Routing> next = left.poll();
        if (next == null) {
            declaredHosts.add(host.name());
            then.run();
            return;
        }
        TopicDefinition topic = TopicDefinition.named(host.inEngine(next.getKey()), next.getValue());
        connection.<Boolean>ask(
                null,
                reply -> new Command.Declare(topic, null, reply),
                isNew -> predeclare(connection, host, left, then),
                refused -> connection.end(ReplyCode.INTERNAL_ERROR, String.valueOf(refused.getMessage()), 0));
    }

    /**
     * Ends all connections with 320 CONNECTION_FORCED, and waits until they are gone. Idempotent.
     *
     * @param drain how long to wait at most
     */
    public void close(Duration drain) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        listener.close().syncUninterruptibly();
        broker.unwatch(this);
        for (AmqpConnection connection : connections) {
            connection
                    .context()
                    .channel()
                    .eventLoop()
                    .execute(() -> connection.end(
                            ReplyCode.CONNECTION_FORCED, "broker forced connection closure: shutdown", 0));
        }
        long until = System.nanoTime() + drain.toNanos();
        boolean interrupted = false;
        while (!connections.isEmpty() && System.nanoTime() < until && !interrupted) {
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
        aside.shutdown();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(2));
    }
}
