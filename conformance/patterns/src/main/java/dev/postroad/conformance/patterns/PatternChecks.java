package dev.postroad.conformance.patterns;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Durability;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Need;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.conformance.Check;
import dev.postroad.conformance.CheckFailed;
import dev.postroad.conformance.Probe;
import dev.postroad.patterns.claimcheck.Claim;
import dev.postroad.patterns.claimcheck.ClaimCheck;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.claimcheck.JdbcBlobs;
import dev.postroad.patterns.deadletters.DeadLetters;
import dev.postroad.patterns.deadletters.Letter;
import dev.postroad.patterns.deadletters.LetterFilter;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.eventstore.ChannelEventStore;
import dev.postroad.patterns.eventstore.Event;
import dev.postroad.patterns.eventstore.VersionConflictException;
import dev.postroad.patterns.inbox.ChannelInbox;
import dev.postroad.patterns.inbox.ChannelInboxSettings;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.outbox.OutboxSchema;
import dev.postroad.patterns.outbox.OutboxSettings;
import dev.postroad.patterns.request.RequestSettings;
import dev.postroad.patterns.request.Requester;
import dev.postroad.patterns.retry.Retry;
import dev.postroad.patterns.retry.RetrySettings;
import dev.postroad.patterns.schedule.ScheduleSettings;
import dev.postroad.patterns.schedule.Scheduler;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;

/**
 * The checks of the patterns.
 *
 * <pre>{@code
 *   Conformance.run(() -> Postroad.connect(url), Options.DEFAULT.withMore(PatternChecks.all()));
 * }</pre>
 */
public final class PatternChecks {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Duration CLOCK_STEP = Duration.ofMillis(2);

    private final DataSource database;

    private PatternChecks(DataSource database) {
        this.database = database;
    }

    /** All of them, with a database of this process's own, which ends with it. */
    public static List<Check> all() {
        JdbcDataSource memory = new JdbcDataSource();
        memory.setURL("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000");
        return all(memory);
    }

    /** @param database in which outbox, inbox and claim check make tables of their own, named after the channels of the run */
    public static List<Check> all(DataSource database) {
        PatternChecks checks = new PatternChecks(database);
        return List.of(
                Check.ofPattern(
                        "retry: a key keeps its order while its handlers fail",
                        checks::retryKeepsOrder,
                        Need.ORDER_PER_KEY,
                        Need.DELIVERY_COUNT,
                        Need.RETRY_DELAY),
                Check.ofPattern(
                        "dead letters: properties and headers are untouched, and the reason is told",
                        checks::letterKeepsAll,
                        Need.DEAD_LETTER,
                        Need.BROWSE),
                Check.ofPattern(
                        "dead letters: a redrive puts the letters of a key back in their order",
                        checks::redriveInOrder,
                        Need.ORDER_PER_KEY,
                        Need.DEAD_LETTER,
                        Need.REDRIVE,
                        Need.BROWSE,
                        Need.DELIVERY_COUNT),
                Check.ofPattern(
                        "inbox in a database: what is repeated has its effect once",
                        checks::inboxOnce,
                        Need.REDELIVERY,
                        Need.DELIVERY_COUNT),
                Check.ofPattern(
                        "inbox in the broker: what is repeated has its effect once",
                        checks::channelInboxOnce,
                        Need.TRANSACTIONS,
                        Need.DEDUP,
                        Need.DELIVERY_COUNT),
                Check.ofPattern(
                        "outbox: what is committed is sent in the order of its key, what is rolled back is not",
                        checks::outboxInOrder),
                Check.ofPattern(
                        "request-reply: each request gets its own reply, and a late one is dropped",
                        checks::ownReply,
                        Need.REQUEST_REPLY),
                Check.ofPattern(
                        "scheduler: nothing is sent before its time", checks::neverEarly, Need.DELAY, Need.BROWSE),
                Check.ofPattern("claim check: a large value comes whole, and a changed one is found", checks::whole),
                Check.ofPattern(
                        "saga: what was done is undone in reverse",
                        SagaCheck::undoneInReverse,
                        Need.DELAY,
                        Need.BROWSE),
                Check.ofPattern(
                        "event store: of those that expect one version only the first appends",
                        checks::expectedVersion,
                        Need.REPLAY,
                        Need.GROUPS,
                        Need.COMPACTION,
                        Need.ORDER_PER_KEY));
    }

    /** A channel that asks for what a pattern takes, and for nothing besides. */
    static Channel queue(Probe probe) {
        return Channel.command(probe.name())
                .withDeadLetter(null)
                .withRetry(RetryPolicy.NONE)
                .withDurability(Durability.TRANSIENT);
    }

    private static RetryPolicy quick(int attempts) {
        return RetryPolicy.NONE.withMaxAttempts(attempts).withDelays(Duration.ofMillis(5), Duration.ofMillis(20));
    }

    private static List<String> numbered(int count) {
        return IntStream.range(0, count).mapToObj(Integer::toString).toList();
    }

    private static void inOrder(Probe probe, Map<String, List<Integer>> byKey) {
        byKey.forEach((key, numbers) -> probe.equal(
                "the order of key " + key, numbers.stream().sorted().distinct().toList(), numbers));
    }

    private void retryKeepsOrder(Probe probe) {
        Channel channel = probe.declare(queue(probe).withOrderedByKey(true).withRetry(quick(100)));
        Map<String, List<Integer>> handled = new ConcurrentHashMap<>();
        Retry retry = new Retry(RetrySettings.DEFAULT.withNotRetryable(NumberFormatException.class));
        var subscription = probe.listen(channel, ConsumerOptions.DEFAULT.withConcurrency(4), retry.around(delivery -> {
            int number = Integer.parseInt(String.valueOf(delivery.message().value()));
            if (number % 5 == 0 && delivery.attempt() < 3) {
                throw new IllegalStateException("a failure that the check plans");
            }
            handled.computeIfAbsent(String.valueOf(delivery.message().key()), key -> new CopyOnWriteArrayList<>())
                    .add(number);
        }));
        for (int i = 0; i < 40; i++) {
            probe.producer().send(channel.name(), Message.of("k" + i % 4, String.valueOf(i)));
        }
        probe.await("that all were acknowledged", () -> subscription.counts().acknowledged() == 40);
        probe.equal("the retries of eight messages", 16L, retry.retried());
        inOrder(probe, handled);
    }

    private void letterKeepsAll(Probe probe) {
        Channel channel = queue(probe);
        probe.declare(channel.withDeadLetter(channel.name() + ".dead"));
        probe.deleteLater(channel.name() + ".dead.ledger");
        Message<String, String> message = Message.of("k", "v")
                .withId("id-" + channel.name())
                .withType("Created")
                .withCorrelationId("c-1")
                .withHeader("one", "1");
        var subscription = probe.listen(
                channel,
                ConsumerOptions.DEFAULT,
                new Retry(RetrySettings.DEFAULT.withNotRetryable(IllegalStateException.class)).around(delivery -> {
                    throw new IllegalStateException("no such customer");
                }));
        probe.producer().send(channel.name(), message);
        probe.await("a dead letter", () -> subscription.counts().deadLettered() == 1);
        Letter letter = new DeadLetters(probe.postroad(), channel.name() + ".dead")
                .search(LetterFilter.ALL, 10)
                .getFirst();
        probe.equal("the id", message.id(), letter.message().id());
        probe.equal("the type", "Created", letter.message().properties().type());
        probe.equal("the correlation id", "c-1", letter.message().properties().correlationId());
        probe.equal("the headers", message.headers(), letter.message().headers());
        probe.that(
                letter.told().reason().contains("no such customer"),
                "the reason is '" + letter.told().reason() + "', without what the handler said");
        probe.equal("the origin", channel.name(), letter.told().origin());
    }

    private void redriveInOrder(Probe probe) throws InterruptedException {
        Channel channel = queue(probe).withOrderedByKey(true);
        probe.declare(channel.withDeadLetter(channel.name() + ".dead"));
        probe.deleteLater(channel.name() + ".dead.ledger");
        for (int i = 0; i < 20; i++) {
            probe.producer().send(channel.name(), Message.of("k" + i % 2, String.valueOf(i)));
        }
        Subscription failing = probe.postroad().listen(channel.name(), STRINGS, ConsumerOptions.DEFAULT, delivery -> {
            throw new IllegalStateException("a failure that the check plans");
        });
        try {
            probe.await("that all are dead letters", () -> dead(probe, channel) == 20);
        } finally {
            failing.close();
        }
        new DeadLetters(probe.postroad(), channel.name() + ".dead").redrive(RedriveSettings.DEFAULT.withBatch(3));
        Map<String, List<Integer>> handled = new ConcurrentHashMap<>();
        var subscription = probe.listen(
                channel,
                ConsumerOptions.DEFAULT.withConcurrency(4),
                delivery -> handled.computeIfAbsent(
                                String.valueOf(delivery.message().key()), key -> new CopyOnWriteArrayList<>())
                        .add(Integer.parseInt(String.valueOf(delivery.message().value()))));
        probe.await("that all were handled", () -> subscription.counts().acknowledged() == 20);
        inOrder(probe, handled);
    }

    private static int dead(Probe probe, Channel channel) {
        return probe.administration()
                .browse(channel.name() + ".dead", null, 100)
                .size();
    }

    private void inboxOnce(Probe probe) throws SQLException {
        Channel channel = probe.declare(queue(probe).withRetry(quick(1_000)));
        InboxSettings settings = InboxSettings.of("check").withTable(table(probe, "inbox"));
        try (Connection connection = database.getConnection()) {
            Inbox.create(connection, settings);
        }
        Inbox inbox = new Inbox(database, settings);
        AtomicInteger calls = new AtomicInteger();
        Map<String, Integer> effects = new ConcurrentHashMap<>();
        var subscription = probe.listen(
                channel, ConsumerOptions.DEFAULT.withConcurrency(4), inbox.around((delivery, connection) -> {
                    if (calls.incrementAndGet() % 3 == 0) {
                        throw new IllegalStateException("a failure that the check plans");
                    }
                    effects.merge(String.valueOf(delivery.message().value()), 1, Integer::sum);
                }));
        twice(probe, channel, 15);
        probe.await("that all were acknowledged", () -> subscription.counts().acknowledged() == 30);
        probe.equal("the effects", 15, effects.size());
        probe.that(
                effects.values().stream().allMatch(times -> times == 1), "of the effects some came twice: " + effects);
        probe.equal("the duplicates", 15L, inbox.duplicates());
    }

    private static void twice(Probe probe, Channel channel, int messages) {
        for (String value : numbered(messages)) {
            for (int times = 0; times < 2; times++) {
                probe.producer()
                        .send(
                                channel.name(),
                                Message.<String, String>of("k", value).withId(channel.name() + value));
            }
        }
    }

    private void channelInboxOnce(Probe probe) {
        Channel channel = probe.declare(queue(probe).withRetry(quick(1_000)));
        Channel effects = probe.declare(queue(probe));
        ChannelInbox inbox = ChannelInbox.open(
                probe.postroad(),
                channel.name(),
                ChannelInboxSettings.of("check").withWindow(Duration.ofMinutes(10)));
        probe.deleteLater(inbox.channel());
        AtomicInteger calls = new AtomicInteger();
        probe.open(inbox.listen(STRINGS, ConsumerOptions.DEFAULT.withConcurrency(2), (delivery, transaction) -> {
            transaction.send(effects.name(), delivery.message());
            if (calls.incrementAndGet() % 3 == 0) {
                throw new IllegalStateException("a failure that the check plans");
            }
        }));
        twice(probe, channel, 15);
        List<String> came = new CopyOnWriteArrayList<>();
        probe.listen(
                effects,
                ConsumerOptions.DEFAULT,
                delivery -> came.add(String.valueOf(delivery.message().value())));
        probe.await("that all were handled", () -> inbox.handled() == 15);
        twice(probe, channel, 1);
        probe.producer().send(channel.name(), Message.of("k", "last"));
        probe.await("the effect of the last", () -> came.contains("last"));
        probe.equal("the effects", 16, came.size());
        probe.equal("the different effects", 16L, came.stream().distinct().count());
    }

    private void outboxInOrder(Probe probe) throws SQLException {
        Channel channel = probe.declare(queue(probe));
        OutboxSettings settings = OutboxSettings.DEFAULT
                .withTable(table(probe, "outbox"))
                .withBatch(7, 1 << 20)
                .withPollInterval(Duration.ofMillis(20));
        try (Connection connection = database.getConnection()) {
            OutboxSchema.create(connection, settings);
        }
        Outbox<String, String> outbox = new Outbox<>(STRINGS, settings);
        Map<String, List<Integer>> came = new ConcurrentHashMap<>();
        AtomicInteger count = new AtomicInteger();
        probe.listen(channel, ConsumerOptions.DEFAULT, delivery -> {
            came.computeIfAbsent(String.valueOf(delivery.message().key()), key -> new ArrayList<>())
                    .add(Integer.parseInt(String.valueOf(delivery.message().value())));
            count.incrementAndGet();
        });
        for (int relay = 0; relay < 2; relay++) {
            probe.open(OutboxRelay.start(database, probe.postroad(), settings));
        }
        int committed = 0;
        for (int i = 0; i < 60; i++) {
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                outbox.record(connection, channel.name(), Message.of("k" + i % 5, String.valueOf(i)));
                if (i % 7 == 3) {
                    connection.rollback();
                } else {
                    connection.commit();
                    committed++;
                }
            }
        }
        int expected = committed;
        probe.await("all that was committed", () -> count.get() >= expected);
        probe.equal("the messages", expected, count.get());
        came.values()
                .forEach(numbers -> probe.that(
                        numbers.stream().noneMatch(number -> number % 7 == 3),
                        "what was rolled back came: " + numbers));
        inOrder(probe, new HashMap<>(came));
    }

    private void ownReply(Probe probe) {
        Channel channel = probe.declare(Channel.request(probe.name())
                .withDurability(Durability.TRANSIENT)
                .withTtl(null)
                .withMaxMessages(null));
        CompletableFuture<Void> late = new CompletableFuture<>();
        probe.open(probe.postroad()
                .reply(channel.name(), ConsumerOptions.DEFAULT.withConcurrency(8), STRINGS, STRINGS, request -> {
                    if ("slow".equals(request.value())) {
                        probe.await(late, "the end of the requester's patience");
                    }
                    return Message.of("re: " + request.value());
                }));
        Requester<String, String, String, String> patient = new Requester<>(
                probe.postroad(), RequestSettings.of(channel.name()).withTimeout(probe.patience()), STRINGS, STRINGS);
        Requester<String, String, String, String> hasty = new Requester<>(
                probe.postroad(),
                RequestSettings.of(channel.name()).withTimeout(Duration.ofMillis(300)),
                STRINGS,
                STRINGS);
        CompletableFuture<Message<String, String>> slow = hasty.ask(Message.of("slow"));
        List<CompletableFuture<Message<String, String>>> replies =
                numbered(30).stream().map(each -> patient.ask(Message.of(each))).toList();
        for (int i = 0; i < replies.size(); i++) {
            probe.equal(
                    "the reply",
                    "re: " + i,
                    probe.await(replies.get(i), "a reply").value());
        }
        try {
            Message<String, String> reply = probe.await(slow, "the failure of a request that is answered late");
            throw new CheckFailed("a request that nobody answered in time got " + reply.value());
        } catch (MessagingException e) {
            probe.equal("the reason", MessagingException.Reason.TIMEOUT, e.reason());
        }
        long before = probe.postroad().lateReplies();
        late.complete(null);
        probe.await("that the late reply is counted", () -> probe.postroad().lateReplies() > before);
        probe.equal("requests in flight", 0, hasty.counts().inFlight());
    }

    private void neverEarly(Probe probe) {
        Channel channel = probe.declare(queue(probe));
        String name = probe.name();
        for (String each : List.of(".cron.dead", ".dead", ".cron", "")) {
            probe.deleteLater(name + each);
        }
        Scheduler scheduler = probe.open(Scheduler.open(probe.postroad(), ScheduleSettings.DEFAULT.withChannel(name)));
        Map<String, Instant> due = new HashMap<>();
        Map<String, Instant> came = new ConcurrentHashMap<>();
        probe.listen(
                channel,
                ConsumerOptions.DEFAULT,
                delivery -> came.put(String.valueOf(delivery.message().value()), Instant.now()));
        for (int i = 0; i < 5; i++) {
            String value = String.valueOf(i);
            Instant at = Instant.now().plusMillis(60L * (5 - i));
            due.put(value, at);
            scheduler.at(at, channel.name(), Message.of("k", value), STRINGS);
        }
        String cancelled = scheduler.in(Duration.ofHours(1), channel.name(), Message.of("k", "cancelled"), STRINGS);
        probe.that(scheduler.cancel(cancelled), "what is scheduled in an hour could not be cancelled");
        probe.await("all that was scheduled", () -> came.size() == 5);
        due.forEach((value, at) -> probe.that(
                !came.getOrDefault(value, Instant.MIN).plus(CLOCK_STEP).isBefore(at),
                "what was to be sent at " + at + " came at " + came.get(value)));
    }

    private void whole(Probe probe) throws SQLException {
        Channel channel = probe.declare(queue(probe));
        String table = table(probe, "blobs");
        try (Connection connection = database.getConnection()) {
            JdbcBlobs.create(connection, table);
        }
        ClaimCheck claims = new ClaimCheck(new JdbcBlobs(database, table), ClaimSettings.DEFAULT.withThreshold(1_000));
        Format<String, Claim<String>> format = claims.format(STRINGS);
        String large = "0123456789".repeat(10_000);
        List<Claim<String>> came = new CopyOnWriteArrayList<>();
        probe.open(probe.postroad()
                .listen(
                        channel.name(),
                        format,
                        ConsumerOptions.DEFAULT,
                        delivery -> came.add(delivery.message().value())));
        try (var producer = probe.postroad().producer(format)) {
            producer.send(channel.name(), Message.of("k", Claim.of(large)));
            producer.send(channel.name(), Message.of("k", Claim.of("small")));
            probe.await("both", () -> came.size() == 2);
            for (Claim<String> claim : came) {
                probe.equal("the value", claim.isCheckedIn() ? large : "small", claim.get());
            }
            probe.equal("values checked in", 1L, claims.checkedIn());
            came.clear();
            producer.send(channel.name(), Message.of("k", Claim.of(large)));
            probe.await("the third", () -> came.size() == 1);
        }
        try (Connection connection = database.getConnection();
                var statement = connection.prepareStatement("update " + table + " set body = ?")) {
            statement.setBytes(1, new byte[large.length()]);
            probe.that(statement.executeUpdate() > 0, "no blob was there to change");
        }
        try {
            came.getFirst().get();
        } catch (RuntimeException e) {
            return;
        }
        throw new CheckFailed("a value that was changed in the store was taken for what was sent");
    }

    private void expectedVersion(Probe probe) {
        String name = probe.name();
        for (String each : List.of(".snapshots", "", ".dead", ".snapshots.dead")) {
            probe.deleteLater(name + each);
        }
        ChannelEventStore store = probe.open(ChannelEventStore.open(probe.postroad(), name));
        AtomicInteger won = new AtomicInteger();
        AtomicInteger lost = new AtomicInteger();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String by = "by " + i;
            all.add(CompletableFuture.runAsync(
                    () -> {
                        try {
                            store.append("order-1", 0, List.of(Event.of("Placed", by), Event.of("Paid", by)));
                            won.incrementAndGet();
                        } catch (VersionConflictException e) {
                            lost.incrementAndGet();
                        }
                    },
                    task -> Thread.ofVirtual().start(task)));
        }
        all.forEach(each -> probe.await(each, "the outcome of an append"));
        probe.equal("those that appended", 1, won.get());
        probe.equal("those that were refused", 3, lost.get());
        probe.equal("the version", 2L, store.version("order-1"));
        probe.equal("the events", 2, store.read("order-1", 1, 10).size());
    }

    private static String table(Probe probe, String prefix) {
        return prefix + "_" + probe.name().replaceAll("[^A-Za-z0-9]", "_");
    }
}
