/**
 * A test kit for programs that use messages: a real broker in the test's process, on a clock that the test moves, with faults
 * that a seed brings back.
 *
 * <pre>
 *   @PostroadTest ──▶ PostroadExtension ──▶ TestBroker ──▶ TestTransport ──▶ embedded transport ──▶ broker in memory
 *                                            clock, assertions  faults, story
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.integrations.junit.PostroadTest}, {@link
 * dev.postroad.integrations.junit.TestBroker}, {@link dev.postroad.integrations.junit.Fault}, {@link
 * dev.postroad.integrations.junit.Trial}.
 */
@NullMarked
package dev.postroad.integrations.junit;

import org.jspecify.annotations.NullMarked;
