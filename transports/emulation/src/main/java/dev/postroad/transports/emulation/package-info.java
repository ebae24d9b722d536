/**
 * What brokers lack and transports bring themselves, written once: the catalog of channels, the store of message ids, the book of
 * schedules, and the receiver that keeps order per key, leases and prefetch. Messages stay in the broker, unacknowledged, until
 * they are settled; what is remembered lies in a {@link dev.postroad.transports.emulation.Log} of the broker's own.
 */
@NullMarked
package dev.postroad.transports.emulation;

import org.jspecify.annotations.NullMarked;
