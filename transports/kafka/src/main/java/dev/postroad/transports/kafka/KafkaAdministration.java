package dev.postroad.transports.kafka;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import dev.postroad.transports.emulation.Held;
import dev.postroad.transports.emulation.PartitionTracker;
import dev.postroad.transports.emulation.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.jspecify.annotations.Nullable;

/** Looking after channels, by Kafka's own administration. */
final class KafkaAdministration implements Administration {
    private static final Duration REDRIVE_WAIT = Duration.ofSeconds(15);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int BATCH = 500;

    /** Dead letters that are counted one by one. */
    private static final int COUNTED = 2_000;

    private static final int LOOK_MILLIS = 1_000;

    private final KafkaTransport transport;
    private final Admin admin;

    KafkaAdministration(KafkaTransport transport) {
        this.transport = transport;
        this.admin = transport.admin();
    }

    private Channel channel(String name) {
        return transport.catalog().get(name, transport.url());
    }

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<ChannelStatus> channels() {
        List<ChannelStatus> all = new ArrayList<>();
        for (Channel channel : transport.catalog().all()) {
            all.add(status(channel));
        }
        return all;
    }

    private ChannelStatus status(Channel channel) {
        List<TopicPartition> partitions = transport.topics().partitionsOf(channel);
        long ready = 0;
        int consumers = 0;
        try {
            Map<TopicPartition, Long> first = offsets(partitions, OffsetSpec.earliest());
            Map<TopicPartition, Long> end = offsets(partitions, OffsetSpec.latest());
            if (channel.kind().isStream()) {
                for (TopicPartition partition : partitions) {
                    ready += end.getOrDefault(partition, 0L) - first.getOrDefault(partition, 0L);
                }
                for (String group : groupIds(partitions)) {
                    consumers += members(group, channel.name());
                }
            } else {
                String group = Topics.queueGroup(channel.name());
                ready = lag(partitions, positions(group), first, end);
                if (ready > 0 && ready <= COUNTED && keepsKeysDead(channel)) {
                    ready = count(channel);
                }
                consumers = members(group, channel.name());
            }
        } catch (MessagingException e) {
            // Its topic was deleted by other hands: it holds nothing.
            if (e.reason() != Reason.NOT_FOUND) {
                throw e;
            }
        }
        return new ChannelStatus(
                channel, ready, NOT_TOLD, 0, consumers, NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD, NOT_TOLD);
    }

    /** True of the dead letters of a queue that keeps order per key: they come by transactions, whose marks are no messages. */
    private boolean keepsKeysDead(Channel letters) {
        return transport.catalog().all().stream()
                .anyMatch(each -> letters.name().equals(each.deadLetter())
                        && each.orderedByKey()
                        && !each.kind().isStream());
    }

    private long count(Channel channel) {
        AtomicLong count = new AtomicLong();
        read(channel, (each, tries) -> count.incrementAndGet() > 0);
        return count.get();
    }

    private Map<TopicPartition, Long> offsets(List<TopicPartition> partitions, OffsetSpec which) {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(partition, which));
        Map<TopicPartition, Long> offsets = new HashMap<>();
        found(asked).forEach((partition, at) -> offsets.put(partition, at.offset()));
        return offsets;
    }

    /** Kafka's client would ask for a topic that was just deleted until its whole time is over; so it is given little of it. */
    private Map<TopicPartition, ListOffsetsResultInfo> found(Map<TopicPartition, OffsetSpec> asked) {
        String what = "looking at " + asked.keySet();
        int most = transport.url0().timeoutMillis();
        ListOffsetsOptions quick = new ListOffsetsOptions().timeoutMs(Math.min(most, LOOK_MILLIS));
        try {
            return Failures.await(
                    what, transport.url0(), admin.listOffsets(asked, quick).all());
        } catch (MessagingException e) {
            if (e.reason() != Reason.UNREACHABLE) {
                throw e;
            }
        }
        for (TopicPartition partition : asked.keySet()) {
            if (transport.topics().describe(partition.topic()) == null) {
                throw new MessagingException(
                        Reason.NOT_FOUND, what + ": the topic '" + partition.topic() + "' was deleted");
            }
        }
        return Failures.await(what, transport.url0(), admin.listOffsets(asked).all());
    }

    private static long lag(
            List<TopicPartition> partitions,
            Map<TopicPartition, OffsetAndMetadata> positions,
            Map<TopicPartition, Long> first,
            Map<TopicPartition, Long> end) {
        long lag = 0;
        for (TopicPartition partition : partitions) {
            OffsetAndMetadata position = positions.get(partition);
            PartitionTracker tracker = position == null ? new PartitionTracker(0) : Member.tracker(position);
            long next = Math.max(tracker.next(), first.getOrDefault(partition, 0L));
            lag += Math.max(0, end.getOrDefault(partition, 0L) - next - tracker.doneBeyond());
        }
        return lag;
    }

    private Map<TopicPartition, OffsetAndMetadata> positions(String group) {
        Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
        try {
            Failures.await(
                            "looking at group '" + group + "'",
                            transport.url0(),
                            // Not without what a transaction is just about to have committed.
                            admin.listConsumerGroupOffsets(
                                            group, new ListConsumerGroupOffsetsOptions().requireStable(true))
                                    .partitionsToOffsetAndMetadata())
                    .forEach((partition, position) -> {
                        if (position != null) {
                            positions.put(partition, position);
                        }
                    });
        } catch (MessagingException e) {
            if (!(e.getCause() instanceof GroupIdNotFoundException)) {
                throw e;
            }
        }
        return positions;
    }

    private int members(String group, String channel) {
        try {
            ConsumerGroupDescription described =
                    admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            if (described == null || described.groupState() == GroupState.DEAD) {
                return 0;
            }
            String topic = Topics.name(channel);
            // A member without a partition stands by; of which topic is not told, but a queue has a group of its own.
            boolean queue = group.equals(Topics.queueGroup(channel));
            return (int) described.members().stream()
                    .filter(member -> queue
                            || member.assignment().topicPartitions().stream()
                                    .anyMatch(partition -> partition.topic().equals(topic)))
                    .count();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return 0;
            }
            throw Failures.of("looking at group '" + group + "'", transport.url0(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while looking at group '" + group + "'", e);
        }
    }

    /** The groups that have positions in these partitions, by name. */
    private List<String> groupIds(List<TopicPartition> partitions) {
        TreeSet<String> found = new TreeSet<>();
        for (GroupListing group : Failures.await(
                "listing groups", transport.url0(), admin.listGroups().all())) {
            Map<TopicPartition, OffsetAndMetadata> positions = positions(group.groupId());
            if (partitions.stream().anyMatch(positions::containsKey)) {
                found.add(group.groupId());
            }
        }
        return List.copyOf(found);
    }

    @Override
    public List<GroupStatus> groups(String name) {
        Channel channel = channel(name);
        if (!channel.kind().isStream()) {
            return List.of();
        }
        List<TopicPartition> partitions = transport.topics().partitionsOf(channel);
        Map<TopicPartition, Long> first = offsets(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> end = offsets(partitions, OffsetSpec.latest());
        List<GroupStatus> all = new ArrayList<>();
        for (String group : groupIds(partitions)) {
            Map<TopicPartition, OffsetAndMetadata> positions = positions(group);
            Map<Integer, Long> next = new TreeMap<>();
            positions.forEach((partition, position) -> {
                if (partitions.contains(partition)) {
                    next.put(partition.partition(), position.offset());
                }
            });
            all.add(new GroupStatus(
                    group, lag(partitions, positions, first, end), NOT_TOLD, members(group, name), next));
        }
        return all;
    }

    // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<Browsed> browse(String name, @Nullable String filter, int max) {
        if (filter != null) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED, "looking by a rule, " + filter + ": " + transport.url() + " has no rules");
        }
        Channel channel = channel(name);
        boolean stream = channel.kind().isStream();
        List<Browsed> browsed = new ArrayList<>();
        read(channel, (each, tries) -> {
            if (browsed.size() < max) {
                browsed.add(new Browsed(
                        KafkaWire.message(name, each),
                        stream ? State.KEPT : State.READY,
                        tries,
                        null,
                        stream ? new Delivery.Origin(each.partition(), each.offset(), null) : Delivery.Origin.QUEUE));
            }
            return browsed.size() < max;
        });
        return browsed;
    }

    /** Is shown what waits in a queue, or what a stream keeps. */
    @FunctionalInterface
    private interface Reader {
        /** @return false when it has seen enough */
        boolean read(ConsumerRecord<byte[], byte[]> record, int tries);
    }

    private void read(Channel channel, Reader reader) {
        String name = channel.name();
        boolean stream = channel.kind().isStream();
        List<TopicPartition> partitions = transport.topics().partitionsOf(channel);
        Map<TopicPartition, OffsetAndMetadata> positions = stream ? Map.of() : positions(Topics.queueGroup(name));
        try (KafkaConsumer<byte[], byte[]> consumer = AloneReader.consumer(transport)) {
            consumer.assign(partitions);
            Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
            Map<TopicPartition, PartitionTracker> done = new HashMap<>();
            consumer.beginningOffsets(partitions).forEach((partition, first) -> {
                OffsetAndMetadata position = positions.get(partition);
                PartitionTracker tracker = position == null ? new PartitionTracker(0) : Member.tracker(position);
                done.put(partition, tracker);
                consumer.seek(partition, Math.max(first, tracker.next()));
            });
            boolean more = true;
            while (more && partitions.stream().anyMatch(each -> consumer.position(each) < end.getOrDefault(each, 0L))) {
                for (ConsumerRecord<byte[], byte[]> each : consumer.poll(POLL)) {
                    PartitionTracker tracker = done.get(new TopicPartition(each.topic(), each.partition()));
                    boolean waits = tracker == null || stream || !tracker.isDone(each.offset());
                    if (more && waits && (stream || !KafkaWire.isGone(each))) {
                        more = reader.read(each, tracker == null ? 0 : tracker.tries(each.offset()));
                    }
                }
            }
        } catch (org.apache.kafka.common.KafkaException e) {
            throw Failures.of("looking at the messages of channel '" + name + "'", transport.url0(), e);
        }
    }

    @Override
    public long purge(String name) {
        Channel channel = channel(name);
        List<TopicPartition> partitions = transport.topics().partitionsOf(channel);
        Collection<ProducerRecord<byte[], byte[]>> gone = goneWith(channel);
        Map<TopicPartition, Long> first = offsets(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> end = offsets(partitions, OffsetSpec.latest());
        long purged = channel.kind().isStream()
                ? partitions.stream()
                        .mapToLong(each -> end.getOrDefault(each, 0L) - first.getOrDefault(each, 0L))
                        .sum()
                : lag(partitions, positions(Topics.queueGroup(name)), first, end);
        Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
        end.forEach((partition, offset) -> all.put(partition, RecordsToDelete.beforeOffset(offset)));
        Failures.await(
                "purging channel '" + name + "'",
                transport.url0(),
                admin.deleteRecords(all).all());
        tell(gone);
        return purged;
    }

    private void tell(Collection<ProducerRecord<byte[], byte[]>> gone) {
        List<CompletableFuture<RecordMetadata>> told =
                gone.stream().map(transport::produce).toList();
        Waiting.await(
                CompletableFuture.allOf(told.toArray(CompletableFuture[]::new)), "telling that dead letters are gone");
    }

    /** What is to be told of the dead letters in a queue when all of them are gone: of each key the last one. */
    private Collection<ProducerRecord<byte[], byte[]>> goneWith(Channel channel) {
        if (!keepsKeysDead(channel)) {
            return List.of();
        }
        Map<String, ProducerRecord<byte[], byte[]>> last = new LinkedHashMap<>();
        read(channel, (letter, tries) -> {
            ProducerRecord<byte[], byte[]> gone = KafkaWire.isLetter(letter) ? transport.goneLetter(letter) : null;
            if (gone != null) {
                last.put(gone.topic() + "/" + gone.partition() + "/" + DeadKeys.of(gone.key()), gone);
            }
            return true;
        });
        return last.values();
    }

    @Override
    public void delete(String name) {
        Channel channel = channel(name);
        List<TopicPartition> partitions = transport.topics().partitionsOf(channel);
        List<String> groups = channel.kind().isStream() ? groupIds(partitions) : List.of(Topics.queueGroup(name));
        long consumers = transport.ownConsumers(name);
        for (String group : groups) {
            consumers = Math.max(consumers, members(group, name));
        }
        if (consumers > 0) {
            throw new MessagingException(
                    Reason.IN_USE,
                    "channel '" + name + "' has " + consumers + " consumers; close them before it is deleted");
        }
        Collection<ProducerRecord<byte[], byte[]>> gone = goneWith(channel);
        boolean keepsDeadKeys = channel.orderedByKey()
                && channel.deadLetter() != null
                && !channel.kind().isStream();
        String topicId = keepsDeadKeys ? transport.deadKeys().topicId(Topics.name(name)) : "";
        for (String group : groups) {
            forget(group, partitions, channel.kind().isStream());
        }
        Failures.await(
                "deleting channel '" + name + "'",
                transport.url0(),
                admin.deleteTopics(List.of(Topics.name(name))).all());
        transport.catalog().strike(name);
        tell(gone);
        if (keepsDeadKeys) {
            transport.deadKeys().forget(topicId);
        }
    }

    /** A group's positions must not be those of a topic that is declared anew. */
    private void forget(String group, List<TopicPartition> partitions, boolean stream) {
        try {
            if (stream) {
                admin.deleteConsumerGroupOffsets(group, java.util.Set.copyOf(partitions))
                        .all()
                        .get();
            } else {
                admin.deleteConsumerGroups(List.of(group)).all().get();
            }
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof GroupIdNotFoundException)) {
                throw Failures.of("deleting the positions of group '" + group + "'", transport.url0(), e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while deleting group '" + group + "'", e);
        }
    }

    @Override
    public long redrive(String deadLetterChannel, @Nullable String filter, long max) {
        if (filter != null) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "redriving by a filter, " + filter + ": " + transport.url()
                            + " has no filters; redrive all, or so many");
        }
        if (max < 1) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
        Channel dead = channel(deadLetterChannel);
        // Letters that come meanwhile are for the next time.
        long waiting = Math.min(
                max,
                browse(deadLetterChannel, null, (int) Math.min(max, Integer.MAX_VALUE))
                        .size());
        long done = 0;
        ConsumerOptions options = ConsumerOptions.DEFAULT.withPrefetch(BATCH);
        try (Transport.Receiver receiver = transport.receive(List.of(dead.name()), options)) {
            while (done < waiting) {
                List<Delivery<byte[], byte[]>> letters =
                        receiver.receive((int) Math.min(BATCH, waiting - done), REDRIVE_WAIT);
                if (letters.isEmpty()) {
                    throw new MessagingException(
                            Reason.IN_USE,
                            "of " + waiting + " dead letters " + done + " were put back; others consume '"
                                    + deadLetterChannel + "' at present");
                }
                done += putBack(letters);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT, "interrupted after " + done + " dead letters were put back", e);
        }
        return done;
    }

    /**
     * All of these go back and are letters no more, or none: whoever is killed at it leaves nothing twice. Where one can't go
     * back, those before it do.
     */
    private long putBack(List<Delivery<byte[], byte[]>> letters) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        List<Held> taken = new ArrayList<>();
        MessagingException refused = null;
        boolean committed = false;
        try {
            for (Delivery<byte[], byte[]> letter : letters) {
                Held held = (Held) letter;
                try {
                    records.add(transport.back(Member.record(held), held.message()));
                } catch (MessagingException e) {
                    refused = e;
                    break;
                }
                held.enlist();
                taken.add(held);
            }
            if (!taken.isEmpty()) {
                transport.givingUp().write(records, taken);
            }
            committed = true;
        } finally {
            boolean took = committed;
            taken.forEach(held -> held.release(took));
        }
        if (refused != null) {
            throw refused;
        }
        return taken.size();
    }

    @Override
    public boolean cancel(String channel, String messageId) {
        channel(channel);
        return false;
    }
}
