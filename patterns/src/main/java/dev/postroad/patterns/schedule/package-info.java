/**
 * Messages for later: after a delay, at a moment, or again and again by a cron expression.
 *
 * <pre>
 *   Scheduler.at(…) ──▶ channel "schedule" ──(in the broker, until its time)──▶ Scheduler of any instance ──▶ the channel meant
 * </pre>
 *
 * <p>What is scheduled is a message that waits in the broker, as durable as any other. Whichever instance gets it when its time
 * has come sends it on and takes it off in one transaction; for a cron, the next one is put on in the same.
 *
 * <p>Reading order: {@link dev.postroad.patterns.schedule.Scheduler}, {@link dev.postroad.patterns.schedule.Cron}.
 */
@NullMarked
package dev.postroad.patterns.schedule;

import org.jspecify.annotations.NullMarked;
