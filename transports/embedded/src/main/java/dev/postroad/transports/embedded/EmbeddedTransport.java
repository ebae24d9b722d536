package dev.postroad.transports.embedded;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The contract on a {@link Broker} in this process. All needs are met by the broker itself.
 *
 * <p>Sending is one command and one callback; a platform thread that waits for what it sent does the broker's work meanwhile, if
 * nobody else does. Receipts and settlements are completed on whichever thread runs the broker: what is chained to them must not
 * block.
 */
public final class EmbeddedTransport implements Transport {
    private final Broker broker;
    private final String url;
    private final boolean owner;
    private final Map<Need, Capability> capabilities;
    private final Set<EmbeddedReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final Limits limits;
    private final AtomicLong names = new AtomicLong();
    private volatile boolean closed;

    private EmbeddedTransport(Broker broker, String url, boolean owner, Map<Need, Capability> capabilities) {
        this.broker = broker;
        this.limits = new Limits(broker);
        this.url = url;
        this.owner = owner;
        this.capabilities = capabilities;
    }

    /** On a broker of its own, which closes with it. */
    static EmbeddedTransport owning(Broker broker, String url, Map<Need, Capability> capabilities) {
        return new EmbeddedTransport(broker, url, true, capabilities);
    }

    /**
     * On a broker that somebody else opened, and closes after this transport: a server, say, beside its protocols.
     *
     * @param url shown to people
     */
    public static EmbeddedTransport on(Broker broker, String url) {
        return new EmbeddedTransport(broker, url, false, allNative());
    }

    /** Every need, met by the broker itself. */
    static Map<Need, Capability> allNative() {
        Map<Need, Capability> all = new EnumMap<>(Need.class);
        for (Need need : Need.values()) {
            all.put(need, Capability.nativeSupport(need));
        }
        return all;
    }

    /** The broker, for those who need what the contract has no words for. */
    public Broker broker() {
        return broker;
    }

    @Override
    public String url() {
        return url;
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return Map.copyOf(capabilities);
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + url + " is closed");
        }
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void declare(Channel channel) {
        requireOpen();
        ChannelDeclaration declaration = declaration(channel);
        try {
            declare(declaration);
        } catch (EngineException e) {
            throw e.reason() == EngineException.Reason.MISMATCH ? mismatch(declaration, e) : Failures.of(e);
        }
        declaration.deadLetterDeclaration().ifPresent(this::declareDeadLetters);
    }

    private static ChannelDeclaration declaration(Channel channel) {
        try {
            ChannelDeclaration.checkName("channel", channel.name());
            return Channels.toDeclaration(channel);
        } catch (EngineException e) {
            throw Failures.of(e);
        } catch (ArithmeticException e) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + channel.name() + "' has a time of more than 64 bits of milliseconds",
                    e);
        }
    }

    private void declare(ChannelDeclaration declaration) {
        broker.<Boolean>await(reply -> new Command.Declare(declaration.toDefinition(), null, reply));
    }

    /** One that is there already is good as it is. */
    private void declareDeadLetters(ChannelDeclaration dead) {
        if (broker.definition(dead.name()) != null) {
            return;
        }
        try {
            declare(dead);
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.MISMATCH) {
                throw Failures.of(e);
            }
        }
    }

    private MessagingException mismatch(ChannelDeclaration wanted, EngineException refused) {
        List<String> differences =
                declared(wanted.name()).map(there -> there.differences(wanted)).orElse(List.of());
        if (differences.isEmpty()) {
            return Failures.of(refused);
        }
        return new MessagingException(
                Reason.CHANNEL_MISMATCH,
                "channel '" + wanted.name() + "' exists and was declared otherwise: " + String.join("; ", differences)
                        + ". Declare it as it is, or delete it first",
                refused);
    }

    private Optional<ChannelDeclaration> declared(String channel) {
        return Optional.ofNullable(broker.definition(channel)).map(ChannelDeclaration::nearest);
    }

    @Override
    public Optional<Channel> find(String channel) {
        requireOpen();
        return declared(channel).map(Channels::of);
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message) {
        requireOpen();
        MessagingException refused = limits.check(channel, message);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        SendFuture sent = new SendFuture(broker, channel, String.valueOf(message.id()));
        broker.submit(publish(channel, List.of(Messages.toEngine(channel, message)), sent));
        return sent;
    }

    @Override
    public Receipt sendAndWait(String channel, Message<byte[], byte[]> message) {
        requireOpen();
        MessagingException refused = limits.check(channel, message);
        if (refused != null) {
            throw refused;
        }
        List<EngineMessage> one = List.of(Messages.toEngine(channel, message));
        Command.Published published = Failures.<Command.Published>await(broker, reply -> publish(channel, one, reply));
        return SendFuture.receipt(String.valueOf(message.id()), channel, published);
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages) {
        requireOpen();
        if (messages.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        List<EngineMessage> batch;
        try {
            batch = batch(channel, messages);
        } catch (MessagingException refused) {
            return CompletableFuture.failedFuture(refused);
        }
        BatchFuture sent = new BatchFuture(broker, channel, batch);
        broker.submit(publish(channel, batch, sent));
        return sent;
    }

    @Override
    public List<Receipt> sendBatchAndWait(String channel, List<Message<byte[], byte[]>> messages) {
        requireOpen();
        if (messages.isEmpty()) {
            return List.of();
        }
        List<EngineMessage> batch = batch(channel, messages);
        Command.Published published =
                Failures.<Command.Published>await(broker, reply -> publish(channel, batch, reply));
        return BatchFuture.receipts(channel, batch, published);
    }

    private List<EngineMessage> batch(String channel, List<Message<byte[], byte[]>> messages) {
        List<EngineMessage> batch = new ArrayList<>(messages.size());
        for (Message<byte[], byte[]> message : messages) {
            MessagingException refused = limits.check(channel, message);
            if (refused != null) {
                throw refused;
            }
            batch.add(Messages.toEngine(channel, message));
        }
        return batch;
    }

    private static Command publish(String channel, List<EngineMessage> messages, Reply<Command.Published> reply) {
        return new Command.Publish(null, channel, messages, null, false, null, reply);
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        requireOpen();
        return new EmbeddedTransaction(broker, limits);
    }

    // ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        requireOpen();
        if (channels.isEmpty()) {
            throw new MessagingException(Reason.INVALID, "a receiver needs at least one channel");
        }
        Rule filter = Failures.rule(options.filter());
        String name = options.name() == null ? "consumer-" + names.incrementAndGet() : options.name();
        EmbeddedReceiver receiver = new EmbeddedReceiver(broker, receivers::remove);
        boolean opened = false;
        try {
            for (String channel : channels) {
                receiver.add(open(receiver, channel, options, filter, name));
            }
            opened = true;
        } catch (EngineException e) {
            throw Failures.of(e);
        } finally {
            if (!opened) {
                receiver.close();
            }
        }
        receivers.add(receiver);
        if (closed) {
            receiver.close();
            requireOpen();
        }
        return receiver;
    }

    private Source open(
            EmbeddedReceiver receiver, String name, ConsumerOptions options, @Nullable Rule filter, String consumer) {
        ChannelDeclaration channel = declared(name)
                .orElseThrow(() -> new MessagingException(
                        Reason.NOT_FOUND, "there is no channel '" + name + "' on " + url + "; declare it first"));
        if (options.group() != null || !channel.kind().isStream()) {
            refuseOnQueue(channel, options);
            return QueueSource.open(broker, receiver, channel, options, filter, consumer);
        }
        refuseAlone(channel, options);
        return StreamSource.open(broker, receiver, channel, options, filter);
    }

    private static void refuseOnQueue(ChannelDeclaration channel, ConsumerOptions options) {
        if (channel.kind().isStream() || (options.group() == null && options.start() == null)) {
            return;
        }
        throw new MessagingException(
                Reason.INVALID,
                "channel '" + channel.name() + "' is a queue: it takes no "
                        + (options.group() != null
                                ? "group, here '" + options.group() + "'"
                                : "start, here " + options.start())
                        + "; only streams do");
    }

    private static void refuseAlone(ChannelDeclaration channel, ConsumerOptions options) {
        String option = null;
        if (options.start() == null) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + channel.name() + "' is a stream: name a group (ConsumerOptions.withGroup), or a start"
                            + " (withStart) to read it alone");
        }
        if (options.lease() != null) {
            option = "lease = " + options.lease();
        } else if (options.exclusive()) {
            option = "exclusive = true";
        } else if (options.priority() != 0) {
            option = "priority = " + options.priority();
        }
        if (option != null) {
            throw new MessagingException(
                    Reason.INVALID,
                    option + " has no meaning for a stream that is read alone, here '" + channel.name()
                            + "'; name a group (ConsumerOptions.withGroup), or leave it out");
        }
    }

    // ── The rest ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public Administration administration() {
        requireOpen();
        return new EmbeddedAdministration(broker);
    }

    /** Closes receivers, then the broker if it is this transport's own; that carries out what was sent before. */
    @Override
    public void close() {
        closed = true;
        List.copyOf(receivers).forEach(EmbeddedReceiver::close);
        if (owner) {
            broker.close();
        }
    }
}
