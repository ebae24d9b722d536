package dev.postroad.transports.kafka;

import static dev.postroad.api.Capability.emulated;
import static dev.postroad.api.Capability.impossible;
import static dev.postroad.api.Capability.nativeSupport;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import dev.postroad.transports.emulation.DedupStore;
import java.util.EnumMap;
import java.util.Map;

/** How each need is met on Kafka. */
final class Capabilities {
    /** Why. */
    static final String NO_DELAY = "a partition is read in order, and has no place to wait in";

    private Capabilities() {}

    static Map<Need, Capability> of(boolean flushed) {
        Map<Need, Capability> all = new EnumMap<>(Need.class);
        for (Need need : Need.values()) {
            all.put(need, of(need, flushed));
        }
        return all;
    }

    private static Capability of(Need need, boolean flushed) {
        return switch (need) {
            case DURABLE ->
                new Capability(
                        need,
                        Capability.Support.NATIVE,
                        flushed
                                ? "the topics of durable channels force each message to disk (flush.messages = 1)"
                                : "in the page cache of all replicas in sync (durable=replicated)",
                        null);
            case GROUPS, REPLAY, COMPACTION, REQUEST_REPLY, REDELIVERY, LARGE_MESSAGES, TRANSACTIONS ->
                nativeSupport(need);
            case ATOMIC_BATCH ->
                new Capability(
                        need,
                        Capability.Support.NATIVE,
                        "a transaction for each batch; on channels with a dedup window each message goes alone",
                        null);
            case COMPETING_CONSUMERS ->
                emulated(
                        need,
                        "a queue is a topic whose partitions (queue-partitions) are shared out among its consumers: no more"
                                + " consumers at once than there are partitions, each on many messages; share groups are"
                                + " not used: the broker drops what it delivered group.share.delivery.count.limit times,"
                                + " without a dead letter, and keeps no order per key");
            case ORDER_PER_KEY ->
                emulated(
                        need,
                        "the member that has a partition hands out one message of each key; it holds up to 1,000 and the"
                                + " prefetch of a partition, so that a failing key waits alone; when a message of a queue is"
                                + " given up the later ones of its key follow it to the dead letters until they are put back"
                                + " or gone, not so in the groups of a stream: dead keys, 100,000 of a partition at most, lie"
                                + " in a topic that whoever takes over a partition reads");
            case DELIVERY_COUNT ->
                emulated(
                        need,
                        "failures are counted in the metadata of commits, for 200 messages of a partition at once; a crash"
                                + " of the consumer does not count");
            case RETRY_DELAY ->
                emulated(
                        need,
                        "a failed message stays where it is, uncommitted, and waits with the member that has its"
                                + " partition; when that goes, the next one tries at once");
            case DEAD_LETTER ->
                emulated(
                        need,
                        "sent to the dead-letter topic, then committed: a crash between the two leaves both, with one id; of"
                                + " queues that keep order per key in one transaction, for up to 200 messages; more than 2,000"
                                + " such letters are counted with the marks of their transactions");
            case REDRIVE ->
                emulated(
                        need,
                        "read from the dead-letter topic and sent back, up to 500 in one transaction; a letter that is"
                                + " discarded leaves a record in its queue's topic, so that its key lives on, and counts there"
                                + " as ready until a consumer has read it");
            case TTL -> emulated(need, "dropped by the consumer that reads it, by its clock");
            case DEDUP ->
                emulated(
                                need,
                                "ids are kept in a topic that all senders read and hold in memory, about 150 bytes each, and"
                                        + " entered after the confirm: two senders of one id at the same moment are not told apart")
                        .withUpTo(DedupStore.LONGEST_WINDOW);
            case BROWSE -> emulated(need, "the topic is read from the group's position on, without a rule");
            case LEASE -> impossible(need, "a partition stays with its consumer while that lives");
            case DELAY -> impossible(need, NO_DELAY);
            case PRIORITY -> impossible(need, "a partition is read in order");
            case MAX_LENGTH -> impossible(need, "a topic does not know what was consumed, and refuses nothing");
            case FILTER -> impossible(need, "a group can't leave to others what a member passes over");
        };
    }
}
