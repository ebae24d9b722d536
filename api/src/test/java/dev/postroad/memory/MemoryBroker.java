package dev.postroad.memory;

import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.DeadLetter.Cause;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A broker in memory: all state, under one lock. Its time comes from a clock; when that is a virtual one, whoever moves it
 * calls {@link #timePassed}.
 */
public final class MemoryBroker {
    private static final int EVERY = 10;
    private static final String BEHIND = "an earlier message of its key is a dead letter";

    final ReentrantLock lock = new ReentrantLock();
    final Condition changed = lock.newCondition();
    final Clock clock;
    final Set<Bug> bugs;
    final Map<String, Stored> channels = new TreeMap<>();

    private final Map<Need, Capability> capabilities = new EnumMap<>(Need.class);
    private final ArrayDeque<RuntimeException> receiveFailures = new ArrayDeque<>();
    private long sequence;
    private long sends;

    public MemoryBroker(Clock clock, Bug... bugs) {
        this.clock = clock;
        this.bugs = bugs.length == 0 ? EnumSet.noneOf(Bug.class) : EnumSet.copyOf(Arrays.asList(bugs));
        for (Need need : Need.values()) {
            capabilities.put(need, Capability.nativeSupport(need));
        }
        if (this.bugs.contains(Bug.DENIES_WHAT_IT_DOES)) {
            capabilities.put(Need.TRANSACTIONS, Capability.impossible(Need.TRANSACTIONS, "so it says"));
        }
    }

    /** A broker on the clock on the wall. */
    public static MemoryBroker inRealTime(Bug... bugs) {
        return new MemoryBroker(Clock.systemUTC(), bugs);
    }

    /** This broker, meeting one need otherwise. */
    public MemoryBroker with(Capability capability) {
        capabilities.put(capability.need(), capability);
        return this;
    }

    /** A new connection. */
    public MemoryTransport connect() {
        return new MemoryTransport(this);
    }

    /** Lets whoever waits look at the clock again. */
    public void timePassed() {
        locked(changed::signalAll);
    }

    /** The next receives fail with these, one each. */
    public void failReceives(RuntimeException... failures) {
        locked(() -> {
            receiveFailures.addAll(List.of(failures));
            changed.signalAll();
        });
    }

    Map<Need, Capability> capabilities() {
        return Map.copyOf(capabilities);
    }

    boolean impossible(Need need) {
        return Objects.requireNonNull(capabilities.get(need)).support() == Capability.Support.IMPOSSIBLE;
    }

    @Nullable
    RuntimeException nextReceiveFailure() {
        return receiveFailures.poll();
    }

    void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }

    // Everything below is called with the lock held.

    void declare(Channel channel) {
        Stored there = channels.get(channel.name());
        if (there == null) {
            channels.put(channel.name(), new Stored(channel));
        } else if (!there.channel.equals(channel) && !bugs.contains(Bug.TAKES_ANY_DECLARATION)) {
            throw new MessagingException(
                    Reason.CHANNEL_MISMATCH,
                    "channel '" + channel.name() + "' exists as " + there.channel + ", not as " + channel);
        }
        String dead = channel.deadLetter();
        if (dead != null && !channels.containsKey(dead)) {
            declare(Channel.command(dead).withDeadLetter(null));
        }
    }

    Stored stored(String name) {
        Stored stored = channels.get(name);
        if (stored == null) {
            throw new MessagingException(Reason.NOT_FOUND, "there is no channel '" + name + "'");
        }
        return stored;
    }

    Receipt send(String name, Message<byte[], byte[]> message) {
        if (!channels.containsKey(name) && bugs.contains(Bug.TAKES_UNKNOWN_CHANNELS)) {
            return new Receipt(String.valueOf(message.id()), name, -1, -1, false);
        }
        Stored stored = stored(name);
        checkSize(stored.channel, message);
        String id = Objects.requireNonNull(message.id(), "id");
        if (isDuplicate(stored, id)) {
            return new Receipt(id, name, -1, -1, true);
        }
        makeRoom(stored);
        stored.accepted += bugs.contains(Bug.MISCOUNTS) && stored.accepted == 0 ? 0 : 1;
        sends++;
        if (bugs.contains(Bug.LOSES_A_MESSAGE) && sends % EVERY == 0) {
            return new Receipt(id, name, -1, -1, false);
        }
        if (bugs.contains(Bug.DUPLICATES_A_MESSAGE) && sends % EVERY == 0) {
            append(stored, message);
        }
        return append(stored, message);
    }

    void checkSize(Channel channel, Message<byte[], byte[]> message) {
        byte[] value = message.value();
        if (value != null && value.length > channel.maxMessageBytes()) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "value of " + value.length + " bytes on channel '" + channel.name() + "', which takes "
                            + channel.maxMessageBytes());
        }
    }

    private boolean isDuplicate(Stored stored, String id) {
        Duration window = stored.channel.dedupWindow();
        if (window == null || bugs.contains(Bug.IGNORES_DEDUP)) {
            return false;
        }
        Instant now = clock.instant();
        stored.recentIds.values().removeIf(seen -> !seen.plus(window).isAfter(now));
        return stored.recentIds.putIfAbsent(id, now) != null;
    }

    private void makeRoom(Stored stored) {
        Channel channel = stored.channel;
        if (channel.kind().isStream() || bugs.contains(Bug.IGNORES_MAX_LENGTH)) {
            return;
        }
        List<Item> items = stored.queue.items;
        boolean full = channel.maxMessages() != null && items.size() >= channel.maxMessages();
        if (!full) {
            return;
        }
        if (channel.overflow() == Channel.Overflow.REJECT_PUBLISH) {
            throw new MessagingException(
                    Reason.FULL, "channel '" + channel.name() + "' holds its " + channel.maxMessages() + " messages");
        }
        Item oldest =
                items.stream().filter(item -> !item.inFlight()).findFirst().orElse(null);
        if (oldest != null) {
            items.remove(oldest);
            if (channel.overflow() == Channel.Overflow.DEAD_LETTER_OLDEST) {
                bury(stored.queue, oldest, Cause.OVERFLOW, "the queue was full");
            }
        }
    }

    private Receipt append(Stored stored, Message<byte[], byte[]> sent) {
        Channel channel = stored.channel;
        Message<byte[], byte[]> message = mangled(sent);
        String id = Objects.requireNonNull(message.id());
        Instant expires = expiry(channel, message);
        boolean ahead = bugs.contains(Bug.REORDERS) && sends % 3 == 0;
        if (!channel.kind().isStream()) {
            Item item = new Item(sequence++, message, -1, -1, expires);
            if (isDead(stored, message.key())) {
                bury(stored.queue, item, Cause.KEY_ORDER, BEHIND);
            } else {
                stored.queue.add(item, ahead);
            }
            if (bugs.contains(Bug.IGNORES_DELAY)) {
                stored.queue.items.forEach(each -> each.due = each.retrying ? each.due : null);
            }
            changed.signalAll();
            return new Receipt(id, channel.name(), -1, -1, false);
        }
        byte[] key = message.key();
        int partition = Math.floorMod(key == null ? (int) sequence : Arrays.hashCode(key), channel.partitions());
        long offset = stored.nextOffsets[partition]++;
        Item item = new Item(sequence++, message, partition, offset, null);
        stored.log.add(ahead ? 0 : stored.log.size(), item);
        compact(stored);
        boolean first = true;
        for (Line line : stored.lines()) {
            if (first || !bugs.contains(Bug.GROUPS_COMPETE)) {
                line.add(copy(item), ahead);
            }
            first = false;
        }
        changed.signalAll();
        return new Receipt(id, channel.name(), partition, offset, false);
    }

    private @Nullable Instant expiry(Channel channel, Message<byte[], byte[]> message) {
        Duration own = message.properties().ttl();
        Duration most = channel.ttl();
        Duration ttl = own == null || most != null && most.compareTo(own) < 0 ? most : own;
        return ttl == null ? null : clock.instant().plus(ttl);
    }

    private Message<byte[], byte[]> mangled(Message<byte[], byte[]> message) {
        Message<byte[], byte[]> result = message;
        if (bugs.contains(Bug.DROPS_HEADERS)) {
            result = result.withHeaders(Map.of());
        }
        if (bugs.contains(Bug.DROPS_PROPERTIES)) {
            result = result.withProperties(Message.Properties.NONE.withId(message.id()));
        }
        byte[] value = message.value();
        if (bugs.contains(Bug.MANGLES_BINARY) && value != null) {
            String text = new String(value, StandardCharsets.UTF_8);
            result = result.withKeyAndValue(result.key(), text.getBytes(StandardCharsets.UTF_8));
        }
        if (bugs.contains(Bug.INVENTS_KEYS) && message.key() == null) {
            result = result.withKeyAndValue(new byte[0], result.value());
        }
        return result;
    }

    private static Item copy(Item item) {
        return new Item(item.sequence, item.message, item.partition, item.offset, null);
    }

    private void compact(Stored stored) {
        if (!stored.channel.compacted()) {
            return;
        }
        Item newest = stored.log.getLast();
        byte[] key = newest.message.key();
        boolean seenBefore =
                stored.log.stream().anyMatch(item -> item != newest && Arrays.equals(item.message.key(), key));
        if (bugs.contains(Bug.COMPACTS_BACKWARDS)) {
            if (seenBefore) {
                stored.log.remove(newest);
            }
        } else {
            stored.log.removeIf(item -> item != newest && Arrays.equals(item.message.key(), key));
        }
    }

    /** The line that a consumer with these options shares or has alone. */
    Line line(Stored stored, ConsumerOptions options) {
        if (!stored.channel.kind().isStream()) {
            return stored.queue;
        }
        String group = options.group();
        Line there = group == null ? null : stored.groups.get(group);
        if (there != null) {
            return there;
        }
        Line line = new Line(stored, group);
        for (Item item : stored.log) {
            if (bugs.contains(Bug.IGNORES_START) || isFrom(options.start(), item)) {
                line.add(copy(item), false);
            }
        }
        if (group == null) {
            stored.alone.add(line);
        } else {
            stored.groups.put(group, line);
        }
        return line;
    }

    private static boolean isFrom(ConsumerOptions.@Nullable Start start, Item item) {
        if (start == null) {
            return true;
        }
        return switch (start) {
            case ConsumerOptions.Start.Earliest earliest -> true;
            case ConsumerOptions.Start.Latest latest -> false;
            case ConsumerOptions.Start.Offset from -> item.offset >= from.offset();
            case ConsumerOptions.Start.Timestamp from ->
                !item.message.timestamp().isBefore(from.timestamp());
        };
    }

    void acknowledge(Line line, Item item) {
        if (line.items.remove(item)) {
            line.stored.acknowledged++;
            changed.signalAll();
        }
    }

    void retry(Line line, Item item, Duration delay) {
        int limit = line.stored.channel.retry().maxAttempts();
        failed(item);
        if (item.attempts >= limit && !bugs.contains(Bug.NEVER_GIVES_UP)) {
            line.items.remove(item);
            bury(line, item, Cause.DELIVERY_LIMIT, "attempt " + item.attempts + " of " + limit + " failed");
        } else {
            item.release(
                    bugs.contains(Bug.IGNORES_RETRY_DELAY)
                            ? null
                            : clock.instant().plus(delay));
        }
        changed.signalAll();
    }

    void giveBack(Item item) {
        if (!bugs.contains(Bug.COUNTS_WHAT_IS_GIVEN_BACK)) {
            item.attempts--;
        }
        item.release(null);
        changed.signalAll();
    }

    void failed(Item item) {
        if (item.firstFailure == null && !bugs.contains(Bug.FORGETS_THE_FIRST_FAILURE)) {
            item.firstFailure = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        }
    }

    private void bury(Line line, Item item, Cause cause, String reason) {
        bury(line, item, cause, reason, null);
    }

    /** To the dead-letter channel, where there is one. */
    void bury(Line line, Item item, Cause cause, String reason, @Nullable String exception) {
        line.stored.deadLettered++;
        String dead = line.stored.channel.deadLetter();
        if (dead == null || bugs.contains(Bug.DROPS_DEAD_LETTERS)) {
            return;
        }
        Message<byte[], byte[]> message = item.message;
        if (!bugs.contains(Bug.SILENT_DEAD_LETTERS)) {
            DeadLetter told = new DeadLetter(
                    line.stored.channel.name(),
                    line.group,
                    cause,
                    reason,
                    item.attempts,
                    clock.instant(),
                    exception,
                    item.firstFailure);
            message = message.withHeaders(told.addedTo(message.headers()));
        }
        Message.Properties timeless = message.properties().withTtl(null).withDeliverAt(null);
        Stored grave = stored(dead);
        grave.accepted++;
        grave.queue.add(new Item(sequence++, message.withProperties(timeless), -1, -1, null), false);
        if (cause == Cause.REJECTED || cause == Cause.DELIVERY_LIMIT) {
            buryFollowers(line, item.message.key());
        }
        changed.signalAll();
    }

    /** Where order per key is kept, what is behind a dead message of its key follows it. */
    private void buryFollowers(Line line, byte @Nullable [] key) {
        if (!isDead(line.stored, key)) {
            return;
        }
        for (Item behind : List.copyOf(line.items)) {
            if (!behind.inFlight() && Arrays.equals(behind.message.key(), key)) {
                line.items.remove(behind);
                bury(line, behind, Cause.KEY_ORDER, BEHIND);
            }
        }
    }

    /** True while there are dead letters of the key that later messages of it must not overtake. */
    private boolean isDead(Stored stored, byte @Nullable [] key) {
        Channel channel = stored.channel;
        String dead = channel.deadLetter();
        Stored grave = dead == null ? null : channels.get(dead);
        if (key == null
                || grave == null
                || !channel.orderedByKey()
                || channel.kind().isStream()
                || bugs.contains(Bug.FORGETS_DEAD_KEYS)) {
            return false;
        }
        return grave.queue.items.stream()
                .filter(letter -> Arrays.equals(letter.message.key(), key))
                .flatMap(letter -> DeadLetter.of(letter.message).stream())
                .anyMatch(told -> told.origin().equals(channel.name())
                        && told.cause() != Cause.EXPIRED
                        && told.cause() != Cause.OVERFLOW);
    }

    /** Puts one dead letter back; false if where it came from is gone. */
    boolean exhume(Stored grave, Item item) {
        return exhume(grave, item, item.message);
    }

    /** As {@link #exhume(Stored, Item)}, with this message in its place. */
    boolean exhume(Stored grave, Item item, Message<byte[], byte[]> going) {
        DeadLetter told = DeadLetter.of(item.message).orElse(null);
        Stored origin = told == null ? null : channels.get(told.origin());
        if (told == null || origin == null) {
            return false;
        }
        grave.queue.items.remove(item);
        Message<byte[], byte[]> message = going.withHeaders(DeadLetter.removedFrom(going.headers()));
        Line line = origin.channel.kind() == ChannelKind.EVENT || origin.channel.kind() == ChannelKind.DOCUMENT
                ? origin.groups.get(String.valueOf(told.group()))
                : origin.queue;
        if (line != null) {
            line.add(new Item(sequence++, message, -1, -1, null), false);
        }
        changed.signalAll();
        return true;
    }

    void sweep(Line line, Instant now) {
        for (Item expired : line.sweep(now, bugs)) {
            bury(line, expired, Cause.EXPIRED, "expired");
        }
    }

    List<Line> allLines() {
        List<Line> lines = new ArrayList<>();
        channels.values().forEach(stored -> lines.addAll(stored.lines()));
        return lines;
    }
}
