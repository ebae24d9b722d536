/**
 * Runs the engine in a process: the thread that owns it, the queue of commands before it, the clock, the files.
 *
 * <pre>
 *   any thread ── submit ──▶ bounded queue ──▶ broker thread: submit… turn, submit… turn ──▶ replies, deliveries
 *                                              keeper thread: next segment, checkpoints
 * </pre>
 *
 * <p>Begin with {@link dev.postroad.engine.runtime.Broker}.
 */
@NullMarked
package dev.postroad.engine.runtime;

import org.jspecify.annotations.NullMarked;
