package dev.postroad.patterns.schedule;

import dev.postroad.api.Administration;
import dev.postroad.api.Administration.Browsed;
import dev.postroad.api.Administration.State;
import dev.postroad.api.Capability;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.api.Receipt;
import dev.postroad.api.Subscription;
import dev.postroad.api.Transaction;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Sends messages later: after a delay, at a moment, or by a cron expression. Safe for use by many threads, and to be opened in
 * every instance of a program: each scheduled message is sent by one of them.
 *
 * <pre>{@code
 *   Scheduler scheduler = Scheduler.open(postroad, ScheduleSettings.DEFAULT);
 *   String id = scheduler.in(Duration.ofDays(14), "reminders", Message.of("customer-7", "pay"), Format.strings());
 *   scheduler.cancel(id);                                          // paid meanwhile
 *   scheduler.cron("invoices", Cron.parse("0 3 * * *"), zone, "invoices", Message.of("run"), Format.strings());
 * }</pre>
 *
 * <p>A scheduled message is stored when the call returns. It is sent no earlier than its time and, while an instance runs, about
 * then. Where the transport has transactions it is sent exactly once; elsewhere a crash between sending and acknowledging sends
 * it again, with the same id.
 *
 * <p>What its channel refuses for good becomes a dead letter of the scheduler's own channel, with the reason; a cron goes on
 * with its next moment all the same.
 */
public final class Scheduler implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Scheduler.class.getName());
    private static final String CHANNEL = "postroad-schedule-channel";
    private static final String NAME = "postroad-schedule-name";
    private static final String CRON = "postroad-schedule-cron";
    private static final String ZONE = "postroad-schedule-zone";
    private static final Duration TOO_LATE = Duration.ofMinutes(1);
    private static final int MOST_LISTED = 10_000;
    private static final int MOST_TRIES = 200;
    private static final int MAX_NAME = 180;

    private final Postroad postroad;
    private final ScheduleSettings settings;
    private final MessageProducer<byte[], byte[]> producer;
    private final boolean transactions;
    private final AtomicLong fired = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong skipped = new AtomicLong();
    private final AtomicLong worstMillis = new AtomicLong();
    private final List<Subscription> subscriptions = new ArrayList<>();

    private Scheduler(Postroad postroad, ScheduleSettings settings) {
        this.postroad = postroad;
        this.settings = settings;
        this.producer = postroad.producer(Format.bytes());
        Capability capability = postroad.transport().capabilities().get(Need.TRANSACTIONS);
        this.transactions = capability != null && capability.support() != Capability.Support.IMPOSSIBLE;
    }

    /**
     * Declares the scheduler's channels and begins to send what is due.
     *
     * @throws MessagingException {@code IMPOSSIBLE_NEED} where the transport can't delay messages. Where it can't look at those
     *     that wait, crons and {@link #pending} are refused as they are asked for
     */
    public static Scheduler open(Postroad postroad, ScheduleSettings settings) {
        Capability delay = postroad.transport().capabilities().get(Need.DELAY);
        if (delay != null && delay.support() == Capability.Support.IMPOSSIBLE) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "a scheduler needs delivery at a later time, which this transport cannot do: " + delay.note());
        }
        postroad.declare(settings.waiting(), settings.crons());
        Scheduler scheduler = new Scheduler(postroad, settings);
        for (String channel :
                List.of(settings.waiting().name(), settings.crons().name())) {
            scheduler.subscriptions.add(
                    postroad.listen(channel, Format.bytes(), ConsumerOptions.DEFAULT, scheduler::due));
        }
        return scheduler;
    }

    // ── Scheduling ───────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Sends a message when this time has passed, by the settings' clock.
     *
     * @return the message's id, by which it is cancelled
     */
    public <K, V> String in(Duration delay, String channel, Message<K, V> message, Format<K, V> format) {
        return at(settings.clock().instant().plus(delay), channel, message, format);
    }

    /**
     * Sends a message at a moment; at once if that is over.
     *
     * @param channel a declared channel, of any kind
     * @param message as it is to be sent. Each call schedules it: a handler that may be repeated gives it an id of its own, so
     *     that its consumers know the second for a duplicate
     * @return the message's id, by which it is cancelled; assigned here where it has none
     * @throws MessagingException as {@link MessageProducer#send}, of the scheduler's channel
     */
    public <K, V> String at(Instant at, String channel, Message<K, V> message, Format<K, V> format) {
        String given = message.id();
        String id = given == null ? UUID.randomUUID().toString() : given;
        producer.send(
                settings.waiting().name(),
                MessageBytes.serialize(format, message)
                        .withId(id)
                        .withHeader(CHANNEL, channel)
                        .withDeliverAt(at));
        return id;
    }

    /**
     * Sends a message again and again. To be called by each instance at its start: the first registers it, for the others it is
     * there; with another expression, zone, channel, key or value it takes the place of the one before.
     *
     * <p>Each message sent has the id {@code NAME@MOMENT}, with the moment in milliseconds since 1970.
     *
     * @param name of the cron among those of this scheduler's channel, 1 to {@value #MAX_NAME} characters
     * @param zone whose wall clock the expression means
     */
    public <K, V> void cron(
            String name, Cron cron, ZoneId zone, String channel, Message<K, V> message, Format<K, V> format) {
        if (name.isEmpty() || name.length() > MAX_NAME) {
            throw new MessagingException(
                    Reason.INVALID, "the cron's name is '" + name + "'; it must have 1 to " + MAX_NAME + " characters");
        }
        Message<byte[], byte[]> tick = MessageBytes.serialize(format, message)
                .withHeader(NAME, name)
                .withHeader(CRON, cron.toString())
                .withHeader(ZONE, zone.getId())
                .withHeader(CHANNEL, channel);
        for (Browsed there : ticks(name)) {
            if (same(there.message(), tick)) {
                return;
            }
        }
        cancelCron(name);
        register(name, tick, cron.next(settings.clock().instant(), zone));
    }

    /** The ids of a cron that was cancelled are remembered as duplicates for a while: the next free one is taken. */
    private void register(String name, Message<byte[], byte[]> tick, Instant at) {
        for (int n = 0; n < MOST_TRIES; n++) {
            Receipt receipt = confirmed(producer.sendAsync(settings.crons().name(), tickAt(tick, name, at, n)));
            if (!receipt.duplicate() || !ticks(name).isEmpty()) {
                return;
            }
        }
        throw new MessagingException(
                Reason.FULL,
                "the cron '" + name + "' was registered and cancelled " + MOST_TRIES
                        + " times within an hour; wait for one");
    }

    private static Receipt confirmed(CompletableFuture<Receipt> sent) {
        try {
            return sent.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof MessagingException refused) {
                throw refused;
            }
            throw e;
        }
    }

    private static Message<byte[], byte[]> tickAt(Message<byte[], byte[]> tick, String name, Instant at, int n) {
        return tick.withId(name + "@" + at.toEpochMilli() + "#" + n).withDeliverAt(at);
    }

    private static boolean same(Message<byte[], byte[]> one, Message<byte[], byte[]> other) {
        return own(one).equals(own(other))
                && Arrays.equals(one.value(), other.value())
                && Arrays.equals(one.key(), other.key());
    }

    private static Map<String, String> own(Message<byte[], byte[]> tick) {
        Map<String, String> own = new LinkedHashMap<>(tick.headers());
        own.keySet().removeIf(header -> !List.of(NAME, CRON, ZONE, CHANNEL).contains(header));
        return own;
    }

    // ── Cancelling and looking ───────────────────────────────────────────────────────────────────────────────────────

    /**
     * Takes a message off the schedule.
     *
     * @param id as it was returned
     * @return true if it waited and is not sent; false if it is not there, or its time had come
     */
    public boolean cancel(String id) {
        return administration().cancel(settings.waiting().name(), id);
    }

    /**
     * Ends a cron. What it has sent is sent.
     *
     * @return true if there was one
     * @throws MessagingException {@code IN_USE} if an instance has its next moment in hand all the time, which should not last
     */
    public boolean cancelCron(String name) {
        boolean ended = false;
        for (int tries = 0; tries < MOST_TRIES; tries++) {
            List<Browsed> ticks = ticks(name);
            if (ticks.isEmpty()) {
                return ended;
            }
            for (Browsed tick : ticks) {
                String id = String.valueOf(tick.message().id());
                ended |= administration().cancel(settings.crons().name(), id);
            }
            if (ticks.stream().anyMatch(tick -> tick.state() != State.DELAYED)) {
                // It is being sent, and the next one put on: a matter of milliseconds.
                LockSupport.parkNanos(5_000_000);
            }
        }
        throw new MessagingException(
                Reason.IN_USE, "the cron '" + name + "' is being sent again and again, or nobody runs a scheduler");
    }

    /**
     * What waits, the next one first.
     *
     * @param max 1 to 10,000
     */
    public List<Scheduled> pending(int max) {
        List<Scheduled> pending = new ArrayList<>();
        for (String channel :
                List.of(settings.waiting().name(), settings.crons().name())) {
            for (Browsed waiting : administration().browse(channel, null, MOST_LISTED)) {
                Message<byte[], byte[]> message = waiting.message();
                Map<String, String> headers = message.headers();
                Instant at = message.properties().deliverAt();
                pending.add(new Scheduled(
                        headers.getOrDefault(NAME, String.valueOf(message.id())),
                        at == null ? message.timestamp() : at,
                        headers.getOrDefault(CHANNEL, ""),
                        headers.get(CRON),
                        plain(message)));
            }
        }
        pending.sort(Comparator.comparing(Scheduled::at));
        return List.copyOf(pending.subList(0, Math.min(max, pending.size())));
    }

    private List<Browsed> ticks(String name) {
        return administration()
                .browse(settings.crons().name(), "`" + NAME + "` = '" + name.replace("'", "''") + "'", MOST_LISTED);
    }

    private Administration administration() {
        return postroad.administration();
    }

    // ── Sending what is due ──────────────────────────────────────────────────────────────────────────────────────────

    private void due(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> waiting = delivery.message();
        Map<String, String> headers = waiting.headers();
        String channel = headers.get(CHANNEL);
        if (channel == null) {
            throw new Handler.DeadLetterException(
                    "it was not put on the schedule by a scheduler: it lacks the header " + CHANNEL);
        }
        Instant at = waiting.properties().deliverAt();
        Instant time = at == null ? settings.clock().instant() : at;
        Message<byte[], byte[]> next = next(waiting, time);
        if (next != null && tooLate(time)) {
            skipped.incrementAndGet();
            settle(delivery, null, null, next);
            return;
        }
        String name = headers.get(NAME);
        Message<byte[], byte[]> message = plain(waiting);
        Message<byte[], byte[]> sent = name == null ? message : message.withId(name + "@" + time.toEpochMilli());
        try {
            settle(delivery, channel, sent, next);
        } catch (MessagingException e) {
            throw refusedBy(channel, delivery, next, e);
        }
        fired.incrementAndGet();
        worstMillis.accumulateAndGet(
                Duration.between(time, settings.clock().instant()).toMillis(), Math::max);
    }

    private boolean tooLate(Instant time) {
        return settings.missed() == ScheduleSettings.Missed.NONE
                && Duration.between(time, settings.clock().instant()).compareTo(TOO_LATE) > 0;
    }

    /** The next moment of a cron; null for what comes once. */
    private @Nullable Message<byte[], byte[]> next(Message<byte[], byte[]> tick, Instant time) {
        String name = tick.headers().get(NAME);
        if (name == null) {
            return null;
        }
        Cron cron;
        ZoneId zone;
        try {
            cron = Cron.parse(tick.headers().getOrDefault(CRON, ""));
            zone = ZoneId.of(tick.headers().getOrDefault(ZONE, ""));
        } catch (RuntimeException e) {
            throw new Handler.DeadLetterException("the cron '" + name + "' cannot be read: " + e.getMessage());
        }
        Instant now = settings.clock().instant();
        Instant from = settings.missed() == ScheduleSettings.Missed.EACH || now.isBefore(time) ? time : now;
        return tickAt(tick, name, cron.next(from, zone), 0);
    }

    /** Sends it, puts the next one on, and takes this one off: all of it or nothing, where there are transactions. */
    private void settle(
            Delivery<byte[], byte[]> delivery,
            @Nullable String channel,
            @Nullable Message<byte[], byte[]> message,
            @Nullable Message<byte[], byte[]> next) {
        if (!transactions) {
            if (channel != null && message != null) {
                producer.send(channel, message);
            }
            if (next != null) {
                producer.send(settings.crons().name(), next);
            }
            return;
        }
        try (Transaction<byte[], byte[]> transaction = postroad.begin(Format.bytes())) {
            if (channel != null && message != null) {
                transaction.send(channel, message);
            }
            if (next != null) {
                transaction.send(settings.crons().name(), next);
            }
            transaction.acknowledge(delivery);
            transaction.commit();
        }
    }

    /** Tries again what may help; else the message is a dead letter, and a cron goes on. */
    private RuntimeException refusedBy(
            String channel,
            Delivery<byte[], byte[]> delivery,
            @Nullable Message<byte[], byte[]> next,
            MessagingException why) {
        if (why.reason() == Reason.LEASE_LOST || why.reason() == Reason.ALREADY_SETTLED) {
            return why;
        }
        boolean again = why.reason().repeatable() || why.reason() == Reason.CLOSED;
        if (again && delivery.attempt() < settings.retry().maxAttempts()) {
            return why;
        }
        refused.incrementAndGet();
        LOG.log(
                Level.WARNING,
                "the scheduled message " + delivery.message().id() + " is not taken by channel " + channel + ": "
                        + why.getMessage());
        if (next != null) {
            producer.send(settings.crons().name(), next);
        }
        return new Handler.DeadLetterException("channel " + channel + " does not take it: " + why.getMessage());
    }

    /** As it was given to the scheduler. */
    private static Message<byte[], byte[]> plain(Message<byte[], byte[]> waiting) {
        Map<String, String> headers = new LinkedHashMap<>(waiting.headers());
        headers.keySet().removeAll(List.of(CHANNEL, NAME, CRON, ZONE));
        return waiting.withHeaders(headers)
                .withProperties(waiting.properties().withDeliverAt(null).withDestination(null));
    }

    // ── Figures ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Messages this instance sent when their time had come. */
    public long fired() {
        return fired.get();
    }

    /** Messages that their channel did not take, and that are dead letters now. */
    public long refused() {
        return refused.get();
    }

    /** Moments of crons that were left out because they had passed; see {@link ScheduleSettings.Missed}. */
    public long skipped() {
        return skipped.get();
    }

    /** How late the latest message that this instance sent was. */
    public Duration worstLateness() {
        return Duration.ofMillis(worstMillis.get());
    }

    /** Sends nothing more; what waits goes on waiting, for other instances or the next start. Idempotent. */
    @Override
    public void close() {
        subscriptions.forEach(Subscription::close);
        producer.close();
    }
}
