/** Databases for tests. */
@NullMarked
package dev.postroad.patterns.jdbc;

import org.jspecify.annotations.NullMarked;
