package dev.postroad.engine;

/**
 * 64-bit hashes of keys and ids, the same on every machine and in every version: they are kept in index pages. An FNV-1a
 * pass with a final mix (of SplitMix64), never 0, which stands for "no key".
 */
final class Hash {
    /** For the second of two independent hashes. */
    static final long OTHER_SEED = 0x9AE16A3B2F90404FL;

    private static final long FNV_OFFSET = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;

    private Hash() {}

    static long of(byte[] bytes) {
        return of(bytes, 0);
    }

    static long of(byte[] bytes, long seed) {
        long h = FNV_OFFSET ^ seed;
        for (byte b : bytes) {
            h = (h ^ (b & 0xFF)) * FNV_PRIME;
        }
        return mix(h + bytes.length);
    }

    static long of(String text, long seed) {
        long h = FNV_OFFSET ^ seed;
        for (int i = 0; i < text.length(); i++) {
            h = (h ^ text.charAt(i)) * FNV_PRIME;
        }
        return mix(h + text.length());
    }

    private static long mix(long h) {
        long z = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        z ^= z >>> 31;
        return z == 0 ? 1 : z;
    }
}
