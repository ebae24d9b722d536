package dev.postroad.engine;

/**
 * A message as it was stored: with its place in the stream it went to, if any.
 *
 * @param partition partition of the stream, or -1; of a message from disk the id the partition has in records
 * @param offset offset in the partition, or -1
 * @param fromDisk false if it was kept in memory since it came
 */
record Stored(EngineMessage message, int partition, long offset, boolean fromDisk) {}
