/**
 * The idempotent consumer: a message that comes again, because a producer, a relay or a broker repeated it, has its effect
 * once.
 *
 * <p>A handler's work and the memory that it was done are one database transaction: a handler that fails is not remembered,
 * and one that is remembered did not fail. Remembering first would turn a failed attempt into a lost message.
 *
 * <p>Where it is remembered follows from where the work has its effect: {@link dev.postroad.patterns.inbox.Inbox} in the same
 * database, {@link dev.postroad.patterns.inbox.ChannelInbox} in the broker, for work that sends messages, and {@link
 * dev.postroad.patterns.inbox.RedisInbox} beside it, for all other work.
 *
 * <p>Reading order: {@link dev.postroad.patterns.inbox.Inbox}, {@link dev.postroad.patterns.inbox.InboxSettings}, the others.
 */
@NullMarked
package dev.postroad.patterns.inbox;

import org.jspecify.annotations.NullMarked;
