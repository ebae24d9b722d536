package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Need;
import dev.postroad.api.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What is still so after the connection was closed, or the broker killed, and opened again. */
final class SurvivalChecks {
    private SurvivalChecks() {}

    static List<Check> all() {
        return List.of(
                survives("confirmed messages survive a reopen, whole and once", SurvivalChecks::messages),
                survives("declared channels survive a reopen", SurvivalChecks::channels),
                survives("what was acknowledged does not come again after a reopen", SurvivalChecks::acknowledged),
                survives("the position of a group survives a reopen", SurvivalChecks::positions)
                        .using(Need.GROUPS, Need.REPLAY),
                survives("a delayed message keeps its time over a reopen", SurvivalChecks::delayed)
                        .using(Need.DELAY));
    }

    private static Check survives(String sentence, Check.Body body) {
        return Check.of(Need.DURABLE, sentence, body).reopening();
    }

    private static void messages(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        List<String> values = BaseChecks.numbered("m", 50);
        values.forEach(value -> probe.send(channel, value));
        probe.reopen();
        Inbox inbox = probe.inbox(channel);
        inbox.takeInAnyOrder(values);
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void channels(Probe probe) {
        boolean buries = probe.can(Need.DEAD_LETTER);
        Channel plain = probe.queue().withPrefetch(7);
        Channel queue = probe.declare(buries ? Probe.withDeadLetters(plain) : plain);
        probe.reopen();
        probe.equal("the channel", Optional.of(queue), probe.transport().find(queue.name()));
        probe.that(
                !buries || probe.transport().find(queue.name() + ".dead").isPresent(),
                "the dead-letter channel is gone");
        probe.transport().declare(queue);
    }

    private static void acknowledged(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a", "b");
        probe.inbox(channel).takeInAnyOrder(List.of("a", "b"));
        probe.send(channel, "c");
        probe.reopen();
        Inbox inbox = probe.inbox(channel);
        inbox.nextAre("c");
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void positions(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b", "c");
        probe.inbox(channel, ConsumerOptions.DEFAULT.withGroup("g").withPrefetch(1))
                .nextAre("a", "b");
        probe.reopen();
        probe.group(channel, "g").nextAre("c");
        probe.group(channel, "other").takeInAnyOrder(List.of("a", "b", "c"));
    }

    private static void delayed(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Instant time = Instant.now().plusMillis(700);
        probe.send(channel, Message.<String, String>of("k", "later").withDeliverAt(time));
        probe.reopen();
        Inbox inbox = probe.inbox(channel);
        inbox.nextAre("later");
        Instant came = Instant.now();
        probe.that(!came.plus(Probe.CLOCK_STEP).isBefore(time), "a message for " + time + " came at " + came);
    }

    // Those that prove other needs, listed with them.

    static void held(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        probe.inbox(channel).nextIs("a");
        probe.reopen();
        probe.inbox(channel).nextAre("a");
    }

    static void count(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.nextIs("a").retry());
        Delivery<byte[], byte[]> second = inbox.nextIs("a");
        inbox.settled(second.retry());
        probe.reopen();
        int attempt = probe.inbox(channel).nextIs("a").attempt();
        // A delivery that was on its way to the closed consumer may have counted.
        probe.that(attempt == 3 || attempt == 4, "after two failed attempts and a reopen this is attempt " + attempt);
    }

    static void deadLetters(Probe probe) {
        Channel channel = probe.declare(Probe.withDeadLetters(probe.queue()));
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        inbox.settled(inbox.nextIs("a").deadLetter("to be remembered"));
        probe.reopen();
        Inbox dead = probe.open(new Inbox(
                probe, probe.transport().receive(List.of(channel.name() + ".dead"), ConsumerOptions.DEFAULT)));
        String reason = DeadLetter.of(dead.nextIs("a").message())
                .map(DeadLetter::reason)
                .orElse("(none)");
        probe.equal("the reason", "to be remembered", reason);
    }

    static void dedupWindow(Probe probe) {
        Channel channel = probe.declare(probe.queue().withDedupWindow(Duration.ofMinutes(10)));
        Message<String, String> message = Message.<String, String>of("k", "a").withId("once");
        probe.send(channel, message);
        probe.inbox(channel).nextAre("a");
        probe.reopen();
        probe.that(probe.send(channel, message).duplicate(), "the repetition of an id was not known after a reopen");
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    static void transaction(Probe probe) {
        Channel in = probe.declare(probe.queue());
        Channel out = probe.declare(probe.queue());
        probe.send(in, "a");
        Inbox inbox = probe.inbox(in);
        try (Transaction<String, String> transaction = probe.postroad().begin(Format.strings())) {
            transaction.acknowledge(inbox.nextIs("a"));
            transaction.send(out.name(), Message.of("b"));
            transaction.commit();
        }
        probe.reopen();
        probe.inbox(out).nextAre("b");
        probe.send(in, "last");
        probe.inbox(in).nextIs("last");
    }
}
