package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.SocketConfigurator;
import com.rabbitmq.client.impl.AMQConnection;
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
import java.util.Arrays;
import javax.net.SocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * Reads a connection's frames, from a buffer of its own: the client's way, which takes each frame in five pieces from a stream that
 * locks for each of them, costs a message of three frames as much again as the system does for it. Deliveries on channels that have
 * {@link Deliveries} go there, on the thread that reads, and all else to the client.
 */
final class Incoming extends SocketFrameHandler {
    private static final int BUFFER_BYTES = 64 * 1024;

    /** A buffer that grew for a large frame is kept up to this size. */
    private static final int KEPT_BYTES = 256 * 1024;

    private static final int LARGEST_FRAME = 64 * 1024 * 1024;

    /** Type, channel and size before a frame's payload. */
    private static final int BEFORE = 7;

    private static final int END = 1;
    private static final int OTHER_PROTOCOL = 'A';
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private final InputStream from;
    private byte[] buffer = new byte[BUFFER_BYTES];

    /** What was read and is not taken: from the one to before the other. */
    private int next;

    private int end;

    /** By the channel's number; never changed, but replaced. */
    private volatile @Nullable Deliveries[] deliveries = new @Nullable Deliveries[0];

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

    // ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * From now on what is delivered on a channel goes there, and not to the client's consumers, until the channel ends.
     *
     * @param channel of a connection from {@link #connections}
     */
    static void deliver(Channel channel, Deliveries.To to) {
        Incoming incoming = (Incoming) ((AMQConnection) channel.getConnection()).getFrameHandler();
        Deliveries there = new Deliveries(to);
        int number = channel.getChannelNumber();
        incoming.put(number, there);
        channel.addShutdownListener(cause -> incoming.remove(number, there));
    }

    private synchronized void put(int channel, @Nullable Deliveries there) {
        @Nullable Deliveries[] all = Arrays.copyOf(deliveries, Math.max(deliveries.length, channel + 1));
        all[channel] = there;
        deliveries = all;
    }

    private synchronized void remove(int channel, Deliveries there) {
        // Its number may be another channel's by now.
        if (deliveries[channel] == there) {
            put(channel, null);
        }
    }

    // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** @return null if none came within the socket's timeout; what came of one waits for the rest */
    @Override
    public @Nullable Frame readFrame() throws IOException {
        try {
            while (true) {
                int size = readWhole();
                int type = buffer[next];
                int channel = channel();
                int start = next + BEFORE;
                next = start + size + END;
                @Nullable Deliveries[] all = deliveries;
                Deliveries there = channel < all.length ? all[channel] : null;
                if (there == null || !there.take(type, buffer, start, size)) {
                    return new Frame(type, channel, Arrays.copyOfRange(buffer, start, start + size));
                }
            }
        } catch (SocketTimeoutException e) {
            return null;
        }
    }

    private int channel() {
        return Short.toUnsignedInt((short) SHORT.get(buffer, next + 1));
    }

    /** Until a frame is here whole. @return the size of its payload */
    private int readWhole() throws IOException {
        read(1);
        if (buffer[next] == OTHER_PROTOCOL) {
            otherProtocol();
        }
        read(BEFORE);
        int size = (int) INT.get(buffer, next + 3);
        if (size < 0 || size > most) {
            throw new MalformedFrameException("a frame on channel " + channel() + " has "
                    + Integer.toUnsignedString(size) + " bytes; it may have up to " + most);
        }
        read(BEFORE + size + END);
        int mark = Byte.toUnsignedInt(buffer[next + BEFORE + size]);
        if (mark != AMQP.FRAME_END) {
            throw new MalformedFrameException(
                    "a frame on channel " + channel() + " ends with " + mark + " instead of " + AMQP.FRAME_END);
        }
        return size;
    }

    /** The octets of another protocol's header come where the broker speaks that one. */
    private void otherProtocol() throws IOException {
        Frame.protocolVersionMismatch(new DataInputStream(
                new SequenceInputStream(new ByteArrayInputStream(buffer, next + 1, end - next - 1), from)));
    }

    /** Until so many bytes are here, and as many more as there are. */
    private void read(int count) throws IOException {
        if (end - next >= count) {
            return;
        }
        int rest = end - next;
        byte[] to = count > buffer.length || rest == 0 && buffer.length > KEPT_BYTES
                ? new byte[Math.max(count, BUFFER_BYTES)]
                : buffer;
        System.arraycopy(buffer, next, to, 0, rest);
        buffer = to;
        next = 0;
        end = rest;
        while (end < count) {
            int more = from.read(buffer, end, buffer.length - end);
            if (more < 0) {
                throw new EOFException();
            }
            end += more;
        }
    }
}
