package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A connection to whatever carries the messages, and the way to all else: declare channels, then send, poll, listen and
 * request. Safe for use by many threads; a program needs one.
 *
 * <pre>{@code
 *   try (Postroad postroad = Postroad.connect("embedded:data")) {
 *       postroad.declare(Channel.command("orders").withOrderedByKey(true));
 *       postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT,
 *               delivery -> ship(delivery.message().value()));
 *       postroad.producer(Format.strings()).send("orders", Message.of("customer-7", "three books"));
 *   }
 * }</pre>
 */
public final class Postroad implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.postroad.api");

    private final Transport transport;
    private final Needs needs;
    private final KnownChannels channels;
    private final Requests requests;
    private final Set<AutoCloseable> subscriptions = ConcurrentHashMap.newKeySet();
    private final Set<AutoCloseable> clients = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private Postroad(Transport transport) {
        this.transport = transport;
        this.needs = new Needs(transport);
        this.channels = new KnownChannels(transport);
        this.requests = new Requests(this, needs);
    }

    /**
     * Opens the transport for a url such as {@code embedded:data}, {@code embedded:memory} or {@code http://host:8480}.
     *
     * @throws MessagingException {@code INVALID} if no transport on the class path opens its scheme, with those that are
     *     there and the dependency that is missing; otherwise as the transport says
     */
    public static Postroad connect(String url) {
        return over(Transports.open(url));
    }

    /** On a transport that is open already. It is closed with this connection. */
    public static Postroad over(Transport transport) {
        return new Postroad(transport);
    }

    /**
     * Makes sure that the channel exists as declared, together with its dead-letter channel. Doing so again is fine.
     *
     * @return what the channel needs and how each need is met
     * @throws MessagingException {@code IMPOSSIBLE_NEED} naming all needs that can't be met, before anything is declared;
     *     {@code CHANNEL_MISMATCH} with the difference if it exists otherwise
     */
    public PortabilityReport declare(Channel channel) {
        return declare(new Channel[] {channel}).getFirst();
    }

    /** As {@link #declare(Channel)}, for several: if a need of any of them can't be met none is declared. */
    public List<PortabilityReport> declare(Channel... several) {
        requireOpen();
        List<PortabilityReport> reports = new ArrayList<>(several.length);
        for (Channel channel : several) {
            reports.add(needs.report(channel));
        }
        needs.requirePortable(reports);
        for (Channel channel : several) {
            transport.declare(channel);
            channels.forget(channel.name());
        }
        return reports;
    }

    /** What the channel would need and how each need would be met; declares nothing. */
    public PortabilityReport report(Channel channel) {
        return needs.report(channel);
    }

    /** The channel as it was declared, or empty if there is none of this name. */
    public Optional<Channel> find(String channel) {
        return transport.find(channel);
    }

    /** A producer of messages in this format. It holds next to nothing: make one and keep it. */
    public <K, V> MessageProducer<K, V> producer(Format<K, V> format) {
        requireOpen();
        Registration registration = new Registration(clients);
        return registration.of(new TransportProducer<>(transport, codec(format), registration));
    }

    /**
     * A consumer that is asked for messages; it receives once it has subscribed.
     *
     * @throws MessagingException later, from {@code subscribe}, if a channel can't be consumed with these options
     */
    public <K, V> MessageConsumer<K, V> consumer(Format<K, V> format, ConsumerOptions options) {
        requireOpen();
        Registration registration = new Registration(clients);
        return registration.of(
                new TransportConsumer<>(transport, channels, needs, codec(format), options, registration));
    }

    /**
     * Lets a handler work on a channel until the subscription closes: up to {@link ConsumerOptions#concurrency} deliveries
     * at once, where the channel keeps order per key one of each key. What can't be read is dead-lettered. The threads are
     * virtual and do not keep the process alive.
     *
     * @throws MessagingException {@code NOT_FOUND} if the channel is unknown, {@code INVALID} or {@code IMPOSSIBLE_NEED} if
     *     it can't be consumed with these options
     */
    public <K, V> Subscription listen(
            String channel, Format<K, V> format, ConsumerOptions options, Handler<K, V> handler) {
        requireOpen();
        Channel declared = channels.get(channel);
        needs.requireConsumable(declared, options);
        Transport.Receiver receiver = transport.receive(List.of(channel), options);
        Registration registration = new Registration(subscriptions);
        HandlerSubscription<K, V> subscription = registration.of(new HandlerSubscription<>(
                declared, codec(format), handler, receiver, options.concurrency(), registration));
        subscription.start();
        return subscription;
    }

    /**
     * Sends a request and tells its reply. The request's time to live is its deadline: where the message says none, the
     * channel's timeout. Past it the future fails, and where messages can expire the request is not delivered any more.
     *
     * @param channel a declared channel, of kind request as a rule
     * @param request the message; its reply-to is set here
     * @param format of the request
     * @param replyFormat of the reply
     * @return the reply; or fails with a {@link MessagingException}: {@code TIMEOUT}, {@code FAILED} if the handler of the
     *     request failed at its last attempt
     * @throws MessagingException {@code FULL} while as many requests wait as the channel's maxMessages
     */
    public <K, V, A, B> CompletableFuture<Message<A, B>> request(
            String channel, Message<K, V> request, Format<K, V> format, Format<A, B> replyFormat) {
        requireOpen();
        return requests.request(channels.get(channel), request, codec(format), codec(replyFormat));
    }

    /**
     * Answers the requests of a channel. Requests that want no reply are handled all the same.
     *
     * @throws MessagingException as {@link #listen}
     */
    public <K, V, A, B> Subscription reply(
            String channel,
            ConsumerOptions options,
            Format<K, V> format,
            Format<A, B> replyFormat,
            RequestHandler<K, V, A, B> handler) {
        requireOpen();
        Replier<K, V, A, B> replier =
                new Replier<>(channels.get(channel), transport, codec(replyFormat), codec(Format.bytes()), handler);
        return listen(channel, format, options, replier);
    }

    /** Replies that came when their request had ended without them; they were dropped. */
    public long lateReplies() {
        return requests.late();
    }

    /**
     * A new transaction.
     *
     * @throws MessagingException {@code IMPOSSIBLE_NEED} where the transport has none
     */
    public <K, V> Transaction<K, V> begin(Format<K, V> format) {
        requireOpen();
        return new TypedTransaction<>(transport.begin(), codec(format));
    }

    /** Looking after channels. */
    public Administration administration() {
        return transport.administration();
    }

    /** What carries the messages, for those who need its own face. */
    public Transport transport() {
        return transport;
    }

    /**
     * Drains and closes: requests that wait fail, handlers at work end (30 seconds, then they are interrupted), what was
     * polled and not committed goes back, sends are confirmed or refused; then the transport closes. Idempotent.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        closeQuietly(requests);
        List<Thread> closing = new ArrayList<>();
        for (AutoCloseable subscription : subscriptions) {
            closing.add(Thread.startVirtualThread(() -> closeQuietly(subscription)));
        }
        for (Thread thread : closing) {
            join(thread);
        }
        clients.forEach(Postroad::closeQuietly);
        transport.close();
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            // The rest is closed all the same.
            LOG.log(Level.WARNING, "closing failed: " + Text.line(e.toString()));
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + transport.url() + " is closed");
        }
    }

    private <K, V> MessageCodec<K, V> codec(Format<K, V> format) {
        return new MessageCodec<>(format, channels, needs);
    }

    /** A place in the list of what is open, given up by whoever closes. */
    private static final class Registration implements Runnable {
        private final Set<AutoCloseable> open;
        private volatile @Nullable AutoCloseable part;

        Registration(Set<AutoCloseable> open) {
            this.open = open;
        }

        <T extends AutoCloseable> T of(T opened) {
            part = opened;
            open.add(opened);
            return opened;
        }

        @Override
        public void run() {
            AutoCloseable closed = part;
            if (closed != null) {
                open.remove(closed);
            }
        }
    }
}
