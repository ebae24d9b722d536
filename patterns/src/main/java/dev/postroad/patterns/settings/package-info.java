/**
 * The patterns that a channel is handled with, as one record that {@code postroad.yaml} can give, and the handler that follows
 * from it.
 *
 * <p>Reading order: {@link dev.postroad.patterns.settings.PatternSettings}, {@link
 * dev.postroad.patterns.settings.ChannelPatterns}.
 */
@NullMarked
package dev.postroad.patterns.settings;

import org.jspecify.annotations.NullMarked;
