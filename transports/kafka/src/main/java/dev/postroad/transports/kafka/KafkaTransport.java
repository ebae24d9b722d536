package dev.postroad.transports.kafka;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.transports.emulation.Catalog;
import dev.postroad.transports.emulation.Consumable;
import dev.postroad.transports.emulation.DedupStore;
import dev.postroad.transports.emulation.SharedReceiver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** The contract on Kafka. */
final class KafkaTransport implements Transport {
    private static final int LARGEST_REQUEST = 2 * Channel.MAX_MESSAGE_BYTES + 1024 * 1024;
    private static final Duration CLOSE = Duration.ofSeconds(30);
    private static final int DELIVERY_MILLIS = 30_000;

    /** Whoever takes over a partition waits for what a dead client left open. */
    private static final Duration GIVING_UP = Duration.ofSeconds(10);

    /** Four times the client's own: what is sent ahead goes in fewer requests, and what comes alone waits no longer. */
    private static final int BATCH_BYTES = 64 * 1024;

    /** What is counted of a message besides its key and value, for its objects: of small ones there is room for what is on the wire. */
    private static final int RECORD_BYTES = 160;

    private static final int MAX_DESTINATIONS = 10_000;

    private static final Runnable NOTHING = () -> {};

    private final KafkaUrl url;
    private final Admin admin;
    private final Topics topics;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Transactions transactions;
    private final Transactions givingUp;
    private final Catalog catalog;
    private final ScheduledThreadPoolExecutor timer;
    private final ExecutorService blocking = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<SharedReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final Map<Member, SharedReceiver> members = new ConcurrentHashMap<>();
    private volatile @Nullable DedupStore ids;
    private volatile @Nullable DeadKeyTable deadKeys;
    private volatile boolean closed;

    private final Map<String, Destination> destinations = new ConcurrentHashMap<>();

    /** Where was sent to last: most senders have one. */
    private volatile @Nullable Destination lastDestination;

    /** A channel to send to: its topic, whose name needs no looking through for each message, and what is under way there. */
    private record Destination(Channel channel, String topic, SendAhead ahead) {}

    KafkaTransport(KafkaUrl url) {
        this.url = url;
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("postroad-kafka-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        Admin opened;
        KafkaProducer<byte[], byte[]> sender;
        try {
            opened = Admin.create(url.client(Map.of()));
            sender = new KafkaProducer<>(
                    url.client(producerSettings(url, Map.of())), new ByteArraySerializer(), new ByteArraySerializer());
        } catch (RuntimeException e) {
            timer.shutdownNow();
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new MessagingException(
                    Reason.INVALID, url.shown() + " is not understood by Kafka's client: " + cause.getMessage(), e);
        }
        this.admin = opened;
        this.producer = sender;
        this.topics = new Topics(admin, url);
        this.transactions = new Transactions(url, null);
        this.givingUp = new Transactions(url, GIVING_UP);
        boolean ready = false;
        try {
            Failures.await("connecting", url, admin.describeCluster().nodes());
            this.catalog = new Catalog((name, reader) -> KafkaLog.table(this, name, reader));
            ready = true;
        } finally {
            if (!ready) {
                timer.shutdownNow();
                producer.close(Duration.ZERO);
                admin.close(Duration.ZERO);
            }
        }
    }

    static Map<String, Object> producerSettings(KafkaUrl url, Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("acks", "all");
        settings.put("enable.idempotence", true);
        settings.put("linger.ms", 1);
        settings.put("batch.size", BATCH_BYTES);
        settings.put("max.request.size", LARGEST_REQUEST);
        settings.put("buffer.memory", 64L * 1024 * 1024);
        settings.put("max.block.ms", url.timeoutMillis());
        settings.put("delivery.timeout.ms", Math.max(DELIVERY_MILLIS, url.timeoutMillis() + 1_000));
        settings.putAll(more);
        return settings;
    }

    KafkaUrl url0() {
        return url;
    }

    Admin admin() {
        return admin;
    }

    Topics topics() {
        return topics;
    }

    Catalog catalog() {
        return catalog;
    }

    Transactions transactions() {
        return transactions;
    }

    /** For what becomes of messages that are given up, and for their way back. */
    Transactions givingUp() {
        return givingUp;
    }

    synchronized DeadKeyTable deadKeys() {
        DeadKeyTable present = deadKeys;
        if (present == null) {
            present = new DeadKeyTable(this);
            deadKeys = present;
        }
        return present;
    }

    @Override
    public String url() {
        return url.shown();
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return Capabilities.of(url.flushed());
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + url() + " is closed");
        }
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void declare(Channel channel) {
        requireOpen();
        catalog.requireSame(channel);
        String dead = channel.deadLetter();
        if (dead != null && catalog.find(dead).isEmpty()) {
            declare(Channel.command(dead).withDeadLetter(null));
        }
        topics.create(channel);
        catalog.enter(channel);
    }

    @Override
    public Optional<Channel> find(String channel) {
        requireOpen();
        return catalog.find(channel);
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    CompletableFuture<RecordMetadata> produce(ProducerRecord<byte[], byte[]> message) {
        String topic = message.topic();
        return produce(message, new Sent<>() {
            @Override
            RecordMetadata result(RecordMetadata metadata) {
                return metadata;
            }

            @Override
            void ended() {}

            @Override
            String topic() {
                return topic;
            }
        });
    }

    private <T> CompletableFuture<T> produce(ProducerRecord<byte[], byte[]> message, Sent<T> sent) {
        try {
            producer.send(message, sent);
        } catch (RuntimeException e) {
            sent.failed(e);
        }
        return sent;
    }

    /** A record on its way: its future, and what Kafka calls back, in one. */
    private abstract class Sent<T> extends Pending<T> implements Callback {

        /** Made of where the record lies, on the thread that confirms. */
        abstract T result(RecordMetadata metadata);

        /** It is confirmed or refused, and whoever waits for that has been told. */
        abstract void ended();

        abstract String topic();

        @Override
        public void onCompletion(RecordMetadata metadata, @Nullable Exception failure) {
            if (failure == null) {
                complete(result(metadata));
                ended();
            } else {
                failed(failure);
            }
        }

        /** Kafka's client either throws or calls back. */
        void failed(Exception failure) {
            completeExceptionally(Failures.of("sending to topic '" + topic() + "'", url, failure));
            ended();
        }
    }

    /** A message on its way, one of those that are counted. */
    private final class SentMessage extends Sent<Receipt> {
        private final Destination to;
        private final String id;
        private final int bytes;
        private final Runnable whenEnded;

        SentMessage(Destination to, String id, int bytes, Runnable whenEnded) {
            this.to = to;
            this.id = id;
            this.bytes = bytes;
            this.whenEnded = whenEnded;
        }

        @Override
        Receipt result(RecordMetadata at) {
            return receipt(to.channel, id, at.partition(), at.offset());
        }

        @Override
        void ended() {
            to.ahead.leave(bytes);
            whenEnded.run();
        }

        @Override
        String topic() {
            return to.topic;
        }
    }

    /** A message as it is to be sent. @throws MessagingException if it can't be */
    Transactions.Sending sending(String name, Message<byte[], byte[]> message) {
        return sending(catalog.get(name, url()), message);
    }

    private Transactions.Sending sending(Channel channel, Message<byte[], byte[]> message) {
        ProducerRecord<byte[], byte[]> record = record(destination(channel), message);
        return new Transactions.Sending(channel.name(), String.valueOf(message.id()), record);
    }

    private ProducerRecord<byte[], byte[]> record(Destination to, Message<byte[], byte[]> message) {
        Channel channel = to.channel;
        String name = channel.name();
        String id = message.id();
        if (id == null) {
            throw new MessagingException(Reason.INVALID, "a message for channel '" + name + "' has no id");
        }
        byte[] value = message.value();
        if (value != null && value.length > channel.maxMessageBytes()) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "message " + id + " has a value of " + value.length + " bytes; channel '" + name + "' takes "
                            + channel.maxMessageBytes() + " at most (maxMessageBytes)");
        }
        if (message.properties().deliverAt() != null
                && message.properties().deliverAt().isAfter(java.time.Instant.now())) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "message " + id + " for channel '" + name + "' has a time of delivery; " + url()
                            + " can't do that: " + Capabilities.NO_DELAY);
        }
        return KafkaWire.record(to.topic, channel, message);
    }

    private Destination destination(Channel channel) {
        Destination last = lastDestination;
        if (last == null || last.channel != channel) {
            if (destinations.size() >= MAX_DESTINATIONS) {
                // What is under way is counted where it began; a count that begins anew allows twice as much for a
                // moment.
                destinations.clear();
            }
            last = destinations.compute(
                    channel.name(),
                    (name, known) -> known != null && known.channel == channel ? known : newDestination(channel));
            lastDestination = last;
        }
        return last;
    }

    private Destination newDestination(Channel channel) {
        long most = topics.partitions(channel) * url.sentAhead(BATCH_BYTES);
        return new Destination(channel, Topics.name(channel.name()), new SendAhead(most));
    }

    @Override
    public CompletableFuture<Receipt> send(String name, Message<byte[], byte[]> message) {
        return send(name, message, NOTHING);
    }

    @Override
    public CompletableFuture<Receipt> send(String name, Message<byte[], byte[]> message, Runnable ended) {
        requireOpen();
        CompletableFuture<Receipt> sent;
        try {
            Destination to = destination(catalog.get(name, url()));
            ProducerRecord<byte[], byte[]> record = record(to, message);
            // All else of the message is nobody's concern any more once Kafka's client has copied it.
            String id = String.valueOf(message.id());
            Duration window = to.channel.dedupWindow();
            if (window == null) {
                return sendAlways(to, id, record, ended);
            }
            sent = ids().once(name, id, window, () -> sendAlways(to, id, record, NOTHING));
        } catch (MessagingException e) {
            sent = CompletableFuture.failedFuture(e);
        }
        sent.whenComplete((receipt, failure) -> ended.run());
        return sent;
    }

    /** @throws MessagingException if interrupted while it waited for earlier ones */
    private CompletableFuture<Receipt> sendAlways(
            Destination to, String id, ProducerRecord<byte[], byte[]> record, Runnable ended) {
        int bytes = bytes(record.key()) + bytes(record.value()) + RECORD_BYTES;
        try {
            to.ahead.enter(bytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.FULL,
                    "interrupted while earlier messages for channel '" + to.channel.name()
                            + "' were under way; message " + id + " was not sent",
                    e);
        }
        return produce(record, new SentMessage(to, id, bytes, ended));
    }

    private static int bytes(byte @Nullable [] part) {
        return part == null ? 0 : part.length;
    }

    private static Receipt receipt(Channel channel, String id, int partition, long offset) {
        return channel.kind().isStream()
                ? new Receipt(id, channel.name(), partition, offset, false)
                : new Receipt(id, channel.name(), -1, -1, false);
    }

    /** @param from the record that is given up, and the message that was read of it */
    CompletableFuture<Void> sendLetter(
            String dead, ConsumerRecord<byte[], byte[]> from, Message<byte[], byte[]> message, DeadLetter letter) {
        try {
            return produce(letter(dead, from, message, letter)).thenAccept(sent -> {});
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** @throws MessagingException {@code NOT_FOUND} if there is no such channel */
    ProducerRecord<byte[], byte[]> letter(
            String dead, ConsumerRecord<byte[], byte[]> from, Message<byte[], byte[]> message, DeadLetter letter) {
        Channel to = catalog.get(dead, url());
        return KafkaWire.letter(Topics.name(dead), dead, from, message, letter, to.ttl());
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String name, List<Message<byte[], byte[]>> messages) {
        requireOpen();
        if (messages.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        List<Transactions.Sending> sends = new ArrayList<>(messages.size());
        Channel channel;
        try {
            channel = catalog.get(name, url());
            for (Message<byte[], byte[]> message : messages) {
                sends.add(sending(channel, message));
            }
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
        if (channel.dedupWindow() != null) {
            return sendEach(name, messages);
        }
        CompletableFuture<List<Receipt>> receipts = new CompletableFuture<>();
        blocking.execute(() -> {
            try {
                receipts.complete(transactions.run(sends, List.of()).stream()
                        .map(receipt -> receipt(channel, receipt.messageId(), receipt.partition(), receipt.offset()))
                        .toList());
            } catch (RuntimeException e) {
                receipts.completeExceptionally(e);
            }
        });
        return receipts;
    }

    /** What was sent before is left out, which one transaction can't know. */
    private CompletableFuture<List<Receipt>> sendEach(String name, List<Message<byte[], byte[]>> messages) {
        List<CompletableFuture<Receipt>> sent =
                messages.stream().map(message -> send(name, message)).toList();
        return CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new))
                .thenApply(all -> sent.stream().map(CompletableFuture::join).toList());
    }

    /** True if the partition that a dead letter came from is still there. */
    private boolean isThere(String channel, DeadKeyTable.Origin origin) {
        return catalog.find(channel).isPresent()
                && origin.partition()
                        < producer.partitionsFor(Topics.name(channel)).size();
    }

    /** Says that a dead letter does not come back; null where nobody has to know. */
    @Nullable
    ProducerRecord<byte[], byte[]> goneLetter(ConsumerRecord<byte[], byte[]> letter) {
        DeadKeyTable.Origin origin = KafkaWire.letter(letter);
        Header channel = letter.headers().lastHeader(DeadLetter.ORIGIN_HEADER);
        if (origin == null || channel == null || letter.key() == null) {
            return null;
        }
        String name = new String(channel.value(), StandardCharsets.UTF_8);
        return isThere(name, origin) ? KafkaWire.gone(Topics.name(name), letter.key(), origin) : null;
    }

    /**
     * A dead letter's message, to go back where it came from.
     *
     * @throws MessagingException if it tells no origin, or can't be sent there
     */
    ProducerRecord<byte[], byte[]> back(ConsumerRecord<byte[], byte[]> letter, Message<byte[], byte[]> message) {
        String channel = DeadLetter.of(message)
                .map(DeadLetter::origin)
                .orElseThrow(() -> new MessagingException(
                        Reason.INVALID,
                        "message " + message.id() + " of topic '" + letter.topic()
                                + "' is no dead letter: it tells no origin"));
        ProducerRecord<byte[], byte[]> asSent = sending(
                        channel, message.withHeaders(DeadLetter.removedFrom(message.headers())))
                .message();
        DeadKeyTable.Origin origin = KafkaWire.letter(letter);
        return origin == null || !isThere(channel, origin) ? asSent : KafkaWire.back(asSent, origin);
    }

    private synchronized DedupStore ids() {
        DedupStore present = ids;
        if (present == null) {
            present = new DedupStore(
                    (name, reader) -> KafkaLog.log(this, name, DedupStore.LONGEST_WINDOW.plusDays(1), reader));
            ids = present;
        }
        return present;
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        requireOpen();
        return new KafkaTransaction(this);
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
            Channel channel = catalog.get(name, url());
            Consumable.require(channel, options);
            if (options.exclusive() || options.priority() != 0 || options.lease() != null) {
                throw new MessagingException(
                        Reason.IMPOSSIBLE_NEED,
                        "a consumer of channel '" + name
                                + "' asks to be exclusive, for a priority or for a lease; on Kafka partitions are shared"
                                + " out evenly, and stay with a consumer while it lives");
            }
            found.add(channel);
        }
        SharedReceiver receiver = new SharedReceiver(timer, this::closed);
        receivers.add(receiver);
        boolean opened = false;
        try {
            for (Channel channel : found) {
                if (channel.kind().isStream() && options.group() == null) {
                    new AloneReader(this, channel, options, receiver).open();
                } else {
                    Member member = new Member(this, channel, options, receiver);
                    members.put(member, receiver);
                    member.open();
                }
            }
            opened = true;
            return receiver;
        } catch (org.apache.kafka.common.KafkaException e) {
            throw Failures.of("receiving from " + channels, url, e);
        } finally {
            if (!opened) {
                receiver.close();
            }
        }
    }

    private void closed(SharedReceiver receiver) {
        receivers.remove(receiver);
        members.values().removeIf(receiver::equals);
    }

    /** Consumers of a channel through this connection: the broker may not know of them yet. */
    long ownConsumers(String channel) {
        return members.keySet().stream()
                .filter(member -> member.channel().equals(channel))
                .count();
    }

    @Override
    public Administration administration() {
        requireOpen();
        return new KafkaAdministration(this);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        List<Thread> closing = receivers.stream()
                .map(receiver -> Thread.startVirtualThread(receiver::close))
                .toList();
        for (Thread thread : closing) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        blocking.close();
        DedupStore openIds = ids;
        if (openIds != null) {
            openIds.close();
        }
        catalog.close();
        transactions.close();
        givingUp.close();
        producer.close(CLOSE);
        admin.close(CLOSE);
        timer.shutdownNow();
    }
}
