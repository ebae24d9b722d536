/**
 * Measures Postroad side by side with other brokers and with what the machine can do at all.
 *
 * <pre>
 *   Main ─ Options ─ EmbeddedBench ── one process per contender, asked in turn: A B C A B C … ──▶ tables, verdicts
 *                        │  WorkerProcess                                            Report, Goal
 *                        ▼
 *                     Worker ── QueueLoad, LogLoad ──▶ Contender: PostroadEngine · Artemis · Chronicle · RawFile · SpinningHop
 * </pre>
 *
 * <p>Over AMQP 0-9-1 all contenders are servers, and the load comes from yet another process:
 *
 * <pre>
 *   Main ─ Options ─ AmqpBench ── AmqpBroker: serve · RabbitMQ · NullBroker ◀── PerfTest, AmqpClients
 * </pre>
 *
 * <p>Every contender has a process of its own, so that none runs on code that another one warmed, and so that memory and
 * processor time are its own. The generator of the load is the same code for all and runs in the contender's process: that is
 * what embedding means.
 *
 * <p>Reading order: {@link dev.postroad.benchmarks.Main}, {@code Scenario}, {@code EmbeddedBench}, {@code Worker}, {@code
 * QueueLoad}, {@code Contender}.
 */
@NullMarked
package dev.postroad.benchmarks;

import org.jspecify.annotations.NullMarked;
