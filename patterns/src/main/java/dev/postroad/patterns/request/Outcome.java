package dev.postroad.patterns.request;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import java.time.Duration;

/**
 * What became of a request.
 *
 * @param <A> type of the reply's key
 * @param <B> type of the reply's value
 */
public sealed interface Outcome<A, B> {
    /** It was answered. */
    record Replied<A, B>(Message<A, B> reply) implements Outcome<A, B> {}

    /** Nobody answered in time; whether the request was handled is unknown. */
    record TimedOut<A, B>(Duration after) implements Outcome<A, B> {}

    /** It was not sent, or not accepted, or its handler failed: see the reason. */
    record Failed<A, B>(MessagingException failure) implements Outcome<A, B> {}
}
