/** The whole engine on one thread under a simulated disk, clock and scheduler driven by one seed, checked by an independent model. */
@NullMarked
package dev.postroad.simulation.broker;

import org.jspecify.annotations.NullMarked;
