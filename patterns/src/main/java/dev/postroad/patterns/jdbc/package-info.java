/** What the patterns that keep something in a database share: its dialect, transactions, and a whole message as bytes. */
@NullMarked
package dev.postroad.patterns.jdbc;

import org.jspecify.annotations.NullMarked;
