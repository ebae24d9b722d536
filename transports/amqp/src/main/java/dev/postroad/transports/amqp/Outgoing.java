package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.AMQConnection;
import com.rabbitmq.client.impl.Frame;
import com.rabbitmq.client.impl.ValueWriter;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Date;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Messages published on a channel, as the frames they are, one after the other in a buffer: they go to the broker together. The
 * client's own way writes and flushes each by itself, which costs it and the broker a system call for every message, and it builds
 * a dozen objects for one. Not safe for use by many threads.
 *
 * <pre>
 *   1 channel size  60 40  0 exchange key mandatory          CE     basic.publish
 *   2 channel size  60 0 body-size flags properties          CE     header
 *   3 channel size  bytes                                    CE     body, in as many frames as it takes
 * </pre>
 *
 * It passes for one frame, so that it is written whole between those of other channels. Whether its channel is open is asked while it
 * is written: nothing else is written meanwhile, and the client, which marks a channel as closed before it says so to the broker,
 * never says so first. A message on a channel that is closed would end the whole connection.
 */
final class Outgoing extends Frame {
    private static final int METHOD = AMQP.FRAME_METHOD;
    private static final int HEADER = AMQP.FRAME_HEADER;
    private static final int BODY = AMQP.FRAME_BODY;
    private static final int BASIC = 60;
    private static final int PUBLISH = 40;
    private static final int MANDATORY = 1;

    /** Type, channel and size before a frame's payload, and the octet behind it. */
    private static final int BEFORE = 7;

    private static final int AROUND = BEFORE + 1;

    private static final int FIRST_SIZE = 64 * 1024;
    private static final int FULL = 32 * 1024;

    /** A body from this size on is not copied. */
    private static final int LARGE = 16 * 1024;

    private static final int SHORT_BYTES = 255;
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    /** Which properties there are, in the header of a message. */
    static final int CONTENT_TYPE = 1 << 15;

    static final int CONTENT_ENCODING = 1 << 14;
    static final int HEADERS = 1 << 13;
    static final int DELIVERY_MODE = 1 << 12;
    static final int PRIORITY = 1 << 11;
    static final int CORRELATION_ID = 1 << 10;
    static final int REPLY_TO = 1 << 9;
    static final int EXPIRATION = 1 << 8;
    static final int MESSAGE_ID = 1 << 7;
    static final int TIMESTAMP = 1 << 6;
    static final int TYPE = 1 << 5;
    static final int USER_ID = 1 << 4;
    static final int APP_ID = 1 << 3;
    static final int CLUSTER_ID = 1 << 2;

    private final int number;
    private final Supplier<@Nullable ShutdownSignalException> closed;

    /** Bytes of a frame's payload at most. */
    private final int most;

    private byte[] buffer = new byte[FIRST_SIZE];
    private int length;

    /** What is written behind the buffer. */
    private byte @Nullable [] large;

    /** Where the last message went, and the frame that said so: most go to the same queue as the one before. */
    private String exchange = "";

    private String routingKey = "";
    private byte[] publish = new byte[0];

    /**
     * @param number of the channel
     * @param frameMax bytes of a frame at most; 0 for any number
     * @param closed why the channel is closed; null while it is open
     */
    Outgoing(int number, int frameMax, Supplier<@Nullable ShutdownSignalException> closed) {
        super(METHOD, number, new byte[0]);
        this.number = number;
        this.most = frameMax == 0 ? Integer.MAX_VALUE : frameMax - AROUND;
        this.closed = closed;
    }

    boolean isEmpty() {
        return length == 0;
    }

    /** True if it should be sent before another is added. */
    boolean isFull() {
        return length >= FULL || large != null;
    }

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Writes what was added, and forgets it.
     *
     * @param connection of the channel
     * @throws AlreadyClosedException if the channel is closed; nothing was written
     */
    void sendOn(AMQConnection connection) throws IOException {
        if (length == 0) {
            return;
        }
        try {
            connection.writeFrame(this);
            connection.flush();
        } finally {
            length = 0;
            large = null;
            if (buffer.length > FIRST_SIZE) {
                buffer = new byte[FIRST_SIZE];
            }
        }
    }

    /** Called by the client, while nobody else writes. */
    @Override
    public void writeTo(DataOutputStream to) throws IOException {
        ShutdownSignalException end = closed.get();
        if (end != null) {
            throw new AlreadyClosedException(end);
        }
        to.write(buffer, 0, length);
        byte[] body = large;
        if (body != null) {
            for (int at = 0; at < body.length; at += most) {
                int size = Math.min(most, body.length - at);
                to.writeByte(BODY);
                to.writeShort(number);
                to.writeInt(size);
                to.write(body, at, size);
                to.writeByte(AMQP.FRAME_END);
            }
        }
    }

    // ── Adding ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Adds a message. Its body must not change until it was sent.
     *
     * @throws MessagingException {@code TOO_LARGE} if its headers do not fit a frame; nothing was added
     */
    void add(String toExchange, String toRoutingKey, AMQP.BasicProperties properties, byte[] body) {
        int before = length;
        boolean added = false;
        try {
            method(toExchange, toRoutingKey);
            header(properties, body.length);
            if (body.length >= LARGE) {
                large = body;
            } else {
                body(body);
            }
            added = true;
        } finally {
            if (!added) {
                length = before;
            }
        }
    }

    private void method(String toExchange, String toRoutingKey) {
        if (publish.length == 0 || !toRoutingKey.equals(routingKey) || !toExchange.equals(exchange)) {
            int from = length;
            int start = begin(METHOD);
            putShort(BASIC);
            putShort(PUBLISH);
            putShort(0);
            putShortString("exchange", toExchange);
            putShortString("routing key", toRoutingKey);
            putByte(MANDATORY);
            end(start);
            publish = Arrays.copyOfRange(buffer, from, length);
            exchange = toExchange;
            routingKey = toRoutingKey;
            return;
        }
        room(publish.length);
        System.arraycopy(publish, 0, buffer, length, publish.length);
        length += publish.length;
    }

    private void header(AMQP.BasicProperties of, long bodySize) {
        int start = begin(HEADER);
        putShort(BASIC);
        putShort(0);
        putLong(bodySize);
        int flagsAt = length;
        putShort(0);
        int flags = putShortString(CONTENT_TYPE, "content type", of.getContentType())
                | putShortString(CONTENT_ENCODING, "content encoding", of.getContentEncoding());
        Map<String, Object> headers = of.getHeaders();
        if (headers != null) {
            flags |= HEADERS;
            putTable(headers);
        }
        Integer deliveryMode = of.getDeliveryMode();
        if (deliveryMode != null) {
            flags |= DELIVERY_MODE;
            putByte(deliveryMode);
        }
        Integer priority = of.getPriority();
        if (priority != null) {
            flags |= PRIORITY;
            putByte(priority);
        }
        flags |= putShortString(CORRELATION_ID, "correlation id", of.getCorrelationId())
                | putShortString(REPLY_TO, "reply-to", of.getReplyTo())
                | putShortString(EXPIRATION, "expiration", of.getExpiration())
                | putShortString(MESSAGE_ID, "message id", of.getMessageId());
        Date timestamp = of.getTimestamp();
        if (timestamp != null) {
            flags |= TIMESTAMP;
            putLong(timestamp.getTime() / 1000);
        }
        flags |= putShortString(TYPE, "type", of.getType())
                | putShortString(USER_ID, "user id", of.getUserId())
                | putShortString(APP_ID, "app id", of.getAppId())
                | putShortString(CLUSTER_ID, "cluster id", of.getClusterId());
        buffer[flagsAt] = (byte) (flags >>> 8);
        buffer[flagsAt + 1] = (byte) flags;
        int size = end(start);
        if (size > most) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "message " + of.getMessageId() + " has " + size
                            + " bytes of headers and properties; the broker takes " + most + " at most (frame_max)");
        }
    }

    private void body(byte[] body) {
        for (int at = 0; at < body.length; at += most) {
            int size = Math.min(most, body.length - at);
            int start = begin(BODY);
            putBytes(body, at, size);
            end(start);
        }
    }

    private int begin(int type) {
        putByte(type);
        putShort(number);
        putInt(0);
        return length;
    }

    /** @return the size of the payload */
    private int end(int start) {
        int size = length - start;
        setInt(start - Integer.BYTES, size);
        putByte(AMQP.FRAME_END);
        return size;
    }

    // ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void putTable(Map<String, Object> table) {
        int at = length;
        putInt(0);
        for (Map.Entry<String, Object> entry : table.entrySet()) {
            putShortString("name of a header", entry.getKey());
            putValue(entry.getValue());
        }
        setInt(at, length - at - Integer.BYTES);
    }

    private void putValue(@Nullable Object value) {
        switch (value) {
            case String text -> {
                putByte('S');
                putLongString(text);
            }
            case Long number64 -> {
                putByte('l');
                putLong(number64);
            }
            case Integer number32 -> {
                putByte('I');
                putInt(number32);
            }
            case Boolean bool -> {
                putByte('t');
                putByte(bool ? 1 : 0);
            }
            case byte[] bytes -> {
                putByte('x');
                putInt(bytes.length);
                putBytes(bytes, 0, bytes.length);
            }
            case null, default -> putAnyValue(value);
        }
    }

    /** What comes from other programs and goes back as it came: decimals, dates, lists, tables. */
    private void putAnyValue(@Nullable Object value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ValueWriter writer = new ValueWriter(new DataOutputStream(bytes));
            writer.writeFieldValue(value);
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        putBytes(bytes.toByteArray(), 0, bytes.size());
    }

    private int putShortString(int flag, String what, @Nullable String text) {
        if (text == null) {
            return 0;
        }
        putShortString(what, text);
        return flag;
    }

    private void putShortString(String what, String text) {
        int chars = text.length();
        room(1 + chars);
        int at = length + 1;
        boolean ascii = chars <= SHORT_BYTES;
        for (int i = 0; i < chars && ascii; i++) {
            char c = text.charAt(i);
            buffer[at + i] = (byte) c;
            ascii = c < 0x80;
        }
        if (ascii) {
            buffer[length] = (byte) chars;
            length = at + chars;
            return;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > SHORT_BYTES) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "the " + what + " '" + text + "' has " + bytes.length + " bytes; AMQP takes " + SHORT_BYTES
                            + " at most");
        }
        putByte(bytes.length);
        putBytes(bytes, 0, bytes.length);
    }

    private void putLongString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        putInt(bytes.length);
        putBytes(bytes, 0, bytes.length);
    }

    private void putByte(int value) {
        room(1);
        buffer[length++] = (byte) value;
    }

    private void putShort(int value) {
        room(Short.BYTES);
        SHORT.set(buffer, length, (short) value);
        length += Short.BYTES;
    }

    private void putInt(int value) {
        room(Integer.BYTES);
        setInt(length, value);
        length += Integer.BYTES;
    }

    private void setInt(int at, int value) {
        INT.set(buffer, at, value);
    }

    private void putLong(long value) {
        room(Long.BYTES);
        LONG.set(buffer, length, value);
        length += Long.BYTES;
    }

    private void putBytes(byte[] bytes, int from, int size) {
        room(size);
        System.arraycopy(bytes, from, buffer, length, size);
        length += size;
    }

    private void room(int size) {
        if (buffer.length - length < size) {
            buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, length + size));
        }
    }
}
