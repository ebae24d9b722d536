package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Copies damaged ranges aside, once, so that they can be examined after the segment is gone. */
final class Quarantine {
    private final Storage storage;
    private final RecoveryReport report;
    private final List<Range> ranges = new ArrayList<>();

    private record Range(Segment segment, long offset, long bytes) {
        String name() {
            return Format.DAMAGED_PREFIX + Format.segmentName(segment.number) + "-" + offset + "-" + bytes;
        }
    }

    Quarantine(Storage storage, RecoveryReport report) {
        this.storage = storage;
        this.report = report;
    }

    void add(Segment segment, long offset, long bytes) {
        ranges.add(new Range(segment, offset, bytes));
    }

    void write() throws IOException {
        if (ranges.isEmpty()) {
            return;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
        for (Range range : ranges) {
            String name = range.name();
            report.quarantine(name);
            if (storage.exists(name)) {
                continue;
            }
            String temporary = name + Format.TEMPORARY_SUFFIX;
            if (storage.exists(temporary)) {
                storage.delete(temporary);
            }
            try (StorageFile copy = storage.create(temporary)) {
                long at = 0;
                while (at < range.bytes) {
                    buffer.position(0).limit((int) Math.min(buffer.capacity(), range.bytes - at));
                    int read = range.segment.file.read(buffer, range.offset + at);
                    if (read <= 0) {
                        break;
                    }
                    copy.write(buffer.flip(), at);
                    at += read;
                }
                copy.force();
            }
            storage.rename(temporary, name);
        }
    }
}
