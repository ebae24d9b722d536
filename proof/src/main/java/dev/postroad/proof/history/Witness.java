package dev.postroad.proof.history;

import org.jspecify.annotations.Nullable;

/**
 * Is told what clients of one channel see, each event when it is seen: an attempt before the call, an outcome after it. Safe for
 * use by many threads.
 *
 * <p>A group is a number: each consumes all messages by itself. A queue has group 0 only.
 */
public interface Witness {
    /**
     * A producer is about to send, for the first time or again.
     *
     * @param producer a number from 0; one thread at a time
     * @param first sequence of the first message; a producer counts from 0 without gaps
     * @param count messages that are stored whole or not at all; 1 for a single one
     * @param key of all of them
     */
    void attempted(int producer, long first, int count, int key);

    /** The producer was told that they are stored. */
    void confirmed(int producer, long first, int count);

    /** The producer was told where one message lies in a stream. */
    void placed(int producer, long sequence, int partition, long offset);

    /** The producer was told that they are not stored. */
    void refused(int producer, long first, int count);

    /** The producer was told nothing, or that nobody knows. */
    void unknown(int producer, long first, int count);

    /**
     * A consumer received a message. To be told before the message is settled.
     *
     * @param attempt from 1, or 0 where the broker does not say
     * @param partition and offset, or -1 each for queues
     * @param payload as {@link Payload#read} made it: null if it is not as it was written
     */
    void delivered(int group, int attempt, int partition, long offset, @Nullable Payload payload);

    /** A consumer acknowledged what it received at this attempt, and was told that this is stored. */
    void acknowledged(int group, int producer, long sequence, int attempt);
}
