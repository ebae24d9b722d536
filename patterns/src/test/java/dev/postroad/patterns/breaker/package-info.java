/** Tests of the circuit breaker and the rate limiter. */
@NullMarked
package dev.postroad.patterns.breaker;

import org.jspecify.annotations.NullMarked;
