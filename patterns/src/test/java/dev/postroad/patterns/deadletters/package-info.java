/** Tests of the inbox. */
@NullMarked
package dev.postroad.patterns.deadletters;

import org.jspecify.annotations.NullMarked;
