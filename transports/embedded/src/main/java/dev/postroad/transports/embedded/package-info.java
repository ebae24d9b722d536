/**
 * The contract on the broker engine in the same process: {@code embedded:DIR} keeps its journal in a directory, {@code
 * embedded:memory} in memory.
 *
 * <pre>
 *   EmbeddedProvider ─ EmbeddedUrl ─▶ Broker ◀─ commands ─ EmbeddedTransport ─▶ EmbeddedAdministration, EmbeddedTransaction
 *                                       │                        │
 *                                       │ replies                ▼
 *                                       ├───────────▶ EngineFuture (a caller that waits for it does the broker's work)
 *                                       │ deliveries
 *                                       └─▶ QueueSource, StreamSource ─▶ EmbeddedReceiver ─▶ EmbeddedDelivery, ReadDelivery
 * </pre>
 *
 * <p>Nothing is decided here: messages and channels are translated both ways ({@code Messages}, {@code Channels}), refusals
 * too ({@code Failures}), and the engine does the rest. Rules read headers and well-known properties, and fields of payloads
 * where one {@link dev.postroad.engine.PayloadFields} is found by {@link java.util.ServiceLoader}.
 *
 * <p>Reading order: {@link dev.postroad.transports.embedded.EmbeddedProvider}, {@link
 * dev.postroad.transports.embedded.EmbeddedTransport}, {@code EmbeddedReceiver}, {@code Messages}.
 */
@NullMarked
package dev.postroad.transports.embedded;

import org.jspecify.annotations.NullMarked;
