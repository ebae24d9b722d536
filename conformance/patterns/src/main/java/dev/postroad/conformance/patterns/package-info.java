/**
 * What the patterns promise, as checks of the kit: run on a transport, they show which of the promises hold there, and name
 * those that are impossible with the reason.
 *
 * <p>Begin with {@link dev.postroad.conformance.patterns.PatternChecks}.
 */
@NullMarked
package dev.postroad.conformance.patterns;

import org.jspecify.annotations.NullMarked;
