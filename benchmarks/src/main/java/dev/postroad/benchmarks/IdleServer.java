package dev.postroad.benchmarks;

import dev.postroad.server.PostroadServer;
import dev.postroad.server.ServerSettings;
import java.io.Closeable;
import java.nio.file.Path;
import java.util.function.LongConsumer;

/** What {@code ./postroad serve} runs, with nothing to do. */
final class IdleServer implements Contender {
    private final PostroadServer server;

    IdleServer(Path directory) {
        server = PostroadServer.start(
                ServerSettings.DEFAULT.withData(directory.resolve("data")).withHttpPort(0));
    }

    @Override
    public void declareQueue(String queue) {
        throw Contender.cannot("queues");
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        throw Contender.cannot("queues");
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        throw Contender.cannot("queues");
    }

    @Override
    public Log log(String name, int batch) {
        throw Contender.cannot("logs");
    }

    @Override
    public void close() {
        server.close();
    }
}
