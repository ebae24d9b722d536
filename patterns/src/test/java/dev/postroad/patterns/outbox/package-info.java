/** Tests of the outbox. */
@NullMarked
package dev.postroad.patterns.outbox;

import org.jspecify.annotations.NullMarked;
