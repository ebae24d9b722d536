/**
 * Scatter-gather: one question to several servers, and what they answer as one result, which tells also who failed and who
 * did not answer in time.
 *
 * <p>Reading order: {@link dev.postroad.patterns.gather.ScatterGather}, {@link dev.postroad.patterns.gather.Gathered}.
 */
@NullMarked
package dev.postroad.patterns.gather;

import org.jspecify.annotations.NullMarked;
