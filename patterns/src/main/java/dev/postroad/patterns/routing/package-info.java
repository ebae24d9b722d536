/**
 * Handlers that pass messages on: where a rule says (router), only those that are wanted (filter), a copy besides (wire tap),
 * in parts (splitter), or many as one (aggregator).
 *
 * <pre>
 *   channel ──▶ Router ──▶ first route that matches ──▶ channel A, B …
 *                     └──▶ none ──▶ default channel
 *
 *   channel ──▶ MessageFilter ──▶ handler          channel ──▶ WireTap ──▶ handler
 *                     └──▶ discard channel                        └──▶ tap channel, if it can
 *
 *   channel ──▶ Splitter ──▶ parts ──▶ … ──▶ Aggregator ──▶ tables ──▶ outbox ──▶ channel
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.routing.Routes}, {@link dev.postroad.patterns.routing.Router}, {@link
 * dev.postroad.patterns.routing.MessageFilter}, {@link dev.postroad.patterns.routing.WireTap}, {@link
 * dev.postroad.patterns.routing.Splitter}, {@link dev.postroad.patterns.routing.Aggregator}.
 */
@NullMarked
package dev.postroad.patterns.routing;

import org.jspecify.annotations.NullMarked;
