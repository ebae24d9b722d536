package dev.postroad.transports.amqp;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Has the broker's client call back on the thread that reads from the connection, which saves a hand-over between threads for each
 * message. For callbacks that neither wait nor write: a connection whose reader waits until it may write can wait for ever.
 */
final class OnTheSpot extends AbstractExecutorService {
    private volatile boolean ended;

    @Override
    public void execute(Runnable task) {
        task.run();
    }

    @Override
    public void shutdown() {
        ended = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        ended = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return ended;
    }

    @Override
    public boolean isTerminated() {
        return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return ended;
    }
}
