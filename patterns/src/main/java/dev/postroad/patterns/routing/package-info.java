/**
 * Handlers that pass messages on: where a rule says (router), only those that are wanted (filter), or a copy besides (wire
 * tap).
 *
 * <pre>
 *   channel ──▶ Router ──▶ first route that matches ──▶ channel A, B …
 *                     └──▶ none ──▶ default channel
 *
 *   channel ──▶ MessageFilter ──▶ handler          channel ──▶ WireTap ──▶ handler
 *                     └──▶ discard channel                        └──▶ tap channel, if it can
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.patterns.routing.Routes}, {@link dev.postroad.patterns.routing.Router}, {@link
 * dev.postroad.patterns.routing.MessageFilter}, {@link dev.postroad.patterns.routing.WireTap}.
 */
@NullMarked
package dev.postroad.patterns.routing;

import org.jspecify.annotations.NullMarked;
