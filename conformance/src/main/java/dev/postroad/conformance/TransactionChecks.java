package dev.postroad.conformance;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Transaction;
import dev.postroad.conformance.ConformanceReport.Criterion;
import java.util.List;
import java.util.Random;

/** Sends and acknowledgements that take effect together. */
final class TransactionChecks {
    private TransactionChecks() {}

    static List<Check> all() {
        return List.of(
                Check.of(
                        Need.TRANSACTIONS,
                        "what a transaction sends is seen when it commits",
                        TransactionChecks::commit),
                Check.of(
                                Need.TRANSACTIONS,
                                "what a transaction acknowledges is gone when it commits",
                                TransactionChecks::settles)
                        .using(Need.REDELIVERY),
                Check.of(Need.TRANSACTIONS, "an aborted transaction leaves no trace", TransactionChecks::abort)
                        .using(Need.REDELIVERY),
                Check.of(
                        Need.TRANSACTIONS,
                        "a transaction that can't take effect whole does not in part",
                        TransactionChecks::whole),
                Check.of(
                                Need.TRANSACTIONS,
                                "consume and produce happens once for each message, whatever fails",
                                TransactionChecks::consumeAndProduce)
                        .using(Need.DELIVERY_COUNT),
                Check.of(Need.TRANSACTIONS, "a committed transaction survives a reopen", SurvivalChecks::transaction)
                        .using(Need.DURABLE)
                        .reopening());
    }

    private static void commit(Probe probe) {
        Channel one = probe.declare(probe.queue());
        Channel two = probe.declare(probe.queue());
        Inbox inboxOne = probe.inbox(one);
        Inbox inboxTwo = probe.inbox(two);
        try (Transaction<String, String> transaction = probe.postroad().begin(Format.strings())) {
            transaction.send(one.name(), Message.of("in one"));
            transaction.send(two.name(), Message.of("in two"));
            probe.send(one, "before");
            probe.send(two, "before");
            inboxOne.nextAre("before");
            inboxTwo.nextAre("before");
            transaction.commit();
        }
        inboxOne.nextAre("in one");
        inboxTwo.nextAre("in two");
    }

    private static void settles(Probe probe) {
        Channel channel = probe.declare(probe.queue());
        probe.send(channel, "a");
        try (Inbox inbox = probe.inbox(channel);
                Transaction<String, String> transaction = probe.postroad().begin(Format.strings())) {
            Delivery<byte[], byte[]> delivery = inbox.nextIs("a");
            transaction.acknowledge(delivery);
            transaction.commit();
            probe.refusedLater(
                    "acknowledging what a transaction acknowledged",
                    delivery::acknowledge,
                    Reason.ALREADY_SETTLED,
                    Reason.LEASE_LOST);
        }
        probe.send(channel, "last");
        probe.inbox(channel).nextIs("last");
    }

    private static void abort(Probe probe) {
        Channel in = probe.declare(probe.queue());
        Channel out = probe.declare(probe.queue());
        probe.send(in, "a");
        try (Inbox inbox = probe.inbox(in)) {
            try (Transaction<String, String> transaction = probe.postroad().begin(Format.strings())) {
                transaction.acknowledge(inbox.nextIs("a"));
                transaction.send(out.name(), Message.of("never"));
            }
        }
        probe.inbox(in).nextAre("a");
        probe.send(out, "last");
        probe.inbox(out).nextIs("last");
    }

    private static void whole(Probe probe) {
        Channel one = probe.declare(probe.queue());
        String unknown = probe.name();
        try (Transaction<byte[], byte[]> transaction = probe.transport().begin()) {
            probe.refused(
                    "a transaction that sends to an unknown channel",
                    () -> {
                        transaction.send(one.name(), BadInputChecks.bytes("never"));
                        transaction.send(unknown, BadInputChecks.bytes("never"));
                        transaction.commit();
                    },
                    Reason.NOT_FOUND);
        }
        probe.send(one, "last");
        probe.inbox(one).nextIs("last");
    }

    private static void consumeAndProduce(Probe probe) {
        Channel in = probe.declare(probe.queue());
        Channel out = probe.declare(probe.queue());
        int total = 40;
        probe.facts().expect(Criterion.IDEMPOTENT_CONSUMERS, total);
        List<String> values = BaseChecks.numbered("m", total);
        Random random = new Random(probe.random().nextLong());
        probe.listen(in, ConsumerOptions.DEFAULT.withConcurrency(4), delivery -> {
            try (Transaction<String, String> transaction = probe.postroad().begin(Format.strings())) {
                transaction.send(
                        out.name(), Message.of(String.valueOf(delivery.message().value())));
                transaction.acknowledge(delivery);
                if (fails(random)) {
                    throw new IllegalStateException("a failure that the check plans");
                }
                transaction.commit();
                if (fails(random)) {
                    throw new IllegalStateException("a failure that the check plans, too late to matter");
                }
            }
        });
        values.forEach(value -> probe.send(in, value));
        Inbox results = probe.inbox(out);
        results.takeInAnyOrder(values);
        probe.send(out, "last");
        results.nextIs("last");
        values.forEach(value -> probe.facts().met(Criterion.IDEMPOTENT_CONSUMERS));
    }

    private static boolean fails(Random random) {
        synchronized (random) {
            return random.nextInt(4) == 0;
        }
    }
}
