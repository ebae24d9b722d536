/**
 * The contract on a Postroad server, through its HTTP interface, on the HTTP client of the JDK.
 *
 * <pre>
 *   send ──────▶ Sender (one for each channel) ── what came meanwhile, in one request ──▶ POST …/messages
 *   receive ───▶ HttpReceiver ◀── ConsumeSource (a stream for each channel) ◀──────────── POST …/consume
 *   settle ────▶ Settler (one for each channel) ── what came meanwhile, in one request ─▶ POST …/settle
 * </pre>
 *
 * <p>A source whose connection breaks begins anew, waiting longer from time to time; deliveries of the former connection have
 * gone back then, and settling them fails with {@code LEASE_LOST}.
 *
 * <p>Reading order: {@link dev.postroad.transports.http.HttpTransport}, {@code Http}, {@code MessageJson}, {@code Sender},
 * {@code HttpReceiver}, {@code ConsumeSource}, {@code Settler}.
 */
@NullMarked
package dev.postroad.transports.http;

import org.jspecify.annotations.NullMarked;
