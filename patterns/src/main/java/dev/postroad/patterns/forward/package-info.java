/**
 * Sending without depending on the broker: store-and-forward keeps messages on a broker in the same process while the remote
 * one is away, and fire-and-forget sends what may be lost and holds nobody up.
 *
 * <pre>
 *   producer ──▶ local channel, on disk ──▶ StoreAndForward: one thread, in order ──▶ remote broker
 *                                                     └──▶ NAME.refused, what it refuses for good
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.forward.StoreAndForward}, {@link
 * dev.postroad.patterns.forward.FireAndForget}.
 */
@NullMarked
package dev.postroad.patterns.forward;

import org.jspecify.annotations.NullMarked;
