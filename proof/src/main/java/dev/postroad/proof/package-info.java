/** The proof book: runs everything that tries to break Postroad within a budget, and writes down what came of it. */
@NullMarked
package dev.postroad.proof;

import org.jspecify.annotations.NullMarked;
