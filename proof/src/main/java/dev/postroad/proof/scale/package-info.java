/**
 * What changes with size: restart, heap and speed with a large backlog, space under steady overwriting, slow consumers beside
 * fast ones, very many subscriptions, and heap over time.
 *
 * <pre>
 *   an Experiment ──▶ Worker ══ orders, answers ══▶ WorkerProgram (a process) ──▶ Taker ──▶ dev.postroad.engine.runtime.Broker
 * </pre>
 *
 * <p>The broker is in a process of its own, so that its heap and its start are its own, and so that it can be killed.
 */
@NullMarked
package dev.postroad.proof.scale;

import org.jspecify.annotations.NullMarked;
