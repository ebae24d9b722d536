package dev.postroad.transports.amqp;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.transports.amqp.StreamReader.From;
import dev.postroad.transports.emulation.Inflow;
import dev.postroad.transports.emulation.ReadAlone;
import dev.postroad.transports.emulation.SharedReceiver;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Reads a stream alone. After a new connection it goes on where it was. */
final class StreamAlone implements Link.User {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final int READ_AHEAD = 500;

    private final AmqpTransport transport;
    private final Channel stream;
    private final ConsumerOptions options;
    private final Inflow inflow;
    private final Map<Integer, Long> next = new ConcurrentHashMap<>();
    private volatile com.rabbitmq.client.@Nullable Channel current;
    private volatile boolean closed;

    StreamAlone(AmqpTransport transport, Channel stream, ConsumerOptions options, SharedReceiver receiver) {
        this.transport = transport;
        this.stream = stream;
        this.options = options;
        this.inflow = receiver.addAlone(stream, new ReadAlone(this::close));
    }

    void open() {
        try {
            read();
        } catch (IOException | RuntimeException e) {
            throw Failures.of(
                    "reading stream '" + stream.name() + "'", transport.link().url(), e);
        }
        transport.link().add(this);
    }

    private void read() throws IOException {
        com.rabbitmq.client.Channel on = transport.link().channel();
        on.basicQos(READ_AHEAD);
        current = on;
        for (int partition = 0; partition < stream.partitions(); partition++) {
            Long at = next.get(partition);
            StreamReader.consume(
                    on,
                    stream.name(),
                    Topology.queue(stream, partition),
                    partition,
                    at == null ? From.start(options.start()) : From.offset(at),
                    this::arrived);
        }
    }

    private void arrived(int partition, long offset, com.rabbitmq.client.Channel on, long tag, Wire wire) {
        try {
            if (offset >= 0) {
                inflow.awaitRoom(READ_AHEAD);
                inflow.arrived(wire.message(), 1, new Delivery.Origin(partition, offset, null), tag);
                next.put(partition, offset + 1);
            }
            on.basicAck(tag, false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.DEBUG, "a message of a stream could not be passed on", e);
        }
    }

    @Override
    public void connected(Link link) throws IOException {
        if (!closed) {
            read();
        }
    }

    @Override
    public void broken() {
        // What was read stays read.
    }

    private void close() {
        closed = true;
        transport.link().remove(this);
        Link.release(current);
    }
}
