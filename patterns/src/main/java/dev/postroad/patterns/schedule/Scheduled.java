package dev.postroad.patterns.schedule;

import dev.postroad.api.Message;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What waits for its time.
 *
 * @param id by which it is cancelled; of a cron, its name
 * @param at when it comes, or comes next
 * @param channel where it goes then
 * @param cron the expression of a cron; null for what comes once
 * @param message as it was given, key and value as bytes
 */
public record Scheduled(
        String id, Instant at, String channel, @Nullable String cron, Message<byte[], byte[]> message) {}
