package dev.postroad.memory;

import dev.postroad.api.Message;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One message as one line has it: what is known of its delivery. Guarded by the broker's lock. */
final class Item {
    final long sequence;
    final Message<byte[], byte[]> message;
    final int partition;
    final long offset;
    final @Nullable Instant expires;

    int attempts;

    /** Not before this; null for now. */
    @Nullable
    Instant due;

    /** When it failed first; null where it did not. */
    @Nullable
    Instant firstFailure;

    /** True if it waits because it failed, and not because it was sent so. */
    boolean retrying;

    @Nullable
    MemoryReceiver holder;

    @Nullable
    Instant leaseEnds;

    Item(long sequence, Message<byte[], byte[]> message, int partition, long offset, @Nullable Instant expires) {
        this.sequence = sequence;
        this.message = message;
        this.partition = partition;
        this.offset = offset;
        this.expires = expires;
        this.due = message.properties().deliverAt();
    }

    boolean inFlight() {
        return holder != null;
    }

    boolean waits(Instant now) {
        return due != null && due.isAfter(now);
    }

    void release(@Nullable Instant notBefore) {
        holder = null;
        leaseEnds = null;
        due = notBefore;
        retrying = true;
    }
}
