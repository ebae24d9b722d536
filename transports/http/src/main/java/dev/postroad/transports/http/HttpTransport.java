package dev.postroad.transports.http;

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
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The contract on a server: what it can, the engine behind it does. */
final class HttpTransport implements Transport {
    private static final long DRAIN_MILLIS = 30_000;
    private static final long CHECK_SECONDS = 2;

    private final Http http;
    private final Map<String, Sender> senders = new ConcurrentHashMap<>();
    private final Map<String, Settler> settlers = new ConcurrentHashMap<>();
    private final Set<HttpReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("postroad-http-watch").daemon(true).factory());
    private volatile boolean closed;

    /** @param user name and password with a colon between; null to send no login */
    HttpTransport(URI base, @Nullable String user) {
        this.http = new Http(base, user);
        watch.scheduleWithFixedDelay(this::checkSources, CHECK_SECONDS, CHECK_SECONDS, TimeUnit.SECONDS);
    }

    private void checkSources() {
        receivers.forEach(receiver -> receiver.sources().forEach(Source::checkAlive));
    }

    @Override
    public String url() {
        return http.base().toString();
    }

    @Override
    public Map<Need, Capability> capabilities() {
        Map<Need, Capability> all = new EnumMap<>(Need.class);
        for (Need need : Need.values()) {
            all.put(need, Capability.nativeSupport(need));
        }
        return all;
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + http.base() + " is closed");
        }
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void declare(Channel channel) {
        requireOpen();
        http.repeatable("PUT", Http.channel(channel.name()), ChannelJson.write(channel));
    }

    @Override
    public Optional<Channel> find(String channel) {
        requireOpen();
        try {
            return Optional.of(ChannelJson.read(http.get(Http.channel(channel))));
        } catch (MessagingException e) {
            if (e.reason() == Reason.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message) {
        requireOpen();
        return senders.computeIfAbsent(channel, name -> new Sender(http, name)).send(message);
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages) {
        requireOpen();
        if (messages.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        List<Message<byte[], byte[]>> batch = List.copyOf(messages);
        CompletableFuture<List<Receipt>> receipts = new CompletableFuture<>();
        blocking.execute(() -> {
            try {
                receipts.complete(Sender.batch(http, channel, batch));
            } catch (RuntimeException e) {
                receipts.completeExceptionally(e);
            }
        });
        return receipts;
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        requireOpen();
        return new HttpTransaction(http);
    }

    // ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        requireOpen();
        if (channels.isEmpty()) {
            throw new MessagingException(Reason.INVALID, "there must be at least one channel to receive from");
        }
        List<Channel> found = new ArrayList<>();
        for (String name : channels) {
            Channel channel = find(name)
                    .orElseThrow(() -> new MessagingException(
                            Reason.NOT_FOUND,
                            "there is no channel '" + name + "' on " + http.base() + "; declare it first"));
            requireConsumable(channel, options);
            found.add(channel);
        }
        HttpReceiver receiver = new HttpReceiver(receivers::remove);
        receivers.add(receiver);
        boolean opened = false;
        try {
            for (Channel channel : found) {
                receiver.add(
                        channel.kind().isStream() && options.group() == null
                                ? new TailSource(http, channel.name(), options, receiver)
                                : new ConsumeSource(http, settler(channel.name()), channel, options, receiver));
            }
            opened = true;
            return receiver;
        } finally {
            if (!opened) {
                receiver.close();
            }
        }
    }

    private Settler settler(String channel) {
        return settlers.computeIfAbsent(channel, name -> new Settler(http, name));
    }

    private static void requireConsumable(Channel channel, ConsumerOptions options) {
        if (!channel.kind().isStream() && (options.group() != null || options.start() != null)) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + channel.name() + "' is a queue: its consumers compete for its messages and take no "
                            + (options.group() != null
                                    ? "group, here '" + options.group() + "'"
                                    : "start, here " + options.start()));
        }
        if (channel.kind().isStream() && options.group() == null && options.start() == null) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + channel.name()
                            + "' is a stream: name a group (ConsumerOptions.withGroup), or a start to read"
                            + " it alone (ConsumerOptions.withStart)");
        }
        if (channel.kind().isStream() && options.group() == null && (options.lease() != null || options.exclusive())) {
            throw new MessagingException(
                    Reason.INVALID,
                    "reading the stream '" + channel.name() + "' alone takes no "
                            + (options.lease() != null ? "lease, here " + options.lease() : "exclusive = true")
                            + ": nothing is settled and nobody shares it; name a group (ConsumerOptions.withGroup)");
        }
    }

    @Override
    public Administration administration() {
        requireOpen();
        return new HttpAdministration(http);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        receivers.forEach(HttpReceiver::close);
        senders.values().forEach(sender -> sender.drain(DRAIN_MILLIS));
        settlers.values().forEach(settler -> settler.drain(DRAIN_MILLIS));
        blocking.close();
        watch.shutdownNow();
        http.close();
    }
}
