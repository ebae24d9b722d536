package dev.postroad.patterns.routing;

import dev.postroad.api.Capability;
import dev.postroad.api.Capability.Support;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transaction;
import dev.postroad.patterns.hold.Hold;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * Passes deliveries on to other channels of their connection, and loses none: with a transaction where there are any, and
 * else by sending first and acknowledging afterwards. A channel that refuses for now is tried again with the delivery in
 * hand, so that a full channel slows its source down and makes no dead letters.
 */
final class Passage<K, V> {
    private static final System.Logger LOG = System.getLogger(Passage.class.getName());
    private static final RetryPolicy PAUSES =
            new RetryPolicy(1_000_000, Duration.ofMillis(20), Duration.ofHours(1), 2.0, 0.5);
    private static final Duration LEASE = Duration.ofMinutes(1);

    /** A message on its way. */
    record Outgoing<K, V>(String channel, Message<K, V> message) {
        /** The same message to each of these. */
        static <K, V> List<Outgoing<K, V>> toEach(Set<String> channels, Message<K, V> message) {
            return channels.stream()
                    .map(channel -> new Outgoing<>(channel, message))
                    .toList();
        }
    }

    private final Postroad postroad;
    private final Format<K, V> format;
    private final MessageProducer<K, V> producer;
    private final Duration maxPause;
    private final boolean transactions;
    private final AtomicLong refused = new AtomicLong();

    Passage(Postroad postroad, Format<K, V> format, Duration maxPause) {
        this.postroad = postroad;
        this.format = format;
        this.producer = postroad.producer(format);
        this.maxPause = maxPause;
        Capability capability = postroad.transport().capabilities().get(Need.TRANSACTIONS);
        this.transactions = capability != null && capability.support() != Support.IMPOSSIBLE;
    }

    /** Returns once all of these are in their channels; the delivery is then acknowledged, or left to the subscription. */
    void pass(Delivery<?, ?> delivery, List<Outgoing<K, V>> outgoing) throws InterruptedException {
        Hold hold = new Hold(delivery, LEASE);
        boolean unknown = false;
        for (int tries = 1; ; tries++) {
            try {
                tryToPass(delivery, outgoing);
                return;
            } catch (MessagingException e) {
                if (unknown && e.reason() == Reason.ALREADY_SETTLED) {
                    // The try before, which ended without an answer, had taken effect.
                    return;
                }
                unknown |= e.reason() == Reason.TIMEOUT || e.reason() == Reason.UNREACHABLE;
                refused.incrementAndGet();
                if (e.reason() == Reason.LEASE_LOST || e.reason() == Reason.CLOSED) {
                    throw e;
                }
                if (!e.reason().repeatable() && keepsDeadLetters(delivery.channel())) {
                    throw new Handler.DeadLetterException(
                            "it could not be passed on to " + channels(outgoing) + ": " + e.getMessage());
                }
                if (tries == 1) {
                    LOG.log(
                            Level.WARNING,
                            "message " + delivery.message().id() + " of channel " + delivery.channel()
                                    + " could not be passed on to " + channels(outgoing) + " and is tried again: "
                                    + e.getMessage());
                }
                hold.pause(pauseAfter(tries));
            }
        }
    }

    private void tryToPass(Delivery<?, ?> delivery, List<Outgoing<K, V>> outgoing) {
        if (!transactions) {
            for (Outgoing<K, V> one : outgoing) {
                producer.send(one.channel(), one.message());
            }
            return;
        }
        try (Transaction<K, V> transaction = postroad.begin(format)) {
            for (Outgoing<K, V> one : outgoing) {
                transaction.send(one.channel(), one.message());
            }
            transaction.acknowledge(delivery);
            transaction.commit();
        }
    }

    private static <K, V> Set<String> channels(List<Outgoing<K, V>> outgoing) {
        return outgoing.stream().map(Outgoing::channel).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Where no dead letters are kept, giving a message up would lose it. */
    private boolean keepsDeadLetters(String channel) {
        return postroad.find(channel)
                .filter(declared -> declared.deadLetter() != null)
                .isPresent();
    }

    private Duration pauseAfter(int tries) {
        Duration pause = PAUSES.delayAfter(tries, ThreadLocalRandom.current().nextDouble());
        return pause.compareTo(maxPause) < 0 ? pause : maxPause;
    }

    long refused() {
        return refused.get();
    }
}
