package dev.postroad.engine;

import dev.postroad.journal.JournalSettings;

/**
 * The engine's bounds. Begin with {@link #DEFAULTS}.
 *
 * @param journal of the log on disk; below its low-water mark publishes are refused with {@code FULL} and consumers go on
 * @param cacheBytes heap for the newest messages, so that they are delivered without reading the disk
 * @param indexBytes heap for indexes; beyond it publishes are refused with {@code FULL} and consumers go on
 * @param maxMessageBytes largest message, with key, headers and properties
 * @param maxBatchMessages messages of one publish or one transaction
 * @param maxChannels queues and streams
 * @param maxConsumersPerQueue consumers of one queue
 * @param maxConsumersPerOwner consumers of one connection
 * @param maxUnsettledPerConsumer credit is capped at this
 * @param maxHeaders headers of one message
 * @param checkpointBytes a checkpoint is due after so much of the log
 * @param checkpointMillis or after so long, if anything was written
 * @param bufferedMillis what is only buffered is forced after so long
 */
public record EngineSettings(
        JournalSettings journal,
        long cacheBytes,
        long indexBytes,
        int maxMessageBytes,
        int maxBatchMessages,
        int maxChannels,
        int maxConsumersPerQueue,
        int maxConsumersPerOwner,
        int maxUnsettledPerConsumer,
        int maxHeaders,
        long checkpointBytes,
        long checkpointMillis,
        long bufferedMillis) {

    /** Messages up to 16 MiB and 64 KiB, 32 MiB of cache, 256 MiB of indexes. */
    public static final EngineSettings DEFAULTS = new EngineSettings(
            JournalSettings.defaults().withMaxBatchBytes(40 << 20),
            32L << 20,
            256L << 20,
            (16 << 20) + (64 << 10),
            10_000,
            100_000,
            10_000,
            10_000,
            65_535,
            1_000,
            128L << 20,
            30_000,
            1_000);

    /** These settings with another journal. */
    public EngineSettings withJournal(JournalSettings newJournal) {
        return new EngineSettings(
                newJournal,
                cacheBytes,
                indexBytes,
                maxMessageBytes,
                maxBatchMessages,
                maxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with another cache. */
    public EngineSettings withCacheBytes(long newCacheBytes) {
        return new EngineSettings(
                journal,
                newCacheBytes,
                indexBytes,
                maxMessageBytes,
                maxBatchMessages,
                maxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with another bound on indexes. */
    public EngineSettings withIndexBytes(long newIndexBytes) {
        return new EngineSettings(
                journal,
                cacheBytes,
                newIndexBytes,
                maxMessageBytes,
                maxBatchMessages,
                maxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with another largest message. */
    public EngineSettings withMaxMessageBytes(int newMaxMessageBytes) {
        return new EngineSettings(
                journal,
                cacheBytes,
                indexBytes,
                newMaxMessageBytes,
                maxBatchMessages,
                maxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with other bounds on consumers. */
    public EngineSettings withMaxConsumers(int perQueue, int perOwner) {
        return new EngineSettings(
                journal,
                cacheBytes,
                indexBytes,
                maxMessageBytes,
                maxBatchMessages,
                maxChannels,
                perQueue,
                perOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with another bound on queues and streams. */
    public EngineSettings withMaxChannels(int newMaxChannels) {
        return new EngineSettings(
                journal,
                cacheBytes,
                indexBytes,
                maxMessageBytes,
                maxBatchMessages,
                newMaxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                checkpointBytes,
                checkpointMillis,
                bufferedMillis);
    }

    /** These settings with checkpoints after so many bytes or so many milliseconds. */
    public EngineSettings withCheckpoints(long bytes, long millis) {
        return new EngineSettings(
                journal,
                cacheBytes,
                indexBytes,
                maxMessageBytes,
                maxBatchMessages,
                maxChannels,
                maxConsumersPerQueue,
                maxConsumersPerOwner,
                maxUnsettledPerConsumer,
                maxHeaders,
                bytes,
                millis,
                bufferedMillis);
    }
}
