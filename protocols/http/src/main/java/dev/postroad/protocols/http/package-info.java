/**
 * The HTTP interface: everything under {@code /api/v1}, described by the OpenAPI document that it serves.
 *
 * <pre>
 *   connection (a virtual thread each)
 *        │
 *        ▼
 *     Router ── path, method, known query parameters ──▶ Exchange (limits, JSON, problems)
 *        │
 *        ├─ Publishing   messages in: JSON, raw, NDJSON, CloudEvents ──────────┐
 *        ├─ Receiving    long poll; Consuming: a stream per connection; settle │
 *        ├─ Tailing      server-sent events, partitions by offset              ├─▶ Broker (commands, replies)
 *        ├─ Declaring · Browsing · Grouping · Routing · Transacting            │
 *        ├─ Requesting   202 Accepted, or the reply                            │
 *        └─ Monitoring   health, metrics, the OpenAPI document ────────────────┘
 * </pre>
 *
 * <p>What a connection is doing blocks its own virtual thread and nothing else. Deliveries reach it through an {@link
 * dev.postroad.protocols.http.Inbox}, which the engine's thread fills and never waits for; how much may lie there is bounded
 * by the credit that was given.
 *
 * <p>Reading order: {@link dev.postroad.protocols.http.HttpProtocol}, {@code Router}, {@code Exchange}, {@code MessageJson},
 * {@code Publishing}, {@code HttpConsumer}, {@code Receiving}, {@code Consuming}; the rest as needed.
 */
@NullMarked
package dev.postroad.protocols.http;

import org.jspecify.annotations.NullMarked;
