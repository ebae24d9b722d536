package dev.postroad.engine;

/** What a confirm means. */
public enum Durability {
    /** Forced to disk. */
    DURABLE,
    /** Handed to the operating system; forced with the next group that needs it, after a second at the latest. */
    BUFFERED,
    /** Held until the engine stops; gone when it starts again. */
    TRANSIENT
}
