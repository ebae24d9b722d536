package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything the engine knows: a function of the records in the journal. Queues and streams have numbers that are never used
 * again; a stream has one for each of its partitions.
 */
final class State {
    final MessageStore store;
    final Router router;
    final Groups groups;
    private final Map<String, QueueState> queues = new HashMap<>();
    private final Map<String, StreamState> streams = new HashMap<>();
    private final Map<String, List<QueueState>> sharedGroups = new HashMap<>();
    private final Map<String, Definition> definitions = new ConcurrentHashMap<>();
    private final TreeMap<Integer, QueueState> queuesById = new TreeMap<>();
    private final TreeMap<Integer, StreamState> streamsById = new TreeMap<>();

    /** Read by other threads as well. */
    private volatile PolicySet policies = PolicySet.EMPTY;

    int nextChannelId = 1;

    /** Found last by its name: a publish asks for the same channel several times over, and the next one often does again. */
    private @Nullable QueueState lastQueue;

    private @Nullable StreamState lastStream;
    long nextProducerId = 1;

    State(MessageStore store, Router router, Groups groups) {
        this.store = store;
        this.router = router;
        this.groups = groups;
    }

    @Nullable
    QueueState queue(String name) {
        QueueState last = lastQueue;
        if (last != null && last.definition().name().equals(name)) {
            return last;
        }
        StreamState stream = lastStream;
        if (stream != null && stream.definition().name().equals(name)) {
            return null;
        }
        QueueState found = queues.get(name);
        if (found != null) {
            lastQueue = found;
        }
        return found;
    }

    @Nullable
    StreamState stream(String name) {
        StreamState last = lastStream;
        if (last != null && last.definition().name().equals(name)) {
            return last;
        }
        StreamState found = streams.get(name);
        if (found != null) {
            lastStream = found;
        }
        return found;
    }

    @Nullable
    QueueState queue(int id) {
        return queuesById.get(id);
    }

    /** The stream that a partition's number belongs to. */
    @Nullable
    StreamState streamOf(int partitionId) {
        Map.Entry<Integer, StreamState> entry = streamsById.floorEntry(partitionId);
        if (entry == null) {
            return null;
        }
        StreamState stream = entry.getValue();
        return partitionId < entry.getKey() + stream.definition().partitions() ? stream : null;
    }

    /** The shared groups of a stream, in order of their making. */
    List<QueueState> sharedGroups(String stream) {
        return sharedGroups.getOrDefault(stream, List.of());
    }

    @Nullable
    QueueState sharedGroup(String stream, String group) {
        for (QueueState queue : sharedGroups(stream)) {
            if (queue.definition().name().equals(group)) {
                return queue;
            }
        }
        return null;
    }

    /** All queues, shared groups too, in order of their numbers. */
    Collection<QueueState> queues() {
        return queuesById.values();
    }

    /** All streams, in order of their numbers. */
    Collection<StreamState> streams() {
        return streamsById.values();
    }

    /** True if a queue or stream has this name. */
    boolean hasChannel(String name) {
        return queue(name) != null || stream(name) != null;
    }

    /** The queue or stream of this name as it was declared. From any thread. */
    @Nullable
    Definition definition(String name) {
        return definitions.get(name);
    }

    void add(QueueState queue) {
        queuesById.put(queue.id, queue);
        nextChannelId = Math.max(nextChannelId, queue.id + 1);
        String stream = queue.stream;
        if (stream == null) {
            queues.put(queue.definition().name(), queue);
            definitions.put(queue.declared().name(), queue.declared());
        } else {
            sharedGroups.computeIfAbsent(stream, s -> new ArrayList<>()).add(queue);
        }
    }

    void add(int firstId, StreamState stream) {
        streamsById.put(firstId, stream);
        streams.put(stream.definition().name(), stream);
        definitions.put(stream.declared().name(), stream.declared());
        nextChannelId = Math.max(nextChannelId, firstId + stream.definition().partitions());
    }

    void remove(QueueState queue) {
        queuesById.remove(queue.id);
        String stream = queue.stream;
        if (stream == null) {
            queues.remove(queue.definition().name());
            lastQueue = null;
            definitions.remove(queue.definition().name());
        } else {
            List<QueueState> groupsOfStream = sharedGroups.get(stream);
            if (groupsOfStream != null) {
                groupsOfStream.remove(queue);
                if (groupsOfStream.isEmpty()) {
                    sharedGroups.remove(stream);
                }
            }
        }
    }

    void remove(StreamState stream) {
        streams.remove(stream.definition().name());
        lastStream = null;
        definitions.remove(stream.definition().name());
        streamsById.values().remove(stream);
    }

    QueueState newQueue(int id, QueueDefinition definition, @Nullable String stream) {
        QueueState queue = new QueueState(id, definition, stream, store, store);
        if (stream == null) {
            queue.applyPolicies(policies.effective(definition));
        }
        return queue;
    }

    StreamState newStream(int firstId, StreamDefinition definition) {
        StreamState stream = new StreamState(firstId, definition, store, store);
        stream.applyPolicies(policies.effective(definition));
        return stream;
    }

    /** From any thread. */
    PolicySet policies() {
        return policies;
    }

    /** There are these policies from now on. Returns the queues that are not what they were. */
    List<QueueState> applyPolicies(PolicySet newPolicies) {
        policies = newPolicies;
        List<QueueState> changed = new ArrayList<>();
        for (QueueState queue : queues()) {
            if (queue.stream == null && queue.applyPolicies(newPolicies.effective(queue.declared()))) {
                changed.add(queue);
            }
        }
        for (StreamState stream : streams()) {
            stream.applyPolicies(newPolicies.effective(stream.declared()));
        }
        router.applyPolicies(newPolicies);
        return changed;
    }

    /** Estimate of the heap that all indexes take; the messages kept for speed are not in it. */
    long heapBytes() {
        long sum = store.indexBytes();
        for (QueueState queue : queues()) {
            sum += queue.heapBytes();
        }
        for (StreamState stream : streams()) {
            sum += stream.heapBytes();
        }
        return sum;
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    void write(Snapshot snapshot) {
        ByteBuffer head = snapshot.room(32);
        Bytes.putVarint(head, nextChannelId);
        Bytes.putVarint(head, nextProducerId);
        Bytes.putVarint(head, streamsById.size());
        streamsById.forEach((id, stream) -> {
            snapshot.write(out -> {
                Bytes.putVarint(out, id);
                stream.declared().encode(out);
            });
            stream.write(snapshot);
        });
        Bytes.putVarint(snapshot.room(10), queuesById.size());
        queuesById.forEach((id, queue) -> {
            snapshot.write(out -> {
                Bytes.putVarint(out, id);
                Bytes.putNullable(out, queue.stream);
                queue.declared().encode(out);
            });
            queue.write(snapshot);
        });
        router.write(snapshot);
        groups.write(snapshot);
        store.write(snapshot);
        policies.write(snapshot);
    }

    void read(ByteBuffer in) {
        int channels = (int) Bytes.getVarint(in);
        nextProducerId = Bytes.getVarint(in);
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            int id = (int) Bytes.getVarint(in);
            StreamState stream = newStream(id, StreamDefinition.decode(in));
            stream.read(in);
            add(id, stream);
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            int id = (int) Bytes.getVarint(in);
            String streamName = Bytes.getNullable(in);
            QueueState queue = newQueue(id, QueueDefinition.decode(in), streamName);
            queue.read(in);
            add(queue);
        }
        router.read(in);
        groups.read(in);
        store.read(in);
        // There are none in what was written before there were any.
        applyPolicies(in.hasRemaining() ? PolicySet.read(in) : PolicySet.EMPTY);
        nextChannelId = channels;
    }
}
