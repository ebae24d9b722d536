package dev.postroad.patterns.claimcheck;

import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Serde;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps large values out of the broker: they are put into a blob store while a message is sent, and fetched when a handler
 * asks for them. Safe for use by many threads.
 *
 * <pre>{@code
 *   ClaimCheck scans = new ClaimCheck(new FileBlobs(Path.of("scans")), ClaimSettings.DEFAULT);
 *   Format<String, Claim<byte[]>> format = scans.format(Format.of(Serdes.bytes()));
 *   postroad.producer(format).send("documents", Message.of("customer-7", Claim.of(pdf)));
 *   postroad.listen("documents", format, options, scans.around(
 *           delivery -> archive(delivery.message().value().get())));
 * }</pre>
 *
 * <p>A blob is complete in its store before its message is sent, and is deleted after the message was acknowledged, never
 * before. What is left over when a program dies in between, or when a message is never handled, is deleted when its lifetime is
 * over.
 */
public final class ClaimCheck {
    private static final System.Logger LOG = System.getLogger(ClaimCheck.class.getName());

    private final BlobStore store;
    private final ClaimSettings settings;
    private final AtomicLong checkedIn = new AtomicLong();
    private final AtomicLong fetched = new AtomicLong();
    private final AtomicLong deleted = new AtomicLong();
    private final AtomicLong expired = new AtomicLong();
    private final AtomicLong nextCleanup;

    /** @param store the same for all who send and receive */
    public ClaimCheck(BlobStore store, ClaimSettings settings) {
        this.store = store;
        this.settings = settings;
        this.nextCleanup =
                new AtomicLong(System.nanoTime() + settings.cleanupInterval().toNanos());
    }

    /** A format whose values are claims. Sending fails with {@code SERDE}, and the cause, while the store can't be reached. */
    public <K, V> Format<K, Claim<V>> format(Format<K, V> format) {
        return new Format<>(format.key(), serde(format.value()));
    }

    /** As {@link #format}, for the values alone. */
    public <V> Serde<Claim<V>> serde(Serde<V> values) {
        return new ClaimSerde<>(values);
    }

    /**
     * A handler after whose success the delivery is acknowledged and then the blob deleted: for queues, where a message has one
     * consumer. On a stream, or where the value was passed on, leave it out, and let the lifetime end it. A delivery that the
     * handler settled itself, in whatever way, keeps its blob.
     */
    public <K, V> Handler<K, Claim<V>> around(Handler<K, Claim<V>> handler) {
        return delivery -> {
            Claim<V> claim = delivery.message().value();
            handler.handle(delivery);
            Ticket ticket = claim == null ? null : claim.ticket();
            if (ticket == null) {
                return;
            }
            try {
                delivery.acknowledge().get();
            } catch (ExecutionException e) {
                // Not ours to end any more: whoever has the message now needs the blob.
                return;
            }
            delete(ticket);
        };
    }

    private void delete(Ticket ticket) {
        try {
            store.delete(ticket.id());
            deleted.incrementAndGet();
        } catch (IOException | RuntimeException e) {
            LOG.log(
                    Level.WARNING,
                    "blob " + ticket.id() + " could not be deleted and stays until its lifetime is over: "
                            + e.getMessage());
        }
    }

    private Ticket checkIn(byte[] bytes) {
        String id = UUID.randomUUID().toString();
        try {
            store.put(id, bytes);
        } catch (IOException e) {
            throw new MessagingException(
                    Reason.UNREACHABLE,
                    "a value of " + bytes.length + " bytes could not be put into the blob store: " + e.getMessage(),
                    e);
        }
        checkedIn.incrementAndGet();
        cleanUp();
        return Ticket.of(id, bytes);
    }

    private byte[] fetch(Ticket ticket) {
        Optional<byte[]> blob;
        try {
            blob = store.get(ticket.id(), ticket.size());
        } catch (IOException e) {
            throw new MessagingException(
                    Reason.UNREACHABLE,
                    "blob " + ticket.id() + " of " + ticket.size() + " bytes could not be fetched: " + e.getMessage(),
                    e);
        }
        if (blob.isEmpty()) {
            throw new Handler.DeadLetterException("its value, blob " + ticket.id() + " of " + ticket.size()
                    + " bytes, is not in the blob store any more");
        }
        if (!ticket.fits(blob.get())) {
            throw new Handler.DeadLetterException("its value, blob " + ticket.id()
                    + ", is not what was checked in: size or SHA-256 differ from those of the message");
        }
        fetched.incrementAndGet();
        return blob.get();
    }

    private void cleanUp() {
        long now = System.nanoTime();
        long due = nextCleanup.get();
        if (now - due >= 0
                && nextCleanup.compareAndSet(
                        due, now + settings.cleanupInterval().toNanos())) {
            Thread.ofVirtual().name("postroad-claims").start(() -> {
                try {
                    deleteExpired();
                } catch (IOException | RuntimeException e) {
                    LOG.log(Level.WARNING, "old blobs could not be deleted: " + e.getMessage());
                }
            });
        }
    }

    /** Deletes what has outlived its lifetime; sending does so too, now and then. @return how many */
    public int deleteExpired() throws IOException {
        int count = store.deleteOlderThan(settings.lifetime());
        expired.addAndGet(count);
        return count;
    }

    /** Values that were put into the store. */
    public long checkedIn() {
        return checkedIn.get();
    }

    /** Values that were fetched, and were what had been checked in. */
    public long fetched() {
        return fetched.get();
    }

    /** Blobs deleted after their message was acknowledged. */
    public long deleted() {
        return deleted.get();
    }

    /** Blobs deleted because their lifetime was over. */
    public long expired() {
        return expired.get();
    }

    private final class ClaimSerde<V> implements Serde<Claim<V>> {
        private final Serde<V> values;

        ClaimSerde(Serde<V> values) {
            this.values = values;
        }

        @Override
        public byte[] serialize(Claim<V> claim) {
            Ticket ticket = claim.ticket();
            if (ticket != null) {
                // Sent again, or passed on: the blob goes with it.
                return ticket.encode();
            }
            byte[] bytes = values.serialize(claim.get());
            // What could be taken for a ticket must not travel by itself.
            if (bytes.length <= settings.threshold() && !Ticket.looksLike(bytes)) {
                return bytes;
            }
            Ticket issued = checkIn(bytes);
            claim.checkedIn(issued);
            return issued.encode();
        }

        @Override
        public Claim<V> deserialize(byte[] bytes) {
            Optional<Ticket> ticket = Ticket.decode(bytes);
            if (ticket.isPresent()) {
                return Claim.checkedIn(ticket.get(), () -> read(ticket.get()));
            }
            if (Ticket.looksLike(bytes)) {
                throw new IllegalArgumentException(
                        "the " + bytes.length + " bytes begin like a claim's ticket and are none that is known here");
            }
            return Claim.of(values.deserialize(bytes));
        }

        private V read(Ticket ticket) {
            byte[] bytes = fetch(ticket);
            try {
                return values.deserialize(bytes);
            } catch (RuntimeException e) {
                throw new Handler.DeadLetterException(
                        "its value, blob " + ticket.id() + " of " + ticket.size() + " bytes, can't be read: " + e);
            }
        }

        @Override
        public @Nullable String contentType() {
            return values.contentType();
        }
    }
}
