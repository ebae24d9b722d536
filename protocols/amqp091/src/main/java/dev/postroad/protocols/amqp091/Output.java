package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.Frames;
import dev.postroad.protocols.amqp091.codec.Method;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/** What a connection writes: collected in one buffer, and flushed once for all that one turn of the event loop brings. */
final class Output {
    private static final int FIRST = 1024;
    private static final int FULL = 64 * 1024;

    private final ChannelHandlerContext context;
    private long sentBytes;
    private @Nullable ByteBuf buffer;
    private int guess = FIRST;

    /** Bytes of a frame at most, with its overhead. */
    private int largestFrame = Frames.MIN_SIZE;

    Output(ChannelHandlerContext context) {
        this.context = context;
    }

    void largestFrame(int bytes) {
        largestFrame = bytes;
    }

    /** Where the next frame goes. */
    ByteBuf buffer() {
        ByteBuf current = buffer;
        if (current == null) {
            current = context.alloc().directBuffer(guess);
            buffer = current;
        } else if (current.readableBytes() >= FULL) {
            guess = FULL + 4096;
            context.write(current, context.voidPromise());
            current = context.alloc().directBuffer(guess);
            buffer = current;
        }
        return current;
    }

    void method(int channel, Method method) {
        Frames.writeMethod(buffer(), channel, method);
    }

    /** The content that follows a method that says so. */
    void content(int channel, BasicProperties properties, byte @Nullable [] body) {
        ByteBuf out = buffer();
        int length = body == null ? 0 : body.length;
        Frames.writeHeader(out, channel, length, properties);
        if (body == null) {
            return;
        }
        int most = largestFrame - Frames.OVERHEAD;
        for (int from = 0; from < length; from += most) {
            int size = Math.min(most, length - from);
            ByteBuf frame = from == 0 ? out : buffer();
            Frames.writeHead(frame, Frames.BODY, channel, size);
            frame.writeBytes(body, from, size);
            frame.writeByte(Frames.END);
        }
    }

    /** True if something was written since the last flush. */
    boolean pending() {
        return buffer != null;
    }

    /** Bytes that went to the socket. */
    long sentBytes() {
        return sentBytes;
    }

    void flush() {
        ByteBuf current = buffer;
        buffer = null;
        if (current != null) {
            guess = Math.max(FIRST, Math.min(FULL + 4096, (guess + current.readableBytes()) / 2 + 64));
            sentBytes += current.readableBytes();
            context.writeAndFlush(current, context.voidPromise());
        } else {
            context.flush();
        }
    }

    /** Forgets what was not flushed. */
    void drop() {
        ByteBuf current = buffer;
        buffer = null;
        if (current != null) {
            current.release();
        }
    }
}
