/** Crash images, I/O failures and corruption, tried one by one on the real journal and engine. */
@NullMarked
package dev.postroad.simulation.faults;

import org.jspecify.annotations.NullMarked;
