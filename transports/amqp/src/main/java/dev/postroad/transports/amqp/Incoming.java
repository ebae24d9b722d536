package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.SocketConfigurator;
import com.rabbitmq.client.impl.Frame;
import com.rabbitmq.client.impl.FrameHandler;
import com.rabbitmq.client.impl.FrameHandlerFactory;
import com.rabbitmq.client.impl.SocketFrameHandler;
import com.rabbitmq.client.impl.SocketFrameHandlerFactory;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteOrder;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Reads a connection's frames from a buffer of its own: the client's way, which takes each frame in five pieces from a stream that
 * locks for each of them, costs a message of three frames as much again as the system does for it. Otherwise as the client's: one
 * thread reads, and a frame that is not there within the socket's timeout is null; what was there of it waits for the rest.
 */
final class Incoming extends SocketFrameHandler {
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int LARGEST_FRAME = 64 * 1024 * 1024;

    /** Type, channel and size before a frame's payload. */
    private static final int BEFORE = 7;

    private static final int END = 1;
    private static final int OTHER_PROTOCOL = 'A';
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private final InputStream from;
    private final byte[] buffer = new byte[BUFFER_BYTES];

    /** What was read and is not taken: from the one to before the other. */
    private int next;

    private int end;

    /** That of a frame whose beginning was taken, and how much of it is here. */
    private byte @Nullable [] payload;

    private int filled;
    private int type;
    private int channel;

    /** Bytes of a frame's payload at most. The superclass sets it, before this class would give it a value. */
    private volatile int most;

    Incoming(Socket socket) throws IOException {
        super(socket, null, LARGEST_FRAME);
        from = socket.getInputStream();
    }

    /** A factory of connections that are read like this. */
    static ConnectionFactory connections() {
        return new ConnectionFactory() {
            @Override
            protected synchronized FrameHandlerFactory createFrameHandlerFactory() {
                return new Handlers(getConnectionTimeout(), getSocketFactory(), getSocketConfigurator(), isSSL());
            }
        };
    }

    private static final class Handlers extends SocketFrameHandlerFactory {
        Handlers(int connectMillis, SocketFactory sockets, SocketConfigurator configurator, boolean tls) {
            super(connectMillis, sockets, configurator, tls);
        }

        @Override
        public FrameHandler create(Socket socket) throws IOException {
            return new Incoming(socket);
        }
    }

    /** @param frameMax bytes of a frame at most; 0 where the broker has no limit, and then ours holds */
    @Override
    public void setFrameMax(int frameMax) {
        super.setFrameMax(frameMax);
        most = (frameMax <= 0 || frameMax > LARGEST_FRAME ? LARGEST_FRAME : frameMax) - BEFORE - END;
    }

    @Override
    public @Nullable Frame readFrame() throws IOException {
        try {
            byte[] unfinished = payload;
            byte[] whole = rest(unfinished == null ? begin() : unfinished);
            payload = null;
            return new Frame(type, channel, whole);
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    private byte[] begin() throws IOException {
        read(1);
        if (buffer[next] == OTHER_PROTOCOL) {
            otherProtocol();
        }
        read(BEFORE);
        type = buffer[next];
        channel = Short.toUnsignedInt((short) SHORT.get(buffer, next + 1));
        int size = (int) INT.get(buffer, next + 3);
        if (size < 0 || size > most) {
            throw new MalformedFrameException("a frame on channel " + channel + " has " + Integer.toUnsignedString(size)
                    + " bytes; it may have up to " + most);
        }
        next += BEFORE;
        byte[] begun = new byte[size];
        filled = 0;
        payload = begun;
        return begun;
    }

    /** The octets of another protocol's header come where the broker speaks that one. */
    private void otherProtocol() throws IOException {
        Frame.protocolVersionMismatch(new DataInputStream(
                new SequenceInputStream(new ByteArrayInputStream(buffer, next + 1, end - next - 1), from)));
    }

    private byte[] rest(byte[] begun) throws IOException {
        while (filled < begun.length) {
            if (next == end && begun.length - filled >= BUFFER_BYTES) {
                int count = from.read(begun, filled, begun.length - filled);
                if (count < 0) {
                    throw new EOFException();
                }
                filled += count;
            } else {
                read(1);
                int count = Math.min(begun.length - filled, end - next);
                System.arraycopy(buffer, next, begun, filled, count);
                next += count;
                filled += count;
            }
        }
        read(END);
        int mark = Byte.toUnsignedInt(buffer[next++]);
        if (mark != AMQP.FRAME_END) {
            throw new MalformedFrameException(
                    "a frame on channel " + channel + " ends with " + mark + " instead of " + AMQP.FRAME_END);
        }
        return begun;
    }

    /** Until so many bytes are here, {@value #BEFORE} at most. */
    private void read(int count) throws IOException {
        if (end - next >= count) {
            return;
        }
        System.arraycopy(buffer, next, buffer, 0, end - next);
        end -= next;
        next = 0;
        while (end < count) {
            int more = from.read(buffer, end, buffer.length - end);
            if (more < 0) {
                throw new EOFException();
            }
            end += more;
        }
    }
}
