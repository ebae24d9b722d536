package dev.postroad.patterns.deadletters;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.patterns.deadletters.Prediction.Sent;
import dev.postroad.patterns.deadletters.Prediction.Verdict;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A transport that plays the channel which dead letters came from: it delivers them, counts attempts from one, keeps order per
 * key where the channel does, and writes down what becomes of each. What is sent is written down too, and goes nowhere; what
 * would change the broker is refused; what only looks is passed on.
 */
final class Rehearsal implements Transport {
    /** Bytes of ids and channels of sent messages that are kept; beyond, they are only counted by their absence. */
    private static final int MAX_SENT = 1_000_000;

    private final Transport real;
    private final DeadLetters.Pages pages;
    private final WhatIfSettings settings;
    private final @Nullable Letter first;
    private final Channel channel;
    private final ThreadLocal<@Nullable Part> current = new ThreadLocal<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock.
    private final TreeMap<Long, Part> ready = new TreeMap<>();
    private final Map<ByteBuffer, ArrayDeque<Part>> busyKeys = new HashMap<>();
    private final Set<ByteBuffer> deadKeys = new HashSet<>();
    private final List<Part> parts = new ArrayList<>();
    private final Set<Part> held = new HashSet<>();
    private long inFlight;
    private long settledCount;
    private long notTried;
    private long unattributed;
    private int sentKept;
    private boolean exhausted;
    private boolean firstTaken;

    Rehearsal(Transport real, DeadLetters.Pages pages, WhatIfSettings settings) {
        this.real = real;
        this.pages = pages;
        this.settings = settings;
        this.first = pages.next();
        Letter found = first;
        this.channel = found == null
                ? Channel.command("nowhere")
                : real.find(found.told().origin())
                        .orElseThrow(() -> new MessagingException(
                                Reason.NOT_FOUND,
                                "channel '" + found.told().origin() + "', which the dead letters came from, is gone"));
    }

    boolean empty() {
        return first == null;
    }

    String origin() {
        return channel.name();
    }

    @Nullable
    String group() {
        return first == null ? null : first.told().group();
    }

    /** The handler, with what it sends put down to the letter it works on. */
    <K, V> Handler<K, V> noting(Handler<K, V> handler) {
        return delivery -> {
            current.set(partOf(String.valueOf(delivery.message().id()), delivery.attempt()));
            try {
                handler.handle(delivery);
            } finally {
                current.remove();
            }
        };
    }

    private @Nullable Part partOf(String id, int attempt) {
        lock.lock();
        try {
            for (Part part : held) {
                if (part.held
                        && part.attempt == attempt
                        && id.equals(part.message().id())) {
                    return part;
                }
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    boolean await(Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lock();
        try {
            while (!(exhausted && ready.isEmpty() && inFlight == 0)) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    long settled() {
        lock.lock();
        try {
            return settledCount;
        } finally {
            lock.unlock();
        }
    }

    WhatIfReport report() {
        lock.lock();
        try {
            return new WhatIfReport(
                    origin(), parts.stream().map(Part::prediction).toList(), notTried, unattributed);
        } finally {
            lock.unlock();
        }
    }

    // ── Delivering ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** One letter's way. */
    private final class Part {
        private final long place;
        private final long number;
        private final String id;
        private final @Nullable ByteBuffer key;
        private @Nullable Message<byte[], byte[]> message;
        private int attempt;
        private boolean held;
        private @Nullable Instant firstFailure;
        private @Nullable Verdict verdict;
        private @Nullable String reason;
        private final List<Sent> sent = new ArrayList<>(0);

        Part(long place, Letter letter) {
            this.place = place;
            this.number = letter.number();
            this.id = String.valueOf(letter.message().id());
            this.message = letter.message();
            byte[] bytes = letter.message().key();
            this.key = channel.orderedByKey() && bytes != null ? ByteBuffer.wrap(bytes) : null;
        }

        Message<byte[], byte[]> message() {
            Message<byte[], byte[]> present = message;
            if (present == null) {
                throw new IllegalStateException("letter " + number + " is through");
            }
            return present;
        }

        Prediction prediction() {
            return new Prediction(
                    number, id, verdict == null ? Verdict.FAILS : verdict, attempt, reason, List.copyOf(sent));
        }
    }

    /** With the lock held. */
    private void load() {
        while (!exhausted && ready.isEmpty()) {
            Letter letter = firstTaken ? pages.next() : first;
            firstTaken = true;
            if (letter == null) {
                exhausted = true;
            } else if (parts.size() >= settings.max() || !fromHere(letter)) {
                notTried++;
            } else {
                Part part = new Part(parts.size(), letter);
                parts.add(part);
                line(part);
            }
        }
    }

    private boolean fromHere(Letter letter) {
        Letter one = first;
        return one != null
                && one.told().origin().equals(letter.told().origin())
                && java.util.Objects.equals(one.told().group(), letter.told().group());
    }

    private void line(Part part) {
        ByteBuffer key = part.key;
        if (key == null) {
            ready.put(part.place, part);
        } else if (deadKeys.contains(key)) {
            end(part, Verdict.BEHIND, "an earlier message of its key would be a dead letter");
        } else {
            ArrayDeque<Part> line = busyKeys.get(key);
            if (line == null) {
                busyKeys.put(key, new ArrayDeque<>(0));
                ready.put(part.place, part);
            } else {
                line.add(part);
            }
        }
    }

    private void end(Part part, Verdict verdict, @Nullable String reason) {
        part.verdict = verdict;
        part.reason = reason;
        part.message = null;
        settledCount++;
    }

    private void settle(Part part, Verdict verdict, @Nullable String reason) {
        end(part, verdict, reason);
        ByteBuffer key = part.key;
        if (key == null) {
            return;
        }
        ArrayDeque<Part> line = busyKeys.remove(key);
        if (verdict == Verdict.FAILS) {
            deadKeys.add(key);
        }
        if (line == null || line.isEmpty()) {
            return;
        }
        if (verdict == Verdict.FAILS) {
            line.forEach(behind -> end(behind, Verdict.BEHIND, "an earlier message of its key would be a dead letter"));
        } else {
            Part next = line.remove();
            busyKeys.put(key, line);
            ready.put(next.place, next);
        }
    }

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        if (!channels.equals(List.of(origin()))) {
            throw refused("receiving from " + channels);
        }
        return new Playing(options.prefetch() != null ? options.prefetch() : channel.prefetch());
    }

    private final class Playing implements Receiver {
        private final int prefetch;
        private boolean closed;

        Playing(int prefetch) {
            this.prefetch = prefetch;
        }

        @Override
        public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
            long left = timeout.toNanos();
            lock.lockInterruptibly();
            try {
                while (true) {
                    if (closed) {
                        throw new MessagingException(Reason.CLOSED, "the rehearsal is over");
                    }
                    List<Delivery<byte[], byte[]>> taken = take(max);
                    if (!taken.isEmpty() || left <= 0) {
                        return taken;
                    }
                    changed.signalAll();
                    left = changed.awaitNanos(left);
                }
            } finally {
                lock.unlock();
            }
        }

        private List<Delivery<byte[], byte[]>> take(int max) {
            List<Delivery<byte[], byte[]>> taken = new ArrayList<>();
            while (taken.size() < max && inFlight < prefetch) {
                load();
                Map.Entry<Long, Part> next = ready.pollFirstEntry();
                if (next == null) {
                    return taken;
                }
                Part part = next.getValue();
                part.attempt++;
                part.held = true;
                held.add(part);
                inFlight++;
                taken.add(new Played(part));
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
            return CompletableFuture.allOf(
                    deliveries.stream().map(Delivery::acknowledge).toArray(CompletableFuture[]::new));
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private final class Played implements Delivery<byte[], byte[]> {
        private final Part part;
        private final Message<byte[], byte[]> message;
        private final int attempt;
        private final @Nullable Instant firstFailure;
        private boolean settled;

        Played(Part part) {
            this.part = part;
            this.message = part.message();
            this.attempt = part.attempt;
            this.firstFailure = part.firstFailure;
        }

        @Override
        public Message<byte[], byte[]> message() {
            return message;
        }

        @Override
        public String channel() {
            return Rehearsal.this.origin();
        }

        @Override
        public int attempt() {
            return attempt;
        }

        @Override
        public @Nullable Instant firstFailure() {
            return firstFailure;
        }

        @Override
        public Origin origin() {
            String group = group();
            return group == null ? Origin.QUEUE : new Origin(-1, -1, group);
        }

        @Override
        public CompletableFuture<Void> acknowledge() {
            return settling(() -> settle(part, Verdict.SUCCEEDS, null));
        }

        @Override
        public CompletableFuture<Void> retry(Duration delay) {
            return settling(() -> {
                int most = Math.min(channel.retry().maxAttempts(), settings.maxAttempts());
                if (attempt >= most) {
                    settle(part, Verdict.FAILS, "delivered " + attempt + " times of " + most + " at most");
                } else {
                    part.firstFailure = part.firstFailure == null ? Instant.now() : part.firstFailure;
                    ready.put(part.place, part);
                }
            });
        }

        @Override
        public CompletableFuture<Void> giveBack() {
            return settling(() -> {
                part.attempt--;
                ready.put(part.place, part);
            });
        }

        @Override
        public CompletableFuture<Void> deadLetter(String reason) {
            return settling(() -> settle(part, Verdict.FAILS, reason));
        }

        @Override
        public CompletableFuture<Void> extend(Duration lease) {
            return done();
        }

        private CompletableFuture<Void> settling(Runnable how) {
            lock.lock();
            try {
                if (settled) {
                    return CompletableFuture.failedFuture(new MessagingException(
                            Reason.ALREADY_SETTLED, "message " + part.id + " was settled before"));
                }
                settled = true;
                part.held = false;
                held.remove(part);
                inFlight--;
                how.run();
                changed.signalAll();
                return done();
            } finally {
                lock.unlock();
            }
        }

        @SuppressWarnings("NullAway") // the one value of Void
        private static CompletableFuture<Void> done() {
            return CompletableFuture.completedFuture(null);
        }
    }

    // ── Sending, for show ────────────────────────────────────────────────────────────────────────────────────────────

    private Receipt note(String to, Message<byte[], byte[]> message) {
        byte[] value = message.value();
        Sent sent = new Sent(to, String.valueOf(message.id()), value == null ? 0 : value.length);
        Part part = current.get();
        lock.lock();
        try {
            if (part == null) {
                unattributed++;
            } else if (sentKept < MAX_SENT) {
                sentKept++;
                part.sent.add(sent);
            }
        } finally {
            lock.unlock();
        }
        return new Receipt(sent.id(), to, -1, -1, false);
    }

    @Override
    public CompletableFuture<Receipt> send(String to, Message<byte[], byte[]> message) {
        return CompletableFuture.completedFuture(note(to, message));
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String to, List<Message<byte[], byte[]>> messages) {
        return CompletableFuture.completedFuture(
                messages.stream().map(message -> note(to, message)).toList());
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        return new Transaction<>() {
            private final List<Runnable> steps = new ArrayList<>();

            @Override
            public void send(String to, Message<byte[], byte[]> message) {
                steps.add(() -> note(to, message));
            }

            @Override
            public void acknowledge(Delivery<?, ?> delivery) {
                steps.add(() -> delivery.acknowledge().join());
            }

            @Override
            public void commit() {
                steps.forEach(Runnable::run);
                steps.clear();
            }

            @Override
            public void close() {
                steps.clear();
            }
        };
    }

    // ── Looking, and no touching ─────────────────────────────────────────────────────────────────────────────────────

    @Override
    public String url() {
        return real.url();
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return real.capabilities();
    }

    @Override
    public Optional<Channel> find(String name) {
        return real.find(name);
    }

    @Override
    public void declare(Channel declared) {
        if (!real.find(declared.name()).map(declared::equals).orElse(false)) {
            throw refused("declaring channel '" + declared.name() + "'");
        }
    }

    private static MessagingException refused(String what) {
        return new MessagingException(
                Reason.INVALID,
                what + " would change the broker, or wait for what does not come, while it is only tried"
                        + " what would happen");
    }

    @Override
    public Administration administration() {
        Administration looking = real.administration();
        return new Administration() {
            @Override
            public List<ChannelStatus> channels() {
                return looking.channels();
            }

            @Override
            public List<GroupStatus> groups(String name) {
                return looking.groups(name);
            }

            @Override
            public List<Browsed> browse(String name, @Nullable String filter, int max) {
                return looking.browse(name, filter, max);
            }

            @Override
            public List<Browsed> browse(String name, @Nullable String filter, long after, int max) {
                return looking.browse(name, filter, after, max);
            }

            @Override
            public long purge(String name) {
                throw refused("purging channel '" + name + "'");
            }

            @Override
            public void delete(String name) {
                throw refused("deleting channel '" + name + "'");
            }

            @Override
            public long redrive(String name, @Nullable String filter, long max) {
                throw refused("redriving channel '" + name + "'");
            }

            @Override
            public boolean cancel(String name, String messageId) {
                throw refused("cancelling message " + messageId);
            }
        };
    }

    /** What is real stays open: it belongs to whoever asked. */
    @Override
    public void close() {}
}
