package dev.postroad.protocols.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/** Reads bodies into memory as their bytes arrive, each within its own limit and all together within one. */
final class BodyBudget {
    private static final int FIRST_BYTES = 8 * 1024;

    private final long maxBytes;
    private final AtomicLong held = new AtomicLong();

    BodyBudget(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Bytes that are held. */
    long held() {
        return held.get();
    }

    /** A body in memory; closing gives its share of the budget back. */
    final class Body implements AutoCloseable {
        private byte[] bytes = new byte[0];
        private int length;
        private long taken;

        byte[] bytes() {
            return bytes;
        }

        int length() {
            return length;
        }

        /** The bytes, in an array of their own. */
        byte[] exact() {
            return bytes.length == length ? bytes : Arrays.copyOf(bytes, length);
        }

        private void grow(int size) {
            long more = size - taken;
            if (held.addAndGet(more) > maxBytes) {
                held.addAndGet(-more);
                throw Problem.full("request bodies already take " + held.get() + " bytes of memory; the limit is "
                        + maxBytes + " bytes over all connections");
            }
            taken = size;
            bytes = Arrays.copyOf(bytes, size);
        }

        @Override
        public void close() {
            held.addAndGet(-taken);
            taken = 0;
            bytes = new byte[0];
            length = 0;
        }
    }

    /**
     * @param limit most bytes
     * @param declared what the request says, for an early refusal; -1 if it says nothing
     */
    Body read(InputStream in, int limit, long declared) throws IOException {
        if (declared > limit) {
            throw tooLarge(declared + " bytes", limit);
        }
        Body body = new Body();
        try {
            while (true) {
                if (body.length == body.bytes.length) {
                    if (body.length > limit) {
                        throw tooLarge("more than " + limit + " bytes", limit);
                    }
                    body.grow((int) Math.min(limit + 1L, Math.max(FIRST_BYTES, body.bytes.length * 2L)));
                }
                int read = in.read(body.bytes, body.length, body.bytes.length - body.length);
                if (read < 0) {
                    break;
                }
                body.length += read;
            }
            if (body.length > limit) {
                throw tooLarge("more than " + limit + " bytes", limit);
            }
            return body;
        } catch (Throwable e) {
            body.close();
            throw e;
        }
    }

    private static Problem tooLarge(String what, int limit) {
        return Problem.tooLarge("the body has " + what + "; the limit here is " + limit + " bytes");
    }
}
