package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one channel, or one group of a stream, brings to a {@link SharedReceiver}: no more at once than the prefetch, and of one
 * key no more than one delivery where the channel keeps order. All else waits here, unacknowledged, in the order it came; how much
 * that can be is what the transport lets the broker send.
 */
public final class Inflow {
    /** How long a message is kept that can't be given up for want of room. */
    private static final Duration FULL_OF_DEAD_KEYS = Duration.ofSeconds(10);

    private final SharedReceiver receiver;
    private final Channel channel;
    private final int prefetch;
    private final @Nullable Duration lease;
    private final boolean keepsRetries;
    private final Settler settler;
    private final ScheduledExecutorService timer;

    /** True where nothing is remembered: what is handed out is forgotten, and settling it means nothing. */
    private final boolean alone;

    private final boolean keepsOrder;
    private final boolean keepsDeadKeys;

    /** What came since somebody looked, the last of it, with those before it in a chain; the one thing here without the lock. */
    private final AtomicReference<@Nullable Held> fresh = new AtomicReference<>();

    private final ArrayDeque<Held> ready = new ArrayDeque<>();

    /** Keys on their way, each with what waits behind it. */
    private final Map<ByteBuffer, ArrayDeque<Held>> lanes = new HashMap<>();

    /** All that was looked at and is not settled, in order of arrival. */
    private final Unsettled unsettled = new Unsettled();

    private int out;

    /** What is wished. */
    private boolean paused;

    private final ReentrantLock flow = new ReentrantLock();

    /** What the transport was told last; with the lock above, not with the receiver's. */
    private boolean stopped;

    /**
     * @param keepsRetries true if a failed delivery waits here for its next attempt, its key with it, instead of going back
     * @param lease how long the consumer has; null for as long as it lives
     */
    Inflow(
            SharedReceiver receiver,
            Channel channel,
            int prefetch,
            @Nullable Duration lease,
            boolean keepsRetries,
            boolean alone,
            Settler settler,
            ScheduledExecutorService timer) {
        this.receiver = receiver;
        this.channel = channel;
        this.prefetch = prefetch;
        this.lease = lease;
        this.keepsRetries = keepsRetries;
        this.alone = alone;
        this.keepsOrder = channel.orderedByKey() && !alone;
        this.settler = settler;
        this.keepsDeadKeys = settler.keepsDeadKeys();
        this.timer = timer;
    }

    Channel channel() {
        return channel;
    }

    Settler settler() {
        return settler;
    }

    int prefetch() {
        return prefetch;
    }

    boolean keepsRetries() {
        return keepsRetries;
    }

    boolean readAlone() {
        return alone;
    }

    // ── From the transport ───────────────────────────────────────────────────────────────────────────────────────────

    /** A message that came, as the transport has it: one object for each, which reads no more than is asked for. */
    public interface Arrival {
        byte @Nullable [] key();

        /** What it is; asked once, by whoever looks at it first. */
        Message<byte[], byte[]> message();

        int attempt();

        Delivery.Origin origin();

        /** What the transport knows it by. */
        Object handle();
    }

    private record Read(Message<byte[], byte[]> message, int attempt, Delivery.Origin origin, Object handle)
            implements Arrival {
        @Override
        public byte @Nullable [] key() {
            return message.key();
        }
    }

    /** A message came. Nothing is done if the receiver is closed: it goes back with the connection. */
    public void arrived(Message<byte[], byte[]> message, int attempt, Delivery.Origin origin, Object handle) {
        arrived(new Read(message, attempt, origin, handle));
    }

    /** As the other. */
    public void arrived(Arrival arrival) {
        if (keepsDeadKeys || arrival.attempt() > 1) {
            arrived(List.of(arrival));
            return;
        }
        Held held = new Held(this, arrival);
        put(held, held);
    }

    /**
     * As the other, of several that came together, in their order. Never waits for the consumer, and wakes it only where it has
     * nothing to do. What comes through one connection is told of by one thread at a time.
     */
    public void arrived(List<? extends Arrival> arrivals) {
        int most = channel.retry().maxAttempts();
        List<Held> exhausted = new ArrayList<>(0);
        Held first = null;
        Held last = null;
        for (Arrival arrival : arrivals) {
            Held held = new Held(this, arrival);
            if (most > 1 && held.attempt() > most && !(keepsDeadKeys && key(held) != null)) {
                held.state = Held.State.SETTLED;
                exhausted.add(held);
            } else {
                held.before = last;
                last = held;
                first = first == null ? held : first;
            }
        }
        if (first != null) {
            put(first, last);
            if (first != last) {
                receiver.cameTogether();
            }
            if (keepsDeadKeys) {
                // What follows a dead key goes on by itself, whether anybody asks for messages or not.
                receiver.locked(this::look);
            }
        }
        for (Held held : exhausted) {
            settler.bury(held, exhausted(held));
        }
    }

    /** Hands over a chain, whose last knows the one before it and so on. */
    private void put(Held first, @Nullable Held last) {
        Held former;
        do {
            former = fresh.get();
            first.before = former;
        } while (!fresh.compareAndSet(former, last));
        if (former == null) {
            receiver.came();
        }
    }

    /** True if something came that nobody has looked at. */
    boolean hasFresh() {
        return fresh.get() != null;
    }

    /** Under the lock: takes over what came. */
    private void look() {
        Held last = hasFresh() ? fresh.getAndSet(null) : null;
        Held first = null;
        for (Held held = last; held != null; held = held.before) {
            held.after = first;
            first = held;
        }
        for (Held held = first; held != null; held = first) {
            first = held.after;
            if (diverted(held)) {
                held.state = Held.State.SETTLED;
                held.before = null;
                held.after = null;
            } else {
                unsettled.add(held);
                enter(held);
            }
        }
    }

    private static DeadLetter exhausted(Held held) {
        return held.letter(
                DeadLetter.Cause.DELIVERY_LIMIT, "it was delivered " + (held.attempt() - 1) + " times and not settled");
    }

    /** Under the lock. */
    private boolean diverted(Held held) {
        if (settler.diverts(held)) {
            return true;
        }
        int most = channel.retry().maxAttempts();
        if (!keepsDeadKeys || most <= 1 || held.attempt() <= most) {
            return false;
        }
        ByteBuffer key = key(held);
        if (key == null || lanes.containsKey(key) || !settler.roomForDeadKey(held)) {
            // It must not overtake those of its key that are at work.
            return false;
        }
        settler.buryKey(held, exhausted(held), List.of());
        return true;
    }

    /**
     * Waits while so many deliveries lie here that nobody has taken, or the receiver is open no more.
     *
     * @throws InterruptedException if interrupted
     */
    public void awaitRoom(int most) throws InterruptedException {
        receiver.awaitWhile(() -> waiting() >= most);
    }

    /** True if so many deliveries lie here that nobody has taken. */
    public boolean holds(int most) {
        return receiver.is(() -> waiting() >= most);
    }

    private void enter(Held held) {
        ByteBuffer key = key(held);
        if (key != null) {
            ArrayDeque<Held> lane = lanes.get(key);
            if (lane != null) {
                lane.add(held);
                return;
            }
            lanes.put(key, new ArrayDeque<>(2));
        }
        ready.add(held);
    }

    private @Nullable ByteBuffer key(Held held) {
        byte[] key = keepsOrder ? held.key() : null;
        return key == null ? null : ByteBuffer.wrap(key);
    }

    /** All that came through a connection that is gone went back. */
    public void forget() {
        forget(held -> true);
    }

    /** As the other, for some: those of a partition that went to somebody else. */
    public void forget(Predicate<Held> which) {
        receiver.locked(() -> {
            look();
            List<Held> gone = unsettled.all().stream().filter(which).toList();
            for (Held held : gone) {
                lose(held);
                ready.remove(held);
            }
            gone.forEach(unsettled::remove);
            List<Held> left = unsettled.all();
            ready.clear();
            lanes.clear();
            // What is at work or waits for its attempt keeps its key's place.
            left.stream().filter(held -> held.state != Held.State.FETCHED).forEach(this::claim);
            left.stream().filter(held -> held.state == Held.State.FETCHED).forEach(this::enter);
        });
    }

    /** What nobody saw goes back; what is in hand stays where it is. */
    public void forgetFetched(Predicate<Held> which) {
        forget(held -> which.test(held) && !isInHand(held));
    }

    /** True if the consumer has one of these in hand, or the transport is just being told what became of it. */
    public boolean inHand(Predicate<Held> which) {
        return Boolean.TRUE.equals(
                receiver.locking(() -> unsettled.all().stream().anyMatch(held -> isInHand(held) && which.test(held))));
    }

    /** Of one that is unsettled. */
    private static boolean isInHand(Held held) {
        return held.state == Held.State.OUT || held.state == Held.State.SETTLED;
    }

    private void claim(Held held) {
        ByteBuffer key = key(held);
        if (key != null) {
            lanes.computeIfAbsent(key, any -> new ArrayDeque<>(2));
        }
    }

    private void lose(Held held) {
        if (held.state == Held.State.OUT) {
            out--;
            cancelLease(held);
        }
        if (held.state != Held.State.SETTLED) {
            held.state = Held.State.LOST;
        }
    }

    // ── To the consumer; under the lock ──────────────────────────────────────────────────────────────────────────────

    boolean nothingOut() {
        return out == 0;
    }

    /** True if something that was looked at could be taken. */
    boolean hasReady() {
        return !ready.isEmpty();
    }

    /** How many could be taken. */
    int waiting() {
        look();
        return ready.size();
    }

    @Nullable
    Held take() {
        if (out >= prefetch) {
            return null;
        }
        Held held = ready.poll();
        if (held != null && alone) {
            held.state = Held.State.OUT;
            unsettled.remove(held);
        } else if (held != null) {
            held.state = Held.State.OUT;
            out++;
            if (lease != null) {
                startLease(held, lease);
            }
        }
        return held;
    }

    // ── From its deliveries ──────────────────────────────────────────────────────────────────────────────────────────

    /** Takes the delivery out of the consumer's hands; tells why that can't be. */
    @Nullable
    MessagingException settle(Held held) {
        return receiver.locking(() -> settled(held));
    }

    private @Nullable MessagingException settled(Held held) {
        if (held.state != Held.State.OUT) {
            return held.notOurs();
        }
        held.state = Held.State.SETTLED;
        if (!alone) {
            out--;
        }
        cancelLease(held);
        return null;
    }

    /**
     * Acknowledges what is in the consumer's hands of these, and tells of the rest.
     *
     * @param driving true on a thread that waits for it
     */
    CompletableFuture<Void> acknowledge(List<Held> all, boolean driving) {
        List<Held> theirs = new ArrayList<>(0);
        MessagingException refused = receiver.locking(() -> {
            MessagingException why = null;
            for (Held held : all) {
                MessagingException notOurs = settled(held);
                if (notOurs != null) {
                    theirs.add(held);
                    why = notOurs;
                }
            }
            return why;
        });
        List<Held> ours = all;
        if (refused != null) {
            ours = without(all, theirs);
            if (ours.isEmpty()) {
                return CompletableFuture.failedFuture(refused);
            }
        }
        return acknowledge(ours, refused, driving);
    }

    private static List<Held> without(List<Held> all, List<Held> some) {
        List<Held> rest = new ArrayList<>(all);
        for (Held each : some) {
            // The last of them: who names a delivery twice has settled it the first time.
            rest.remove(rest.lastIndexOf(each));
        }
        return rest;
    }

    private CompletableFuture<Void> acknowledge(
            List<Held> ours, @Nullable MessagingException refused, boolean driving) {
        CompletableFuture<Void> done;
        try {
            done = driving && settler instanceof Driven driven
                    ? driven.acknowledgeDriving(ours)
                    : settler.acknowledge(ours);
        } finally {
            receiver.locked(() -> ours.forEach(this::left));
        }
        return refused == null ? done : done.thenCompose(rest -> CompletableFuture.failedFuture(refused));
    }

    /** It was not settled after all. */
    void unsettle(Held held) {
        receiver.locked(() -> {
            if (unsettled.contains(held) && held.state == Held.State.SETTLED) {
                held.state = Held.State.OUT;
                out++;
            }
        });
    }

    /** The broker was told; its key may go on. */
    void gone(Held held) {
        receiver.locked(() -> left(held));
    }

    private void left(Held held) {
        if (unsettled.remove(held)) {
            next(held);
        }
    }

    private void next(Held held) {
        ByteBuffer key = key(held);
        if (key != null) {
            ArrayDeque<Held> lane = lanes.get(key);
            if (lane == null || lane.isEmpty()) {
                lanes.remove(key);
            } else {
                ready.add(lane.remove());
            }
        }
    }

    /** Gives a delivery up, with the later messages of its key where they are to follow it. */
    CompletableFuture<Void> giveUp(Held held, DeadLetter letter) {
        ByteBuffer key = keepsDeadKeys ? key(held) : null;
        if (key != null) {
            return receiver.locking(() -> giveUpKey(held, letter, key));
        }
        MessagingException refused = settle(held);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        try {
            return settler.bury(held, letter);
        } finally {
            gone(held);
        }
    }

    private CompletableFuture<Void> giveUpKey(Held held, DeadLetter letter, ByteBuffer key) {
        MessagingException refused = settled(held);
        if (refused != null) {
            return CompletableFuture.failedFuture(refused);
        }
        if (!settler.roomForDeadKey(held)) {
            keep(held, held.attempt(), FULL_OF_DEAD_KEYS);
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.FULL,
                    "message " + held.message().id() + " of channel '" + channel.name()
                            + "' is not given up but tried again: there are as many keys with dead letters as there may"
                            + " be; put dead letters of '" + channel.deadLetter() + "' back, or discard them"));
        }
        unsettled.remove(held);
        ArrayDeque<Held> lane = lanes.remove(key);
        List<Held> later = lane == null ? List.of() : List.copyOf(lane);
        for (Held each : later) {
            unsettled.remove(each);
            each.state = Held.State.SETTLED;
        }
        return settler.buryKey(held, letter, later);
    }

    /** Delivers the same message again, later, to this receiver; its key waits. */
    void keep(Held held, int nextAttempt, Duration delay) {
        Held again = held.again(nextAttempt);
        receiver.locked(() -> {
            if (unsettled.remove(held)) {
                again.state = Held.State.WAITING;
                unsettled.add(again);
            }
        });
        settler.kept(again);
        if (delay.isZero()) {
            due(again);
            return;
        }
        try {
            timer.schedule(() -> due(again), delay.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The transport closes, and everything goes back.
            return;
        }
    }

    private void due(Held again) {
        receiver.locked(() -> {
            if (unsettled.contains(again)) {
                again.state = Held.State.FETCHED;
                ready.addFirst(again);
            }
        });
    }

    @Nullable
    MessagingException extend(Held held, Duration longer) {
        if (lease == null) {
            return new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "channel '" + channel.name() + "' has no lease that could be extended (lease)");
        }
        if (longer.isNegative() || longer.isZero()) {
            return new MessagingException(Reason.INVALID, "a lease of " + longer + " is none; it must be above zero");
        }
        return receiver.locking(() -> {
            if (held.state != Held.State.OUT) {
                return held.notOurs();
            }
            cancelLease(held);
            startLease(held, longer);
            return null;
        });
    }

    private void startLease(Held held, Duration time) {
        held.lease = timer.schedule(() -> expired(held), time.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static void cancelLease(Held held) {
        if (held.lease != null) {
            held.lease.cancel(false);
        }
    }

    private void expired(Held held) {
        boolean ours = Boolean.TRUE.equals(receiver.locking(() -> {
            if (held.state != Held.State.OUT) {
                return false;
            }
            held.state = Held.State.LOST;
            out--;
            return true;
        }));
        if (!ours) {
            return;
        }
        if (keepsRetries) {
            keep(held, held.attempt() + 1, Duration.ZERO);
            return;
        }
        receiver.locked(() -> paused = true);
        // What it waits for must not hold up other leases.
        Thread.startVirtualThread(() -> {
            flowAsWished();
            settler.retry(held, Duration.ZERO);
            gone(held);
        });
    }

    /** Under the lock: the consumer asks. */
    void asked() {
        if (paused) {
            paused = false;
            Thread.startVirtualThread(this::flowAsWished);
        }
    }

    /** Has the transport pause or resume: whoever comes late finds what was wished last, or that it is so. */
    private void flowAsWished() {
        flow.lock();
        try {
            boolean stop = receiver.is(() -> paused);
            if (stop && !stopped) {
                stopped = true;
                settler.pause();
                unseen().forEach(settler::giveBack);
            } else if (!stop && stopped) {
                stopped = false;
                settler.resume();
            }
        } finally {
            flow.unlock();
        }
    }

    /** Takes out what could be taken and nobody has. */
    private List<Held> unseen() {
        List<Held> unseen = new ArrayList<>();
        receiver.locked(() -> {
            look();
            unseen.addAll(ready);
            unseen.forEach(each -> each.state = Held.State.LOST);
            unseen.forEach(unsettled::remove);
            ready.clear();
        });
        return unseen;
    }

    void close() {
        settler.stop();
        List<Held> handedOut = new ArrayList<>();
        List<Held> fetched = new ArrayList<>();
        receiver.locked(() -> {
            look();
            for (Held held : unsettled.all()) {
                if (held.state != Held.State.SETTLED) {
                    (held.state == Held.State.OUT ? handedOut : fetched).add(held);
                }
                lose(held);
            }
            unsettled.clear();
            ready.clear();
            lanes.clear();
        });
        settler.close(handedOut, fetched);
    }
}
