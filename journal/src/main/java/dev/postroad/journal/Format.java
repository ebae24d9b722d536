package dev.postroad.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The numbers of the format on disk, version 1, and its checksums. FORMAT.md tells it byte by byte. */
final class Format {
    static final int VERSION = 1;

    static final long SEGMENT_MAGIC = 0x504F5354_524F4144L; // "POSTROAD"
    static final long CHECKPOINT_MAGIC = 0x504F5354_43484B50L; // "POSTCHKP"

    static final int SEGMENT_HEADER = 4096;
    static final int SEGMENT_HEADER_COPY = 2048;

    static final int BATCH_HEADER = 48;
    static final int BATCH_CRC = 0;
    static final int BATCH_LENGTH = 4;
    static final int BATCH_POSITION = 8;
    static final int BATCH_DURABLE = 16;
    static final int BATCH_TIME = 24;
    static final int BATCH_TERM = 32;
    static final int BATCH_RECORDS = 36;
    static final int BATCH_DIGEST = 40;
    static final int BATCH_KIND = 44;

    static final int KIND_DATA = 0;
    /** The segment ends here; the next batch is the first of the next segment. */
    static final int KIND_ROLL = 1;
    /** The journal was closed in good order; everything before is durable. */
    static final int KIND_CLOSE = 2;
    /** A damaged range that was set aside; its body means nothing. */
    static final int KIND_SKIP = 3;
    /** The journal was opened, with a new term; everything before is durable. */
    static final int KIND_OPEN = 4;

    static final int RECORD_HEADER = 9;
    static final int RECORD_CRC = 0;
    static final int RECORD_LENGTH = 4;
    static final int RECORD_TYPE = 8;
    /** The type of a record whose contents were lost; never given to anybody. */
    static final byte TYPE_VOID = 0;

    private static final String SEGMENT_PREFIX = "segment-";
    private static final String SPARE_PREFIX = "spare-";
    private static final String JOURNAL_SUFFIX = ".journal";
    private static final String CHECKPOINT_PREFIX = "checkpoint-";
    private static final String CHECKPOINT_SUFFIX = ".snapshot";
    static final String TEMPORARY_SUFFIX = ".tmp";
    static final String DAMAGED_PREFIX = "damaged-";
    static final String LOCK_NAME = "lock";

    private Format() {}

    static int align(int bytes) {
        return (bytes + 7) & ~7;
    }

    /** The space of a record with that payload; beyond what an int holds for payloads close to its maximum. */
    static long recordBytes(int payloadBytes) {
        return ((long) payloadBytes + RECORD_HEADER + 7) & ~7L;
    }

    /** Spreads every bit of the value over all bits of the result. */
    static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 33)) * 0xff51afd7ed558ccdL;
        z = (z ^ (z >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return z ^ (z >>> 33);
    }

    /** The key of a segment, made from its unique id. */
    static long key(long idHigh, long idLow) {
        return mix(mix(idHigh) + idLow);
    }

    /** What the checksum of something at that position is combined with, so that it is only good there. */
    static int seed(long key, long position) {
        return (int) mix(key + position);
    }

    /** CRC32C of a range of a buffer; moves the buffer's position and limit. */
    static int crc(CRC32C crc, ByteBuffer buffer, int from, int to) {
        buffer.limit(to).position(from);
        crc.reset();
        crc.update(buffer);
        return (int) crc.getValue();
    }

    /** One more record checksum into a batch's digest. */
    static int digest(int digest, int recordCrc) {
        return 31 * digest + recordCrc;
    }

    static String segmentName(long number) {
        return name(SEGMENT_PREFIX, number, JOURNAL_SUFFIX);
    }

    static String spareName(long number) {
        return name(SPARE_PREFIX, number, JOURNAL_SUFFIX);
    }

    static String checkpointName(long generation) {
        return name(CHECKPOINT_PREFIX, generation, CHECKPOINT_SUFFIX);
    }

    /** The number in a segment's name, or -1. */
    static long segmentNumber(String name) {
        return number(name, SEGMENT_PREFIX, JOURNAL_SUFFIX);
    }

    static long spareNumber(String name) {
        return number(name, SPARE_PREFIX, JOURNAL_SUFFIX);
    }

    static long checkpointGeneration(String name) {
        return number(name, CHECKPOINT_PREFIX, CHECKPOINT_SUFFIX);
    }

    static boolean isTemporaryCheckpoint(String name) {
        return name.endsWith(TEMPORARY_SUFFIX)
                && checkpointGeneration(name.substring(0, name.length() - TEMPORARY_SUFFIX.length())) >= 0;
    }

    private static String name(String prefix, long number, String suffix) {
        String hex = Long.toHexString(number);
        return prefix + "0".repeat(16 - hex.length()) + hex + suffix;
    }

    private static long number(String name, String prefix, String suffix) {
        int digits = name.length() - prefix.length() - suffix.length();
        if (digits != 16 || !name.startsWith(prefix) || !name.endsWith(suffix)) {
            return -1;
        }
        long number = 0;
        for (int i = prefix.length(); i < prefix.length() + 16; i++) {
            char c = name.charAt(i);
            int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
            if (digit < 0) {
                return -1;
            }
            number = number << 4 | digit;
        }
        return number >= 0 ? number : -1;
    }
}
