package dev.postroad.conformance;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a queue may be asked for besides: batches, delay, priority, expiry, dedup, bounds, filters, size. */
final class QueueChecks {
    private QueueChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(Need.ATOMIC_BATCH, "a batch with one message too large stores none", QueueChecks::atomicBatch),
                Check.of(Need.DELAY, "a message is not delivered before its time", QueueChecks::delayed),
                Check.of(
                        Need.DELAY,
                        "each of several delayed messages keeps its own time",
                        QueueChecks::delayedSeverally),
                Check.of(Need.DELAY, "a delayed message can be cancelled", QueueChecks::cancelled),
                Check.of(Need.PRIORITY, "higher priorities come first, equal ones in order", QueueChecks::priority),
                Check.of(Need.TTL, "a message past its time to live is not delivered", QueueChecks::messageExpired),
                Check.of(
                        Need.TTL,
                        "a channel's time to live holds for messages that say none, or a longer one",
                        QueueChecks::channelExpired),
                Check.of(Need.DEDUP, "a repetition within the window is confirmed and dropped", QueueChecks::dedup),
                Check.of(Need.DEDUP, "the dedup window survives a reopen", SurvivalChecks::dedupWindow)
                        .using(Need.DURABLE)
                        .reopening(),
                Check.of(
                        Need.MAX_LENGTH, "a full queue refuses, and takes again when there is room", QueueChecks::full),
                Check.of(Need.MAX_LENGTH, "a full queue drops its oldest where told to", QueueChecks::dropsOldest),
                Check.of(
                                Need.MAX_LENGTH,
                                "a full queue dead-letters its oldest where told to",
                                QueueChecks::buriesOldest)
                        .using(Need.DEAD_LETTER),
                Check.of(Need.FILTER, "a consumer receives only what matches its rule", QueueChecks::filtered),
                Check.of(Need.BROWSE, "looking at messages leaves them where they are", QueueChecks::browsed),
                Check.of(Need.LARGE_MESSAGES, "values of 1 MiB and of 10 MiB come back as sent", QueueChecks::large));
    }

    private static void atomicBatch(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessageBytes(100));
        List<Message<byte[], byte[]>> batch = List.of(
                BadInputChecks.bytes("fits"), BadInputChecks.bytes("x".repeat(101)), BadInputChecks.bytes("fits too"));
        probe.refusedLater(
                "a batch with a value of 101 bytes",
                () -> probe.transport().sendBatch(channel.name(), batch),
                Reason.TOO_LARGE);
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void delayed(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Instant time = Instant.now().plusMillis(250);
        probe.send(channel, Message.<String, String>of("k", "later").withDeliverAt(time));
        probe.send(channel, "now");
        Inbox inbox = probe.inbox(channel);
        inbox.nextAre("now");
        Delivery<byte[], byte[]> delivery = inbox.nextIs("later");
        Instant came = Instant.now();
        probe.that(!came.plus(Probe.CLOCK_STEP).isBefore(time), "a message for " + time + " came at " + came);
        inbox.acknowledge(delivery);
    }

    private static void delayedSeverally(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Instant now = Instant.now();
        Map<String, Instant> times = new HashMap<>();
        for (int millis : new int[] {300, 100, 200}) {
            String value = "after " + millis;
            times.put(value, now.plusMillis(millis));
            probe.send(channel, Message.<String, String>of("k", value).withDeliverAt(now.plusMillis(millis)));
        }
        Inbox inbox = probe.inbox(channel);
        while (!times.isEmpty()) {
            Delivery<byte[], byte[]> delivery = inbox.next("one of " + times);
            Instant came = Instant.now();
            Instant time = times.remove(Inbox.value(delivery));
            probe.that(
                    time != null && !came.plus(Probe.CLOCK_STEP).isBefore(time),
                    Inbox.value(delivery) + " came at " + came + ", its time being " + time);
            inbox.acknowledge(delivery);
        }
    }

    private static void cancelled(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Administration administration = probe.administration();
        Duration ahead = Duration.ofMillis(300);
        Instant time = Instant.now().plus(ahead);
        String id = "r";
        regret(probe, channel, id, time);
        while (!administration.cancel(channel.name(), id)) {
            probe.that(!Instant.now().isBefore(time), "cancelling a delayed message said that it was not there");
            // It was cancelled too late: the broker is slow today, so that the next one waits for longer.
            ahead = ahead.multipliedBy(4);
            time = Instant.now().plus(ahead);
            id += "r";
            regret(probe, channel, id, time);
        }
        probe.send(channel, Message.<String, String>of("k", "last").withDeliverAt(time.plusMillis(50)));
        String cancelled = id;
        probe.that(
                !administration.cancel(channel.name(), cancelled), "cancelling a second time said that it was there");
        probe.that(
                !administration.cancel(channel.name(), "x"), "cancelling what was never sent said that it was there");
        Inbox inbox = probe.inbox(channel);
        for (int late = 1; late < cancelled.length(); late++) {
            inbox.nextAre("regretted " + "r".repeat(late));
        }
        inbox.nextAre("last");
    }

    private static void regret(Probe probe, Channel channel, String id, Instant time) {
        probe.send(
                channel,
                Message.<String, String>of("k", "regretted " + id).withId(id).withDeliverAt(time));
    }

    private static void priority(Probe probe) {
        Channel channel = probe.declare(probe.queue().withPriorities(10));
        List<Integer> priorities = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            priorities.add(i % 10);
        }
        Collections.shuffle(priorities, probe.random());
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < priorities.size(); i++) {
            int priority = priorities.get(i);
            String value = priority + "-" + (100 + i);
            expected.add(value);
            probe.send(channel, Message.<String, String>of("k", value).withPriority(priority));
        }
        // Highest first; within one priority as they were sent, which their numbers tell.
        expected.sort((a, b) -> a.charAt(0) != b.charAt(0) ? b.charAt(0) - a.charAt(0) : a.compareTo(b));
        probe.inbox(channel).nextAre(expected);
    }

    private static void messageExpired(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, Message.<String, String>of("k", "stale").withTtl(Duration.ofMillis(50)));
        probe.send(channel, Message.<String, String>of("k", "fresh").withTtl(Duration.ofHours(1)));
        probe.awaitMoment(Instant.now().plusMillis(100));
        Inbox inbox = probe.inbox(channel);
        inbox.nextAre("fresh");
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void channelExpired(Probe probe) {
        Channel channel = probe.declare(probe.queue().withTtl(Duration.ofMillis(50)));
        probe.send(channel, "stale");
        probe.send(channel, Message.<String, String>of("k", "says more").withTtl(Duration.ofHours(1)));
        probe.awaitMoment(Instant.now().plusMillis(100));
        Inbox inbox = probe.inbox(channel);
        List<Delivery<byte[], byte[]>> came = new ArrayList<>();
        probe.await("that a message came within its time", () -> {
            probe.send(channel, "last");
            came.addAll(inbox.receive(1, Duration.ofMillis(50)));
            return !came.isEmpty();
        });
        probe.equal("the message that came", "last", Inbox.value(came.getFirst()));
        inbox.acknowledge(came.getFirst());
    }

    private static void dedup(Probe probe) {
        Channel channel = probe.declare(probe.queue().withDedupWindow(Duration.ofMinutes(10)));
        int count = 10;
        int repetitions = 2;
        probe.facts().expect(Criterion.IDEMPOTENT_CONSUMERS, (long) count * repetitions);
        for (int i = 0; i < count; i++) {
            Message<String, String> message =
                    Message.<String, String>of("k", "m" + i).withId("id-" + i);
            probe.that(!probe.send(channel, message).duplicate(), "the first of its id was called a duplicate");
            for (int again = 0; again < repetitions; again++) {
                Receipt receipt = probe.send(channel, message);
                probe.that(receipt.duplicate(), "repetition " + (again + 1) + " of an id was not called a duplicate");
            }
        }
        Inbox inbox = probe.inbox(channel);
        inbox.takeInAnyOrder(BaseChecks.numbered("m", count));
        probe.send(channel, "last");
        inbox.nextIs("last");
        for (int i = 0; i < count * repetitions; i++) {
            probe.facts().met(Criterion.IDEMPOTENT_CONSUMERS);
        }
    }

    private static void full(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessages(3L));
        probe.send(channel, "a", "b", "c");
        probe.refused("a fourth message on a queue for three", () -> probe.send(channel, "d"), Reason.FULL);
        Inbox inbox = probe.inbox(channel);
        inbox.takeInAnyOrder(List.of("a", "b", "c"));
        probe.send(channel, "e");
        inbox.nextIs("e");
    }

    private static void dropsOldest(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessages(3L).withOverflow(Channel.Overflow.DROP_OLDEST));
        probe.send(channel, "a", "b", "c", "d", "e");
        probe.inbox(channel).takeInAnyOrder(List.of("c", "d", "e"));
    }

    private static void buriesOldest(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue())
                .withMaxMessages(3L)
                .withOverflow(Channel.Overflow.DEAD_LETTER_OLDEST));
        probe.send(channel, "a", "b", "c", "d", "e");
        probe.inbox(channel).takeInAnyOrder(List.of("c", "d", "e"));
        Inbox dead = probe.open(new Inbox(
                probe, probe.transport().receive(List.of(channel.name() + ".dead"), ConsumerOptions.DEFAULT)));
        dead.takeInAnyOrder(List.of("a", "b"));
    }

    private static void filtered(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        for (int i = 0; i < 10; i++) {
            String region = i % 2 == 0 ? "eu" : "us";
            probe.send(channel, Message.<String, String>of("k", region + i).withHeader("region", region));
        }
        Inbox european = probe.inbox(channel, ConsumerOptions.DEFAULT.withFilter("region = 'eu'"));
        european.takeInAnyOrder(List.of("eu0", "eu2", "eu4", "eu6", "eu8"));
        probe.send(channel, Message.<String, String>of("k", "us-more").withHeader("region", "us"));
        probe.send(channel, Message.<String, String>of("k", "eu-more").withHeader("region", "eu"));
        european.nextAre("eu-more");
        probe.inbox(channel).takeInAnyOrder(List.of("us1", "us3", "us5", "us7", "us9", "us-more"));
        probe.refused(
                "a rule that is none",
                () -> probe.inbox(channel, ConsumerOptions.DEFAULT.withFilter("region ==== (")),
                Reason.INVALID);
    }

    private static void browsed(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a", "b", "c");
        for (int look = 0; look < 2; look++) {
            List<String> seen = probe.administration().browse(channel.name(), null, 10).stream()
                    .map(browsed -> new String(valueOf(browsed.message()), java.nio.charset.StandardCharsets.UTF_8))
                    .toList();
            probe.equal("what a look shows", List.of("a", "b", "c"), seen);
        }
        probe.equal(
                "what a look for one shows",
                1,
                probe.administration().browse(channel.name(), null, 1).size());
        Inbox inbox = probe.inbox(channel);
        for (String value : List.of("a", "b", "c")) {
            Delivery<byte[], byte[]> delivery = inbox.nextIs(value);
            probe.equal("the attempt", 1, delivery.attempt());
            inbox.acknowledge(delivery);
        }
    }

    private static byte[] valueOf(Message<byte[], byte[]> message) {
        byte[] value = message.value();
        return value == null ? new byte[0] : value;
    }

    private static void large(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessageBytes(10 * 1024 * 1024));
        MessageProducer<byte[], byte[]> producer = probe.open(probe.postroad().producer(Format.bytes()));
        Inbox inbox = probe.inbox(channel);
        for (int size : new int[] {1024 * 1024, 10 * 1024 * 1024}) {
            byte[] value = new byte[size];
            probe.random().nextBytes(value);
            producer.send(channel.name(), Message.of(value));
            Delivery<byte[], byte[]> delivery = inbox.next("a value of " + size + " bytes");
            probe.equal(
                    "a value of " + size + " bytes", value, delivery.message().value());
            inbox.acknowledge(delivery);
        }
    }
}
