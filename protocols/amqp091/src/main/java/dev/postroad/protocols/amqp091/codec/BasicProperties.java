package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The properties of a message; each is null where it is not set.
 *
 * @param deliveryMode 1 transient, 2 persistent; any octet as the wire has it
 * @param priority 0 to 255
 * @param expiration time to live in milliseconds, as text
 * @param timestamp seconds since 1970
 */
public record BasicProperties(
        @Nullable String contentType,
        @Nullable String contentEncoding,
        @Nullable Map<String, @Nullable Object> headers,
        @Nullable Integer deliveryMode,
        @Nullable Integer priority,
        @Nullable String correlationId,
        @Nullable String replyTo,
        @Nullable String expiration,
        @Nullable String messageId,
        @Nullable Long timestamp,
        @Nullable String type,
        @Nullable String userId,
        @Nullable String appId,
        @Nullable String clusterId) {
    /** Nothing set. */
    public static final BasicProperties NONE =
            new BasicProperties(null, null, null, null, null, null, null, null, null, null, null, null, null, null);

    /** Persistent, and nothing else. */
    public static final BasicProperties PERSISTENT =
            new BasicProperties(null, null, null, 2, null, null, null, null, null, null, null, null, null, null);

    private static final int CONTENT_TYPE = 1 << 15;
    private static final int CONTENT_ENCODING = 1 << 14;
    private static final int HEADERS = 1 << 13;
    private static final int DELIVERY_MODE = 1 << 12;
    private static final int PRIORITY = 1 << 11;
    private static final int CORRELATION_ID = 1 << 10;
    private static final int REPLY_TO = 1 << 9;
    private static final int EXPIRATION = 1 << 8;
    private static final int MESSAGE_ID = 1 << 7;
    private static final int TIMESTAMP = 1 << 6;
    private static final int TYPE = 1 << 5;
    private static final int USER_ID = 1 << 4;
    private static final int APP_ID = 1 << 3;
    private static final int CLUSTER_ID = 1 << 2;

    /** Reads flags and properties, to the end of the frame. @throws MalformedException if they are none */
    public static BasicProperties read(ArgumentReader in) {
        int flags = in.readUnsignedShort();
        if ((flags & 3) != 0) {
            throw MalformedException.syntax("a content header sets flags of properties that class basic does not have");
        }
        BasicProperties properties;
        if (flags == 0) {
            properties = NONE;
        } else if (flags == DELIVERY_MODE) {
            int mode = in.readUnsignedByte();
            properties = mode == 2 ? PERSISTENT : ofMode(mode);
        } else {
            properties = new BasicProperties(
                    text(in, flags, CONTENT_TYPE),
                    text(in, flags, CONTENT_ENCODING),
                    (flags & HEADERS) != 0 ? in.readTable() : null,
                    (flags & DELIVERY_MODE) != 0 ? (Integer) in.readUnsignedByte() : null,
                    (flags & PRIORITY) != 0 ? (Integer) in.readUnsignedByte() : null,
                    text(in, flags, CORRELATION_ID),
                    text(in, flags, REPLY_TO),
                    text(in, flags, EXPIRATION),
                    text(in, flags, MESSAGE_ID),
                    (flags & TIMESTAMP) != 0 ? (Long) in.readLong() : null,
                    text(in, flags, TYPE),
                    text(in, flags, USER_ID),
                    text(in, flags, APP_ID),
                    text(in, flags, CLUSTER_ID));
        }
        if (in.remaining() > 0) {
            throw MalformedException.syntax(in.remaining() + " bytes are left behind the properties of a message");
        }
        return properties;
    }

    private static BasicProperties ofMode(int mode) {
        return new BasicProperties(null, null, null, mode, null, null, null, null, null, null, null, null, null, null);
    }

    private static @Nullable String text(ArgumentReader in, int flags, int flag) {
        return (flags & flag) != 0 ? in.readShortString() : null;
    }

    /** Writes flags and properties. @throws IllegalArgumentException if a text or a header can't be written */
    public void write(ByteBuf out) {
        int at = out.writerIndex();
        out.writeShort(0);
        int flags = text(out, contentType, CONTENT_TYPE) | text(out, contentEncoding, CONTENT_ENCODING);
        if (headers != null) {
            flags |= HEADERS;
            FieldTable.write(out, headers);
        }
        if (deliveryMode != null) {
            flags |= DELIVERY_MODE;
            out.writeByte(deliveryMode);
        }
        if (priority != null) {
            flags |= PRIORITY;
            out.writeByte(priority);
        }
        flags |= text(out, correlationId, CORRELATION_ID);
        flags |= text(out, replyTo, REPLY_TO);
        flags |= text(out, expiration, EXPIRATION);
        flags |= text(out, messageId, MESSAGE_ID);
        if (timestamp != null) {
            flags |= TIMESTAMP;
            out.writeLong(timestamp);
        }
        flags |= text(out, type, TYPE);
        flags |= text(out, userId, USER_ID);
        flags |= text(out, appId, APP_ID);
        flags |= text(out, clusterId, CLUSTER_ID);
        out.setShort(at, flags);
    }

    private static int text(ByteBuf out, @Nullable String text, int flag) {
        if (text == null) {
            return 0;
        }
        Fields.writeShortString(out, text);
        return flag;
    }
}
