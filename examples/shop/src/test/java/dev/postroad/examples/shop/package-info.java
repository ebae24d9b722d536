/** The shop, whole: on a broker in the test, with faults, in both databases. */
@NullMarked
package dev.postroad.examples.shop;

import org.jspecify.annotations.NullMarked;
