/**
 * The claim check: a value over a size travels as a ticket, and its bytes lie in a blob store.
 *
 * <pre>
 *   Claim.of(value) ──▶ serde: over the threshold? ──▶ blob store, then a ticket ──▶ channel ──▶ Claim: fetched when asked for
 *                                     └── no ──▶ the bytes themselves ──▶ channel
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.claimcheck.ClaimCheck}, {@link dev.postroad.patterns.claimcheck.Claim},
 * {@link dev.postroad.patterns.claimcheck.BlobStore} with its three kinds.
 */
@NullMarked
package dev.postroad.patterns.claimcheck;

import org.jspecify.annotations.NullMarked;
