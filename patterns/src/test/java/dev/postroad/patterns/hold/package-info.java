/** Tests of what handlers that wait share. */
@NullMarked
package dev.postroad.patterns.hold;

import org.jspecify.annotations.NullMarked;
