package dev.postroad.api;

/**
 * Sends and acknowledgements that take effect together or not at all, on any channels of one transport. For one thread.
 *
 * <p>Bounded to 10,000 operations and to the transport's largest batch.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public interface Transaction<K, V> extends AutoCloseable {

    /** Sends a message when the transaction commits. Its deliveries and receipts exist only then. */
    void send(String channel, Message<K, V> message);

    /** Settles a delivery, as {@link Delivery#acknowledge}, when the transaction commits. */
    void acknowledge(Delivery<?, ?> delivery);

    /**
     * Makes all of it take effect and returns when it is on disk.
     *
     * @throws MessagingException if none of it took effect; for {@code TIMEOUT} and {@code STORAGE_FAILED} the outcome is
     *     unknown but will not change
     */
    void commit();

    /** Drops the transaction if it was not committed; its deliveries stay unsettled. Idempotent. */
    @Override
    void close();
}
