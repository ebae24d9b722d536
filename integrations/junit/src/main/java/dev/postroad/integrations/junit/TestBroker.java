package dev.postroad.integrations.junit;

import dev.postroad.api.Administration.Browsed;
import dev.postroad.api.Channel;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import dev.postroad.journal.MemoryStorage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A real broker in the test's process, on a clock that the test moves, with faults from a seed.
 *
 * <pre>{@code
 *   try (TestBroker broker = TestBroker.start(Faults.of(7, Fault.CRASH_BEFORE_SETTLE))) {
 *       Shop shop = new Shop(broker.postroad(), broker.clock());
 *       broker.run(() -> shop.order("order-1"));
 *       broker.settle();
 *       broker.assertExactlyOnce(List.of("order-1"), shop.payments());
 *   }
 * }</pre>
 *
 * <p>Time stands still unless {@link #advance} or {@link #settle} moves it, from one moment at which something is due to the
 * next, and only while nothing is under way: thirty days of a program that does something each hour are 720 steps. A program
 * must ask {@link #clock()} for the time, not the machine. The clock begins at the machine's present time, so that {@code
 * Message.withDelay} is right until it is moved; afterwards say {@code withDeliverAt(clock.instant().plus(…))}.
 *
 * <p>For the thread that started it, unless said otherwise.
 */
public final class TestBroker implements AutoCloseable {
    private static final long MEMORY_BYTES = 4L << 30;
    private static final Duration HOUR = Duration.ofHours(1);

    /** No checkpoint because time has passed: it passes so fast that each step would make one. */
    private static final long FOR_EVER_MILLIS = Duration.ofDays(36_500).toMillis();

    /** A handler that does nothing for so long in real time is taken to be stuck, and time moves on without it. */
    private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** After this real time a test that keeps itself busy is told so. */
    private static final long BUSY_NANOS = TimeUnit.SECONDS.toNanos(120);

    private final TestClock clock;
    private final Story story;
    private final MemoryStorage storage;
    private final TestTransport transport;
    private final Postroad postroad;

    private TestBroker(Faults faults, Instant begin) {
        this.clock = new TestClock(begin);
        this.story = new Story(clock);
        this.storage = new MemoryStorage(MEMORY_BYTES);
        BrokerSettings memory = BrokerSettings.memory(MEMORY_BYTES);
        BrokerSettings settings = memory.withLocation(new BrokerSettings.Location.Given(storage))
                .withClock(clock)
                .withPayloads(payloads())
                .withEngine(memory.engine().withCheckpoints(memory.engine().checkpointBytes(), FOR_EVER_MILLIS));
        this.transport = new TestTransport(() -> Broker.open(settings), clock, story, faults);
        this.postroad = Postroad.over(transport);
    }

    private static PayloadFields payloads() {
        return ServiceLoader.load(PayloadFields.class).findFirst().orElse(PayloadFields.NONE);
    }

    /** A broker without faults. */
    public static TestBroker start() {
        return start(Faults.none());
    }

    /** A broker with these faults, from now on. */
    public static TestBroker start(Faults faults) {
        return start(faults, Instant.now());
    }

    /** A broker with these faults whose clock begins at this moment. */
    public static TestBroker start(Faults faults, Instant begin) {
        return new TestBroker(faults, begin);
    }

    /** The connection for the program under test. It outlives restarts of the broker. */
    public Postroad postroad() {
        return postroad;
    }

    /** The time as the broker knows it: for the program under test too. */
    public TestClock clock() {
        return clock;
    }

    /** The faults that strike at present. */
    public Faults faults() {
        return transport.faults();
    }

    /** Other faults from now on: none while a test sets things up, say. */
    public void faults(Faults faults) {
        transport.faults(faults);
    }

    /** Closes the broker and opens it again on the same journal, under a program that runs. */
    public void restart() {
        transport.restart();
    }

    /**
     * Runs a part of the program that may die by a fault.
     *
     * @return false if it died
     */
    public boolean run(Runnable program) {
        try {
            transport.inProgram(program);
            return true;
        } catch (SimulatedCrash crash) {
            return false;
        }
    }

    // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Moves time on by so much: all that falls due on the way is delivered and handled in its order. Waits for the handlers. */
    public void advance(Duration by) {
        runUntil(clock.millis() + by.toMillis(), true);
    }

    /** As {@link #settle(Duration)}, for an hour. */
    public void settle() {
        settle(HOUR);
    }

    /**
     * Waits until the program has nothing to do: no message under way, and none due within this time. Moves time on for retries
     * and delayed messages, by this much at most; not at all if none waits.
     */
    public void settle(Duration atMost) {
        runUntil(clock.millis() + atMost.toMillis(), false);
    }

    private void runUntil(long endMillis, boolean toTheEnd) {
        long giveUpAt = System.nanoTime() + BUSY_NANOS;
        while (true) {
            EngineStatus status = quiet(giveUpAt);
            long now = clock.millis();
            long due = transport.withBroker(Broker::nextDueMillis);
            if (due > endMillis || now >= endMillis || !(toTheEnd || somethingWaits(status))) {
                break;
            }
            clock.moveTo(Math.max(due, now + 1));
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError(
                        "the program has been busy for two minutes of real time, its clock at " + clock.instant()
                                + ", on its way to " + Instant.ofEpochMilli(endMillis) + ":\n" + pending(status));
            }
        }
        if (toTheEnd) {
            clock.moveTo(endMillis);
            quiet(giveUpAt);
        }
    }

    private EngineStatus inspect() {
        return transport.withBroker(broker -> broker.<EngineStatus>await(Command.Inspect::new));
    }

    /** Waits until no consumer has anything to do, or what it has does not move. */
    private EngineStatus quiet(long giveUpAt) {
        long seen = transport.activity();
        long since = System.nanoTime();
        int calm = 0;
        inspect(); // a turn of the engine's, which delivers what has become due
        while (true) {
            long activity = transport.activity();
            if (activity != seen) {
                // It is at work: asking the broker how much is left would only hold it up.
                seen = activity;
                since = System.nanoTime();
                calm = 0;
                LockSupport.parkNanos(20_000);
                if (since < giveUpAt) {
                    continue;
                }
            }
            EngineStatus status = inspect();
            long now = System.nanoTime();
            if (!busy(status)) {
                // Twice, for a handler may have acknowledged by itself and be about to send.
                if (++calm >= 2) {
                    return status;
                }
                LockSupport.parkNanos(20_000);
                continue;
            }
            calm = 0;
            if (now - since > STUCK_NANOS || now > giveUpAt) {
                return status;
            }
            LockSupport.parkNanos(50_000);
        }
    }

    private static boolean busy(EngineStatus status) {
        return consumed(status).stream().anyMatch(queue -> queue.ready() > 0 || queue.inFlight() > 0);
    }

    private static boolean somethingWaits(EngineStatus status) {
        return all(status).stream().anyMatch(queue -> queue.delayed() > 0 || queue.inFlight() > 0);
    }

    private static List<EngineStatus.Queue> consumed(EngineStatus status) {
        return all(status).stream()
                .filter(queue -> !queue.consumers().isEmpty())
                .toList();
    }

    private static List<EngineStatus.Queue> all(EngineStatus status) {
        List<EngineStatus.Queue> all = new ArrayList<>(status.queues());
        for (EngineStatus.Group group : status.groups()) {
            EngineStatus.Queue shared = group.shared();
            if (shared != null) {
                all.add(shared);
            }
        }
        return all;
    }

    private static String pending(EngineStatus status) {
        StringBuilder text = new StringBuilder();
        for (EngineStatus.Queue queue : consumed(status)) {
            if (queue.ready() + queue.inFlight() + queue.delayed() + queue.parked() > 0) {
                text.append("  ")
                        .append(queue.definition().name())
                        .append(": ")
                        .append(queue.ready())
                        .append(" ready, ")
                        .append(queue.inFlight())
                        .append(" in flight, ")
                        .append(queue.delayed())
                        .append(" delayed, ")
                        .append(queue.parked())
                        .append(" behind others of their key\n");
            }
        }
        return text.toString();
    }

    // ── Assertions ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** What was stored in a channel since the beginning, each message once, in the order of its first confirmation. */
    public List<Message<byte[], byte[]>> published(String channel) {
        return transport.ledger().published(channel);
    }

    /** The values of {@link #published}, as UTF-8. */
    public List<String> publishedValues(String channel) {
        return published(channel).stream().map(message -> text(message.value())).toList();
    }

    /** That so many different messages were stored in the channel. */
    public void assertPublished(String channel, int count) {
        List<Message<byte[], byte[]>> there = published(channel);
        if (there.size() != count) {
            throw new AssertionError(
                    "channel " + channel + " got " + there.size() + " messages, not " + count + ":" + list(there));
        }
    }

    /** That one of the channel's messages has this value, as UTF-8. */
    public void assertPublished(String channel, String value) {
        if (!publishedValues(channel).contains(value)) {
            throw new AssertionError("channel " + channel + " got no message with the value '" + value + "', but:"
                    + list(published(channel)));
        }
    }

    /** That everything consumed is settled, after {@link #settle} for an hour: nothing ready, in flight, or to be tried again. */
    public void assertSettled() {
        settle();
        String left = pending(inspect());
        if (!left.isEmpty()) {
            throw new AssertionError("an hour later messages are still not settled:\n" + left);
        }
    }

    /** That no message of the program was given up. Poison that a fault sent is not one. */
    public void assertNoDeadLetters() {
        for (Channel channel : declared()) {
            for (Browsed letter : browse(channel.deadLetter())) {
                if (!String.valueOf(letter.message().id()).startsWith("poison-")) {
                    throw new AssertionError("message " + letter.message().id() + " of channel " + channel.name()
                            + " was given up: "
                            + letter.message().headers() + ", value "
                            + text(letter.message().value()));
                }
            }
        }
    }

    /** That the channel gave up a message for a reason with these words in it. */
    public void assertDeadLettered(String channel, String reason) {
        Channel declared =
                postroad.find(channel).orElseThrow(() -> new AssertionError("there is no channel '" + channel + "'"));
        List<Browsed> letters = browse(declared.deadLetter());
        if (letters.stream()
                .noneMatch(letter -> letter.message().headers().toString().contains(reason))) {
            throw new AssertionError("channel " + channel + " gave up no message because of '" + reason + "', but "
                    + letters.size() + " others:"
                    + list(letters.stream().map(Browsed::message).toList()));
        }
    }

    /** How many messages the channel gave up that are no poison of a fault. */
    public long deadLetters(String channel) {
        return browse(postroad.find(channel).orElseThrow().deadLetter()).stream()
                .filter(letter -> !String.valueOf(letter.message().id()).startsWith("poison-"))
                .count();
    }

    private List<Channel> declared() {
        return postroad.administration().channels().stream()
                .map(status -> status.channel())
                .filter(channel -> channel.deadLetter() != null)
                .toList();
    }

    private List<Browsed> browse(@Nullable String channel) {
        if (channel == null || postroad.find(channel).isEmpty()) {
            return List.of();
        }
        return postroad.administration().browse(channel, null, 10_000);
    }

    /** That messages of one key were acknowledged in the order in which they were published, for each key of the channel. */
    public void assertOrderPerKey(String channel) {
        Map<String, String> keys = new HashMap<>();
        Map<String, List<String>> wanted = new LinkedHashMap<>();
        for (Message<byte[], byte[]> message : published(channel)) {
            byte[] key = message.key();
            if (key != null) {
                String name = Arrays.toString(key);
                keys.put(String.valueOf(message.id()), name);
                wanted.computeIfAbsent(name, each -> new ArrayList<>()).add(String.valueOf(message.id()));
            }
        }
        Map<String, List<String>> done = new HashMap<>();
        for (String id : transport.ledger().acknowledged(channel)) {
            String key = keys.get(id);
            if (key != null) {
                done.computeIfAbsent(key, each -> new ArrayList<>()).add(id);
            }
        }
        wanted.forEach((key, ids) -> {
            List<String> handled = done.getOrDefault(key, List.of());
            List<String> expected = ids.stream().filter(handled::contains).toList();
            if (!expected.equals(handled)) {
                throw new AssertionError("messages of one key of channel " + channel
                        + " were acknowledged out of order: published " + expected + ", acknowledged " + handled);
            }
        });
    }

    /**
     * That each of these has had its effect, and none twice.
     *
     * @param expected what identifies each effect: message ids, order numbers
     * @param effects what identifies the effects that there were, in any order
     */
    public void assertExactlyOnce(Collection<?> expected, Collection<?> effects) {
        Map<Object, Integer> counts = new LinkedHashMap<>();
        for (Object each : expected) {
            counts.put(each, 0);
        }
        List<Object> unexpected = new ArrayList<>();
        for (Object effect : List.copyOf(effects)) {
            if (counts.computeIfPresent(effect, (each, count) -> count + 1) == null) {
                unexpected.add(effect);
            }
        }
        List<String> faulty = new ArrayList<>();
        counts.forEach((each, count) -> {
            if (count != 1) {
                faulty.add(each + (count == 0 ? " had no effect" : " had its effect " + count + " times"));
            }
        });
        if (!faulty.isEmpty() || !unexpected.isEmpty()) {
            throw new AssertionError("not exactly once: " + String.join("; ", faulty)
                    + (unexpected.isEmpty() ? "" : "; nobody asked for " + unexpected));
        }
    }

    private static String list(List<Message<byte[], byte[]>> messages) {
        StringBuilder text = new StringBuilder();
        for (Message<byte[], byte[]> message : messages.subList(0, Math.min(20, messages.size()))) {
            text.append("\n  ").append(message.id()).append(' ').append(text(message.value()));
            if (!message.headers().isEmpty()) {
                text.append(' ').append(message.headers());
            }
        }
        return text.append(messages.size() > 20 ? "\n  …" : "").toString();
    }

    private static String text(byte @Nullable [] value) {
        return value == null ? "(none)" : new String(value, 0, Math.min(200, value.length), StandardCharsets.UTF_8);
    }

    // ── Explaining ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** What happened to a message, a line each, with the time by the clock. */
    public String story(String messageId) {
        return story.of(messageId);
    }

    /** What a failure is explained by: the seed, and the stories of the messages that it names or that faults struck. */
    public String explain(Throwable failure) {
        return faults() + "\n" + story.explaining(String.valueOf(failure.getMessage()));
    }

    @Override
    public void close() {
        postroad.close();
        storage.close();
    }
}
