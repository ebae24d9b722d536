/**
 * Handlers that take too long, never return, or fail in ways that are nobody's message: what keeps one such message from
 * taking the consumer with it.
 *
 * <p>Reading order: {@link dev.postroad.patterns.overload.TimeLimitSettings}, {@link
 * dev.postroad.patterns.overload.TimeLimit}.
 */
@NullMarked
package dev.postroad.patterns.overload;

import org.jspecify.annotations.NullMarked;
