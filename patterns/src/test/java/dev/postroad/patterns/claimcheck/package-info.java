/** Tests of the claim check. */
@NullMarked
package dev.postroad.patterns.claimcheck;

import org.jspecify.annotations.NullMarked;
