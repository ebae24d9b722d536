/**
 * A transport in memory that behaves as a broker should, small enough to be read in one go, and able to misbehave on
 * request. Tests of the contract and of the conformance kit stand on it; applications use {@code embedded:memory}.
 *
 * <p>Reading order: {@link dev.postroad.memory.MemoryBroker} (all state, one lock), {@code Line} (who gets which message
 * next), {@link dev.postroad.memory.MemoryTransport} (a connection to it), {@link dev.postroad.memory.Bug}.
 */
@NullMarked
package dev.postroad.memory;

import org.jspecify.annotations.NullMarked;
