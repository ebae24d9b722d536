/** Tests of the inbox. */
@NullMarked
package dev.postroad.patterns.overload;

import org.jspecify.annotations.NullMarked;
