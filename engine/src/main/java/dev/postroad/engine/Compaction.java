package dev.postroad.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Tells which records of a segment are still needed, and copies them to the end of the journal under their old names. */
final class Compaction {
    private Compaction() {}

    /**
     * A record to be kept.
     *
     * @param message true for a message, which is known by its position; false for a page of an index
     */
    record Survivor(boolean message, long position, int channelId, int lane, long pageNumber) {
        static Survivor message(long position) {
            return new Survivor(true, position, 0, 0, 0);
        }
    }

    /** What the record is remembered by, if it is needed; null if not. */
    static @Nullable Survivor survivor(Engine engine, long position, byte type, ByteBuffer payload) {
        ByteBuffer in = payload.duplicate();
        switch (type) {
            case Records.MESSAGE -> {
                return live(engine, position, position, in) ? Survivor.message(position) : null;
            }
            case Records.MOVED -> {
                long name = in.getLong();
                return live(engine, name, position, in) ? Survivor.message(name) : null;
            }
            case Records.PAGE -> {
                int id = (int) Bytes.getVarint(in);
                int lane = (int) Bytes.getVarint(in);
                long pageNumber = Bytes.getVarint(in);
                PagedIndex index = engine.records.index(id, lane);
                boolean needed = index != null && index.pageRecord(pageNumber) == position;
                return needed ? new Survivor(false, position, id, lane, pageNumber) : null;
            }
            default -> {
                return null;
            }
        }
    }

    /** Copies a survivor forward. Returns its bytes. */
    static long move(Engine engine, Survivor survivor) {
        return survivor.message()
                ? moveMessage(engine, survivor.position())
                : movePage(engine, survivor.channelId(), survivor.lane(), survivor.pageNumber());
    }

    /** True if a message's bytes are here, and anything refers to them. */
    private static boolean live(Engine engine, long name, long position, ByteBuffer in) {
        return engine.state.store.location(name) == position && referred(engine, name, in);
    }

    /** True if a queue, a partition or a shared group still has the message. */
    private static boolean referred(Engine engine, long name, ByteBuffer in) {
        Records.Destinations to = Records.destinations(in);
        for (int id : to.queues()) {
            QueueState queue = engine.state.queue(id);
            if (queue != null && queue.refersTo(name, to.priority())) {
                return true;
            }
        }
        StreamState stream = to.partitionId() < 0 ? null : engine.state.streamOf(to.partitionId());
        if (stream == null) {
            return false;
        }
        if (stream.find(name, to.partitionId() - stream.firstChannelId()) != PagedIndex.NONE) {
            return true;
        }
        for (QueueState group : engine.state.sharedGroups(stream.definition().name())) {
            // A group that came later refers to messages that were not sent to it.
            if (group.refersTo(name, 0)) {
                return true;
            }
        }
        return false;
    }

    private static long moveMessage(Engine engine, long name) {
        // It may have gone since the segment was looked through, and its bytes with it.
        ByteBuffer bytes = engine.state.store.payloadIfSound(name);
        if (bytes == null || !referred(engine, name, bytes.duplicate())) {
            return 0;
        }
        int size = bytes.remaining();
        engine.records.begin(engine.now(), 1, 8L + size);
        engine.records.moved(name, bytes);
        engine.records.end();
        return size;
    }

    private static long movePage(Engine engine, int channelId, int lane, long pageNumber) {
        PagedIndex index = engine.records.index(channelId, lane);
        if (index == null || !index.hasPage(pageNumber) || index.lost(pageNumber)) {
            return 0;
        }
        engine.records.begin(engine.now(), 1, 30L + index.maxPageBytes());
        engine.records.page(channelId, lane, index, pageNumber);
        engine.records.end();
        return index.pageRecordSize(pageNumber);
    }
}
