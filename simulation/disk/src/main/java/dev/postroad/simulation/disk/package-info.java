/**
 * A disk in memory that crashes, tears and fails, for testing what stores things through
 * {@link dev.postroad.journal.Storage}.
 *
 * <pre>
 *   SimulatedDisk disk = new SimulatedDisk();
 *   try (Storage storage = disk.open()) { … the code under test … }
 *
 *   for (Crash crash : disk.crashes(200, seed)) {          every legal state after a power cut, or a sample of them
 *       SimulatedDisk after = disk.crash(crash);           the original is not changed
 *       … open after, compare with the model …
 *   }
 *   disk.failCall(n, Fault.NO_SPACE, false);               the n-th call from now fails
 * </pre>
 *
 * <p>The disk keeps, per file, what is durable and the writes since the last sync in their order, and the same for the
 * names of the directory. A crash decides for each of these whether it is kept, lost or torn. Reading order:
 * {@link dev.postroad.simulation.disk.SimulatedDisk}, {@link dev.postroad.simulation.disk.Crash},
 * {@link dev.postroad.simulation.disk.Fault}, then the package-private {@code Content} and {@code Pending}.
 */
@NullMarked
package dev.postroad.simulation.disk;

import org.jspecify.annotations.NullMarked;
