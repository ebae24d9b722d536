@NullMarked
package dev.postroad.simulation.disk;

import org.jspecify.annotations.NullMarked;
