package dev.postroad.api;

/**
 * The proof that a message was accepted and is as safe as its channel promises.
 *
 * @param messageId the message's id, assigned by the producer where it had none
 * @param channel where it went
 * @param partition partition of a stream; -1 for queues
 * @param offset offset in that partition; -1 for queues, and where the transport emulates streams and can't tell it
 * @param duplicate true if a message with this id had been accepted within the channel's dedup window, so that this one
 *     was confirmed and dropped
 */
public record Receipt(String messageId, String channel, int partition, long offset, boolean duplicate) {}
