package dev.postroad.transports.embedded;

import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.Durability;
import dev.postroad.api.RetryPolicy;
import dev.postroad.engine.Definition;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Channels of the contract as the engine's declarations, and back; the declarations know how they become queues and streams. */
final class Channels {
    private Channels() {}

    static ChannelDeclaration toDeclaration(Channel channel) {
        RetryPolicy retry = channel.retry();
        return new ChannelDeclaration(
                channel.name(),
                ChannelDeclaration.Kind.valueOf(channel.kind().name()),
                dev.postroad.engine.Durability.valueOf(channel.durability().name()),
                channel.orderedByKey(),
                new ChannelDeclaration.Retry(
                        retry.maxAttempts(),
                        retry.initialDelay().toMillis(),
                        retry.maxDelay().toMillis(),
                        retry.multiplier(),
                        retry.jitter(),
                        retry.decorrelated(),
                        millis(retry.maxElapsed())),
                channel.deadLetter(),
                millis(channel.ttl()),
                millis(channel.lease()),
                channel.prefetch(),
                millis(channel.dedupWindow()),
                channel.priorities(),
                orZero(channel.maxMessages()),
                orZero(channel.maxBytes()),
                QueueDefinition.Overflow.valueOf(channel.overflow().name()),
                channel.partitions(),
                millis(channel.retention()),
                channel.compacted(),
                channel.maxMessageBytes(),
                channel.compressed(),
                millis(channel.timeout()));
    }

    /** The channel that a queue or stream carries; the nearest there is, where a protocol declared it in words of its own. */
    static Channel of(Definition definition) {
        return of(ChannelDeclaration.nearest(definition));
    }

    static Channel of(ChannelDeclaration declared) {
        ChannelDeclaration.Retry retry = declared.retry();
        return new Channel(
                declared.name(),
                ChannelKind.valueOf(declared.kind().name()),
                Durability.valueOf(declared.durability().name()),
                declared.orderedByKey(),
                new RetryPolicy(
                        retry.maxAttempts(),
                        Duration.ofMillis(retry.initialDelayMillis()),
                        Duration.ofMillis(retry.maxDelayMillis()),
                        retry.multiplier(),
                        retry.jitter(),
                        retry.decorrelated(),
                        duration(retry.maxElapsedMillis())),
                declared.deadLetter(),
                duration(declared.ttlMillis()),
                duration(declared.leaseMillis()),
                declared.prefetch(),
                duration(declared.dedupMillis()),
                declared.priorities(),
                orNull(declared.maxMessages()),
                orNull(declared.maxBytes()),
                Channel.Overflow.valueOf(declared.overflow().name()),
                declared.partitions(),
                duration(declared.retentionMillis()),
                declared.compacted(),
                declared.maxMessageBytes(),
                declared.compressed(),
                duration(declared.timeoutMillis()));
    }

    private static long millis(@Nullable Duration duration) {
        return duration == null ? 0 : duration.toMillis();
    }

    private static @Nullable Duration duration(long millis) {
        return millis == 0 ? null : Duration.ofMillis(millis);
    }

    private static long orZero(@Nullable Long bound) {
        return bound == null ? 0 : bound;
    }

    private static @Nullable Long orNull(long bound) {
        return bound == 0 ? null : bound;
    }
}
