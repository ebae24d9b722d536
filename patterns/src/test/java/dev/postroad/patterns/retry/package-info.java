/** Tests of the inbox. */
@NullMarked
package dev.postroad.patterns.retry;

import org.jspecify.annotations.NullMarked;
