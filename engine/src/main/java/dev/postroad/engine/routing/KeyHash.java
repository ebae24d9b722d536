package dev.postroad.engine.routing;

/**
 * Which partition a key belongs to: murmur2 over the key's bytes, its sign bit cleared, modulo the number of
 * partitions. Kafka's default partitioner computes the same, so that a key lies in the same partition here and there.
 */
public final class KeyHash {
    private static final int SEED = 0x9747b28c;
    private static final int MULTIPLIER = 0x5bd1e995;
    private static final int SHIFT = 24;

    private KeyHash() {}

    /**
     * Returns the partition of a key.
     *
     * @param partitions how many partitions there are; at least 1
     * @return 0 to {@code partitions - 1}
     */
    public static int partition(byte[] key, int partitions) {
        if (partitions < 1) {
            throw new IllegalArgumentException("the number of partitions is " + partitions + "; it must be 1 or more");
        }
        return (murmur2(key) & Integer.MAX_VALUE) % partitions;
    }

    /** Returns the 32-bit murmur2 hash of the bytes. */
    public static int murmur2(byte[] data) {
        int hash = SEED ^ data.length;
        int wholeWords = data.length & ~3;
        for (int i = 0; i < wholeWords; i += 4) {
            int word = (data[i] & 0xff)
                    | (data[i + 1] & 0xff) << 8
                    | (data[i + 2] & 0xff) << 16
                    | (data[i + 3] & 0xff) << 24;
            word *= MULTIPLIER;
            word ^= word >>> SHIFT;
            hash = hash * MULTIPLIER ^ word * MULTIPLIER;
        }
        int left = data.length - wholeWords;
        if (left > 0) {
            for (int i = left - 1; i >= 0; i--) {
                hash ^= (data[wholeWords + i] & 0xff) << 8 * i;
            }
            hash *= MULTIPLIER;
        }
        hash ^= hash >>> 13;
        hash *= MULTIPLIER;
        return hash ^ hash >>> 15;
    }
}
