/**
 * What people build on messaging, written once, on the contract alone, so that it runs on every transport. One package for
 * each pattern, one shape for all: a decorator of a handler or of a producer, its settings a record with {@code with…}
 * methods and stated defaults.
 *
 * <pre>
 *   outbox   a message joins the caller's database transaction; a relay sends it afterwards
 *   inbox    a handler's work and the memory that it was done are one database transaction
 *   jdbc     what these two share
 * </pre>
 */
@NullMarked
package dev.postroad.patterns;

import org.jspecify.annotations.NullMarked;
