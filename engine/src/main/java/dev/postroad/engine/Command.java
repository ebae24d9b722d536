package dev.postroad.engine;

import dev.postroad.engine.routing.Rule;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of the engine. Each command carries where its outcome goes. A command is carried out whole or not at all,
 * and commands in the order in which they were submitted.
 */
public sealed interface Command {

    /** Where the outcome goes. */
    Reply<?> reply();

    // ── Declarations ─────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Makes sure that a queue, stream or topic exists as declared: refused with {@code MISMATCH} and the difference where it
     * exists otherwise. A queue's dead-letter target and a topic's alternate need not exist yet. Result: true if it was new.
     *
     * @param owner who owns an exclusive queue: a connection, say; null otherwise
     */
    record Declare(Definition definition, @Nullable Object owner, Reply<Boolean> reply) implements Command {}

    /** Deletes a queue or stream with all its messages. Result: how many messages went. */
    record DeleteChannel(
            String name,
            boolean ifUnused,
            boolean ifEmpty,
            @Nullable Object owner,
            Reply<Long> reply) implements Command {}

    /** Deletes a topic with its bindings. Result: true if there was one. */
    record DeleteTopic(String name, boolean ifUnused, Reply<Boolean> reply) implements Command {}

    /**
     * Adds a binding; adding it again is fine. Result: true if it was new.
     *
     * @param owner what an exclusive queue is checked against; null for none
     */
    record Bind(Binding binding, @Nullable Object owner, Reply<Boolean> reply) implements Command {
        /** To what is not somebody else's. */
        public Bind(Binding binding, Reply<Boolean> reply) {
            this(binding, null, reply);
        }
    }

    /**
     * Removes a binding. Result: true if there was one.
     *
     * @param owner what an exclusive queue is checked against; null for none
     */
    record Unbind(Binding binding, @Nullable Object owner, Reply<Boolean> reply) implements Command {
        /** From what is not somebody else's. */
        public Unbind(Binding binding, Reply<Boolean> reply) {
            this(binding, null, reply);
        }
    }

    /**
     * Adds a policy, or puts it in the place of the one of its name and kind; it holds at once, for what is there and what is
     * declared later. What is in flight when a bound gets lower stays: should it come back, room is made at the next publish.
     * Result: true if there was none of its name.
     */
    record SetPolicy(Policy policy, Reply<Boolean> reply) implements Command {}

    /** Takes a policy away: what it added is gone at once. Result: true if there was one. */
    record DeletePolicy(boolean operator, String name, Reply<Boolean> reply) implements Command {}

    // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Publishes messages: all of them or none. A message whose {@link EngineMessage#route} names the same topic and key is
     * published with all keys of that route, and goes to each queue once. One that is a duplicate within the dedup window of its only destination is
     * confirmed and dropped.
     *
     * @param topic the topic to publish to; null for straight to a channel
     * @param channel the channel, or the routing key where a topic is given
     * @param messages one at least
     * @param durability weaker or as strong as the channel's own; null for the channel's own
     * @param mandatory true to refuse with {@code UNROUTABLE} what no binding takes; otherwise that is dropped and confirmed
     * @param producer an idempotent producer, or null
     * @param passFull true to pass over queues of a topic that are full, and count them in {@link Published#refused};
     *     otherwise one of them has the whole refused with {@code FULL}. A queue that can remember no more message ids has it
     *     refused in either case
     */
    record Publish(
            @Nullable String topic,
            String channel,
            List<EngineMessage> messages,
            @Nullable Durability durability,
            boolean mandatory,
            @Nullable Producer producer,
            boolean passFull,
            Reply<Published> reply)
            implements Command {
        /** The same with other messages. */
        Publish withMessages(List<EngineMessage> others) {
            return new Publish(topic, channel, others, durability, mandatory, producer, passFull, reply);
        }

        /** The same, passing over full queues or not. */
        Publish withPassFull(boolean pass) {
            return pass == passFull
                    ? this
                    : new Publish(topic, channel, messages, durability, mandatory, producer, pass, reply);
        }

        /** Refused as a whole if one queue is full. */
        public Publish(
                @Nullable String topic,
                String channel,
                List<EngineMessage> messages,
                @Nullable Durability durability,
                boolean mandatory,
                @Nullable Producer producer,
                Reply<Published> reply) {
            this(topic, channel, messages, durability, mandatory, producer, false, reply);
        }
    }

    /**
     * An idempotent producer: a batch whose sequence was seen is confirmed with its first offset and dropped, one that
     * leaves a gap is refused with {@code OUT_OF_SEQUENCE}, one of an older epoch with {@code FENCED}. Its sequence alone says
     * what is a duplicate: its messages are not looked up by id.
     *
     * @param id from {@link NewProducer}
     * @param epoch 0 and up
     * @param sequence number of the first message of the batch, per partition; counts up by one per message
     * @param partition the stream's partition; -1 lets the key decide
     */
    record Producer(long id, short epoch, int sequence, int partition) {}

    /**
     * What became of a publish.
     *
     * @param duplicates how many messages were dropped as duplicates
     * @param routed to how many channels the last message went
     * @param partition of a stream, the partition of the last message; else -1
     * @param firstOffset of a stream, the offset of the first message that went to that partition; else -1
     * @param offsets of a stream, partition and offset of each message, alternating; empty for queues
     * @param dropped which messages were dropped as duplicates; null if none were
     * @param refused how many queues did not take a message because they were full
     */
    record Published(
            int duplicates,
            int routed,
            int partition,
            long firstOffset,
            long[] offsets,
            @Nullable BitSet dropped,
            int refused) {
        /** One message to one queue. */
        static final Published TO_QUEUE = new Published(0, 1, -1, -1, new long[0], null, 0);

        /** None was refused. */
        public Published(
                int duplicates, int routed, int partition, long firstOffset, long[] offsets, @Nullable BitSet dropped) {
            this(duplicates, routed, partition, firstOffset, offsets, dropped, 0);
        }

        /** True if the message at this place of the publish was dropped as a duplicate. */
        public boolean dropped(int index) {
            return dropped != null && dropped.get(index);
        }
    }

    /**
     * Publishes messages of {@link Publish} in their order, each for itself: one that is refused does not keep the others.
     * That is what a protocol needs that stages what comes in one read and must answer for each message. Costs no more than
     * the publish where nothing is refused. The reply of the publish is not called.
     *
     * <p>Refused as a whole if it has too many messages, or a producer: sequences have no gaps.
     */
    record PublishEach(Publish publish, Reply<EachPublished> reply) implements Command {}

    /**
     * What became of each message.
     *
     * @param refusals why a message was refused, by its place in the publish; null where it was not. Empty if none was. Where
     *     full queues are passed over, {@code FULL} says that one at least was
     */
    record EachPublished(List<@Nullable EngineException> refusals) {
        /** None was refused. */
        public static final EachPublished ALL = new EachPublished(List.of());
    }

    /** A new producer id, never given before. */
    record NewProducer(Reply<Long> reply) implements Command {}

    // ── Consuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Begins to consume a queue, a shared group, or a stream from where the settings say. Result: the consumer's id. A delivery
     * of a stream takes nothing away from it; settling it gives credit back, whatever its outcome.
     */
    record Subscribe(
            String channel, @Nullable String group, ConsumerSettings settings, DeliverySink sink, Reply<Long> reply)
            implements Command {}

    /**
     * How a consumer consumes.
     *
     * @param credit deliveries it can take to begin with; 0 or more
     * @param restoring true if settling a delivery gives its credit back, so that credit bounds what is unsettled
     * @param autoAcknowledge true if a delivery is settled by being handed over
     * @param exclusive true to be the only consumer, or be refused with {@code IN_USE}
     * @param priority the higher is served first while it has credit
     * @param leaseMillis lease of its deliveries; 0 for the queue's own; -1 for none
     * @param filter what messages must match; null for all
     * @param owner the connection, say; what an exclusive queue is checked against; null for none
     * @param name shown to operators
     * @param start of a consumer of a stream, where it begins; null for queues and shared groups
     */
    record ConsumerSettings(
            int credit,
            boolean restoring,
            boolean autoAcknowledge,
            boolean exclusive,
            int priority,
            long leaseMillis,
            @Nullable Rule filter,
            @Nullable Object owner,
            String name,
            @Nullable Start start) {
        /** How a consumer of a queue or shared group consumes. */
        public ConsumerSettings(
                int credit,
                boolean restoring,
                boolean autoAcknowledge,
                boolean exclusive,
                int priority,
                long leaseMillis,
                @Nullable Rule filter,
                @Nullable Object owner,
                String name) {
            this(credit, restoring, autoAcknowledge, exclusive, priority, leaseMillis, filter, owner, name, null);
        }

        /** A consumer that holds at most so many deliveries unsettled. */
        public static ConsumerSettings prefetch(int prefetch, String name) {
            return new ConsumerSettings(prefetch, true, false, false, 0, 0, null, null, name);
        }
    }

    /**
     * Takes one message of a queue without waiting for it. Refused like a consumer where somebody has the queue for himself.
     *
     * @param owner the connection, say; what an exclusive queue is checked against, and with which what it took goes back
     * @param holder what takes messages from the queue as one, a channel, say: they are settled under one consumer id, and
     *     {@link Unsubscribe} gives them back
     */
    record Get(
            String channel,
            boolean autoAcknowledge,
            @Nullable Object owner,
            Object holder,
            Reply<Got> reply) implements Command {}

    /**
     * What was taken.
     *
     * @param delivery null if nothing was ready
     * @param ready how many messages are ready still
     */
    record Got(@Nullable EngineDelivery delivery, long ready) {}

    /**
     * Gives a consumer more credit, or takes back what it has not used (negative); its sink can take more. Result: its credit
     * now.
     */
    record Credit(long consumerId, int more, Reply<Integer> reply) implements Command {}

    /** Ends a consumer. Result: how many deliveries went back. */
    record Unsubscribe(long consumerId, boolean releaseDeliveries, Reply<Integer> reply) implements Command {}

    /** A connection went: its consumers end, their deliveries go back, its exclusive queues are deleted. Result: its consumers. */
    record CloseOwner(Object owner, Reply<Integer> reply) implements Command {}

    /**
     * Settles deliveries. Those that are no longer this consumer's are passed over and counted.
     *
     * @param consumerId whose deliveries they are
     * @param numbers their numbers
     * @param count how many of the numbers count, from the first
     * @param attempts the attempts of these deliveries, so that one whose lease ran out is not taken for a later one to the
     *     same consumer; null for whichever is held
     */
    record Settle(
            long consumerId,
            long[] numbers,
            int count,
            int @Nullable [] attempts,
            Outcome outcome,
            Reply<Integer> reply)
            implements Command {
        /** Settles whichever deliveries of these messages are held. */
        public Settle(long consumerId, long[] numbers, int count, Outcome outcome, Reply<Integer> reply) {
            this(consumerId, numbers, count, null, outcome, reply);
        }
    }

    /** What becomes of a delivery. */
    sealed interface Outcome {
        /** Done; the message goes. */
        record Acknowledge() implements Outcome {
            /** The only one needed. */
            public static final Acknowledge INSTANCE = new Acknowledge();
        }

        /**
         * Back to its place in the queue, to be delivered again; past the delivery limit it is dead-lettered instead.
         *
         * @param delayMillis not before so long
         * @param cause why, kept for a dead letter; null for none
         * @param counts false if the attempt is not to be counted
         */
        record Release(long delayMillis, @Nullable String cause, boolean counts) implements Outcome {}

        /**
         * To the dead-letter target, or dropped where the queue has none.
         *
         * @param reason why, in words
         * @param exception class of what was thrown, at most 255 characters kept; null for none
         */
        record DeadLetter(String reason, @Nullable String exception) implements Outcome {
            /** Without an exception. */
            public DeadLetter(String reason) {
                this(reason, null);
            }
        }

        /** Kept for so long from now, 1 ms at least. */
        record Extend(long leaseMillis) implements Outcome {}
    }

    // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Several commands as one: {@link Publish}, {@link Settle} and {@link CommitOffsets}. If one would be refused, none takes
     * effect; a settlement of what is not delivered refuses the whole. Their own replies are not called.
     */
    record Transact(List<Command> commands, Reply<List<Published>> reply) implements Command {}

    // ── Looking after queues ─────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Looks at messages of a queue, stream or shared group, oldest first. It may find fewer than there are, where they are
     * large: the last one's number leads on, until nothing is found.
     *
     * @param after only what comes behind the message of this number in its queue, which may be gone; -1 for all. Not for
     *     streams
     */
    record Browse(
            String channel,
            @Nullable String group,
            @Nullable Rule filter,
            long after,
            int max,
            Reply<List<Browsed>> reply)
            implements Command {
        /** From the oldest on. */
        public Browse(
                String channel, @Nullable String group, @Nullable Rule filter, int max, Reply<List<Browsed>> reply) {
            this(channel, group, filter, -1, max, reply);
        }
    }

    /**
     * A message looked at.
     *
     * @param number identifies it in its queue
     * @param state ready, in flight, delayed, parked (behind its key) or kept (by a stream)
     * @param attempts deliveries so far
     * @param notBeforeMillis when a delayed one becomes ready; 0 otherwise
     * @param partition and offset of a stream; -1 for queues
     */
    record Browsed(
            long number,
            State state,
            int attempts,
            long notBeforeMillis,
            int partition,
            long offset,
            EngineMessage message) {
        /** Where a message stands. */
        public enum State {
            READY,
            IN_FLIGHT,
            DELAYED,
            PARKED,
            KEPT
        }
    }

    /**
     * Drops all messages that are not in flight; of a stream, all. Result: how many.
     *
     * @param owner what an exclusive queue is checked against; null for none
     */
    record Purge(String channel, @Nullable Object owner, Reply<Long> reply) implements Command {
        /** Of a queue that is not somebody else's. */
        public Purge(String channel, Reply<Long> reply) {
            this(channel, null, reply);
        }
    }

    /**
     * Moves messages that are not in flight to another channel, oldest first. A dead letter is a message like any other where
     * it gets; only back in its own queue it keeps its place in the line of its key, and does not go before its turn. Result:
     * how many.
     */
    record Move(String from, String to, @Nullable Rule filter, long max, Reply<Long> reply) implements Command {}

    /**
     * Puts dead letters back to the queues they came from, oldest first; those of a key-ordered queue in order of their key.
     * Letters without an origin, or whose origin is gone, stay. Result: how many went back.
     */
    record Redrive(String channel, @Nullable Rule filter, long max, Reply<Long> reply) implements Command {}

    /**
     * As {@link Redrive}, for chosen letters. One of a key-ordered queue stays if an earlier one of its key does. Those that
     * are not there any more are passed over. Result: how many went back.
     *
     * @param numbers of the letters in their queue, at most 10,000, in any order
     * @param edited goes back in the place of the one letter, with its key; null to put back what was sent
     */
    record PutBack(String channel, long[] numbers, @Nullable EngineMessage edited, Reply<Long> reply)
            implements Command {}

    /** Cancels messages that wait for their time. Result: how many. */
    record Cancel(String channel, String messageId, Reply<Integer> reply) implements Command {}

    // ── Streams ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Reads a partition. The reply waits for the first message until the deadline.
     *
     * @param offset first wanted
     * @param maxMessages 1 or more
     * @param maxBytes at least one message comes all the same
     * @param waitUntilMillis until when to wait for a first message; 0 not at all
     */
    record Fetch(
            String stream,
            int partition,
            long offset,
            int maxMessages,
            int maxBytes,
            long waitUntilMillis,
            Reply<Fetched> reply)
            implements Command {}

    /**
     * What a fetch found.
     *
     * @param records in order of their offsets
     * @param earliest the oldest offset that is kept
     * @param next the offset that the next message will get
     * @param nextFetch where to go on
     */
    record Fetched(List<StreamRecord> records, long earliest, long next, long nextFetch) {}

    /** A message in its place. */
    record StreamRecord(int partition, long offset, long acceptedMillis, EngineMessage message) {}

    /** Finds the first offset of a partition accepted at this time or later. Result: that offset, or the next one. */
    record OffsetAt(String stream, int partition, long timestampMillis, Reply<Long> reply) implements Command {}

    /** Stores a group's offsets for partitions of streams; refused as {@code FENCED} for a member of an old generation. */
    record CommitOffsets(String group, @Nullable Member member, List<Position> positions, Reply<Done> reply)
            implements Command {}

    /** Nothing to say but that it is done. */
    enum Done {
        /** Done. */
        DONE
    }

    /** Who commits. */
    record Member(String memberId, int generation) {}

    /** An offset of a partition: the next one to read. */
    record Position(
            String stream,
            int partition,
            long offset,
            @Nullable String metadata) {}

    /** The offsets a group has stored. */
    record GroupOffsets(String group, Reply<List<Position>> reply) implements Command {}

    /**
     * Joins a group, or joins again; partitions are assigned moving no more of them than needed. Result: member id,
     * generation and assignment; the other members learn of it by their next heartbeat.
     *
     * @param memberId null for a new member
     * @param streams what it reads
     * @param sessionMillis without a heartbeat for so long it is out
     */
    record JoinGroup(
            String group, @Nullable String memberId, List<String> streams, long sessionMillis, Reply<Joined> reply)
            implements Command {}

    /** A member's place in its group. */
    record Joined(String memberId, int generation, Map<String, int[]> partitions) {}

    /** I am alive. Result: the member's place, of a new generation where it changed. */
    record Heartbeat(String group, Member member, Reply<Joined> reply) implements Command {}

    /** Leaves a group. */
    record LeaveGroup(String group, Member member, Reply<Boolean> reply) implements Command {}

    /** Deletes a group and its offsets; refused while it has members. Result: true if there was one. */
    record DeleteGroup(String group, Reply<Boolean> reply) implements Command {}

    /**
     * Makes a shared group of a stream: a queue fed by it, with individual acknowledgement and everything else a queue can.
     *
     * @param definition of the group's queue; its name is the group's
     * @param start where it begins: earliest, latest, an offset or a time
     */
    record DeclareSharedGroup(String stream, QueueDefinition definition, Start start, Reply<Boolean> reply)
            implements Command {}

    /** Deletes a shared group. Result: true if there was one. */
    record DeleteSharedGroup(String stream, String group, Reply<Boolean> reply) implements Command {}

    /** A place in a stream. */
    sealed interface Start {
        /** The oldest message kept. */
        record Earliest() implements Start {}

        /** After the newest. */
        record Latest() implements Start {}

        /** The newest message of each partition, and what comes after it. */
        record Last() implements Start {}

        /** An offset of each partition. */
        record Offset(long offset) implements Start {}

        /** An offset for each partition, in order of their numbers. */
        record Offsets(List<Long> offsets) implements Start {}

        /** The first message accepted at this time or later. */
        record Timestamp(long millis) implements Start {}
    }

    // ── Looking at the engine ────────────────────────────────────────────────────────────────────────────────────────

    /**
     * One queue, stream or topic.
     *
     * @param topic true for a topic of this name
     */
    record Describe(String name, boolean topic, Reply<Described> reply) implements Command {}

    /**
     * What it is.
     *
     * @param definition null if there is none of this name
     * @param ready messages of a queue that could be delivered now, or that a stream keeps
     * @param consumers of a queue
     */
    record Described(@Nullable Definition definition, long ready, int consumers) {}

    /** Everything there is, at one moment. */
    record Inspect(Reply<EngineStatus> reply) implements Command {}
}
