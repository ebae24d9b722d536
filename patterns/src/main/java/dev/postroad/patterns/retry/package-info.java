/**
 * Retry: what failed is tried again later, unless that cannot help.
 *
 * <p>How often and after which waits is the channel's own setting ({@link dev.postroad.api.RetryPolicy}, {@code retry} in
 * {@code postroad.yaml}), and the delivery waits in the broker, not in a thread. What a setting cannot know is added here:
 * which failures are worth another attempt, which are not, and which do not matter.
 *
 * <p>Reading order: {@link dev.postroad.patterns.retry.RetrySettings}, {@link dev.postroad.patterns.retry.Retry}.
 */
@NullMarked
package dev.postroad.patterns.retry;

import org.jspecify.annotations.NullMarked;
