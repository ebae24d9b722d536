package dev.postroad.protocols.amqp091;

import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.codec.ArgumentReader;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;

/**
 * What an event loop does when it has read from all connections that had something: hand what they staged to the engine in one
 * go, run the engine's turn where nobody else does, and write what came of it, once per connection. One for each event loop,
 * used on its thread alone.
 */
final class LoopTurn implements Runnable {
    private static final int ROUNDS = 16;

    private final EventLoop loop;
    private final Broker broker;
    private final ArgumentReader reader = new ArgumentReader();
    private List<AmqpConnection> staged = new ArrayList<>();
    private List<AmqpConnection> ready = new ArrayList<>();
    private List<AmqpConnection> taken = new ArrayList<>();
    private final List<AmqpConnection> written = new ArrayList<>();
    private boolean scheduled;
    private boolean running;
    private boolean drive;

    LoopTurn(EventLoop loop, Broker broker) {
        this.loop = loop;
        this.broker = broker;
    }

    /** Reads arguments of all connections of the loop, of one frame at a time: they say the same names. */
    ArgumentReader reader() {
        return reader;
    }

    boolean inEventLoop() {
        return loop.inEventLoop();
    }

    /** The connection has staged commands. */
    void staged(AmqpConnection connection) {
        if (!connection.inStaged) {
            connection.inStaged = true;
            staged.add(connection);
        }
        schedule();
    }

    /** A command was handed to the broker, which is to be carried out. */
    void drive() {
        drive = true;
        schedule();
    }

    /** The connection has something in its outbox. */
    void ready(AmqpConnection connection) {
        if (!connection.inReady) {
            connection.inReady = true;
            ready.add(connection);
        }
        schedule();
    }

    /** The connection has something to flush. */
    void written(AmqpConnection connection) {
        if (!connection.inWritten) {
            connection.inWritten = true;
            written.add(connection);
        }
        schedule();
    }

    private void schedule() {
        if (!scheduled && !running) {
            scheduled = true;
            loop.execute(this);
        }
    }

    @Override
    public void run() {
        scheduled = false;
        running = true;
        try {
            for (int round = 0; round < ROUNDS && (drive || !staged.isEmpty() || !ready.isEmpty()); round++) {
                handOver();
                takeIn();
            }
            for (AmqpConnection connection : written) {
                connection.inWritten = false;
                connection.flush();
            }
            written.clear();
        } finally {
            running = false;
        }
        if (drive || !staged.isEmpty() || !ready.isEmpty() || !written.isEmpty()) {
            schedule();
        }
    }

    private void handOver() {
        if (!staged.isEmpty()) {
            List<AmqpConnection> now = staged;
            staged = taken;
            for (AmqpConnection connection : now) {
                connection.inStaged = false;
                connection.handOver();
            }
            now.clear();
            taken = now;
        }
        if (drive) {
            drive = false;
            broker.drive();
        }
    }

    private void takeIn() {
        if (ready.isEmpty()) {
            return;
        }
        List<AmqpConnection> now = ready;
        ready = taken;
        for (AmqpConnection connection : now) {
            connection.inReady = false;
            connection.takeIn();
        }
        now.clear();
        taken = now;
    }
}
