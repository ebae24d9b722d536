/**
 * The history checker: told only what clients saw, it says whether promises were kept. It shares no code with the engine.
 *
 * <pre>
 *   clients ── Witness ──▶ History ── finish ──▶ Verdict
 *      │                      ▲
 *      └─ Transcript ─ file ──┘   of a process that is to be killed
 * </pre>
 *
 * <p>Streaming: some bytes for each message, by producer and sequence, so that millions fit. Every {@link
 * dev.postroad.proof.history.Payload} carries who sent it, which one it is and a body that follows from both, under a checksum.
 *
 * <p>Reading order: {@link dev.postroad.proof.history.Witness}, {@link dev.postroad.proof.history.History}, {@link
 * dev.postroad.proof.history.Verdict}.
 */
@NullMarked
package dev.postroad.proof.history;

import org.jspecify.annotations.NullMarked;
