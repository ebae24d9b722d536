package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.ArgumentReader;
import dev.postroad.protocols.amqp091.codec.ConnectionMethod;
import dev.postroad.protocols.amqp091.codec.FieldTable;
import dev.postroad.protocols.amqp091.codec.Frames;
import dev.postroad.protocols.amqp091.codec.MalformedException;
import dev.postroad.protocols.amqp091.codec.Method;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.security.Authenticator;
import dev.postroad.security.Credentials;
import dev.postroad.security.Login;
import dev.postroad.security.Peer;
import dev.postroad.security.Permissions;
import dev.postroad.security.Secret;
import dev.postroad.security.User;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;

/**
 * How a connection begins, and what was agreed: protocol header, login, limits, virtual host. Until it is over, at most 64 KiB
 * are read and a few seconds pass; nothing but the next method in its order is understood.
 *
 * <pre>
 *   header ▶  ◀ start   start-ok ▶  (login)  ◀ tune   tune-ok ▶   open ▶  ◀ open-ok
 * </pre>
 */
final class Handshake {
    private static final int MOST_BYTES = 64 * 1024;
    private static final byte[] HEADER = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};

    private static final Rights NOBODY = new Rights(new User("", Set.of(), Permissions.NOTHING), "/");

    private enum Step {
        HEADER,
        START_OK,
        LOGIN,
        TUNE_OK,
        OPEN,
        DONE
    }

    private final AmqpConnection connection;
    private Step step = Step.HEADER;
    private int bytes;
    private int channelMax;
    private int frameMax = MOST_BYTES;
    private int heartbeatSeconds;
    private Map<String, @Nullable Object> clientProperties = Map.of();
    private Map<?, ?> capabilities = Map.of();
    private @Nullable User user;
    private String mechanism = "";
    private VirtualHost virtualHost = VirtualHost.DEFAULT;
    private Rights rights = NOBODY;
    private @Nullable ScheduledFuture<?> timeout;

    Handshake(AmqpConnection connection) {
        this.connection = connection;
    }

    // ── What was agreed ──────────────────────────────────────────────────────────────────────────────────────────────

    boolean begun() {
        return step != Step.HEADER;
    }

    int channelMax() {
        return channelMax;
    }

    int largestFrame() {
        return frameMax;
    }

    VirtualHost virtualHost() {
        return virtualHost;
    }

    String mechanism() {
        return mechanism;
    }

    String userName() {
        User known = user;
        return known == null ? "" : known.name();
    }

    /** What the user may do. */
    Rights rights() {
        return rights;
    }

    Map<String, @Nullable Object> clientProperties() {
        return clientProperties;
    }

    /** True if the client said that it understands this extension. */
    boolean clientCan(String capability) {
        return Boolean.TRUE.equals(capabilities.get(capability));
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    void begin(ChannelHandlerContext context) {
        timeout = context.channel()
                .eventLoop()
                .schedule(
                        () -> {
                            context.close();
                        },
                        connection.server.settings().handshake().toMillis(),
                        TimeUnit.MILLISECONDS);
    }

    void gone() {
        ScheduledFuture<?> pending = timeout;
        if (pending != null) {
            pending.cancel(false);
            timeout = null;
        }
    }

    /** Reads the protocol header, if it is still to come. False if it is not all there, or is another's. */
    boolean header(ByteBuf in) {
        if (step != Step.HEADER) {
            return true;
        }
        int there = Math.min(HEADER.length, in.readableBytes());
        for (int i = 0; i < there; i++) {
            if (in.getByte(in.readerIndex() + i) != HEADER[i]) {
                in.skipBytes(in.readableBytes());
                connection.output().buffer().writeBytes(HEADER);
                connection.closeSocket();
                return false;
            }
        }
        if (there < HEADER.length) {
            return false;
        }
        in.skipBytes(HEADER.length);
        step = Step.START_OK;
        connection.write(
                0,
                new ConnectionMethod.Start(
                        0,
                        9,
                        serverProperties(),
                        String.join(" ", connection.server.authenticator().mechanisms(peer()))
                                .getBytes(StandardCharsets.US_ASCII),
                        "en_US".getBytes(StandardCharsets.US_ASCII)));
        return true;
    }

    private static Map<String, @Nullable Object> serverProperties() {
        Map<String, @Nullable Object> capabilities = new LinkedHashMap<>();
        for (String capability : List.of(
                "publisher_confirms",
                "exchange_exchange_bindings",
                "basic.nack",
                "consumer_cancel_notify",
                "connection.blocked",
                "consumer_priorities",
                "authentication_failure_close",
                "per_consumer_qos",
                "direct_reply_to")) {
            capabilities.put(capability, true);
        }
        Map<String, @Nullable Object> properties = new LinkedHashMap<>();
        properties.put("capabilities", capabilities);
        properties.put("product", "Postroad");
        String version = Handshake.class.getPackage().getImplementationVersion();
        properties.put("version", version == null ? "0.1.0" : version);
        properties.put("platform", "Java " + Runtime.version().feature());
        properties.put("information", "Licensed under the Apache License 2.0");
        properties.put("cluster_name", "postroad");
        return properties;
    }

    void frame(int type, int channel, ArgumentReader in) {
        bytes += in.remaining() + Frames.OVERHEAD;
        if (type != Frames.METHOD || channel != 0 || bytes > MOST_BYTES) {
            if (type == Frames.HEARTBEAT && step.compareTo(Step.TUNE_OK) >= 0) {
                return;
            }
            throw new MalformedException(
                    ReplyCode.UNEXPECTED_FRAME,
                    bytes > MOST_BYTES
                            ? "the connection is not open after " + MOST_BYTES + " bytes"
                            : "before the connection is open, only its methods on channel 0 are understood");
        }
        Method method = Method.read(in);
        if (method instanceof ConnectionMethod.StartOk startOk && step == Step.START_OK) {
            login(startOk);
        } else if (method instanceof ConnectionMethod.TuneOk tuneOk && step == Step.TUNE_OK) {
            tuned(tuneOk);
        } else if (method instanceof ConnectionMethod.Open open && step == Step.OPEN) {
            open(open);
        } else if (method instanceof ConnectionMethod.Close) {
            connection.write(0, new ConnectionMethod.CloseOk());
            connection.closeSocket();
        } else if (method instanceof ConnectionMethod.CloseOk) {
            connection.closeSocket();
        } else {
            throw new MalformedException(
                    ReplyCode.COMMAND_INVALID,
                    "method " + Method.name(method.id())
                            + " has come before the connection was open, and out of order");
        }
    }

    private Peer peer() {
        InetAddress address =
                ((InetSocketAddress) connection.context().channel().remoteAddress()).getAddress();
        SslHandler tls = connection.context().pipeline().get(SslHandler.class);
        if (tls == null) {
            return Peer.plain(address);
        }
        try {
            Certificate[] shown = tls.engine().getSession().getPeerCertificates();
            return new Peer(address, true, shown[0] instanceof X509Certificate certificate ? certificate : null);
        } catch (SSLPeerUnverifiedException e) {
            return new Peer(address, true, null); // the client showed none
        }
    }

    private void login(ConnectionMethod.StartOk startOk) {
        clientProperties = startOk.clientProperties();
        capabilities = clientProperties.get("capabilities") instanceof Map<?, ?> map ? map : Map.of();
        Credentials credentials;
        try {
            credentials = credentials(startOk.mechanism(), startOk.response());
        } catch (IllegalArgumentException e) {
            throw new MalformedException(ReplyCode.SYNTAX_ERROR, String.valueOf(e.getMessage()));
        }
        step = Step.LOGIN;
        Peer peer = peer();
        connection.pause();
        connection.server.aside(() -> {
            Login login = connection.server.authenticator().login(credentials, peer);
            connection.context().channel().eventLoop().execute(() -> {
                connection.resume();
                mechanism = startOk.mechanism();
                loggedIn(mechanism, login);
            });
        });
    }

    private Credentials credentials(String mechanism, byte[] response) {
        if (!connection.server.authenticator().mechanisms(peer()).contains(mechanism)) {
            throw new MalformedException(ReplyCode.COMMAND_INVALID, "mechanism '" + mechanism + "' was not offered");
        }
        return switch (mechanism) {
            case Authenticator.PLAIN -> Credentials.plain(response);
            case Authenticator.AMQPLAIN -> amqplain(response);
            case Authenticator.EXTERNAL -> new Credentials.Certificate();
            default ->
                throw new MalformedException(
                        ReplyCode.NOT_IMPLEMENTED, "mechanism '" + mechanism + "' is not spoken here");
        };
    }

    /** A field table without its length. */
    private static Credentials amqplain(byte[] response) {
        ByteBuf table =
                Unpooled.buffer(4 + response.length).writeInt(response.length).writeBytes(response);
        Map<String, @Nullable Object> fields = FieldTable.read(new ArgumentReader().over(table, table.readableBytes()));
        if (!(fields.get("LOGIN") instanceof String name)) {
            throw new IllegalArgumentException("mechanism AMQPLAIN: the table has no LOGIN");
        }
        return switch (fields.get("PASSWORD")) {
            case String text -> new Credentials.Password(name, Secret.of(text));
            case byte[] octets -> new Credentials.Password(name, Secret.of(octets));
            case null, default -> throw new IllegalArgumentException("mechanism AMQPLAIN: the table has no PASSWORD");
        };
    }

    private void loggedIn(String mechanism, Login login) {
        if (connection.state() == AmqpConnection.State.CLOSED) {
            return;
        }
        switch (login) {
            case Login.Accepted accepted -> {
                user = accepted.user();
                step = Step.TUNE_OK;
                AmqpSettings settings = connection.server.settings();
                connection.write(0, new ConnectionMethod.Tune(settings.maxChannels(), settings.maxFrameBytes(), (int)
                        settings.heartbeat().toSeconds()));
            }
            case Login.Refused refused -> {
                if (clientCan("authentication_failure_close")) {
                    connection.end(
                            ReplyCode.ACCESS_REFUSED,
                            "Login was refused using authentication mechanism " + mechanism + ": " + refused.reason(),
                            0);
                } else {
                    connection.closeSocket();
                }
            }
        }
    }

    private void tuned(ConnectionMethod.TuneOk agreed) {
        AmqpSettings settings = connection.server.settings();
        if (agreed.channelMax() == 0 || agreed.channelMax() > settings.maxChannels()) {
            throw notAllowed("channel_max", agreed.channelMax(), "higher than the maximum", settings.maxChannels());
        }
        if (agreed.frameMax() == 0 || agreed.frameMax() > settings.maxFrameBytes()) {
            throw notAllowed("frame_max", agreed.frameMax(), "higher than the maximum", settings.maxFrameBytes());
        }
        if (agreed.frameMax() < Frames.MIN_SIZE) {
            throw notAllowed("frame_max", agreed.frameMax(), "lower than the minimum", Frames.MIN_SIZE);
        }
        channelMax = agreed.channelMax();
        frameMax = (int) agreed.frameMax();
        heartbeatSeconds = agreed.heartbeat();
        connection.output().largestFrame(frameMax);
        step = Step.OPEN;
    }

    private static MalformedException notAllowed(String what, long value, String how, long bound) {
        return new MalformedException(
                ReplyCode.NOT_ALLOWED,
                "negotiated " + what + " = " + value + (value == 0 ? " (no limit)" : "") + " is " + how
                        + " allowed value (" + bound + ")");
    }

    private void open(ConnectionMethod.Open open) {
        String name = open.virtualHost();
        if (!connection.server.settings().virtualHosts().contains(name)) {
            throw new MalformedException(ReplyCode.NOT_ALLOWED, "vhost " + name + " not found");
        }
        User known = user;
        rights = known == null ? NOBODY : new Rights(known, name);
        String refusal = rights.enter();
        if (refusal != null) {
            throw new MalformedException(ReplyCode.NOT_ALLOWED, refusal);
        }
        virtualHost = VirtualHost.named(name);
        connection.server.predeclare(connection, virtualHost, () -> {
            step = Step.DONE;
            gone();
            connection.running(heartbeatSeconds);
            connection.write(0, new ConnectionMethod.OpenOk(""));
            String reason = connection.server.blockedReason();
            if (reason != null) {
                connection.blocked(reason);
            }
        });
    }

    /** Other credentials for the same user: what a token's renewal is. */
    void updateSecret(ConnectionMethod.UpdateSecret update) {
        Peer peer = peer();
        Credentials credentials = new Credentials.Password(userName(), Secret.of(update.newSecret()));
        connection.pause();
        connection.server.aside(() -> {
            Login login = connection.server.authenticator().login(credentials, peer);
            connection.context().channel().eventLoop().execute(() -> {
                connection.resume();
                switch (login) {
                    case Login.Accepted accepted -> connection.write(0, new ConnectionMethod.UpdateSecretOk());
                    case Login.Refused refused ->
                        connection.end(
                                ReplyCode.NOT_ALLOWED, "New secret was refused: " + refused.reason(), update.id());
                }
            });
        });
    }
}
