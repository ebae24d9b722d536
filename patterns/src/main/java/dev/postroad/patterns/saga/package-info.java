/**
 * A transaction over several services that share no database: steps that are each done by one of them, and undone in reverse
 * when a later one fails.
 *
 * <pre>
 *            start ──▶ channel NAME ──▶ Orchestrator ──▶ the step's channel ──▶ Participant
 *                          ▲  ▲             │ state: SagaStore                      │
 *                  timeout │  └─────────────┼────────── done, or failed ────────────┘
 *            NAME.timeouts ┘◀───────────────┘
 * </pre>
 *
 * <p>{@link dev.postroad.patterns.saga.Progress} decides, as a pure function of the state and what came; the orchestrator stores
 * what was decided if nobody else was faster, and only then sends. What is sent has an id that follows from the state, so that
 * sending it again after a crash is a repetition of the same message.
 *
 * <p>Reading order: {@link dev.postroad.patterns.saga.Saga}, {@link dev.postroad.patterns.saga.Step}, {@link
 * dev.postroad.patterns.saga.Participant}, {@link dev.postroad.patterns.saga.Orchestrator}, {@link
 * dev.postroad.patterns.saga.SagaStore}.
 */
@NullMarked
package dev.postroad.patterns.saga;

import org.jspecify.annotations.NullMarked;
