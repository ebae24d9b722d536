package dev.postroad.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A broker that does next to nothing: it speaks as much AMQP 0-9-1 as the load generators need, routes by exact key or to all,
 * hands every message on as it came, and confirms. What a generator reaches with it is the generator's own ceiling.
 *
 * <p>One thread reads all that has come, hands it on and confirms it, with one write for each connection. With a file it first
 * writes the messages of that turn to it and forces them to disk once, as any broker must whose confirms mean anything. It keeps
 * no account of credit or acknowledgements, reads a message's own properties never, and forgets everything at its end.
 */
final class NullBroker implements AutoCloseable {
    /** A turn ends when so much has come to be stored: a group must not grow without bound. */
    private static final int GROUP_BYTES = 1 << 20;

    private static final int FILE_BYTES = 256 << 20;

    /** While more than this waits to be sent, nothing is read from those who publish. */
    static final long MOST_OUTBOUND_BYTES = 4L << 20;

    private final Selector selector = Selector.open();
    private final ServerSocketChannel listener = ServerSocketChannel.open();
    private final @Nullable FileChannel file;
    private final ByteBuffer group = ByteBuffer.allocateDirect(2 * GROUP_BYTES);
    private final NullRouting routing = new NullRouting();
    private final Set<NullConnection> touched = new LinkedHashSet<>();
    private final List<NullConnection> held = new ArrayList<>();
    private long outbound;
    private long position;

    /** @param directory for the file that is forced before each confirm; null to confirm at once */
    NullBroker(@Nullable Path directory) throws IOException {
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 6_000);
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        file = directory == null ? null : prepared(directory.resolve("group"));
    }

    private static FileChannel prepared(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
        for (long at = 0; at < FILE_BYTES; at += zeros.capacity()) {
            channel.write(zeros.clear(), at);
        }
        channel.force(true);
        return channel;
    }

    /** @param arguments {@code null-broker DIRECTORY} or {@code null-broker}; it ends when its stdin does */
    static void main(List<String> arguments) throws IOException {
        NullBroker broker = new NullBroker(arguments.isEmpty() ? null : Path.of(arguments.getFirst()));
        System.out.println("ready http=none amqp=127.0.0.1:" + broker.port());
        broker.serve();
    }

    int port() throws IOException {
        return ((InetSocketAddress) listener.getLocalAddress()).getPort();
    }

    /** Serves until it is closed. */
    void serve() throws IOException {
        try {
            while (true) {
                selector.select();
                for (SelectionKey key : selector.selectedKeys()) {
                    if (key.isValid()) {
                        take(key);
                    }
                }
                selector.selectedKeys().clear();
                endTurn();
            }
        } catch (ClosedSelectorException e) {
            listener.close();
        }
    }

    private void take(SelectionKey key) throws IOException {
        if (key.isAcceptable()) {
            SocketChannel socket = listener.accept();
            if (socket != null) {
                socket.configureBlocking(false);
                socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
                NullConnection connection =
                        new NullConnection(socket, socket.register(selector, SelectionKey.OP_READ), this, routing);
                connection.key().attach(connection);
            }
            return;
        }
        NullConnection connection = (NullConnection) key.attachment();
        if (key.isReadable()) {
            if (connection.publishes() && outbound > MOST_OUTBOUND_BYTES) {
                connection.interest(SelectionKey.OP_READ, false);
                held.add(connection);
            } else {
                connection.read();
            }
        }
        if (key.isValid() && key.isWritable()) {
            touched.add(connection);
        }
    }

    /** A connection has something to send at the end of the turn. */
    void touch(NullConnection connection) {
        touched.add(connection);
    }

    void outbound(long bytes) {
        outbound += bytes;
    }

    /** To be forced to disk before the turn's confirms. */
    void store(ByteBuffer body) throws IOException {
        if (file != null) {
            if (group.remaining() < body.remaining()) {
                write(file);
            }
            group.put(body.duplicate());
        }
    }

    private void write(FileChannel to) throws IOException {
        group.flip();
        if (position + group.remaining() > FILE_BYTES) {
            position = 0;
        }
        position += to.write(group, position);
        group.clear();
    }

    private void endTurn() throws IOException {
        if (file != null && group.position() > 0) {
            write(file);
            file.force(false);
        }
        List<NullConnection> all = List.copyOf(touched);
        touched.clear();
        for (NullConnection connection : all) {
            connection.flush();
        }
        if (!held.isEmpty() && outbound <= MOST_OUTBOUND_BYTES / 4) {
            held.forEach(connection -> connection.interest(SelectionKey.OP_READ, true));
            held.clear();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        selector.close();
        if (file != null) {
            file.close();
        }
    }
}
