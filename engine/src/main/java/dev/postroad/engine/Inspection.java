package dev.postroad.engine;

import dev.postroad.journal.SegmentInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Tells what the engine holds. */
final class Inspection {
    private Inspection() {}

    static EngineStatus of(Engine engine) {
        List<EngineStatus.Queue> queues = new ArrayList<>();
        List<EngineStatus.Group> groups = new ArrayList<>();
        for (QueueState queue : engine.state.queues()) {
            if (queue.stream == null) {
                queues.add(queue(engine, queue));
            } else {
                groups.add(new EngineStatus.Group(
                        queue.definition().name(), queue.stream, queue(engine, queue), 0, List.of(), List.of()));
            }
        }
        List<EngineStatus.Stream> streams = new ArrayList<>();
        for (StreamState stream : engine.state.streams()) {
            streams.add(stream.status());
        }
        groups.addAll(engine.state.groups.status());
        queues.sort(Comparator.comparing(q -> q.definition().name()));
        streams.sort(Comparator.comparing(s -> s.definition().name()));
        groups.sort(Comparator.comparing(EngineStatus.Group::name));
        return new EngineStatus(
                queues,
                streams,
                engine.state.router.topics(),
                engine.state.router.bindings(),
                groups,
                engine.state.policies(),
                journal(engine));
    }

    private static EngineStatus.Queue queue(Engine engine, QueueState queue) {
        List<EngineStatus.Consumer> consumers = new ArrayList<>();
        for (int i = 0; i < queue.consumers.size(); i++) {
            ConsumerState consumer = queue.consumers.get(i);
            boolean active = !queue.definition().singleActiveConsumer() || consumer == queue.activeConsumer();
            consumers.add(new EngineStatus.Consumer(
                    consumer.id, consumer.settings.name(), consumer.credit, consumer.inFlight, active));
        }
        return new EngineStatus.Queue(
                queue.declared(),
                queue.readyMessages(),
                queue.heldMessages(),
                queue.delayedMessages(),
                queue.parkedMessages(),
                queue.bytes(),
                oldest(engine, queue),
                consumers,
                queue.counts.status());
    }

    private static long oldest(Engine engine, QueueState queue) {
        long position = queue.oldestPosition();
        Stored oldest = position < 0 ? null : engine.state.store.readIfSound(position);
        return oldest == null ? 0 : oldest.message().timestampMillis();
    }

    private static EngineStatus.Journal journal(Engine engine) {
        long used = 0;
        long live = 0;
        List<SegmentInfo> segments = engine.journal.segments();
        for (SegmentInfo segment : segments) {
            used += segment.usedBytes();
            live += segment.liveBytes();
        }
        EngineException failure = engine.failure();
        return new EngineStatus.Journal(
                engine.journal.appendPosition(),
                engine.journal.durablePosition(),
                segments.size(),
                used,
                live,
                engine.syncs(),
                engine.state.heapBytes(),
                failure == null ? null : failure.getMessage());
    }
}
