package dev.postroad.engine;

import org.jspecify.annotations.Nullable;

/**
 * A message handed to a consumer, to be settled by {@link Command.Settle} with its queue and number.
 *
 * @param consumerId whose it is
 * @param queue name of the queue, or of the stream for a shared group
 * @param group the shared group; null for queues
 * @param number identifies the message in the queue, for as long as it is there
 * @param attempt 1 for the first delivery
 * @param firstFailureMillis when an earlier delivery failed first, in milliseconds since 1970; 0 where none did
 * @param partition partition of the stream; -1 for queues
 * @param offset offset in the partition; -1 for queues
 * @param message what was sent
 */
public record EngineDelivery(
        long consumerId,
        String queue,
        @Nullable String group,
        long number,
        int attempt,
        long firstFailureMillis,
        int partition,
        long offset,
        EngineMessage message) {}
