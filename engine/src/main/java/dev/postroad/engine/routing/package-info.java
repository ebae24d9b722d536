/**
 * Where a message goes: the pure parts of routing, each a function of a pattern and a message, none of which knows
 * channels, the journal, a clock or a thread.
 *
 * <pre>
 *   topic  "orders.eu.created" ──▶ TopicTrie ───────┐
 *   headers {region = "eu"}    ──▶ HeaderMatch ─────┼──▶ the channels bound there, in the order of their binding
 *   headers and payload fields ──▶ Rule ────────────┘
 *   key    "customer-17"       ──▶ KeyHash ─────────────▶ the partition
 * </pre>
 *
 * <p>What comes from outside is bounded when it is declared (length, depth, number of parts) and costs at most text
 * times pattern when it is applied, whatever the pattern and the text are.
 *
 * <p>Reading order: {@link dev.postroad.engine.routing.TopicPattern}, {@link dev.postroad.engine.routing.TopicTrie};
 * {@link dev.postroad.engine.routing.Fields}, {@link dev.postroad.engine.routing.HeaderMatch}, {@link
 * dev.postroad.engine.routing.Rule}, then {@code RuleParser} and {@code Node}; {@code Regex}; {@link
 * dev.postroad.engine.routing.KeyHash}.
 */
@NullMarked
package dev.postroad.engine.routing;

import org.jspecify.annotations.NullMarked;
