package dev.postroad.engine;

/**
 * Told when publishes begin to be refused because the disk or the memory is at its bound, and when that is over. Called on the
 * thread that runs the engine: it must be quick and must not block or throw.
 */
public interface FlowSink {
    /** Publishes are refused from now on, for this reason. */
    void blocked(String reason);

    /** Publishes are taken again. */
    void unblocked();
}
