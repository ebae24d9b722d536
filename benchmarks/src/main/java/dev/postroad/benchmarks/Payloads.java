package dev.postroad.benchmarks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Message bodies: bytes nothing can compress, behind the time of sending. */
final class Payloads {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] template;

    Payloads(int size) {
        template = new byte[size];
        new SplittableRandom(size).nextBytes(template);
    }

    /** A new body that was sent at this time. */
    byte[] next(long nanos) {
        byte[] payload = template.clone();
        LONGS.set(payload, 0, nanos);
        return payload;
    }

    /** When a body was sent. */
    static long sentAt(byte[] payload) {
        return (long) LONGS.get(payload, 0);
    }
}
