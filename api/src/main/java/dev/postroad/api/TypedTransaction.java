package dev.postroad.api;

/** A transport's transaction, with messages turned into bytes and deliveries into the transport's own. */
final class TypedTransaction<K, V> implements Transaction<K, V> {
    private final Transaction<byte[], byte[]> raw;
    private final MessageCodec<K, V> codec;
    private volatile boolean committed;
    private volatile boolean closed;

    TypedTransaction(Transaction<byte[], byte[]> raw, MessageCodec<K, V> codec) {
        this.raw = raw;
        this.codec = codec;
    }

    /** True once it is certain that nothing of it took effect. */
    boolean aborted() {
        return closed && !committed;
    }

    @Override
    public void send(String channel, Message<K, V> message) {
        raw.send(channel, codec.encode(channel, message));
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        raw.acknowledge(delivery instanceof TypedDelivery<?, ?> typed ? typed.enlist(this) : delivery);
    }

    @Override
    public void commit() {
        try {
            raw.commit();
            committed = true;
        } catch (MessagingException e) {
            committed = switch (e.reason()) {
                // Its outcome is open: acknowledging on top of it could only do harm.
                case TIMEOUT, STORAGE_FAILED, UNREACHABLE -> true;
                default -> false;
            };
            throw e;
        }
    }

    @Override
    public void close() {
        closed = true;
        raw.close();
    }
}
