package dev.postroad.patterns.claimcheck;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A value that may lie elsewhere. Safe for use by many threads.
 *
 * @param <V> type of the value
 */
public final class Claim<V> {
    private final Supplier<V> fetch;
    private volatile @Nullable V value;
    private volatile @Nullable Ticket ticket;

    private Claim(Supplier<V> fetch, @Nullable V value, @Nullable Ticket ticket) {
        this.fetch = fetch;
        this.value = value;
        this.ticket = ticket;
    }

    /** A value to be sent. */
    public static <V> Claim<V> of(V value) {
        return new Claim<>(() -> value, value, null);
    }

    static <V> Claim<V> checkedIn(Ticket ticket, Supplier<V> fetch) {
        return new Claim<>(fetch, null, ticket);
    }

    /**
     * The value; fetched the first time.
     *
     * @throws dev.postroad.api.MessagingException {@code UNREACHABLE} if the blob store is: another attempt may help
     * @throws dev.postroad.api.Handler.DeadLetterException if the blob is gone, or is not what was checked in
     */
    public V get() {
        V known = value;
        if (known == null) {
            known = fetch.get();
            value = known;
        }
        return known;
    }

    /** True if its bytes lie in the blob store. */
    public boolean isCheckedIn() {
        return ticket != null;
    }

    @Nullable
    Ticket ticket() {
        return ticket;
    }

    void checkedIn(Ticket in) {
        ticket = in;
    }
}
