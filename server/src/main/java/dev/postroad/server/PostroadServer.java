package dev.postroad.server;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Reply;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import dev.postroad.protocols.amqp091.AmqpServer;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.protocols.amqp091.management.ManagementSettings.Listener;
import dev.postroad.protocols.http.HttpProtocol;
import dev.postroad.protocols.http.Mount;
import dev.postroad.security.AccessException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running server: a broker and its protocols. Prints nothing; logs through slf4j. Safe for use by many threads.
 */
public final class PostroadServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(PostroadServer.class);

    private final ServerSettings settings;
    private final Broker broker;
    private final HttpProtocol http;
    private final @Nullable AmqpServer amqp;
    private boolean closed;

    private PostroadServer(ServerSettings settings, Broker broker, HttpProtocol http, @Nullable AmqpServer amqp) {
        this.settings = settings;
        this.broker = broker;
        this.http = http;
        this.amqp = amqp;
    }

    /**
     * Recovers the data, declares what the settings name, and listens; returns when it accepts.
     *
     * @throws ServerException with what to do, if the data can't be opened or is held by another process, a channel exists
     *     otherwise, the address can't be listened on, or it would be reachable from elsewhere without a login
     */
    public static PostroadServer start(ServerSettings settings) {
        requireLoopback(settings);
        Broker broker = open(settings);
        HttpProtocol http = null;
        PostroadServer started = null;
        try {
            declare(broker, settings);
            Access access = Access.of(settings);
            AmqpSettings wanted = settings.amqp();
            List<Listener> listeners = new CopyOnWriteArrayList<>();
            List<Mount> mounts = wanted == null
                    ? List.of()
                    : List.of(Management.mount(broker, settings, wanted, access.users(), () -> List.copyOf(listeners)));
            http = HttpProtocol.start(broker, settings.http(), access.http(mounts));
            listeners.add(Management.listener("http", access, http.address()));
            AmqpServer amqp =
                    wanted == null ? null : AmqpServer.start(broker, wanted, access.authenticator(), access.tls());
            LOG.info(
                    "listening on http={} amqp={} data={}",
                    text(http.address()),
                    amqp == null ? "off" : text(amqp.address()),
                    data(settings));
            if (amqp != null) {
                listeners.add(Management.listener("amqp", access, amqp.address()));
            }
            started = new PostroadServer(settings, broker, http, amqp);
            return started;
        } catch (IOException | EngineException | AccessException | IllegalArgumentException e) {
            throw new ServerException(String.valueOf(e.getMessage()), e);
        } finally {
            if (started == null) {
                if (http != null) {
                    http.close(java.time.Duration.ZERO);
                }
                broker.close();
            }
        }
    }

    private static void requireLoopback(ServerSettings settings) {
        String host = settings.http().host();
        InetAddress address;
        try {
            address = InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new ServerException("bind is '" + host + "', which is no address and no known name", e);
        }
        if (address.isLoopbackAddress()) {
            return;
        }
        AccessSettings access = settings.access();
        if (access.isClosed()) {
            return;
        }
        String open = access.users() == null
                ? "nobody has to log in"
                : "passwords and messages go over the network in the clear";
        if (!settings.insecure()) {
            throw new ServerException(
                    "bind is '" + host + "', which others can reach, and " + open
                            + ": bind to 127.0.0.1, or set both 'users' and 'tls', or say 'insecure: true' (--insecure) if"
                            + " the network keeps strangers out",
                    null);
        }
        LOG.warn("INSECURE: listening on {}, which others can reach, and {}", host, open);
    }

    private static Broker open(ServerSettings settings) {
        Path data = settings.data();
        BrokerSettings location =
                data == null ? BrokerSettings.memory(settings.memoryBytes()) : BrokerSettings.directory(data);
        if (data == null) {
            LOG.warn("everything is kept in memory, and is lost when the server stops");
        }
        try {
            Broker broker = Broker.open((data == null
                            ? location.withEngine(settings.engine()
                                    .withJournal(settings.engine().journal().withLowWaterBytes(0)))
                            : location.withEngine(settings.engine()))
                    .withPayloads(new JsonPayload()));
            Broker.RecoveryReport found = broker.recovery();
            LOG.info(
                    "recovered in {} ms: {} batches, {} records behind the checkpoint{}",
                    found.duration().toMillis(),
                    found.batches(),
                    found.records(),
                    found.tailCut()
                            ? "; the last group was torn by a crash and is cut off: nobody had been told it was stored"
                            : "");
            found.damage().forEach(damage -> LOG.error("DAMAGE: {}", damage));
            return broker;
        } catch (EngineException e) {
            throw new ServerException(String.valueOf(e.getMessage()), e);
        } catch (IllegalArgumentException e) {
            throw new ServerException("data '" + data + "': " + e.getMessage(), e);
        }
    }

    // ── Declarations ─────────────────────────────────────────────────────────────────────────────────────────────────

    private static void declare(Broker broker, ServerSettings settings) {
        if (settings.channels().isEmpty() && settings.topics().isEmpty()) {
            return;
        }
        EngineStatus status = broker.await(Command.Inspect::new);
        Map<String, Definition> there = new HashMap<>();
        status.queues().forEach(q -> there.put(q.definition().name(), q.definition()));
        status.streams().forEach(s -> there.put(s.definition().name(), s.definition()));
        for (ChannelDeclaration channel : settings.channels()) {
            refuseDifference(channel, there.get(channel.name()));
            declare(broker, channel.toDefinition());
        }
        for (ChannelDeclaration channel : settings.channels()) {
            ChannelDeclaration dead = channel.deadLetterDeclaration().orElse(null);
            if (dead != null && !there.containsKey(dead.name()) && !names(settings, dead.name())) {
                declare(broker, dead.toDefinition());
                there.put(dead.name(), dead.toDefinition());
            }
        }
        for (TopicDefinition topic : settings.topics()) {
            declare(broker, topic);
        }
        for (Binding binding : settings.bindings()) {
            broker.await((Reply<Boolean> reply) -> new Command.Bind(binding, reply));
        }
        LOG.info(
                "declared {} channels, {} topics and {} bindings",
                settings.channels().size(),
                settings.topics().size(),
                settings.bindings().size());
    }

    private static boolean names(ServerSettings settings, String channel) {
        return settings.channels().stream().anyMatch(c -> c.name().equals(channel));
    }

    private static void refuseDifference(ChannelDeclaration channel, @Nullable Definition known) {
        if (known == null) {
            return;
        }
        List<String> differences = ChannelDeclaration.nearest(known).differences(channel);
        if (!differences.isEmpty()) {
            throw new EngineException(
                    EngineException.Reason.MISMATCH,
                    "channel '" + channel.name() + "' exists otherwise: " + String.join("; ", differences)
                            + "; configure it as it is, or delete it first");
        }
    }

    private static void declare(Broker broker, Definition definition) {
        broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    // ── While it runs ────────────────────────────────────────────────────────────────────────────────────────────────

    /** Where the HTTP interface listens, with the port that was picked. */
    public InetSocketAddress httpAddress() {
        return http.address();
    }

    /** The address as {@code host:port}, for a url. */
    public String httpAuthority() {
        return text(http.address());
    }

    /** Where AMQP is spoken, as {@code host:port}; empty for nowhere. */
    public Optional<String> amqpAuthority() {
        AmqpServer running = amqp;
        return running == null ? Optional.empty() : Optional.of(text(running.address()));
    }

    /** Whether the ports speak TLS. */
    public boolean encrypted() {
        return settings.access().tls() != null;
    }

    private static String text(InetSocketAddress address) {
        String host = address.getHostString();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    private static String data(ServerSettings settings) {
        return settings.data() == null ? "memory" : settings.data().toString();
    }

    /** What it was started with. */
    public ServerSettings settings() {
        return settings;
    }

    /** Why the storage accepts nothing more; empty while all is well. */
    public Optional<String> failure() {
        return broker.failure();
    }

    /** How long recovery took at the start, in milliseconds. */
    public long recoveryMillis() {
        return broker.recovery().duration().toMillis();
    }

    /** Answers what waits, finishes what is under way within the time that the settings give, and lets the data go. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        LOG.info("closing");
        AmqpServer running = amqp;
        if (running != null) {
            running.close(settings.drain());
        }
        http.close(settings.drain());
        broker.close();
        LOG.info("closed");
    }
}
