/** Tests of store-and-forward and fire-and-forget. */
@NullMarked
package dev.postroad.patterns.forward;

import org.jspecify.annotations.NullMarked;
