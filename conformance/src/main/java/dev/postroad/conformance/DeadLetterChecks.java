package dev.postroad.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.RetryPolicy;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** What is given up, why, and back again. */
final class DeadLetterChecks {
    private DeadLetterChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(
                        Need.DEAD_LETTER,
                        "a message given up lies on the dead-letter channel, with reason and origin",
                        DeadLetterChecks::givenUp),
                Check.of(
                                Need.DEAD_LETTER,
                                "the last attempt that fails makes a dead letter",
                                DeadLetterChecks::lastAttempt)
                        .using(Need.DELIVERY_COUNT),
                Check.of(
                        Need.DEAD_LETTER,
                        "a handler's exception is the dead letter's reason",
                        DeadLetterChecks::handler),
                Check.of(
                                Need.DEAD_LETTER,
                                "a dead letter tells the exception, and a delivery tells when it failed first, or neither",
                                DeadLetterChecks::history)
                        .using(Need.DELIVERY_COUNT),
                Check.of(Need.DEAD_LETTER, "what can't be read becomes a dead letter", DeadLetterChecks::unreadable),
                Check.of(Need.DEAD_LETTER, "a group's dead letter names the group", DeadLetterChecks::ofGroup)
                        .using(Need.GROUPS, Need.REPLAY),
                Check.of(Need.DEAD_LETTER, "a long reason is cut, not refused", DeadLetterChecks::longReason),
                Check.of(
                        Need.DEAD_LETTER,
                        "without a dead-letter channel what is given up is gone",
                        DeadLetterChecks::dropped),
                Check.of(Need.DEAD_LETTER, "dead letters survive a reopen", SurvivalChecks::deadLetters)
                        .using(Need.DURABLE)
                        .reopening(),
                Check.of(
                                Need.REDRIVE,
                                "dead letters go back as they were, with attempts counted anew",
                                DeadLetterChecks::redriven)
                        .using(Need.DEAD_LETTER, Need.DELIVERY_COUNT),
                Check.of(
                                Need.REDRIVE,
                                "dead letters of a key go back in the order they had",
                                DeadLetterChecks::redrivenInOrder)
                        .using(Need.DEAD_LETTER, Need.ORDER_PER_KEY),
                Check.of(
                                Need.REDRIVE,
                                "later messages of a key follow a dead one until it is put back, or order per key is only emulated",
                                DeadLetterChecks::followed)
                        .using(Need.DEAD_LETTER, Need.ORDER_PER_KEY),
                Check.of(Need.REDRIVE, "no more dead letters go back than asked", DeadLetterChecks::redrivenInPart)
                        .using(Need.DEAD_LETTER),
                Check.of(
                                Need.REDRIVE,
                                "chosen dead letters go back alone, or choosing is refused by name",
                                DeadLetterChecks::chosen)
                        .using(Need.DEAD_LETTER, Need.BROWSE),
                Check.of(
                                Need.REDRIVE,
                                "an edited dead letter goes back as edited, or editing is refused by name",
                                DeadLetterChecks::edited)
                        .using(Need.DEAD_LETTER, Need.BROWSE));
    }

    private static Inbox dead(Probe probe, Channel channel) {
        return probe.open(new Inbox(
                probe, probe.transport().receive(List.of(channel.name() + ".dead"), ConsumerOptions.DEFAULT)));
    }

    private static DeadLetter told(Delivery<byte[], byte[]> delivery) {
        return DeadLetter.of(delivery.message())
                .orElseThrow(() -> new CheckFailed("the dead letter's headers do not tell of it: "
                        + delivery.message().headers()));
    }

    private static void givenUp(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        int count = 10;
        probe.facts().expect(Criterion.DEAD_LETTER_HANDLING, count);
        Inbox inbox = probe.inbox(channel);
        Inbox dead = dead(probe, channel);
        for (int i = 0; i < count; i++) {
            Message<String, String> sent = Message.<String, String>of("key-" + i, "value-" + i)
                    .withId("id-" + i)
                    .withType("Test")
                    .withHeader("mine", "yes");
            probe.send(channel, sent);
            inbox.settled(inbox.nextIs("value-" + i).deadLetter("no use, " + i));
            Delivery<byte[], byte[]> buried = dead.nextIs("value-" + i);
            Message<byte[], byte[]> message = buried.message();
            DeadLetter told = told(buried);
            probe.equal("the origin", channel.name(), told.origin());
            probe.equal("the reason", "no use, " + i, told.reason());
            probe.equal("the attempts", 1, told.attempts());
            probe.equal("the id", "id-" + i, message.id());
            probe.equal("the type", "Test", message.type());
            probe.equal("the key", "key-" + i, Inbox.key(buried));
            probe.equal("the headers", Map.of("mine", "yes"), DeadLetter.removedFrom(message.headers()));
            dead.acknowledge(buried);
            probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
        }
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void lastAttempt(Probe probe) {
        Channel channel =
                probe.declare(Probe.withDeadLetters(probe.queue()).withRetry(RetryPolicy.NONE.withMaxAttempts(3)));
        probe.facts().expect(Criterion.DEAD_LETTER_HANDLING, 1);
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        for (int attempt = 1; attempt <= 3; attempt++) {
            inbox.settled(inbox.nextIs("a").retry());
        }
        probe.send(channel, "last");
        inbox.nextIs("last");
        Delivery<byte[], byte[]> buried = dead(probe, channel).nextIs("a");
        probe.equal("the attempts", 3, told(buried).attempts());
        probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
    }

    private static void handler(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()).withRetry(RetryPolicy.NONE));
        probe.facts().expect(Criterion.DEAD_LETTER_HANDLING, 2);
        probe.listen(channel, ConsumerOptions.DEFAULT, delivery -> {
            if ("hopeless".equals(delivery.message().value())) {
                throw new Handler.DeadLetterException("no such customer");
            }
            throw new IllegalStateException("the till is closed");
        });
        Inbox dead = dead(probe, channel);
        probe.send(channel, "hopeless");
        Delivery<byte[], byte[]> first = dead.nextIs("hopeless");
        probe.equal("the reason", "no such customer", told(first).reason());
        probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
        probe.send(channel, "failing");
        Delivery<byte[], byte[]> second = dead.nextIs("failing");
        probe.equal(
                "the reason",
                "java.lang.IllegalStateException: the till is closed",
                told(second).reason());
        probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
    }

    private static void unreadable(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        probe.facts().expect(Criterion.DEAD_LETTER_HANDLING, 1);
        List<String> handled = new ArrayList<>();
        MessageProducer<byte[], byte[]> bytes = probe.open(probe.postroad().producer(Format.bytes()));
        bytes.send(channel.name(), Message.of(new byte[] {-1, -2, -3}));
        probe.listen(
                channel,
                ConsumerOptions.DEFAULT,
                delivery -> handled.add(delivery.message().value()));
        Delivery<byte[], byte[]> buried = dead(probe, channel).next("the dead letter");
        probe.equal("the value", new byte[] {-1, -2, -3}, buried.message().value());
        probe.that(told(buried).reason().contains("UTF-8"), "the reason tells nothing of UTF-8: " + told(buried));
        probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
    }

    private static void ofGroup(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.stream()));
        probe.facts().expect(Criterion.DEAD_LETTER_HANDLING, 1);
        probe.send(channel, "a", "b");
        Inbox inbox = probe.group(channel, "billing");
        inbox.settled(inbox.nextIs("a").deadLetter("no use"));
        inbox.nextAre("b");
        DeadLetter told = told(dead(probe, channel).nextIs("a"));
        probe.equal("the origin", channel.name(), told.origin());
        probe.equal("the group", "billing", told.group());
        probe.facts().met(Criterion.DEAD_LETTER_HANDLING);
        probe.group(channel, "shipping").takeInAnyOrder(List.of("a", "b"));
    }

    private static void longReason(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        String reason = "größer 🚚\n".repeat(2_000);
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.nextIs("a").deadLetter(reason));
        String kept = told(dead(probe, channel).nextIs("a")).reason();
        probe.that(
                kept.length() >= 900 && kept.length() <= DeadLetter.MAX_REASON_LENGTH && reason.startsWith(kept),
                "of the reason " + kept.length() + " characters were kept");
    }

    private static void dropped(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.nextIs("a").deadLetter("nobody keeps it"));
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void redriven(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        List<String> values = BaseChecks.numbered("m", 6);
        Inbox inbox = probe.inbox(channel);
        for (String value : values) {
            probe.send(channel, Message.<String, String>of("k", value).withHeader("mine", value));
            inbox.settled(inbox.nextIs(value).deadLetter("not today"));
        }
        awaitReady(probe, channel.name() + ".dead", values.size());
        long redriven = probe.administration().redrive(channel.name() + ".dead", null, 100);
        probe.equal("dead letters put back", (long) values.size(), redriven);
        for (int i = 0; i < values.size(); i++) {
            Delivery<byte[], byte[]> delivery = inbox.next("a redriven message");
            probe.equal("the attempt", 1, delivery.attempt());
            probe.equal(
                    "the headers",
                    Map.of("mine", Inbox.value(delivery)),
                    delivery.message().headers());
            inbox.acknowledge(delivery);
        }
        awaitReady(probe, channel.name() + ".dead", 0);
    }

    private static void redrivenInOrder(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()).withOrderedByKey(true));
        List<String> values = BaseChecks.numbered("m", 6);
        values.forEach(value -> probe.sendKeyed(channel, "k", value));
        Inbox inbox = probe.inbox(channel);
        // Where a key's later messages follow a dead one by themselves they don't come any more; else they are given up
        // too.
        probe.await("that all messages of the key are dead letters", () -> {
            inbox.receive(10, Duration.ofMillis(5))
                    .forEach(delivery -> inbox.settled(delivery.deadLetter("not today")));
            return AdministrationChecks.status(probe, channel.name() + ".dead").ready() == values.size();
        });
        probe.equal(
                "dead letters put back",
                (long) values.size(),
                probe.administration().redrive(channel.name() + ".dead", null, 100));
        inbox.nextAre(values);
    }

    private static void followed(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()).withOrderedByKey(true));
        String dead = channel.name() + ".dead";
        probe.sendKeyed(channel, "k", "k0", "k1", "k2");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.nextIs("k0").deadLetter("not today"));
        probe.sendKeyed(channel, "other", "o");
        Delivery<byte[], byte[]> next = inbox.next("a message of a key");
        if ("k1".equals(Inbox.value(next))) {
            Capability order = probe.transport().capabilities().get(Need.ORDER_PER_KEY);
            probe.that(
                    order != null && order.support() == Capability.Support.EMULATED,
                    "k1 came although k0 is a dead letter, and the report does not tell of any limit: " + order);
            return;
        }
        probe.equal("the next message", "o", Inbox.value(next));
        inbox.acknowledge(next);
        probe.sendKeyed(channel, "k", "k3");
        awaitReady(probe, dead, 4);
        probe.equal("dead letters put back", 4L, probe.administration().redrive(dead, null, 100));
        inbox.nextAre("k0", "k1", "k2", "k3");
        probe.sendKeyed(channel, "k", "k4");
        inbox.nextAre("k4");
        awaitReady(probe, dead, 0);
    }

    private static void redrivenInPart(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        probe.send(channel, "a", "b", "c");
        try (Inbox inbox = probe.inbox(channel)) {
            for (int i = 0; i < 3; i++) {
                inbox.settled(inbox.next("a message").deadLetter("not today"));
            }
        }
        awaitReady(probe, channel.name() + ".dead", 3);
        probe.equal("dead letters put back", 2L, probe.administration().redrive(channel.name() + ".dead", null, 2));
        awaitReady(probe, channel.name() + ".dead", 1);
        probe.inbox(channel).take(2);
    }

    /** What the contract leaves open: a transport that does not tell says nothing, and one that tells says what was so. */
    private static void history(Probe probe) {
        Channel channel =
                probe.declare(Probe.withDeadLetters(probe.queue()).withRetry(RetryPolicy.NONE.withMaxAttempts(2)));
        Instant began = Instant.now().minus(Probe.CLOCK_STEP);
        List<Instant> told = new CopyOnWriteArrayList<>();
        probe.listen(channel, ConsumerOptions.DEFAULT, delivery -> {
            Instant first = delivery.firstFailure();
            if (first != null) {
                told.add(first);
            }
            throw new IllegalStateException("the till is closed");
        });
        probe.send(channel, "a");
        DeadLetter letter = told(dead(probe, channel).nextIs("a"));
        String exception = letter.exception();
        Instant first = letter.firstFailure();
        probe.equal("tells the exception", exception == null ? null : IllegalStateException.class.getName(), exception);
        probe.equal("that both or neither are told", exception == null, first == null);
        if (first == null) {
            probe.that(told.isEmpty(), "a delivery tells when it failed first and its dead letter does not");
            return;
        }
        probe.equal("what the second delivery tells of the first failure", List.of(first), told);
        probe.that(
                !first.isBefore(began) && !first.isAfter(letter.time()),
                "the first failure is told to have been at " + first + ", between " + began + " and " + letter.time());
    }

    /** The numbers of three dead letters, a, b and c; or null where the transport gives none. */
    private static @Nullable List<Long> buried(Probe probe, Channel channel) {
        probe.send(channel, "a", "b", "c");
        try (Inbox inbox = probe.inbox(channel)) {
            for (int i = 0; i < 3; i++) {
                inbox.settled(inbox.next("a message").deadLetter("not today"));
            }
        }
        String dead = channel.name() + ".dead";
        awaitReady(probe, dead, 3);
        List<Administration.Browsed> letters = probe.administration().browse(dead, null, -1, 10);
        if (letters.getFirst().number() < 0) {
            probe.refused(
                    "putting back a chosen letter",
                    () -> probe.administration().putBack(dead, List.of(0L)),
                    Reason.IMPOSSIBLE_NEED);
            return null;
        }
        List<Long> numbers = new ArrayList<>();
        for (String value : List.of("a", "b", "c")) {
            for (Administration.Browsed letter : letters) {
                if (Arrays.equals(value.getBytes(UTF_8), letter.message().value())) {
                    numbers.add(letter.number());
                }
            }
        }
        return numbers;
    }

    private static void chosen(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        List<Long> numbers = buried(probe, channel);
        if (numbers == null) {
            return;
        }
        String dead = channel.name() + ".dead";
        List<Long> page = new ArrayList<>();
        for (List<Administration.Browsed> next = probe.administration().browse(dead, null, -1, 2);
                !next.isEmpty();
                next = probe.administration().browse(dead, null, page.getLast(), 2)) {
            next.forEach(letter -> page.add(letter.number()));
        }
        probe.equal("the letters, page by page", new HashSet<>(numbers), new HashSet<>(page));
        probe.equal("how many there are on the pages", numbers.size(), page.size());
        List<Long> two = List.of(numbers.get(2), numbers.get(0));
        probe.equal("chosen letters put back", 2L, probe.administration().putBack(dead, two));
        probe.equal("letters put back that are gone", 0L, probe.administration().putBack(dead, two));
        probe.inbox(channel).takeInAnyOrder(List.of("a", "c"));
        awaitReady(probe, dead, 1);
    }

    private static void edited(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        List<Long> numbers = buried(probe, channel);
        if (numbers == null) {
            return;
        }
        String dead = channel.name() + ".dead";
        Administration.Browsed second = probe.administration().browse(dead, null, -1, 10).stream()
                .filter(letter -> letter.number() == numbers.get(1))
                .findFirst()
                .orElseThrow(() -> new CheckFailed("the letter is gone"));
        Message<byte[], byte[]> mended = second.message()
                .withKeyAndValue(second.message().key(), "mended".getBytes(UTF_8))
                .withHeader("mended", "yes");
        probe.that(probe.administration().putBack(dead, second.number(), mended), "the edited letter stayed");
        probe.that(!probe.administration().putBack(dead, second.number(), mended), "it went back twice");
        Delivery<byte[], byte[]> back = probe.inbox(channel).nextIs("mended");
        probe.equal("the id", second.message().id(), back.message().id());
        probe.equal("the headers", Map.of("mended", "yes"), back.message().headers());
        probe.equal("the attempt", 1, back.attempt());
        awaitReady(probe, dead, 2);
    }

    private static void awaitReady(Probe probe, String channel, long count) {
        probe.await(
                "that " + count + " messages lie on " + channel,
                () -> AdministrationChecks.status(probe, channel).ready() == count);
    }
}
