package dev.postroad.conformance;

import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.ConsumerOptions.Start;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Groups, replay and compaction of streams. */
final class StreamChecks {
    private StreamChecks() {}

    static List<Check> all() {
        return List.of(
                stream(Need.GROUPS, "each group receives every message", StreamChecks::everyGroup),
                stream(Need.GROUPS, "a group that comes late receives from the earliest on", StreamChecks::lateGroup),
                stream(Need.GROUPS, "the consumers of one group share its messages", StreamChecks::sharedGroup),
                stream(Need.GROUPS, "a group goes on where it was", StreamChecks::goesOn),
                stream(Need.GROUPS, "a receipt and a delivery tell partition and offset", StreamChecks::offsets),
                stream(Need.GROUPS, "the messages of a partition come in order", StreamChecks::inOrder),
                stream(Need.REPLAY, "a stream can be read alone from the earliest message", StreamChecks::earliest),
                stream(Need.REPLAY, "a stream can be read from an offset", StreamChecks::fromOffset),
                stream(Need.REPLAY, "a stream can be read from a time", StreamChecks::fromTimestamp),
                stream(Need.REPLAY, "a stream can be read from what comes next", StreamChecks::fromLatest),
                stream(Need.REPLAY, "a new group can begin at an offset", StreamChecks::groupFromOffset),
                stream(Need.COMPACTION, "the last message of each key is kept", StreamChecks::compacted));
    }

    /** Streams have groups and can be read again: one without the other can't be declared. */
    private static Check stream(Need need, String sentence, Check.Body body) {
        return Check.of(need, sentence, body)
                .using(EnumSet.complementOf(EnumSet.of(need)).stream()
                        .filter(other -> other == Need.GROUPS || other == Need.REPLAY)
                        .toArray(Need[]::new));
    }

    private static void everyGroup(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        Inbox one = probe.group(channel, "one");
        Inbox two = probe.group(channel, "two");
        List<String> values = BaseChecks.numbered("m", 20);
        values.forEach(value -> probe.send(channel, value));
        one.takeInAnyOrder(values);
        two.takeInAnyOrder(values);
        probe.send(channel, "last");
        one.nextAre("last");
        two.nextAre("last");
    }

    private static void lateGroup(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b");
        probe.group(channel, "early").takeInAnyOrder(List.of("a", "b"));
        probe.group(channel, "late").takeInAnyOrder(List.of("a", "b"));
    }

    private static void sharedGroup(Probe probe) {
        Channel channel = probe.declare(probe.stream().withPartitions(4));
        List<Inbox> members = List.of(probe.group(channel, "g"), probe.group(channel, "g"));
        int total = 60;
        for (int i = 0; i < total; i++) {
            probe.sendKeyed(channel, "key-" + i % 8, "m" + i);
        }
        List<String> taken = new ArrayList<>();
        probe.await(() -> "of " + total + " messages only " + taken.size() + " came", () -> {
            for (Inbox member : members) {
                for (Delivery<byte[], byte[]> delivery : member.receive(10, Duration.ofMillis(1))) {
                    taken.add(Inbox.value(delivery));
                    member.acknowledge(delivery);
                }
            }
            return taken.size() >= total;
        });
        probe.equal(
                "the messages, sorted",
                BaseChecks.numbered("m", total).stream().sorted().toList(),
                taken.stream().sorted().toList());
    }

    private static void goesOn(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b", "c");
        try (Inbox first =
                probe.inbox(channel, ConsumerOptions.DEFAULT.withGroup("g").withPrefetch(1))) {
            first.nextAre("a", "b");
        }
        probe.send(channel, "d");
        probe.group(channel, "g").takeInAnyOrder(List.of("c", "d"));
    }

    private static void offsets(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        Receipt first = probe.send(channel, Message.of("k", "a"));
        Receipt second = probe.send(channel, Message.of("k", "b"));
        probe.equal("the partition", 0, first.partition());
        List<Long> offsets = offsets(probe, channel, List.of(first, second));
        probe.that(offsets.get(0) >= 0, "the offset of the first message is " + offsets.get(0));
        probe.that(offsets.get(1) > offsets.get(0), "offsets " + offsets.get(0) + ", then " + offsets.get(1));
        Inbox inbox = probe.group(channel, "g");
        for (long offset : offsets) {
            Delivery<byte[], byte[]> delivery = inbox.next("a message");
            probe.equal("the origin", new Delivery.Origin(0, offset, "g"), delivery.origin());
            inbox.acknowledge(delivery);
        }
    }

    /** Where these messages lie: as their receipts tell, or, where the transport emulates groups and they don't, as it is read. */
    private static List<Long> offsets(Probe probe, Channel channel, List<Receipt> receipts) {
        Capability groups = probe.transport().capabilities().get(Need.GROUPS);
        boolean told = receipts.stream().allMatch(receipt -> receipt.offset() >= 0);
        if (told || groups == null || groups.support() == Capability.Support.NATIVE) {
            return receipts.stream().map(Receipt::offset).toList();
        }
        List<Long> offsets = new ArrayList<>();
        try (Inbox alone = alone(probe, channel, new Start.Earliest())) {
            for (Receipt receipt : receipts) {
                Delivery<byte[], byte[]> delivery = alone.next("a message");
                probe.equal(
                        "the message", receipt.messageId(), delivery.message().id());
                offsets.add(delivery.origin().offset());
            }
        }
        return offsets;
    }

    private static void inOrder(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        List<String> values = BaseChecks.numbered("m", 100);
        values.forEach(value -> probe.producer().sendAsync(channel.name(), Message.of("k", value)));
        probe.group(channel, "g").nextAre(values);
    }

    private static Inbox alone(Probe probe, Channel channel, Start start) {
        return probe.inbox(channel, ConsumerOptions.DEFAULT.withStart(start));
    }

    private static void earliest(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b", "c");
        for (int i = 0; i < 2; i++) {
            try (Inbox alone = alone(probe, channel, new Start.Earliest())) {
                alone.nextAre("a", "b", "c");
            }
        }
    }

    private static void fromOffset(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        List<Receipt> receipts = new ArrayList<>();
        for (String value : List.of("a", "b", "c", "d")) {
            receipts.add(probe.send(channel, Message.of("k", value)));
        }
        alone(probe, channel, new Start.Offset(offsets(probe, channel, receipts).get(2)))
                .nextAre("c", "d");
    }

    private static void fromTimestamp(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        Instant base = Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(100);
        for (int i = 0; i < 5; i++) {
            probe.send(channel, Message.<String, String>of("k", "m" + i).withTimestamp(base.plusSeconds(i * 10L)));
        }
        alone(probe, channel, new Start.Timestamp(base.plusSeconds(20))).nextAre("m2", "m3", "m4");
        alone(probe, channel, new Start.Timestamp(base.plusSeconds(21))).nextAre("m3", "m4");
    }

    private static void fromLatest(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        probe.send(channel, "a", "b");
        Inbox alone = alone(probe, channel, new Start.Latest());
        probe.send(channel, "c");
        alone.nextAre("c");
    }

    private static void groupFromOffset(Probe probe) {
        Channel channel = probe.declare(probe.stream());
        List<Receipt> receipts = new ArrayList<>();
        for (String value : List.of("a", "b", "c", "d")) {
            receipts.add(probe.send(channel, Message.of("k", value)));
        }
        ConsumerOptions options = ConsumerOptions.DEFAULT
                .withGroup("again")
                .withStart(new Start.Offset(offsets(probe, channel, receipts).get(1)));
        probe.inbox(channel, options).nextAre("b", "c", "d");
    }

    private static void compacted(Probe probe) {
        Channel channel = probe.declare(probe.stream().withCompacted(true));
        for (int round = 0; round < 10; round++) {
            for (int key = 0; key < 5; key++) {
                probe.sendKeyed(channel, "key-" + key, "round-" + round);
            }
        }
        probe.sendKeyed(channel, "end", "end");
        Map<String, String> last = new HashMap<>();
        Inbox alone = alone(probe, channel, new Start.Earliest());
        String key;
        do {
            Delivery<byte[], byte[]> delivery = alone.next("the end");
            key = Inbox.key(delivery);
            String before = last.put(key, Inbox.value(delivery));
            probe.that(
                    before == null || before.compareTo(Inbox.value(delivery)) < 0,
                    Inbox.value(delivery) + " of " + key + " came after " + before);
            alone.acknowledge(delivery);
        } while (!key.equals("end"));
        Map<String, String> expected = new HashMap<>(Map.of("end", "end"));
        for (int i = 0; i < 5; i++) {
            expected.put("key-" + i, "round-9");
        }
        probe.equal("the last message of each key", expected, last);
    }
}
