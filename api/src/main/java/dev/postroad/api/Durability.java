package dev.postroad.api;

/** What a confirm means. */
public enum Durability {
    /** Confirmed means forced to disk: survives the process, the operating system and the power. */
    DURABLE,
    /** Confirmed means handed to the operating system: survives the process; a power cut may lose the last second. */
    BUFFERED,
    /** Confirmed means held by the broker: lost when it stops. */
    TRANSIENT
}
