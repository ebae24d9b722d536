package dev.postroad.engine;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Publishing: bounds, routing, duplicates, and what overflows. Also transactions, which publish and settle at once. */
final class Publishing {
    private static final int LONGEST_ID = 255;
    private static final int LEAST_ROOM = 100;
    private static final int LETTER_ROOM = 24 * 1024;
    private static final int RESERVE_BYTES = 64 * 1024;
    private static final String DISK_FULL =
            "the disk of the data directory is full, or nearly: publishes are refused until there is space;"
                    + " consumers go on";
    private static final long DISK_CHECK_MILLIS = 100;
    private static final long DISK_CHECK_BYTES = 1 << 20;

    private final Engine engine;
    private final Settling settling;
    private final Records.Target target = new Records.Target();
    private final Records.Target queues = new Records.Target();
    private int refused;

    /** By how many queues each message of the last batch was refused; zeros where none was. */
    private int[] refusedAt = {};

    private long diskCheckedAt;
    private long diskCheckedPosition;
    private boolean diskLow;

    /** Messages that the command being checked brings to queues that refuse what is too much. */
    private final Map<QueueState, Integer> coming = new IdentityHashMap<>();

    Publishing(Engine engine, Settling settling) {
        this.engine = engine;
        this.settling = settling;
    }

    // ── Checks: nothing changes ──────────────────────────────────────────────────────────────────────────────────────

    /** Most payload bytes that the publish can take in the journal. @throws EngineException if it is refused */
    private long check(Command.Publish publish) {
        List<EngineMessage> messages = publish.messages();
        if (messages.isEmpty() || messages.size() > engine.settings.maxBatchMessages()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a publish has " + messages.size() + " messages; it must have 1 to "
                            + engine.settings.maxBatchMessages());
        }
        if (publish.topic() != null || Routes.straight(publish, messages.getFirst())) {
            engine.routes.checkExists(publish.topic(), publish.channel());
        }
        long bytes = 0;
        for (int i = 0; i < messages.size(); i++) {
            bytes += recordBytes(publish, messages.get(i), check(messages.get(i)));
        }
        checkDisk(bytes);
        checkMemory();
        checkLengths(publish);
        return bytes;
    }

    /** Why publishes are refused whatever they bring; null if they are not. */
    @Nullable
    String bound() {
        if (!hasRoomFor(0)) {
            return DISK_FULL;
        }
        return memoryFull() ? memoryIsFull() : null;
    }

    private void checkDisk(long bytes) {
        engine.spaceWanted = !hasRoomFor(bytes);
        if (engine.spaceWanted) {
            throw new EngineException(EngineException.Reason.FULL, DISK_FULL);
        }
    }

    /** What is left when publishes are refused is for consumers, whose deliveries and settlements are records too. */
    private boolean hasRoomFor(long bytes) {
        int most = engine.journal.maxBatchBytes();
        long reserve = Math.min(engine.settings.journal().segmentBytes() / 4, most / 2);
        return !diskLow() && engine.journal.hasRoomFor((int) Math.min(most, Math.max(bytes + RESERVE_BYTES, reserve)));
    }

    private boolean diskLow() {
        long position = engine.journal.appendPosition();
        if (engine.steady() >= diskCheckedAt + DISK_CHECK_MILLIS
                || position >= diskCheckedPosition + DISK_CHECK_BYTES) {
            diskCheckedAt = engine.steady();
            diskCheckedPosition = position;
            try {
                diskLow =
                        engine.storage.usableBytes() < engine.settings.journal().lowWaterBytes();
            } catch (IOException e) {
                diskLow = true;
            }
            // Spares count as used: on a small disk they alone could keep it low for ever.
            engine.journal.keepSpares(!diskLow);
        }
        return diskLow;
    }

    /** Most records that the publish makes: of each message one, and one more for each stream or dead key it meets. */
    private int records(Command.Publish publish) {
        int perMessage = 1;
        if (!straight(publish)) {
            perMessage = 0;
            for (EngineMessage message : publish.messages()) {
                int streamsAndGroups = 1;
                for (String channel : engine.routes.channels(publish.topic(), publish.channel(), message)) {
                    streamsAndGroups += 1 + engine.state.sharedGroups(channel).size();
                }
                perMessage = Math.max(perMessage, streamsAndGroups);
            }
        } else {
            QueueState queue = engine.state.queue(publish.channel());
            perMessage +=
                    queue == null ? engine.state.sharedGroups(publish.channel()).size() : 0;
        }
        return perMessage * publish.messages().size();
    }

    /** Most payload bytes of the records that one message makes, wherever it goes. */
    private long recordBytes(Command.Publish publish, EngineMessage message, long messageBytes) {
        // Where its dead letters go may depend on the way it came.
        EngineMessage stored = Routes.routed(publish.topic(), publish.channel(), message);
        if (straight(publish)) {
            return recordBytes(publish.channel(), stored, messageBytes);
        }
        Route route = message.route();
        long bytes = route == null ? Route.maxBytes(publish.topic(), List.of(publish.channel())) : 0;
        for (String channel : engine.routes.channels(publish.topic(), publish.channel(), message)) {
            bytes += engine.routes.isStream(channel) ? recordBytes(channel, stored, messageBytes) : 5;
            QueueState queue = engine.state.queue(channel);
            bytes += queue != null && mayBeLetter(queue) ? settling.letterBytes(queue, stored) : 0;
        }
        return bytes + messageBytes + LEAST_ROOM;
    }

    /** All or none of a publish's messages name their channel straight, see {@link #check(Command.Publish)}. */
    private static boolean straight(Command.Publish publish) {
        return Routes.straight(publish, publish.messages().getFirst());
    }

    /** True if a message may go to the dead letters as it comes. */
    private static boolean mayBeLetter(QueueState queue) {
        return queue.hasDeadKeys() || queue.definition().overflow() == QueueDefinition.Overflow.DEAD_LETTER_NEWEST;
    }

    private long recordBytes(String channel, EngineMessage message, long messageBytes) {
        long bytes = messageBytes + LEAST_ROOM;
        QueueState queue = engine.state.queue(channel);
        if (queue != null) {
            return mayBeLetter(queue) ? bytes + settling.letterBytes(queue, message) : bytes;
        }
        for (QueueState group : engine.state.sharedGroups(channel)) {
            // Where a key is dead, its messages are written as dead letters too, with the headers of those.
            bytes += group.hasDeadKeys() ? settling.letterBytes(group, message) + 5 : 5;
        }
        return bytes;
    }

    /** Refuses a message that is too large for the broker or not well formed; else the most bytes it takes. */
    long check(EngineMessage message) {
        Route route = message.route();
        if (route != null) {
            route.check();
        }
        Map<String, Object> headers = message.headers();
        if (!headers.isEmpty()) {
            checkHeaders(headers);
        }
        long size = MessageCodec.maxBytes(message);
        // Its dead letter must fit into one batch too.
        long most = Math.min(engine.settings.maxMessageBytes(), engine.journal.maxBatchBytes() - LETTER_ROOM);
        if (size > most && exactBytes(message) > most) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "the message has about " + exactBytes(message)
                            + " bytes with its key, headers and properties; at most " + most + " are taken");
        }
        String id = message.id();
        if (id != null && (id.isEmpty() || id.length() > LONGEST_ID)) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "the message id has " + id.length() + " characters; it must have 1 to " + LONGEST_ID);
        }
        return size;
    }

    private void checkHeaders(Map<String, Object> headers) {
        if (headers.size() > engine.settings.maxHeaders()) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "the message has " + headers.size() + " headers; at most " + engine.settings.maxHeaders()
                            + " are taken");
        }
        HeaderValues.check(headers);
    }

    private static long exactBytes(EngineMessage message) {
        java.nio.ByteBuffer scratch =
                java.nio.ByteBuffer.allocate((int) Math.min(Integer.MAX_VALUE - 64, MessageCodec.maxBytes(message)));
        MessageCodec.encode(message, scratch);
        return scratch.position();
    }

    private void checkMemory() {
        if (memoryFull()) {
            throw new EngineException(EngineException.Reason.FULL, memoryIsFull());
        }
    }

    private boolean memoryFull() {
        return engine.indexHeapBytes() > engine.settings.indexBytes();
    }

    private String memoryIsFull() {
        return "the indexes take more than the " + engine.settings.indexBytes()
                + " bytes of memory they may: publishes are refused until consumers have caught up";
    }

    private void checkLengths(Command.Publish publish) {
        if (straight(publish)) {
            QueueState queue = engine.state.queue(publish.channel());
            if (queue != null) {
                for (EngineMessage message : publish.messages()) {
                    checkLength(queue, message);
                }
            } else {
                StreamState stream = engine.state.stream(publish.channel());
                if (stream != null) {
                    checkStream(stream, publish);
                }
            }
            return;
        }
        for (EngineMessage message : publish.messages()) {
            Collection<String> channels = engine.routes.channels(publish.topic(), publish.channel(), message);
            if (channels.isEmpty() && publish.mandatory()) {
                throw new EngineException(
                        EngineException.Reason.UNROUTABLE,
                        publish.topic() == null
                                ? "there is no channel of any name that the message was sent to"
                                : "topic '" + publish.topic() + "' has no binding that takes routing key '"
                                        + publish.channel() + "'");
            }
            for (String channel : channels) {
                QueueState queue = engine.state.queue(channel);
                StreamState stream = engine.state.stream(channel);
                if (queue != null) {
                    if (publish.passFull()) {
                        checkDedup(channel, queue.dedup(), message);
                    } else {
                        checkLength(queue, message);
                    }
                } else if (stream != null) {
                    stream.check(message);
                    checkDedup(channel, stream.dedup(), message);
                }
            }
        }
    }

    private void checkStream(StreamState stream, Command.Publish publish) {
        Command.Producer producer = publish.producer();
        if (producer != null) {
            stream.checkPartition(producer.partition());
        }
        for (EngineMessage message : publish.messages()) {
            stream.check(message);
            checkDedup(stream.definition().name(), stream.dedup(), message);
        }
    }

    /** The message must have room in the queue behind those of the same command; a duplicate needs none. */
    private void checkLength(QueueState queue, EngineMessage message) {
        QueueDefinition definition = queue.definition();
        if (checkDedup(definition.name(), queue.dedup(), message)) {
            return;
        }
        if (definition.overflow() != QueueDefinition.Overflow.REJECT_PUBLISH
                || (definition.maxMessages() == 0 && definition.maxBytes() == 0)) {
            return;
        }
        int ahead = coming.merge(queue, 1, Integer::sum) - 1;
        if (definition.maxMessages() > 0 && queue.boundedMessages() + ahead >= definition.maxMessages()) {
            queue.counts.refused++;
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "queue '" + definition.name() + "' holds " + queue.boundedMessages() + " messages of "
                            + definition.maxMessages() + " at most"
                            + (ahead == 0 ? "" : ", and " + (ahead + 1) + " are to come at once"));
        }
        if (definition.maxBytes() > 0 && queue.boundedBytes() >= definition.maxBytes()) {
            queue.counts.refused++;
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "queue '" + definition.name() + "' holds " + queue.boundedBytes() + " bytes of "
                            + definition.maxBytes() + " at most");
        }
    }

    /** True if the message is a duplicate; refused if its id could not be remembered. */
    private boolean checkDedup(String channel, @Nullable DedupWindow dedup, EngineMessage message) {
        String id = message.id();
        if (dedup == null || id == null) {
            return false;
        }
        if (dedup.contains(id, engine.now())) {
            return true;
        }
        if (dedup.full(engine.now())) {
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "channel '" + channel + "' remembers " + dedup.limit()
                            + " message ids, the most its dedup window may hold");
        }
        return false;
    }

    private void forgetComing() {
        if (!coming.isEmpty()) {
            coming.clear();
        }
    }

    // ── Publish ──────────────────────────────────────────────────────────────────────────────────────────────────────

    void publish(Command.Publish publish) {
        Command.Published published = publishNow(publish);
        engine.park(publish.reply(), published, syncAfter);
    }

    private boolean syncAfter;

    private Command.Published publishNow(Command.Publish publish) {
        forgetComing();
        long bytes = check(publish);
        Command.Published known = knownSequence(publish);
        if (known != null) {
            syncAfter = true;
            return known;
        }
        engine.records.begin(engine.now(), records(publish), bytes);
        Command.Published published = perform(publish);
        engine.records.end();
        settling.afterBatch();
        syncAfter = syncs(publish.durability());
        return published;
    }

    void publishEach(Command.PublishEach each) {
        Command.Publish publish = each.publish();
        if (publish.producer() != null) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "an idempotent producer publishes all messages of a batch or none: its sequence has no gaps");
        }
        try {
            Command.Published published = publishNow(publish.withPassFull(false));
            engine.park(
                    each.reply(),
                    published.refused() == 0
                            ? Command.EachPublished.ALL
                            : diverted(publish.messages().size()),
                    syncAfter);
            return;
        } catch (EngineException refused) {
            boolean alone = publish.messages().size() < 2 && !publish.passFull();
            if (alone || publish.messages().size() > engine.settings.maxBatchMessages()) {
                throw refused;
            }
        }
        // At least one of them is refused: each on its own then, in order.
        List<@Nullable EngineException> refusals = new ArrayList<>();
        boolean sync = false;
        for (EngineMessage message : publish.messages()) {
            try {
                Command.Published published = publishNow(publish.withMessages(List.of(message)));
                sync |= syncAfter;
                refusals.add(published.refused() == 0 ? null : passed(published.refused()));
            } catch (EngineException refused) {
                refusals.add(refused);
            }
        }
        engine.park(each.reply(), new Command.EachPublished(refusals), sync);
    }

    /** Of a batch that was taken: what full queues gave to their dead letters. */
    private Command.EachPublished diverted(int count) {
        List<@Nullable EngineException> refusals = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            refusals.add(refusedAt[i] == 0 ? null : passed(refusedAt[i]));
        }
        return new Command.EachPublished(refusals);
    }

    private static EngineException passed(int queues) {
        return new EngineException(
                EngineException.Reason.FULL,
                queues + " of the queues that the message was routed to are full and did not take it; others did");
    }

    private boolean syncs(@Nullable Durability wanted) {
        return wanted == null ? targetsDurable : wanted == Durability.DURABLE;
    }

    private boolean targetsDurable;

    private Command.@Nullable Published knownSequence(Command.Publish publish) {
        Command.Producer producer = publish.producer();
        if (producer == null) {
            return null;
        }
        StreamState stream = publish.topic() == null ? engine.state.stream(publish.channel()) : null;
        if (stream == null) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "idempotent producers publish straight to a stream; '" + publish.channel() + "' is none");
        }
        long first =
                stream.check(producer, producer.partition(), publish.messages().size(), engine.now());
        if (first < 0) {
            return null;
        }
        int count = publish.messages().size();
        long[] offsets = new long[2 * count];
        for (int i = 0; i < count; i++) {
            offsets[2 * i] = producer.partition();
            offsets[2 * i + 1] = first + i;
        }
        BitSet dropped = new BitSet(count);
        dropped.set(0, count);
        return new Command.Published(count, 1, producer.partition(), first, offsets, dropped);
    }

    /** Within a batch. */
    private Command.Published perform(Command.Publish publish) {
        targetsDurable = false;
        if (refused > 0) {
            Arrays.fill(refusedAt, 0);
        }
        refused = 0;
        List<EngineMessage> messages = publish.messages();
        boolean straight = straight(publish);
        boolean toStream = !straight || engine.state.stream(publish.channel()) != null;
        long[] offsets = toStream ? new long[2 * messages.size()] : NO_OFFSETS;
        int duplicates = 0;
        BitSet dropped = null;
        int routed = 1;
        int partition = -1;
        long firstOffset = -1;
        for (int i = 0; i < messages.size(); i++) {
            EngineMessage message = Routes.routed(publish.topic(), publish.channel(), messages.get(i));
            long offset = -1;
            int duplicatesBefore = duplicates;
            int refusedBefore = refused;
            if (straight) {
                engine.routes.resolve(publish.channel(), message, partition(publish), target.clear());
                targetsDurable |= engine.routes.durable(target);
                if (publish.producer() == null && dropDuplicate(message)) {
                    duplicates++;
                } else {
                    passFullQueues(message, publish, target);
                    offset = store(message, publish, i);
                }
                partition = target.partition;
            } else {
                routed = 0;
                boolean any = false;
                queues.clear();
                for (String channel : engine.routes.channels(publish.topic(), publish.channel(), message)) {
                    routed++;
                    if (engine.routes.isStream(channel)) {
                        engine.routes.resolve(channel, message, -1, target.clear());
                        targetsDurable |= engine.routes.durable(target);
                        if (!dropDuplicate(message)) {
                            offset = store(message, publish, i);
                            partition = target.partition;
                            any = true;
                        }
                    } else {
                        engine.routes.resolve(channel, message, -1, queues);
                    }
                }
                if (!queues.empty()) {
                    targetsDurable |= engine.routes.durable(queues);
                    int before = queues.queueCount;
                    dropDuplicateQueues(message, queues);
                    any |= queues.queueCount > 0;
                    duplicates += before > 0 && !any ? 1 : 0;
                    passFullQueues(message, publish, queues);
                    if (queues.queueCount > 0) {
                        storeTo(message, queues);
                    }
                }
            }
            if (refused > refusedBefore) {
                refusedAt = refusedAt.length < messages.size() ? Arrays.copyOf(refusedAt, messages.size()) : refusedAt;
                refusedAt[i] = refused - refusedBefore;
            }
            if (duplicates > duplicatesBefore) {
                dropped = dropped == null ? new BitSet(messages.size()) : dropped;
                dropped.set(i);
            }
            if (toStream) {
                offsets[2 * i] = partition;
                offsets[2 * i + 1] = offset;
                if (firstOffset < 0) {
                    firstOffset = offset;
                }
            }
        }
        if (!toStream && duplicates == 0 && refused == 0) {
            return Command.Published.TO_QUEUE;
        }
        return new Command.Published(duplicates, routed, partition, firstOffset, offsets, dropped, refused);
    }

    /** Queues that are full do not get the message; those that say so give it to their dead letters. Within a batch. */
    private void passFullQueues(EngineMessage message, Command.Publish publish, Records.Target to) {
        int kept = 0;
        for (int i = 0; i < to.queueCount; i++) {
            QueueState queue = to.queues[i];
            boolean passed = false;
            switch (queue.definition().overflow()) {
                case REJECT_PUBLISH -> passed = publish.passFull() && queue.full();
                case DEAD_LETTER_NEWEST -> {
                    passed = queue.full();
                    if (passed) {
                        settling.deadLetterNewcomer(queue, message);
                    }
                }
                case DROP_OLDEST, DEAD_LETTER_OLDEST -> {
                    // The newcomer is taken, and makes others go.
                }
            }
            if (passed) {
                queue.counts.refused++;
                refused++;
            } else {
                to.queues[kept++] = queue;
            }
        }
        to.queueCount = kept;
    }

    private static final long[] NO_OFFSETS = new long[0];

    private static int partition(Command.Publish publish) {
        Command.Producer producer = publish.producer();
        return producer == null ? -1 : producer.partition();
    }

    private long store(EngineMessage message, Command.Publish publish, int index) {
        Command.Producer producer = publish.producer();
        if (producer != null) {
            target.producer = producer;
            target.sequence = sequence(producer.sequence(), index);
        }
        return storeTo(message, target);
    }

    /** Sequences go round from the largest int to 0. */
    static int sequence(int first, int index) {
        long sum = (long) first + index;
        return (int) (sum > Integer.MAX_VALUE ? sum - Integer.MAX_VALUE - 1 : sum);
    }

    private long storeTo(EngineMessage message, Records.Target to) {
        settling.followDeadKeys(message, to);
        if (to.empty()) {
            return -1;
        }
        long offset = engine.records.message(message, to);
        settling.stored(to);
        return offset;
    }

    private boolean dropDuplicate(EngineMessage message) {
        String id = message.id();
        if (id == null) {
            return false;
        }
        StreamState stream = target.stream;
        if (stream != null) {
            DedupWindow dedup = stream.dedup();
            return dedup != null && dedup.contains(id, engine.now());
        }
        dropDuplicateQueues(message, target);
        return target.queueCount == 0;
    }

    private void dropDuplicateQueues(EngineMessage message, Records.Target to) {
        String id = message.id();
        if (id == null) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < to.queueCount; i++) {
            QueueState queue = to.queues[i];
            DedupWindow dedup = queue.dedup();
            if (dedup != null && dedup.contains(id, engine.now())) {
                queue.counts.duplicates++;
            } else {
                to.queues[kept++] = queue;
            }
        }
        to.queueCount = kept;
    }

    void newProducer(Command.NewProducer command) {
        engine.records.begin(engine.now(), 1, 16);
        long id = engine.records.producer();
        engine.records.end();
        engine.park(command.reply(), id, true);
    }

    // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    void transact(Command.Transact transaction, Consuming consuming, StreamReading streams) {
        List<Command> commands = transaction.commands();
        if (commands.isEmpty() || commands.size() > engine.settings.maxBatchMessages()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a transaction has " + commands.size() + " operations; it must have 1 to "
                            + engine.settings.maxBatchMessages());
        }
        forgetComing();
        long bytes = 0;
        int records = 0;
        for (Command command : commands) {
            switch (command) {
                case Command.Publish publish -> {
                    bytes += check(publish);
                    records += records(publish);
                    if (publish.producer() != null) {
                        throw new EngineException(
                                EngineException.Reason.INVALID,
                                "an idempotent producer can't publish in a transaction; the transaction is atomic itself");
                    }
                }
                case Command.Settle settle -> {
                    bytes += settling.checkAll(settle);
                    records += 2 * settle.count();
                }
                case Command.CommitOffsets commit -> {
                    bytes += streams.check(commit);
                    records++;
                }
                default ->
                    throw new EngineException(
                            EngineException.Reason.INVALID,
                            "a transaction publishes, settles and commits offsets; "
                                    + command.getClass().getSimpleName() + " can't be part of one");
            }
        }
        checkSettledOnce(commands);
        engine.records.begin(engine.now(), records, bytes);
        List<Command.Published> published = new ArrayList<>();
        for (Command command : commands) {
            // First, because a key that a settlement kills would have the message take another way than was checked.
            if (command instanceof Command.Publish publish) {
                published.add(perform(publish));
            }
        }
        for (Command command : commands) {
            if (command instanceof Command.Settle settle) {
                settling.perform(settle);
            } else if (command instanceof Command.CommitOffsets commit) {
                streams.perform(commit);
            }
        }
        engine.records.end();
        settling.afterBatch();
        engine.park(transaction.reply(), published, true);
    }

    private static void checkSettledOnce(List<Command> commands) {
        java.util.Set<List<Long>> settled = new java.util.HashSet<>();
        for (Command command : commands) {
            if (command instanceof Command.Settle settle) {
                for (int i = 0; i < settle.count(); i++) {
                    if (!settled.add(List.of(settle.consumerId(), settle.numbers()[i]))) {
                        throw new EngineException(
                                EngineException.Reason.NOT_DELIVERED,
                                "delivery " + settle.numbers()[i] + " is settled twice in one transaction");
                    }
                }
            }
        }
    }
}
