/**
 * Channels as people declare them, and how such a declaration becomes what the engine knows.
 *
 * <pre>
 *   postroad.yaml ─┐  settings by name         ┌─▶ QueueDefinition   (command, request)
 *   HTTP (JSON)  ──┼─▶ ChannelDeclaration ─────┼─▶ StreamDefinition  (event, document)
 *   the contract ──┘                           └─▶ QueueDefinition of each shared group of a stream
 * </pre>
 *
 * <p>What a definition has no place for (the kind, the backoff, the prefetch …) lies in its attributes, so that the
 * declaration can be read back exactly, whichever way it came in. {@code docs/channels.md} has the whole table.
 *
 * <p>Reading order: {@link dev.postroad.engine.channel.ChannelDeclaration}, {@link
 * dev.postroad.engine.channel.ChannelSettings}, {@link dev.postroad.engine.channel.ValueCompression}.
 */
@NullMarked
package dev.postroad.engine.channel;

import org.jspecify.annotations.NullMarked;
