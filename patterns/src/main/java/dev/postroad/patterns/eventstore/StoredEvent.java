package dev.postroad.patterns.eventstore;

import java.time.Instant;

/**
 * An event where it lies.
 *
 * @param stream what it happened to
 * @param version its place in the stream, from 1, without gaps
 * @param position its place among all events: grows, with gaps
 * @param event what happened
 * @param recorded when it was appended
 */
public record StoredEvent(String stream, long version, long position, Event event, Instant recorded) {}
