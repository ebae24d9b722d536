package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Durability;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.RetryPolicy;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** What a transport says it can't do, it must refuse: promising less and doing something is no better than the reverse. */
final class ImpossibleChecks {
    private ImpossibleChecks() {}

    static Check refusalOf(Need need) {
        String asked = switch (need) {
            case ATOMIC_BATCH -> "asking for it is not possible, so that there is nothing to refuse";
            case TRANSACTIONS -> "beginning a transaction is refused";
            case FILTER -> "a consumer with a filter is refused";
            case BROWSE -> "browsing is refused";
            case REDRIVE -> "redriving dead letters is refused";
            case DELAY -> "a message with a time of delivery is refused";
            default -> "a channel that needs it is refused";
        };
        return new Check(
                need + " is impossible: " + asked, need, Set.of(), false, false, probe -> refused(probe, need));
    }

    /** That asking for more time than a need reaches is refused, where that can be asked for. */
    static Optional<Check> refusalBeyond(Need need, Duration upTo) {
        Duration more = upTo.plusMillis(1_000);
        String sentence = need + " beyond " + upTo + " is refused";
        return switch (need) {
            case LEASE ->
                Optional.of(Check.of(
                        need, sentence, probe -> declaring(probe, probe.queue().withLease(more))));
            case TTL ->
                Optional.of(Check.of(
                        need, sentence, probe -> declaring(probe, probe.queue().withTtl(more))));
            case DEDUP ->
                Optional.of(Check.of(
                        need, sentence, probe -> declaring(probe, probe.queue().withDedupWindow(more))));
            case RETRY_DELAY ->
                Optional.of(Check.of(
                        need, sentence, probe -> declaring(probe, probe.queue().withRetry(waiting(more)))));
            case DELAY -> Optional.of(Check.of(need, sentence, probe -> delaying(probe, more)));
            default -> Optional.empty();
        };
    }

    private static void refused(Probe probe, Need need) {
        Channel queue = probe.queue();
        switch (need) {
            case ATOMIC_BATCH -> {}
            case DURABLE -> declaring(probe, queue.withDurability(Durability.DURABLE));
            case COMPETING_CONSUMERS, REDELIVERY -> declaring(probe, queue);
            case GROUPS, REPLAY -> declaring(probe, probe.stream());
            case ORDER_PER_KEY -> declaring(probe, queue.withOrderedByKey(true));
            case DELIVERY_COUNT -> declaring(probe, queue.withRetry(RetryPolicy.NONE.withMaxAttempts(2)));
            case RETRY_DELAY -> declaring(probe, queue.withRetry(waiting(Duration.ofSeconds(1))));
            case DEAD_LETTER -> declaring(probe, Probe.withDeadLetters(queue));
            case LEASE -> declaring(probe, queue.withLease(Duration.ofSeconds(10)));
            case PRIORITY -> declaring(probe, queue.withPriorities(10));
            case TTL -> declaring(probe, queue.withTtl(Duration.ofSeconds(10)));
            case DEDUP -> declaring(probe, queue.withDedupWindow(Duration.ofSeconds(10)));
            case MAX_LENGTH -> declaring(probe, queue.withMaxMessages(10L));
            case COMPACTION -> declaring(probe, probe.stream().withCompacted(true));
            case REQUEST_REPLY -> declaring(probe, Channel.request(probe.name()));
            case LARGE_MESSAGES -> declaring(probe, queue.withMaxMessageBytes(Channel.MAX_MESSAGE_BYTES));
            case DELAY -> delaying(probe, Duration.ofSeconds(10));
            case TRANSACTIONS -> {
                probe.refused(
                        "beginning a transaction",
                        () -> probe.postroad().begin(Format.bytes()).close(),
                        Reason.IMPOSSIBLE_NEED);
            }
            case FILTER -> {
                Channel channel = probe.declare(queue);
                probe.refused(
                        "a consumer with a filter",
                        () -> probe.postroad()
                                .listen(
                                        channel.name(),
                                        Format.bytes(),
                                        ConsumerOptions.DEFAULT.withFilter("region = 'eu'"),
                                        delivery -> {})
                                .close(),
                        Reason.IMPOSSIBLE_NEED);
            }
            case BROWSE -> {
                Channel channel = probe.declare(queue);
                probe.refused(
                        "browsing",
                        () -> probe.administration().browse(channel.name(), null, 1),
                        Reason.IMPOSSIBLE_NEED);
            }
            case REDRIVE -> {
                Channel channel = probe.declare(queue);
                probe.refused(
                        "redriving",
                        () -> probe.administration().redrive(channel.name(), null, 1),
                        Reason.IMPOSSIBLE_NEED);
            }
        }
    }

    private static RetryPolicy waiting(Duration delay) {
        return new RetryPolicy(2, delay, delay, 1, 0);
    }

    private static void declaring(Probe probe, Channel channel) {
        probe.refused("declaring " + channel, () -> probe.declare(channel), Reason.IMPOSSIBLE_NEED);
        probe.that(
                probe.transport().find(channel.name()).isEmpty(), "a channel that was refused is there all the same");
    }

    private static void delaying(Probe probe, Duration delay) {
        Channel channel = probe.declare(probe.queue());
        Message<String, String> message = Message.<String, String>of("k", "v").withDelay(delay);
        probe.refused(
                "a delay of " + delay, () -> probe.producer().send(channel.name(), message), Reason.IMPOSSIBLE_NEED);
    }
}
