/**
 * Dead letters, worked on: searched, looked at, edited, put back with a ledger, and tried against a handler before anything
 * is touched.
 *
 * <pre>
 *   orders ──▶ handler ──(given up)──▶ orders.dead ──▶ DeadLetters.search · find
 *     ▲                                     │
 *     └──── resend (edited) · redrive ◀─────┤ ──▶ orders.dead.ledger: what was put back, when and by whom
 *                                           └──▶ WhatIf: which would succeed?
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.deadletters.LetterFilter}, {@link
 * dev.postroad.patterns.deadletters.DeadLetters}, {@link dev.postroad.patterns.deadletters.Ledger}, {@link
 * dev.postroad.patterns.deadletters.WhatIf}.
 */
@NullMarked
package dev.postroad.patterns.deadletters;

import org.jspecify.annotations.NullMarked;
