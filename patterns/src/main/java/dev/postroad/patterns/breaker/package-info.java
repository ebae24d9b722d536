/**
 * Handlers that spare what they call: a circuit breaker pauses consumption while that is out of order, a rate limiter while
 * it has had enough. Both hold the deliveries that have come, with their leases extended; the rest waits in the broker.
 *
 * <pre>
 *   channel ──▶ Guarded ──▶ Gate: go ──▶ handler ──▶ result to the gate
 *                  ▲             wait
 *                  └── Hold ◀────┘
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.breaker.CircuitBreaker}, {@link
 * dev.postroad.patterns.breaker.RateLimiter}, {@link dev.postroad.patterns.breaker.Resilience4j}.
 */
@NullMarked
package dev.postroad.patterns.breaker;

import org.jspecify.annotations.NullMarked;
