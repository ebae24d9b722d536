package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.ConsumerSettings;
import dev.postroad.engine.Command.Outcome;
import dev.postroad.engine.Command.Start;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** All consumers that work for HTTP clients. */
final class Consumers {
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** Of the heap, for what waits for connections that read slowly. */
    private static final long SHARE_OF_HEAP = 8;

    private final Broker broker;
    private final Inbox.Share share = new Inbox.Share(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
    private final int instance = ThreadLocalRandom.current().nextInt();
    private final Map<Long, HttpConsumer> byId = new ConcurrentHashMap<>();

    Consumers(Broker broker) {
        this.broker = broker;
    }

    /** How to consume. */
    record Wish(
            ChannelDeclaration channel,
            @Nullable String group,
            @Nullable Start start,
            ConsumerSettings settings,
            long leaseMillis) {}

    /** Begins to consume; a group that is new is made. */
    HttpConsumer open(Wish wish, boolean listening) {
        ChannelDeclaration channel = wish.channel;
        requireGroup(channel, wish.group, wish.start);
        Inbox inbox = new Inbox(listening, share, this::release);
        long id = broker.await(reply -> new Command.Subscribe(channel.name(), wish.group, wish.settings, inbox, reply));
        inbox.resumeWith(() -> broker.submit(new Command.Credit(id, 0, Reply.ignored())));
        HttpConsumer consumer = new HttpConsumer(
                instance, id, channel, wish.group, wish.settings.autoAcknowledge(), wish.leaseMillis, inbox);
        byId.put(id, consumer);
        return consumer;
    }

    private void requireGroup(ChannelDeclaration channel, @Nullable String group, @Nullable Start start) {
        if (channel.kind().isStream()) {
            if (group == null) {
                throw Problem.invalid(
                        "channel '" + channel.name() + "' is a stream: give a 'group', or read it by offset at"
                                + " /api/v1/streams/{stream}/partitions/{partition}/messages");
            }
            declareGroup(channel, group, start);
        } else if (group != null || start != null) {
            throw Problem.invalid(
                    "channel '" + channel.name() + "' is a queue: it has no groups and no offsets to start from;"
                            + " leave out '" + (group != null ? "group" : "start") + "'");
        }
    }

    /** Makes sure that a stream has a group; one that is new begins at the start, or at the oldest message. True if it is new. */
    boolean declareGroup(ChannelDeclaration channel, String group, @Nullable Start start) {
        QueueDefinition definition = channel.groupDefinition(group);
        Start from = start == null ? new Start.Earliest() : Seeking.start(broker, channel, start);
        return broker.await(
                (Reply<Boolean> reply) -> new Command.DeclareSharedGroup(channel.name(), definition, from, reply));
    }

    /**
     * Ends a consumer. What it was given goes back; what no client has looked at does so without being counted as delivered.
     * Idempotent.
     */
    void close(HttpConsumer consumer) {
        if (byId.remove(consumer.id()) == null) {
            return;
        }
        // Nothing more is given to it once this is answered: what came later could not be given back uncounted.
        end(consumer, false);
        List<EngineDelivery> unwritten = consumer.inbox().close();
        long[] unread = LongStream.concat(unwritten.stream().mapToLong(EngineDelivery::number), consumer.unread())
                .toArray();
        if (unread.length > 0) {
            release(consumer.id(), unread);
        }
        end(consumer, true);
    }

    private void end(HttpConsumer consumer, boolean releaseDeliveries) {
        try {
            broker.await((Reply<Integer> reply) -> new Command.Unsubscribe(consumer.id(), releaseDeliveries, reply));
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.NOT_FOUND && e.reason() != EngineException.Reason.CLOSED) {
                throw e;
            }
        }
    }

    /** The consumer a delivery was given to; null if that is gone. */
    @Nullable
    HttpConsumer of(DeliveryId delivery) {
        return delivery.instance() == instance ? byId.get(delivery.consumer()) : null;
    }

    /** The name of a consumer. */
    String name(HttpConsumer consumer) {
        byte[] bytes =
                ByteBuffer.allocate(12).putInt(instance).putLong(consumer.id()).array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** @throws Problem 404 if it is gone */
    HttpConsumer byName(String name) {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(name);
            if (bytes.length == 12) {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                HttpConsumer found = in.getInt() == instance ? byId.get(in.getLong()) : null;
                if (found != null) {
                    return found;
                }
            }
        } catch (IllegalArgumentException e) {
            throw gone(name);
        }
        throw gone(name);
    }

    private static Problem gone(String name) {
        return Problem.notFound("there is no consumer '" + (name.length() <= 40 ? name : name.substring(0, 40) + "…")
                + "'; it ends with its connection");
    }

    /** Gives back what could not be handed out; the attempt does not count. */
    void release(List<EngineDelivery> deliveries) {
        if (deliveries.isEmpty()) {
            return;
        }
        release(
                deliveries.getFirst().consumerId(),
                deliveries.stream().mapToLong(EngineDelivery::number).toArray());
    }

    private void release(long consumer, long[] numbers) {
        broker.submit(new Command.Settle(
                consumer, numbers, numbers.length, new Outcome.Release(0, null, false), Reply.ignored()));
    }

    Collection<HttpConsumer> all() {
        return byId.values();
    }

    /** Forgets what need not be remembered any more. */
    void sweep() {
        byId.values().forEach(c -> c.forgetExpired(GRACE_NANOS));
    }
}
