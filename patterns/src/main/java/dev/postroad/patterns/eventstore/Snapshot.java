package dev.postroad.patterns.eventstore;

/**
 * What a stream's events up to a version came to.
 *
 * @param version of the last event in it
 * @param schema version of the form of the state: one that a program does not know it leaves aside
 * @param state as bytes
 */
public record Snapshot(long version, int schema, byte[] state) {}
