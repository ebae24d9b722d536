package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.impl.LongStringHelper;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the broker delivers on one channel, read from the payloads of its frames (AMQP 0-9-1, 4.2.6, and its XML):
 *
 * <pre>
 *   method  60 60 consumer-tag delivery-tag redelivered exchange key
 *   header  60 0 body-size flags properties
 *   body    bytes, in as many frames as it takes
 * </pre>
 *
 * The client's way makes four streams, five texts that nobody asks for and an entry in a queue of each. For one thread.
 */
final class Deliveries {
    private static final int BASIC = 60;
    private static final int DELIVER = 60;
    private static final int LARGEST_BODY = AmqpUrl.LARGEST_BODY;

    /** Tables and lists in each other. */
    private static final int DEEPEST = 32;

    private static final byte[] NOTHING = {};

    /** Flags of properties that there are not. */
    private static final int UNKNOWN = 3;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    /** Takes the messages, on the thread that reads the connection: it neither waits nor writes. */
    interface To {
        /** @param number by which it is acknowledged on its channel */
        void arrived(long number, boolean redelivered, AMQP.BasicProperties properties, byte[] body);
    }

    private final To to;

    /** What is being read, and where: before the end of the frame's payload. */
    private byte[] bytes = NOTHING;

    private int at;
    private int end;

    /** The message under way: its number from its method on, the rest from its header on. */
    private boolean begun;

    private long number;
    private boolean redelivered;
    private AMQP.@Nullable BasicProperties properties;
    private byte[] body = NOTHING;
    private int filled;

    Deliveries(To to) {
        this.to = to;
    }

    /**
     * Takes a frame of the channel, if it is part of a delivery.
     *
     * @param type of the frame
     * @param from holds its payload, and does so until this returns
     * @throws MalformedFrameException if it is no such frame
     */
    boolean take(int type, byte[] from, int start, int size) throws MalformedFrameException {
        bytes = from;
        at = start;
        end = start + size;
        if (type == AMQP.FRAME_METHOD) {
            if (begun) {
                throw new MalformedFrameException("a method came before the end of delivery " + number);
            }
            return begin();
        }
        if (!begun) {
            return false;
        }
        if (type == AMQP.FRAME_HEADER && properties == null) {
            header();
        } else if (type == AMQP.FRAME_BODY && properties != null) {
            if (size > body.length - filled) {
                throw new MalformedFrameException(
                        "delivery " + number + " has more than the " + body.length + " bytes that it was said to have");
            }
            System.arraycopy(from, start, body, filled, size);
            filled += size;
        } else {
            throw new MalformedFrameException("delivery " + number + " goes on with a frame of type " + type);
        }
        AMQP.BasicProperties whole = properties;
        if (whole != null && filled == body.length) {
            byte[] all = body;
            begun = false;
            properties = null;
            body = NOTHING;
            to.arrived(number, redelivered, whole, all);
        }
        return true;
    }

    private boolean begin() throws MalformedFrameException {
        if (end - at < 4 || getShort() != BASIC || getShort() != DELIVER) {
            return false;
        }
        skipShortString();
        number = getLong();
        redelivered = (getByte() & 1) != 0;
        skipShortString();
        skipShortString();
        begun = true;
        return true;
    }

    private void header() throws MalformedFrameException {
        int of = getShort();
        getShort();
        long size = getLong();
        if (of != BASIC || size < 0 || size > LARGEST_BODY) {
            throw new MalformedFrameException("delivery " + number + " of class " + of + " has a body of "
                    + Long.toUnsignedString(size) + " bytes; it may have up to " + LARGEST_BODY);
        }
        int flags = getShort();
        if (has(flags, UNKNOWN)) {
            throw new MalformedFrameException("delivery " + number + " has properties that AMQP 0-9-1 does not know");
        }
        properties = new AMQP.BasicProperties(
                has(flags, Outgoing.CONTENT_TYPE) ? getShortString() : null,
                has(flags, Outgoing.CONTENT_ENCODING) ? getShortString() : null,
                has(flags, Outgoing.HEADERS) ? getTable(1) : null,
                has(flags, Outgoing.DELIVERY_MODE) ? (Integer) getByte() : null,
                has(flags, Outgoing.PRIORITY) ? (Integer) getByte() : null,
                has(flags, Outgoing.CORRELATION_ID) ? getShortString() : null,
                has(flags, Outgoing.REPLY_TO) ? getShortString() : null,
                has(flags, Outgoing.EXPIRATION) ? getShortString() : null,
                has(flags, Outgoing.MESSAGE_ID) ? getShortString() : null,
                has(flags, Outgoing.TIMESTAMP) ? new Date(getLong() * 1000) : null,
                has(flags, Outgoing.TYPE) ? getShortString() : null,
                has(flags, Outgoing.USER_ID) ? getShortString() : null,
                has(flags, Outgoing.APP_ID) ? getShortString() : null,
                has(flags, Outgoing.CLUSTER_ID) ? getShortString() : null);
        body = new byte[(int) size];
        filled = 0;
    }

    private static boolean has(int flags, int flag) {
        return (flags & flag) != 0;
    }

    // ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** With the values that the client makes of them, null for void among them. */
    @SuppressWarnings("NullAway")
    private Map<String, Object> getTable(int depth) throws MalformedFrameException {
        int tableEnd = begin(depth);
        Map<String, Object> table = new HashMap<>();
        while (at < tableEnd) {
            table.put(getShortString(), getValue(depth));
        }
        end(tableEnd);
        return table;
    }

    @SuppressWarnings("NullAway")
    private List<Object> getList(int depth) throws MalformedFrameException {
        int listEnd = begin(depth);
        List<Object> list = new ArrayList<>();
        while (at < listEnd) {
            list.add(getValue(depth));
        }
        end(listEnd);
        return list;
    }

    /** @return where it ends */
    private int begin(int depth) throws MalformedFrameException {
        int size = getInt();
        need(size);
        if (depth > DEEPEST) {
            throw new MalformedFrameException(
                    "delivery " + number + " has tables in tables, more than " + DEEPEST + " deep");
        }
        return at + size;
    }

    private void end(int expected) throws MalformedFrameException {
        if (at != expected) {
            throw new MalformedFrameException("delivery " + number + " has a table that goes beyond its end");
        }
    }

    /** The types are those that RabbitMQ knows, where the specification is at odds with its errata. */
    private @Nullable Object getValue(int depth) throws MalformedFrameException {
        int type = getByte();
        return switch (type) {
            case 'S' -> LongStringHelper.asLongString(getBytes());
            case 'x' -> getBytes();
            case 'l' -> getLong();
            case 'I' -> getInt();
            case 't' -> getByte() != 0;
            case 'b' -> (byte) getByte();
            case 'B' -> getByte();
            case 's' -> (short) getShort();
            case 'u' -> getShort();
            case 'i' -> Integer.toUnsignedLong(getInt());
            case 'f' -> Float.intBitsToFloat(getInt());
            case 'd' -> Double.longBitsToDouble(getLong());
            case 'D' -> {
                int scale = getByte();
                yield new BigDecimal(BigInteger.valueOf(getInt()), scale);
            }
            case 'T' -> new Date(getLong() * 1000);
            case 'F' -> getTable(depth + 1);
            case 'A' -> getList(depth + 1);
            case 'V' -> null;
            default ->
                throw new MalformedFrameException(
                        "delivery " + number + " has a header of type " + type + ", which there is not");
        };
    }

    private void need(int count) throws MalformedFrameException {
        if (count < 0 || count > end - at) {
            throw new MalformedFrameException("delivery " + number + " needs " + Integer.toUnsignedString(count)
                    + " bytes where its frame has " + (end - at));
        }
    }

    private int getByte() throws MalformedFrameException {
        need(1);
        return Byte.toUnsignedInt(bytes[at++]);
    }

    private int getShort() throws MalformedFrameException {
        need(Short.BYTES);
        int value = Short.toUnsignedInt((short) SHORT.get(bytes, at));
        at += Short.BYTES;
        return value;
    }

    private int getInt() throws MalformedFrameException {
        need(Integer.BYTES);
        int value = (int) INT.get(bytes, at);
        at += Integer.BYTES;
        return value;
    }

    private long getLong() throws MalformedFrameException {
        need(Long.BYTES);
        long value = (long) LONG.get(bytes, at);
        at += Long.BYTES;
        return value;
    }

    private void skipShortString() throws MalformedFrameException {
        int length = getByte();
        need(length);
        at += length;
    }

    private String getShortString() throws MalformedFrameException {
        int length = getByte();
        need(length);
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        at += length;
        return text;
    }

    private byte[] getBytes() throws MalformedFrameException {
        int length = getInt();
        need(length);
        byte[] value = Arrays.copyOfRange(bytes, at, at + length);
        at += length;
        return value;
    }
}
