/**
 * Events as the truth: a stream of them for each thing, appended to if nobody else was faster, and views made from them.
 *
 * <pre>
 *   append(stream, expected version, events) ──▶ EventStore ──▶ read(stream) ──▶ Repository: fold, snapshots
 *                                                    │
 *                                                    └─ readAll(position) ──▶ Projection: a table, its checkpoint, rebuilt beside
 * </pre>
 *
 * <p>On the broker itself ({@link dev.postroad.patterns.eventstore.ChannelEventStore}) or in a database ({@link
 * dev.postroad.patterns.eventstore.JdbcEventStore}).
 *
 * <p>Reading order: {@link dev.postroad.patterns.eventstore.EventStore}, {@link dev.postroad.patterns.eventstore.Event}, {@link
 * dev.postroad.patterns.eventstore.Repository}, {@link dev.postroad.patterns.eventstore.Projection}, {@link
 * dev.postroad.patterns.eventstore.Upcasters}.
 */
@NullMarked
package dev.postroad.patterns.eventstore;

import org.jspecify.annotations.NullMarked;
