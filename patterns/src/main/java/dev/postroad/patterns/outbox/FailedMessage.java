package dev.postroad.patterns.outbox;

import dev.postroad.api.Message;

/**
 * A message that the broker refused for good. It stays in the outbox, and later ones of its key wait behind it, until
 * somebody decides: {@link OutboxRelay#retryFailed} or {@link OutboxRelay#discardFailed}.
 *
 * @param channel where it was to go
 * @param messageId what it is known by
 * @param message as recorded
 * @param failure why it was refused
 */
public record FailedMessage(String channel, String messageId, Message<byte[], byte[]> message, String failure) {}
