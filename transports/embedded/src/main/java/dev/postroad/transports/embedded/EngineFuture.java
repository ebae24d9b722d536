package dev.postroad.transports.embedded;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * The reply to a command as a future. Who waits for it without a timeout, on a platform thread, and finds the broker idle, does
 * the broker's work himself: that saves two hand-overs between threads.
 *
 * @param <R> what the engine replies
 * @param <T> what the future becomes
 */
abstract class EngineFuture<R, T> extends CompletableFuture<T> implements Reply<R> {
    private final Broker broker;

    EngineFuture(Broker broker) {
        this.broker = broker;
    }

    @Override
    public void failed(EngineException cause) {
        completeExceptionally(Failures.of(cause));
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        broker.lead(this);
        return super.get();
    }

    @Override
    public T join() {
        broker.lead(this);
        return super.join();
    }
}
