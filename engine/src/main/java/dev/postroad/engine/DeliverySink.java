package dev.postroad.engine;

/**
 * Where a consumer's deliveries go. Called on the thread that runs the engine: it must be quick and must not block or throw.
 */
public interface DeliverySink {

    /**
     * Asked before a message is handed over: false keeps it for others, and this consumer gets nothing until a {@link
     * Command.Credit}, of 0 perhaps, says that it can take more. So a receiver bounds what it holds by other things than the
     * number of messages. What it answers with true comes by {@link #deliver} in the same turn, or {@link #withheld}.
     */
    default boolean takes(EngineMessage message) {
        return true;
    }

    /** What was to be handed over is not, because the disk is full; it comes again. */
    default void withheld(EngineMessage message) {}

    /** One delivery; its attempt is recorded, on disk where the queue is durable. */
    void deliver(EngineDelivery delivery);

    /** The deliveries of one turn are complete: a good moment to wake the receiver once for all of them. */
    default void flush() {}

    /** The consumer is the active one of a queue with a single active consumer, from now on. */
    default void activated() {}

    /** The consumer is gone for a reason of the broker's own: its queue was deleted, say. Nothing comes after it. */
    void cancelled(String reason);
}
