/** Tests of the inbox. */
@NullMarked
package dev.postroad.patterns.inbox;

import org.jspecify.annotations.NullMarked;
