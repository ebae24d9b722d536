package dev.postroad.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A queue as declared: competing consumers, each message settled once.
 *
 * @param name 1 to 255 bytes of UTF-8
 * @param durability what a confirm means
 * @param priorities levels of strict priority, 1 to 256
 * @param keyOrdered true if one key has one delivery in flight and keeps its order through failures
 * @param deliveryLimit deliveries after which a failed message is dead-lettered; 0 for no limit
 * @param leaseMillis how long a delivery may stay unsettled; 0 for as long as its consumer lives
 * @param ttlMillis time to live of messages, at most: what is shorter holds; 0 for ever
 * @param expiresMillis the queue is deleted when it had no consumer and no declaration for so long; 0 for never
 * @param dedupMillis how long message ids are remembered; 0 for not at all
 * @param dedupLimit ids that are remembered before publishes with a new one are refused; what is published at once is taken
 *     whole as long as one more has room
 * @param maxMessages messages held at most; 0 for no bound
 * @param maxBytes bytes held at most; 0 for no bound
 * @param overflow what happens at maxMessages and maxBytes
 * @param deadLetter where messages given up go; null drops them
 * @param exclusive true if only its owner may consume it, and it goes when the owner closes
 * @param autoDelete true if it is deleted when its last consumer leaves
 * @param singleActiveConsumer true if one consumer receives and the others stand by
 * @param temporary true if it is deleted when the engine is opened again
 * @param boundsWaiting true if maxMessages and maxBytes bound what waits, and not what is in flight as well
 * @param overflowSaid true if overflow was chosen, so that no {@link Policy} changes it; of no matter when declared again
 * @param attributes what a protocol or the declaration adds, kept as it is and compared when declared again; null for none
 */
public record QueueDefinition(
        String name,
        Durability durability,
        int priorities,
        boolean keyOrdered,
        int deliveryLimit,
        long leaseMillis,
        long ttlMillis,
        long expiresMillis,
        long dedupMillis,
        int dedupLimit,
        long maxMessages,
        long maxBytes,
        Overflow overflow,
        @Nullable DeadLetterTarget deadLetter,
        boolean exclusive,
        boolean autoDelete,
        boolean singleActiveConsumer,
        boolean temporary,
        boolean boundsWaiting,
        boolean overflowSaid,
        @Nullable String attributes)
        implements Definition {

    /** Ids a dedup window remembers where nothing else was said. */
    public static final int DEFAULT_DEDUP_LIMIT = 1_000_000;

    /** What happens when a queue is at its bound. */
    public enum Overflow {
        /** The newcomer is refused with {@link EngineException.Reason#FULL}. */
        REJECT_PUBLISH,
        /** The oldest waiting messages are dropped. */
        DROP_OLDEST,
        /** The oldest waiting messages are dead-lettered. */
        DEAD_LETTER_OLDEST,
        /** The newcomer is dead-lettered, and its publisher told that it was refused. */
        DEAD_LETTER_NEWEST
    }

    /**
     * Where dead letters go.
     *
     * @param topic the topic they are published to; null for straight to the channel
     * @param channel the channel, or the routing key where a topic is given; null for the message's own routing keys
     */
    public record DeadLetterTarget(
            @Nullable String topic, @Nullable String channel) {
        /** Straight to a channel. */
        public static DeadLetterTarget channel(String channel) {
            return new DeadLetterTarget(null, channel);
        }
    }

    /** @throws EngineException {@code INVALID} naming the setting that is out of bounds or contradicts another */
    public QueueDefinition {
        Definition.checkName("queue", name);
        String what = "queue '" + name + "': ";
        Definition.check(priorities >= 1 && priorities <= 256, what, "priorities", priorities, "1 to 256");
        Definition.check(deliveryLimit >= 0, what, "deliveryLimit", deliveryLimit, "0 (none) or more");
        Definition.check(leaseMillis >= 0, what, "leaseMillis", leaseMillis, "0 (none) or more");
        Definition.check(ttlMillis >= 0, what, "ttlMillis", ttlMillis, "0 (none) or more");
        Definition.check(expiresMillis >= 0, what, "expiresMillis", expiresMillis, "0 (none) or more");
        Definition.check(dedupMillis >= 0, what, "dedupMillis", dedupMillis, "0 (none) or more");
        Definition.check(dedupLimit >= 1, what, "dedupLimit", dedupLimit, "1 or more");
        Definition.check(maxMessages >= 0, what, "maxMessages", maxMessages, "0 (none) or more");
        Definition.check(maxBytes >= 0, what, "maxBytes", maxBytes, "0 (none) or more");
        Definition.exclude(
                priorities > 1 && keyOrdered,
                what,
                "priorities = " + priorities,
                "keyOrdered = true",
                "a message of higher priority would overtake earlier ones of its key");
        Definition.exclude(
                deadLetters(overflow) && deadLetter == null,
                what,
                "overflow = " + overflow,
                "no dead-letter target",
                "there is nowhere to put the message");
        Definition.exclude(
                deadLetters(overflow) && maxMessages == 0 && maxBytes == 0,
                what,
                "overflow = " + overflow,
                "no maxMessages and no maxBytes",
                "it would never overflow");
    }

    private static boolean deadLetters(Overflow overflow) {
        return overflow == Overflow.DEAD_LETTER_OLDEST || overflow == Overflow.DEAD_LETTER_NEWEST;
    }

    /** A durable queue with every other setting off. */
    public static QueueDefinition named(String name) {
        return new QueueDefinition(
                name,
                Durability.DURABLE,
                1,
                false,
                0,
                0,
                0,
                0,
                0,
                DEFAULT_DEDUP_LIMIT,
                0,
                0,
                Overflow.REJECT_PUBLISH,
                null,
                false,
                false,
                false,
                false,
                false,
                false,
                null);
    }

    /** This definition with another durability. */
    public QueueDefinition withDurability(Durability newDurability) {
        return new QueueDefinition(
                name,
                newDurability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another priorities. */
    public QueueDefinition withPriorities(int newPriorities) {
        return new QueueDefinition(
                name,
                durability,
                newPriorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another keyOrdered. */
    public QueueDefinition withKeyOrdered(boolean newKeyOrdered) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                newKeyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another deliveryLimit. */
    public QueueDefinition withDeliveryLimit(int newDeliveryLimit) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                newDeliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another leaseMillis. */
    public QueueDefinition withLeaseMillis(long newLeaseMillis) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                newLeaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another ttlMillis. */
    public QueueDefinition withTtlMillis(long newTtlMillis) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                newTtlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another expiresMillis. */
    public QueueDefinition withExpiresMillis(long newExpiresMillis) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                newExpiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another dedupMillis. */
    public QueueDefinition withDedupMillis(long newDedupMillis) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                newDedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another dedupLimit. */
    public QueueDefinition withDedupLimit(int newDedupLimit) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                newDedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another maxMessages. */
    public QueueDefinition withMaxMessages(long newMaxMessages) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                newMaxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another maxBytes. */
    public QueueDefinition withMaxBytes(long newMaxBytes) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                newMaxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another overflow, chosen. */
    public QueueDefinition withOverflow(Overflow newOverflow) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                newOverflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                true,
                attributes);
    }

    /** This definition with another deadLetter. */
    public QueueDefinition withDeadLetter(@Nullable DeadLetterTarget newDeadLetter) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                newDeadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another exclusive. */
    public QueueDefinition withExclusive(boolean newExclusive) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                newExclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another autoDelete. */
    public QueueDefinition withAutoDelete(boolean newAutoDelete) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                newAutoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another singleActiveConsumer. */
    public QueueDefinition withSingleActiveConsumer(boolean newSingleActiveConsumer) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                newSingleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another temporary. */
    public QueueDefinition withTemporary(boolean newTemporary) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                newTemporary,
                boundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another boundsWaiting. */
    public QueueDefinition withBoundsWaiting(boolean newBoundsWaiting) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                newBoundsWaiting,
                overflowSaid,
                attributes);
    }

    /** This definition with another overflowSaid. */
    public QueueDefinition withOverflowSaid(boolean newOverflowSaid) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                newOverflowSaid,
                attributes);
    }

    /** This definition with another attributes. */
    public QueueDefinition withAttributes(@Nullable String newAttributes) {
        return new QueueDefinition(
                name,
                durability,
                priorities,
                keyOrdered,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                exclusive,
                autoDelete,
                singleActiveConsumer,
                temporary,
                boundsWaiting,
                overflowSaid,
                newAttributes);
    }

    @Override
    public byte tag() {
        return Definition.QUEUE;
    }

    @Override
    public void encode(ByteBuffer out) {
        Bytes.putString(out, name);
        out.put((byte) durability.ordinal());
        Bytes.putVarint(out, priorities);
        out.put((byte) ((keyOrdered ? 1 : 0)
                | (exclusive ? 2 : 0)
                | (autoDelete ? 4 : 0)
                | (singleActiveConsumer ? 8 : 0)
                | (temporary ? 16 : 0)
                | (boundsWaiting ? 32 : 0)
                | (overflowSaid ? 64 : 0)));
        Bytes.putVarint(out, deliveryLimit);
        Bytes.putVarint(out, leaseMillis);
        Bytes.putVarint(out, ttlMillis);
        Bytes.putVarint(out, expiresMillis);
        Bytes.putVarint(out, dedupMillis);
        Bytes.putVarint(out, dedupLimit);
        Bytes.putVarint(out, maxMessages);
        Bytes.putVarint(out, maxBytes);
        out.put((byte) overflow.ordinal());
        out.put((byte) (deadLetter == null ? 0 : 1));
        if (deadLetter != null) {
            Bytes.putNullable(out, deadLetter.topic());
            Bytes.putNullable(out, deadLetter.channel());
        }
        Bytes.putNullable(out, attributes);
    }

    static QueueDefinition decode(ByteBuffer in) {
        String name = Bytes.getString(in);
        Durability durability = Durability.values()[in.get()];
        int priorities = (int) Bytes.getVarint(in);
        int flags = in.get();
        int deliveryLimit = (int) Bytes.getVarint(in);
        long leaseMillis = Bytes.getVarint(in);
        long ttlMillis = Bytes.getVarint(in);
        long expiresMillis = Bytes.getVarint(in);
        long dedupMillis = Bytes.getVarint(in);
        int dedupLimit = (int) Bytes.getVarint(in);
        long maxMessages = Bytes.getVarint(in);
        long maxBytes = Bytes.getVarint(in);
        Overflow overflow = Overflow.values()[in.get()];
        DeadLetterTarget deadLetter =
                in.get() == 0 ? null : new DeadLetterTarget(Bytes.getNullable(in), Bytes.getNullable(in));
        return new QueueDefinition(
                name,
                durability,
                priorities,
                (flags & 1) != 0,
                deliveryLimit,
                leaseMillis,
                ttlMillis,
                expiresMillis,
                dedupMillis,
                dedupLimit,
                maxMessages,
                maxBytes,
                overflow,
                deadLetter,
                (flags & 2) != 0,
                (flags & 4) != 0,
                (flags & 8) != 0,
                (flags & 16) != 0,
                (flags & 32) != 0,
                (flags & 64) != 0,
                Bytes.getNullable(in));
    }
}
