package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What must be refused, by every transport. Tried at the transport itself, below the checks of the contract's own. */
final class BadInputChecks {
    private BadInputChecks() {}

    static List<Check> all() {
        return List.of(
                Check.base("a declared channel is found as it was declared", BadInputChecks::found),
                Check.base(
                        "declaring a channel again is fine, otherwise is refused", BadInputChecks::declaredOtherwise),
                Check.base("names in any script, with blanks and slashes, are taken", BadInputChecks::names),
                Check.base("sending to an unknown channel is refused", BadInputChecks::unknownSend),
                Check.base("receiving from an unknown channel is refused", BadInputChecks::unknownReceive),
                Check.base("a value over the channel's limit is refused and leaves nothing", BadInputChecks::tooLarge),
                Check.base("a value of exactly the channel's limit is taken", BadInputChecks::exactlyLargest));
    }

    private static void found(Probe probe) {
        Channel channel = probe.declare(probe.queue().withPrefetch(7).withMaxMessageBytes(12_345));
        probe.equal("the channel", Optional.of(channel), probe.transport().find(channel.name()));
        probe.equal(
                "a channel that is not there",
                Optional.empty(),
                probe.transport().find(probe.name()));
    }

    private static void declaredOtherwise(Probe probe) {
        Channel channel = probe.declare(probe.queue().withPrefetch(7));
        probe.transport().declare(channel);
        MessagingException refused = probe.refused(
                "declaring the channel with another prefetch",
                () -> probe.transport().declare(channel.withPrefetch(8)),
                Reason.CHANNEL_MISMATCH);
        String message = String.valueOf(refused.getMessage());
        probe.that(
                message.contains(channel.name()) && message.contains("prefetch"),
                "the refusal does not name the channel and the setting that differs: " + message);
        probe.equal("the channel", Optional.of(channel), probe.transport().find(channel.name()));
    }

    private static void names(Probe probe) {
        for (String odd : List.of("Bestellungen übergroß", "注文/東京 🚚", "a.b#c*d+e", "%20&?=\"'\\", "..")) {
            String name = probe.name() + "-" + odd;
            Channel template = probe.queue();
            Channel channel = new Channel(
                    name,
                    template.kind(),
                    template.durability(),
                    template.orderedByKey(),
                    template.retry(),
                    null,
                    null,
                    null,
                    32,
                    null,
                    1,
                    null,
                    null,
                    template.overflow(),
                    1,
                    null,
                    false,
                    1_000,
                    false,
                    null);
            probe.declare(channel);
            probe.send(channel, odd);
            probe.inbox(channel).nextAre(odd);
            probe.equal("the channel", Optional.of(channel), probe.transport().find(name));
        }
    }

    private static void unknownSend(Probe probe) {
        String unknown = probe.name();
        probe.refused(
                "sending to a channel that was not declared",
                () -> probe.producer().send(unknown, Message.of("v")),
                Reason.NOT_FOUND);
        probe.refusedLater(
                "sending to a channel that was not declared",
                () -> probe.transport().send(unknown, bytes("v")),
                Reason.NOT_FOUND);
    }

    private static void unknownReceive(Probe probe) {
        String unknown = probe.name();
        probe.refused(
                "receiving from a channel that was not declared",
                () -> probe.transport()
                        .receive(List.of(unknown), ConsumerOptions.DEFAULT)
                        .close(),
                Reason.NOT_FOUND);
    }

    private static void tooLarge(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessageBytes(100));
        probe.refusedLater(
                "a value of 101 bytes",
                () -> probe.transport().send(channel.name(), bytes("x".repeat(101))),
                Reason.TOO_LARGE);
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void exactlyLargest(Probe probe) {
        Channel channel = probe.declare(probe.queue().withMaxMessageBytes(100));
        probe.send(channel, "x".repeat(100));
        probe.inbox(channel).nextAre("x".repeat(100));
    }

    static Message<byte[], byte[]> bytes(String value) {
        return new Message<>(
                null,
                value.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                Map.of(),
                Instant.now(),
                Message.Properties.NONE.withId("raw-" + value.length() + "-" + System.nanoTime()));
    }
}
