/**
 * The transactional outbox: a message is recorded in the caller's database transaction and sent by a relay once that has
 * committed. So a committed row never lacks its message, and one that was rolled back never has one.
 *
 * <pre>
 *   your transaction                         relays, any number of them, without a leader
 *   ────────────────                         ─────────────────────────────────────────────
 *   insert into orders …                     lock a few lanes (skip locked)
 *   Outbox.record(connection, …) ──▶ table ──▶ read their rows in order, send, wait for the confirms
 *   commit                                   delete these rows, commit
 * </pre>
 *
 * <p>A key always lies in one lane, and a lane is held by one relay at a time: that keeps order per key. A relay that dies
 * between the confirms and its commit leaves rows that are sent again, with the same message ids: channels with a dedup
 * window drop these, and an {@link dev.postroad.patterns.inbox.Inbox} does so anywhere.
 *
 * <p>Reading order: {@link dev.postroad.patterns.outbox.Outbox}, {@link dev.postroad.patterns.outbox.OutboxRelay}, {@link
 * dev.postroad.patterns.outbox.OutboxSchema}.
 */
@NullMarked
package dev.postroad.patterns.outbox;

import org.jspecify.annotations.NullMarked;
