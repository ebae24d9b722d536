package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;

/** Frames: told apart in a stream of bytes, and written. */
public final class Frames {
    /** What a client sends first: AMQP 0-9-1. */
    public static final long PROTOCOL_HEADER = 0x414D_5150_0000_0901L;

    /** Type of a method frame. */
    public static final int METHOD = 1;

    /** Type of a content header. */
    public static final int HEADER = 2;

    /** Type of a content body. */
    public static final int BODY = 3;

    /** Type of a heartbeat. */
    public static final int HEARTBEAT = 8;

    /** Last octet of each frame. */
    public static final int END = 0xCE;

    /** Bytes of a frame beyond its payload. */
    public static final int OVERHEAD = 8;

    /** Smallest frame that a peer must take. */
    public static final int MIN_SIZE = 4096;

    private static final int HEAD = 7;

    private Frames() {}

    /** Takes frames; the payload is at the buffer's reader index, and is left behind by whoever parses. */
    @FunctionalInterface
    public interface Handler {
        /**
         * A frame.
         *
         * @return false to be given no more for now
         */
        boolean frame(int type, int channel, ByteBuf in, int length);
    }

    /**
     * Hands over all complete frames; what is left in the buffer is the beginning of one that is not.
     *
     * @param largest bytes of a frame at most, with its overhead
     * @throws MalformedException if it is no frame, or too large
     */
    public static void parse(ByteBuf in, int largest, Handler handler) {
        while (in.readableBytes() >= HEAD) {
            int at = in.readerIndex();
            int type = in.getUnsignedByte(at);
            long size = in.getUnsignedInt(at + 3);
            if (type != METHOD && type != HEADER && type != BODY && type != HEARTBEAT) {
                throw new MalformedException(ReplyCode.FRAME_ERROR, "there is no frame of type " + type);
            }
            if (size > largest - OVERHEAD) {
                throw new MalformedException(
                        ReplyCode.FRAME_ERROR,
                        "a frame has " + size + " bytes of payload; at most " + (largest - OVERHEAD) + " were agreed");
            }
            int length = (int) size;
            if (in.readableBytes() < length + OVERHEAD) {
                return;
            }
            if (in.getUnsignedByte(at + HEAD + length) != END) {
                throw new MalformedException(
                        ReplyCode.FRAME_ERROR,
                        "a frame ends with octet " + in.getUnsignedByte(at + HEAD + length) + ", not with " + END);
            }
            int channel = in.getUnsignedShort(at + 1);
            in.readerIndex(at + HEAD);
            boolean more = handler.frame(type, channel, in, length);
            in.readerIndex(at + HEAD + length + 1);
            if (!more) {
                return;
            }
        }
    }

    /** Writes a method. */
    public static void writeMethod(ByteBuf out, int channel, Method method) {
        int at = begin(out, METHOD, channel);
        method.write(out);
        end(out, at);
    }

    /** Writes a content header of class basic. */
    public static void writeHeader(ByteBuf out, int channel, long bodySize, BasicProperties properties) {
        int at = begin(out, HEADER, channel);
        out.writeInt(60 << 16);
        out.writeLong(bodySize);
        properties.write(out);
        end(out, at);
    }

    /** Writes a heartbeat. */
    public static void writeHeartbeat(ByteBuf out) {
        end(out, begin(out, HEARTBEAT, 0));
    }

    /** Begins a frame of a length that is not known; give the result to {@link #end}. */
    public static int begin(ByteBuf out, int type, int channel) {
        out.writeByte(type);
        out.writeShort(channel);
        int at = out.writerIndex();
        out.writeInt(0);
        return at;
    }

    /** Ends a frame. */
    public static void end(ByteBuf out, int at) {
        out.setInt(at, out.writerIndex() - at - 4);
        out.writeByte(END);
    }

    /** Writes type, channel and size of a frame, whose payload and end follow. */
    public static void writeHead(ByteBuf out, int type, int channel, int length) {
        out.writeByte(type);
        out.writeShort(channel);
        out.writeInt(length);
    }
}
