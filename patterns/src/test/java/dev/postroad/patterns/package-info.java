/** Tests of the patterns as their pages show them. */
@NullMarked
package dev.postroad.patterns;

import org.jspecify.annotations.NullMarked;
