/**
 * The broker's core: queues, streams, topics and groups on one journal, deterministic and single-threaded.
 *
 * <pre>
 *   Command ─▶ Engine.submit ─▶ Publishing · Settling · Consuming · Declaring · QueueKeeping · StreamReading
 *                                   │ check: reads State, may refuse
 *                                   ▼ perform
 *                               Records ── writes to the Journal and applies to ─▶ State
 *                                                               Router · QueueState · StreamState · Groups · MessageStore
 *              Engine.turn ─▶ Housekeeping, dispatch, commit ─▶ replies and deliveries go out
 *
 *   recovery:   Journal ─▶ Records.replay ─ applies to ─▶ State        (the same code)
 * </pre>
 *
 * <p>The core knows no clock, thread, random number or file: time is an argument, files are behind the journal's storage, and
 * {@code dev.postroad.engine.runtime} runs it. So the same code runs in simulations, from a seed.
 *
 * <p>Reading order: {@link dev.postroad.engine.Command}, {@link dev.postroad.engine.Engine}, {@code Records}, {@code
 * QueueState}, {@code PagedIndex}.
 */
@NullMarked
package dev.postroad.engine;

import org.jspecify.annotations.NullMarked;
