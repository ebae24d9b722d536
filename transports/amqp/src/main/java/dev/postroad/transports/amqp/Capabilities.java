package dev.postroad.transports.amqp;

import static dev.postroad.api.Capability.emulated;
import static dev.postroad.api.Capability.impossible;
import static dev.postroad.api.Capability.nativeSupport;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import dev.postroad.transports.emulation.DedupStore;
import java.util.EnumMap;
import java.util.Map;

/** How each need is met over AMQP 0-9-1. */
final class Capabilities {
    /** Why. */
    static final String NO_TRANSACTIONS =
            "AMQP's transactions do not cover quorum queues, nor what is read from streams";

    private Capabilities() {}

    static Map<Need, Capability> all() {
        Map<Need, Capability> all = new EnumMap<>(Need.class);
        for (Need need : Need.values()) {
            all.put(need, of(need));
        }
        return all;
    }

    private static Capability of(Need need) {
        return switch (need) {
            case DURABLE, COMPETING_CONSUMERS, REDELIVERY, TTL, LARGE_MESSAGES, REQUEST_REPLY -> nativeSupport(need);
            case PRIORITY ->
                new Capability(need, Capability.Support.NATIVE, "by a classic queue, which is not replicated", null);
            case MAX_LENGTH ->
                new Capability(
                        need,
                        Capability.Support.NATIVE,
                        "by a classic queue, which is not replicated: quorum queues notice late that they are full",
                        null);
            case DELIVERY_COUNT ->
                emulated(
                        need,
                        "a retry is published anew with its count and then acknowledged: a crash between the two"
                                + " leaves both, with one id; when a consumer dies what it had fetched counts too; where"
                                + " order per key is kept, failures are counted by the consumer while it lives");
            case ORDER_PER_KEY ->
                emulated(
                        need,
                        "one consumer is at work on a queue, others stand by (single active consumer); it holds up to"
                                + " 1,000 messages unacknowledged, so that a failing key waits alone; when a message is given"
                                + " up the later ones of its key go on, and put back it comes behind them: a queue does not"
                                + " know which keys have dead letters");
            case RETRY_DELAY ->
                emulated(
                        need,
                        "waits in shared queues with a time to live, one write and one transfer more; up to a quarter"
                                + " later than asked under 10 s; where order per key is kept, with the consumer");
            case DELAY ->
                emulated(
                                need,
                                "waits in shared queues with a time to live, up to a quarter later than asked under 10 s; an entry"
                                        + " in a log for each, so that it can be cancelled and counted")
                        .withUpTo(Delays.LONGEST);
            case DEAD_LETTER ->
                emulated(
                        need,
                        "published to the dead-letter queue, then acknowledged: a crash between the two leaves both, with"
                                + " one id; what expires or overflows goes there by the broker");
            case REDRIVE -> emulated(need, "taken from the dead-letter queue and published anew, one after the other");
            case LEASE ->
                emulated(need, "watched by the consumer's process; if that hangs, until its heartbeat is missed");
            case DEDUP ->
                emulated(
                                need,
                                "ids are kept in a log that all senders read and hold in memory, about 150 bytes each, and entered"
                                        + " after the confirm: two senders of one id at the same moment are not told apart")
                        .withUpTo(DedupStore.LONGEST_WINDOW);
            case GROUPS ->
                emulated(
                        need,
                        "one member of a group is at work and the others stand by; positions lie in a log of the group, one"
                                + " entry for what was settled while the last was confirmed; receipts tell no offset, since"
                                + " AMQP's confirms don't");
            case REPLAY ->
                emulated(
                        need,
                        "from a time: read from the first message on, and what is before it is dropped by the reader");
            case TRANSACTIONS -> impossible(need, NO_TRANSACTIONS);
            case ATOMIC_BATCH ->
                impossible(
                        need,
                        "AMQP's transactions are not atomic over quorum queues, and confirms are for single messages");
            case COMPACTION -> impossible(need, "stream queues forget by age and size only");
            case FILTER -> impossible(need, "a queue gives each message to the next consumer, whatever is in it");
            case BROWSE ->
                impossible(need, "AMQP shows a message only by delivering it, and putting it back counts and moves it");
        };
    }
}
