/**
 * What is done to real processes: killed, paused, their disk cut off, filled or failing, their clock shifted, their clients cut
 * off; and the checks that nothing promised was broken by it.
 *
 * <pre>
 *   an Experiment ──▶ Subject ─┬─ Served:   Broker (a process) ◀── Load ◀── Traffic ──▶ History
 *                              └─ Embedding: EmbeddingProgram (a process: Traffic, Load and broker in it) ──▶ file ──▶ History
 * </pre>
 *
 * <p>{@code Load} is what a client library must be able to do; {@code Broker} how a broker is started. Both exist for Postroad
 * and for the peers that the same is done to. What a machine does not offer (root, loop devices, a compiler) is told as not run.
 *
 * <p>Reading order: {@code Load}, {@code Traffic}, {@code Subject}, {@code Broker}, then the experiments.
 */
@NullMarked
package dev.postroad.proof.process;

import org.jspecify.annotations.NullMarked;
