/** Runs of the simulated broker within the build: short ones by default, long ones when asked for. */
@NullMarked
package dev.postroad.simulation.broker;

import org.jspecify.annotations.NullMarked;
