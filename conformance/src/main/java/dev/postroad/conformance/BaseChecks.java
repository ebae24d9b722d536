package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Receipt;
import dev.postroad.api.Subscription;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Sending, receiving, acknowledging: what every transport does. */
final class BaseChecks {
    private static final int PRODUCERS = 4;
    private static final int MESSAGES_EACH = 100;

    private BaseChecks() {}

    static List<Check> all() {
        return List.of(
                Check.base("what is sent is received", BaseChecks::sendAndReceive),
                Check.base("what is polled and committed does not come again", BaseChecks::pollAndCommit),
                Check.base("what is acknowledged does not come again", BaseChecks::acknowledged),
                Check.base("a batch arrives whole", BaseChecks::batch),
                Check.base("many producers and consumers at once lose and double nothing", BaseChecks::concurrently),
                Check.base("a receipt tells the message's id and channel", BaseChecks::receipt),
                Check.base("keys, headers and properties come back as sent", BaseChecks::fidelity),
                Check.base("values of any bytes come back as sent", BaseChecks::binaryFidelity),
                Check.base("many headers in any script come back as sent", BaseChecks::manyHeaders),
                Check.base("a message without a key has none, and an empty key is one", BaseChecks::keys),
                Check.base("a consumer holds no more than its prefetch", BaseChecks::prefetch),
                Check.base("settling twice is told and changes nothing", BaseChecks::settledTwice),
                Check.base("several deliveries can be acknowledged at once", BaseChecks::bulk),
                Check.base("one consumer receives from several channels", BaseChecks::severalChannels),
                Check.base("an empty channel gives nothing, in time", BaseChecks::empty),
                Check.base("a closed receiver says so", BaseChecks::closedReceiver),
                Check.base("an exclusive consumer is alone, or is refused", BaseChecks::exclusive),
                Check.base("a consumer of higher priority is served first, or is refused", BaseChecks::priority));
    }

    private static void sendAndReceive(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a", "b", "c");
        probe.inbox(channel).takeInAnyOrder(List.of("a", "b", "c"));
    }

    private static void pollAndCommit(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a", "b");
        try (MessageConsumer<String, String> consumer =
                probe.postroad().consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
            consumer.subscribe(List.of(channel.name()));
            List<String> polled = new ArrayList<>();
            probe.await("that both messages were polled", () -> {
                consumer.poll(Duration.ofMillis(50)).forEach(message -> polled.add(String.valueOf(message.value())));
                return polled.size() >= 2;
            });
            consumer.commit();
        }
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void acknowledged(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        int count = 20;
        probe.facts().expect(Criterion.MESSAGE_ACKNOWLEDGMENT, count);
        List<String> values = numbered("m", count);
        values.forEach(value -> probe.send(channel, value));
        try (Inbox first = probe.inbox(channel)) {
            first.takeInAnyOrder(values);
        }
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
        values.forEach(value -> probe.facts().met(Criterion.MESSAGE_ACKNOWLEDGMENT));
    }

    private static void batch(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        List<String> values = numbered("b", 50);
        List<Message<String, String>> batch =
                values.stream().map(value -> Message.<String, String>of(value)).toList();
        probe.producer().sendBatch(channel.name(), batch);
        probe.producer().sendBatch(channel.name(), List.of());
        probe.inbox(channel).takeInAnyOrder(values);
    }

    private static void concurrently(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        int total = PRODUCERS * MESSAGES_EACH;
        probe.facts().expect(Criterion.MESSAGE_ACKNOWLEDGMENT, total);
        Map<String, AtomicInteger> handled = new ConcurrentHashMap<>();
        List<Subscription> subscriptions = new ArrayList<>();
        for (int i = 0; i < PRODUCERS; i++) {
            subscriptions.add(probe.listen(
                    channel,
                    ConsumerOptions.DEFAULT.withConcurrency(4),
                    delivery -> handled.computeIfAbsent(
                                    String.valueOf(delivery.message().value()), value -> new AtomicInteger())
                            .incrementAndGet()));
        }
        List<CompletableFuture<Void>> producers = new ArrayList<>();
        for (int i = 0; i < PRODUCERS; i++) {
            List<String> values = numbered("p" + i + "-", MESSAGES_EACH);
            producers.add(CompletableFuture.runAsync(
                    () -> produce(probe, channel, values),
                    task -> Thread.ofVirtual().start(task)));
        }
        producers.forEach(producer -> probe.await(producer, "a producer's end"));
        probe.await(
                () -> "only " + handled.size() + " of " + total + " messages were handled within " + probe.patience(),
                () -> handled.size() >= total && acknowledged(subscriptions) >= total);
        probe.equal("messages handled", total, handled.size());
        probe.equal(
                "messages handled more than once",
                List.of(),
                handled.entrySet().stream()
                        .filter(entry -> entry.getValue().get() > 1)
                        .map(Map.Entry::getKey)
                        .toList());
        probe.equal("acknowledgements", (long) total, acknowledged(subscriptions));
        handled.forEach((value, times) -> probe.facts().met(Criterion.MESSAGE_ACKNOWLEDGMENT));
    }

    private static long acknowledged(List<Subscription> subscriptions) {
        return subscriptions.stream()
                .mapToLong(subscription -> subscription.counts().acknowledged())
                .sum();
    }

    private static void produce(Probe probe, Channel channel, List<String> values) {
        try (MessageProducer<String, String> producer = probe.postroad().producer(Format.strings())) {
            List<CompletableFuture<Receipt>> sent = new ArrayList<>();
            for (String value : values) {
                sent.add(producer.sendAsync(channel.name(), Message.of(value)));
            }
            sent.forEach(receipt -> probe.await(receipt, "a confirmation"));
        }
    }

    private static void receipt(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Receipt own = probe.send(channel, Message.<String, String>of("k", "v").withId("my-id"));
        probe.equal("the receipt", new Receipt("my-id", channel.name(), -1, -1, false), own);
        Receipt assigned = probe.send(channel, Message.of("k", "v"));
        probe.that(!assigned.messageId().isEmpty(), "a message without an id was confirmed without one");
        Inbox inbox = probe.inbox(channel);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            Delivery<byte[], byte[]> delivery = inbox.next("a message");
            ids.add(String.valueOf(delivery.message().id()));
            probe.equal("the delivery's channel", channel.name(), delivery.channel());
            probe.equal("the delivery's origin", Delivery.Origin.QUEUE, delivery.origin());
            inbox.acknowledge(delivery);
        }
        probe.equal("the ids", Set.of("my-id", assigned.messageId()), Set.copyOf(ids));
    }

    private static void fidelity(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Instant timestamp = Instant.now().minusSeconds(3600).truncatedTo(ChronoUnit.MILLIS);
        Message<String, String> sent = new Message<>(
                "key-7",
                "value",
                Map.of("one", "1", "empty", "", "equals=and;semicolons", "a=b;c,\r\n\t\"d\""),
                timestamp,
                new Message.Properties(
                        "id-1", "OrderCreated", "shop", null, "flow-1", "answers", "text/x-test", "3", 0, null, null));
        probe.send(channel, sent);
        Message<byte[], byte[]> received =
                probe.inbox(channel).next("the message").message();
        probe.equal("the key", "key-7", new String(keyOf(probe, received), java.nio.charset.StandardCharsets.UTF_8));
        probe.equal("the headers", sent.headers(), received.headers());
        probe.equal("the time stamp", timestamp, received.timestamp());
        probe.equal("the properties", sent.properties().withDestination(channel.name()), received.properties());
    }

    private static byte[] keyOf(Probe probe, Message<byte[], byte[]> message) {
        byte[] key = message.key();
        probe.that(key != null, "the key is gone");
        return key == null ? new byte[0] : key;
    }

    private static void binaryFidelity(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        byte[] all = new byte[256];
        for (int i = 0; i < all.length; i++) {
            all[i] = (byte) i;
        }
        byte[] random = new byte[100_000];
        probe.random().nextBytes(random);
        List<byte[]> values = List.of(new byte[0], all, random, new byte[] {-1, -2, -3, 0, 0});
        MessageProducer<byte[], byte[]> producer = probe.open(probe.postroad().producer(Format.bytes()));
        Inbox inbox = probe.inbox(channel);
        for (byte[] value : values) {
            producer.send(channel.name(), Message.of(value, value));
            Delivery<byte[], byte[]> delivery = inbox.next("a value of " + value.length + " bytes");
            probe.equal(
                    "a value of " + value.length + " bytes",
                    value,
                    delivery.message().value());
            probe.equal(
                    "a key of " + value.length + " bytes",
                    value,
                    delivery.message().key());
            inbox.acknowledge(delivery);
        }
    }

    private static void manyHeaders(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = 0; i < 200; i++) {
            headers.put("header-" + i, "value ".repeat(i % 20) + i);
        }
        headers.put("Überschrift-見出し-🏷", "übergroß, 値, 🚚, \u0001");
        headers.put("x".repeat(255), "y".repeat(5_000));
        probe.send(channel, Message.<String, String>of("k", "v").withHeaders(headers));
        probe.equal(
                "the headers",
                headers,
                probe.inbox(channel).next("the message").message().headers());
    }

    private static void keys(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        Inbox inbox = probe.inbox(channel);
        probe.send(channel, "no key");
        Delivery<byte[], byte[]> without = inbox.nextIs("no key");
        probe.equal(
                "the key of a message sent without one", null, without.message().key());
        inbox.acknowledge(without);
        probe.send(channel, Message.of("", "empty key"));
        Delivery<byte[], byte[]> empty = inbox.nextIs("empty key");
        probe.equal("an empty key", new byte[0], empty.message().key());
        inbox.acknowledge(empty);
    }

    private static void prefetch(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        int limit = 5;
        int total = 20;
        numbered("m", total).forEach(value -> probe.send(channel, value));
        Inbox inbox = probe.inbox(channel, ConsumerOptions.DEFAULT.withPrefetch(limit));
        List<Delivery<byte[], byte[]>> held = new ArrayList<>();
        for (int done = 0; done < total; done++) {
            if (held.isEmpty()) {
                held.addAll(inbox.receive(total, probe.patience()));
                probe.that(!held.isEmpty(), "after " + done + " messages of " + total + " no more came");
            } else {
                held.addAll(inbox.receive(total, Duration.ZERO));
            }
            probe.that(held.size() <= limit, held.size() + " messages were held with a prefetch of " + limit);
            inbox.acknowledge(held.removeFirst());
        }
    }

    private static void settledTwice(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        Inbox inbox = probe.inbox(channel);
        Delivery<byte[], byte[]> delivery = inbox.nextIs("a");
        inbox.acknowledge(delivery);
        probe.refusedLater("a second acknowledgement", delivery::acknowledge, Reason.ALREADY_SETTLED);
        probe.refusedLater("a retry after the acknowledgement", delivery::retry, Reason.ALREADY_SETTLED);
        probe.send(channel, "last");
        inbox.nextIs("last");
    }

    private static void bulk(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        List<String> values = numbered("m", 10);
        values.forEach(value -> probe.send(channel, value));
        try (Inbox inbox = probe.inbox(channel)) {
            List<Delivery<byte[], byte[]>> deliveries = new ArrayList<>();
            values.forEach(value -> deliveries.add(inbox.next("a message")));
            inbox.settled(inbox.receiver().acknowledge(deliveries));
        }
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void severalChannels(Probe probe) {
        Channel one = probe.declare(probe.queue());
        Channel two = probe.declare(probe.queue());
        probe.send(one, "1");
        probe.send(two, "2");
        Inbox both = probe.open(new Inbox(
                probe, probe.transport().receive(List.of(one.name(), two.name()), ConsumerOptions.DEFAULT)));
        both.takeInAnyOrder(List.of("1", "2"));
    }

    private static void empty(Probe probe) {
        Inbox inbox = probe.inbox(probe.declare(probe.queue()));
        probe.equal("deliveries", List.of(), inbox.receive(10, Duration.ZERO));
        long start = System.nanoTime();
        probe.equal("deliveries", List.of(), inbox.receive(10, Duration.ofMillis(30)));
        long took = System.nanoTime() - start;
        probe.that(took >= 20_000_000, "a receive with 30 ms of time gave up after " + took / 1_000 + " µs");
    }

    private static void closedReceiver(Probe probe) {
        Inbox inbox = probe.inbox(probe.declare(probe.queue()));
        inbox.close();
        inbox.close();
        probe.refused("receiving after close", () -> inbox.receive(1, Duration.ZERO), Reason.CLOSED);
    }

    private static void exclusive(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        ConsumerOptions alone = ConsumerOptions.DEFAULT.withExclusive(true);
        if (isRefused(probe, channel, alone)) {
            return;
        }
        try (Inbox inbox = probe.inbox(channel, alone)) {
            probe.refused("a consumer beside an exclusive one", () -> probe.inbox(channel), Reason.IN_USE);
            probe.refused("a second exclusive consumer", () -> probe.inbox(channel, alone), Reason.IN_USE);
            probe.send(channel, "a");
            inbox.nextAre("a");
        }
        probe.send(channel, "b");
        probe.inbox(channel).nextAre("b");
    }

    private static void priority(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        ConsumerOptions important = ConsumerOptions.DEFAULT.withPriority(5).withPrefetch(10);
        if (isRefused(probe, channel, important)) {
            return;
        }
        Inbox low = probe.inbox(channel, ConsumerOptions.DEFAULT.withPrefetch(10));
        Inbox high = probe.inbox(channel, important);
        List<String> values = numbered("m", 10);
        values.forEach(value -> probe.send(channel, value));
        probe.equal("what came to the consumer of lower priority", List.of(), low.receive(10, Duration.ZERO));
        high.takeInAnyOrder(values);
    }

    /** True if the transport refuses the options by saying that it can't, which is honest too. */
    private static boolean isRefused(Probe probe, Channel channel, ConsumerOptions options) {
        try (Inbox inbox = probe.inbox(channel, options)) {
            return inbox == null;
        } catch (dev.postroad.api.MessagingException e) {
            probe.equal("the reason", Reason.IMPOSSIBLE_NEED, e.reason());
            return true;
        }
    }

    static List<String> numbered(String prefix, int count) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(prefix + i);
        }
        return values;
    }
}
