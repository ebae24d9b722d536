/** Tests of scatter-gather. */
@NullMarked
package dev.postroad.patterns.gather;

import org.jspecify.annotations.NullMarked;
