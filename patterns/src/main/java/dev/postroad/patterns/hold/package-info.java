/** What patterns share that have a handler wait with its delivery in hand. */
@NullMarked
package dev.postroad.patterns.hold;

import org.jspecify.annotations.NullMarked;
