/**
 * The contract: what a program that sends and receives messages is written to, whatever carries them.
 *
 * <pre>
 *   Postroad.connect(url) ──▶ Transport (found by the url's scheme)
 *        │
 *        ├─ declare(Channel)  ──▶ PortabilityReport: each Need native, emulated or impossible
 *        ├─ producer ─ send ────▶ Receipt, once the message is as safe as its channel promises
 *        ├─ consumer ─ poll, commit                       (simple level)
 *        ├─ listen ─▶ Handler(Delivery) ─ acknowledge · retry · deadLetter · extend   (delivery level)
 *        ├─ request ─▶ reply
 *        ├─ begin ─▶ Transaction
 *        └─ administration ─ list, browse, purge, redrive
 * </pre>
 *
 * <p>Reading order: {@link dev.postroad.api.Message}, {@link dev.postroad.api.MessageProducer}, {@link
 * dev.postroad.api.MessageConsumer}, {@link dev.postroad.api.Delivery}, {@link dev.postroad.api.Channel}, {@link
 * dev.postroad.api.Postroad}; then, to carry messages over something new, {@link dev.postroad.api.Transport}.
 */
@NullMarked
package dev.postroad.api;

import org.jspecify.annotations.NullMarked;
