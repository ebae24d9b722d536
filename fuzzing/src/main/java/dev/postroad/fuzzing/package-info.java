/** Fuzzing of every decoder of bytes from disk or network, of the rule language and the configuration parser. */
@NullMarked
package dev.postroad.fuzzing;

import org.jspecify.annotations.NullMarked;
