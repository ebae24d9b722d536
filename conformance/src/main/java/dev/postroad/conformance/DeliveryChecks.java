package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** What becomes of deliveries: shared, redelivered, counted, retried, leased. */
final class DeliveryChecks {
    private DeliveryChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(
                        Need.COMPETING_CONSUMERS,
                        "each message of a queue goes to one of its consumers",
                        DeliveryChecks::competing),
                Check.of(
                        Need.REDELIVERY,
                        "what a closed consumer held is delivered to another",
                        DeliveryChecks::redeliveredAfterClose),
                Check.of(
                        Need.REDELIVERY,
                        "what was polled and not committed is delivered to another",
                        DeliveryChecks::redeliveredUncommitted),
                Check.of(
                                Need.REDELIVERY,
                                "what a closed member of a group held goes to the group again",
                                DeliveryChecks::redeliveredToGroup)
                        .using(Need.GROUPS, Need.REPLAY),
                Check.of(Need.REDELIVERY, "what was held when the connection closed comes again", SurvivalChecks::held)
                        .reopening(),
                Check.of(Need.DELIVERY_COUNT, "each delivery of a message counts one more", DeliveryChecks::counted),
                Check.of(
                        Need.DELIVERY_COUNT,
                        "what is given back untouched comes again and has lost no attempt",
                        probe -> givenBack(probe, probe.queue())),
                Check.of(
                                Need.DELIVERY_COUNT,
                                "where order per key is kept too, what is given back untouched has lost no attempt",
                                probe -> givenBack(probe, probe.queue().withOrderedByKey(true)))
                        .using(Need.ORDER_PER_KEY),
                Check.of(
                        Need.DELIVERY_COUNT,
                        "what a subscription has not begun when it closes has lost no attempt",
                        DeliveryChecks::notBegun),
                Check.of(Need.DELIVERY_COUNT, "the count of deliveries survives a reopen", SurvivalChecks::count)
                        .using(Need.DURABLE, Need.REDELIVERY)
                        .reopening(),
                Check.of(Need.RETRY_DELAY, "a retry comes no earlier than it was asked for", DeliveryChecks::retried)
                        .using(Need.DELIVERY_COUNT),
                Check.of(Need.RETRY_DELAY, "what waits for its retry holds up nothing else", DeliveryChecks::passed)
                        .using(Need.DELIVERY_COUNT),
                Check.of(Need.RETRY_DELAY, "a handler's failures back off as the policy says", DeliveryChecks::backoff)
                        .using(Need.DELIVERY_COUNT),
                Check.of(Need.LEASE, "what is not settled within its lease goes to another", DeliveryChecks::leased),
                Check.of(Need.LEASE, "extending a lease keeps the delivery", DeliveryChecks::extended));
    }

    private static void competing(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        int total = 120;
        int consumers = 3;
        List<Inbox> inboxes = new ArrayList<>();
        for (int i = 0; i < consumers; i++) {
            inboxes.add(probe.inbox(channel, ConsumerOptions.DEFAULT.withPrefetch(10)));
        }
        BaseChecks.numbered("m", total).forEach(value -> probe.send(channel, value));
        List<String> taken = new ArrayList<>();
        probe.await(() -> "of " + total + " messages only " + taken.size() + " came", () -> {
            for (Inbox inbox : inboxes) {
                for (Delivery<byte[], byte[]> delivery : inbox.receive(10, Duration.ofMillis(1))) {
                    taken.add(Inbox.value(delivery));
                    inbox.acknowledge(delivery);
                }
            }
            return taken.size() >= total;
        });
        probe.equal("different messages", total, new HashSet<>(taken).size());
        probe.equal("messages", total, taken.size());
        probe.send(channel, "last");
        probe.await("that only the last message was left", () -> {
            for (Inbox inbox : inboxes) {
                for (Delivery<byte[], byte[]> delivery : inbox.receive(10, Duration.ofMillis(1))) {
                    probe.equal("the next message", "last", Inbox.value(delivery));
                    return true;
                }
            }
            return false;
        });
    }

    private static void redeliveredAfterClose(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        List<String> values = BaseChecks.numbered("m", 10);
        values.forEach(value -> probe.send(channel, value));
        try (Inbox dying = probe.inbox(channel)) {
            values.forEach(value -> dying.next("a message"));
        }
        probe.inbox(channel).takeInAnyOrder(values);
    }

    private static void redeliveredUncommitted(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        try (MessageConsumer<String, String> dying =
                probe.postroad().consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
            dying.subscribe(List.of(channel.name()));
            probe.await(
                    "that the message was polled",
                    () -> !dying.poll(Duration.ofMillis(50)).isEmpty());
        }
        probe.inbox(channel).nextAre("a");
    }

    private static void redeliveredToGroup(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b", "c");
        try (Inbox dying = probe.group(channel, "g")) {
            dying.acknowledge(dying.nextIs("a"));
            dying.nextIs("b");
            dying.nextIs("c");
        }
        probe.group(channel, "g").takeInAnyOrder(List.of("b", "c"));
    }

    private static void counted(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        for (int attempt = 1; attempt <= 5; attempt++) {
            try (Inbox inbox = probe.inbox(channel)) {
                Delivery<byte[], byte[]> delivery = inbox.nextIs("a");
                probe.equal("the attempt", attempt, delivery.attempt());
                if (attempt % 2 == 1) {
                    inbox.settled(delivery.retry());
                }
            }
        }
    }

    private static void givenBack(Probe probe, Channel like) {
        Channel channel = probe.declare(like.withRetry(RetryPolicy.NONE.withMaxAttempts(3)));
        Inbox inbox = probe.inbox(channel);
        probe.send(channel, "a");
        for (int i = 0; i < 5; i++) {
            Delivery<byte[], byte[]> delivery = inbox.nextIs("a");
            probe.equal("the attempt", 1, delivery.attempt());
            inbox.settled(delivery.giveBack());
            probe.refusedLater("settling what was given back", delivery::acknowledge, Reason.ALREADY_SETTLED);
        }
        inbox.settled(inbox.nextIs("a").retry());
        Delivery<byte[], byte[]> second = inbox.nextIs("a");
        probe.equal("the attempt after one that failed", 2, second.attempt());
        inbox.acknowledge(second);
    }

    private static void notBegun(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        List<String> values = BaseChecks.numbered("m", 5);
        CountDownLatch begun = new CountDownLatch(1);
        Subscription subscription =
                probe.listen(channel, ConsumerOptions.DEFAULT.withConcurrency(1).withPrefetch(10), delivery -> {
                    begun.countDown();
                    while (!delivery.closing()) {
                        LockSupport.parkNanos(1_000_000);
                    }
                    throw new InterruptedException("a handler that waits for better times ends");
                });
        values.forEach(value -> probe.send(channel, value));
        probe.await("that a handler begins", () -> begun.getCount() == 0);
        subscription.close();
        Inbox inbox = probe.inbox(channel);
        List<String> came = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            Delivery<byte[], byte[]> delivery = inbox.next("a message");
            probe.equal("the attempt", 1, delivery.attempt());
            came.add(Inbox.value(delivery));
            inbox.acknowledge(delivery);
        }
        probe.equal("the messages", values, came.stream().sorted().toList());
    }

    private static void retried(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Duration delay = Duration.ofMillis(150);
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        Delivery<byte[], byte[]> first = inbox.nextIs("a");
        Instant asked = Instant.now();
        inbox.settled(first.retry(delay));
        Delivery<byte[], byte[]> second = inbox.nextIs("a");
        Duration waited = Duration.between(asked, Instant.now());
        probe.that(
                waited.plus(Probe.CLOCK_STEP).compareTo(delay) >= 0,
                "a retry after " + delay + " came after " + waited);
        inbox.acknowledge(second);
    }

    private static void passed(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Inbox inbox = probe.inbox(channel);
        probe.send(channel, "failing");
        inbox.settled(inbox.nextIs("failing").retry(Duration.ofHours(1)));
        probe.send(channel, "b", "c");
        inbox.takeInAnyOrder(List.of("b", "c"));
    }

    private static void backoff(Probe probe) {
        RetryPolicy policy = new RetryPolicy(4, Duration.ofMillis(30), Duration.ofMillis(100), 2, 0);
        Channel channel = probe.declare(probe.queue().withRetry(policy));
        List<String> values = BaseChecks.numbered("m", 5);
        probe.facts().expect(Criterion.ERROR_RETRY, (long) values.size() * (policy.maxAttempts() - 1));
        Map<String, Instant> failedAt = new ConcurrentHashMap<>();
        List<String> wrong = new ArrayList<>();
        Subscription subscription = probe.listen(channel, ConsumerOptions.DEFAULT.withConcurrency(5), delivery -> {
            Instant now = Instant.now();
            String value = String.valueOf(delivery.message().value());
            int attempt = delivery.attempt();
            Instant before = failedAt.get(value);
            if (before != null) {
                Duration expected = policy.delayAfter(attempt - 1, 0);
                Duration waited = Duration.between(before, now);
                if (attempt > 1 && waited.plus(Probe.CLOCK_STEP).compareTo(expected) >= 0) {
                    probe.facts().met(Criterion.ERROR_RETRY);
                } else {
                    synchronized (wrong) {
                        wrong.add("attempt " + attempt + " of " + value + " came after " + waited + " in place of "
                                + expected);
                    }
                }
            }
            if (attempt < policy.maxAttempts()) {
                failedAt.put(value, Instant.now());
                throw new IllegalStateException("a failure that the check plans");
            }
        });
        values.forEach(value -> probe.producer().send(channel.name(), Message.of(value)));
        probe.await(
                () -> "at the fourth attempt of " + values.size() + " messages " + subscription.counts(),
                () -> subscription.counts().acknowledged() == values.size());
        synchronized (wrong) {
            probe.equal("retries that came too early", List.of(), wrong);
        }
    }

    private static void leased(Probe probe) {
        Duration lease = Duration.ofMillis(200);
        Channel channel = probe.declare(probe.queue().withLease(lease));
        probe.send(channel, "a");
        Inbox slow = probe.inbox(channel);
        Instant before = Instant.now();
        Delivery<byte[], byte[]> lost = slow.nextIs("a");
        Inbox other = probe.inbox(channel);
        Delivery<byte[], byte[]> again = other.nextIs("a");
        Duration kept = Duration.between(before, Instant.now());
        probe.that(kept.plus(Probe.CLOCK_STEP).compareTo(lease) >= 0, "a lease of " + lease + " held for " + kept);
        probe.refusedLater("acknowledging what another consumer has", lost::acknowledge, Reason.LEASE_LOST);
        other.acknowledge(again);
    }

    private static void extended(Probe probe) {
        Channel channel = probe.declare(probe.queue().withLease(Duration.ofMillis(300)));
        probe.send(channel, "kept", "lost");
        Inbox slow = probe.inbox(channel);
        Set<String> came = new HashSet<>();
        List<Delivery<byte[], byte[]>> held = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Delivery<byte[], byte[]> delivery = slow.next("a message");
            came.add(Inbox.value(delivery));
            if (Inbox.value(delivery).equals("kept")) {
                slow.settled(delivery.extend(Duration.ofMinutes(10)));
                held.add(delivery);
            }
        }
        probe.equal("the messages", Set.of("kept", "lost"), came);
        Inbox other = probe.inbox(channel);
        other.nextAre("lost");
        probe.send(channel, "last");
        other.nextAre("last");
        slow.acknowledge(held.getFirst());
    }
}
