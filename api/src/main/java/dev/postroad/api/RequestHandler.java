package dev.postroad.api;

/**
 * Answers requests. Returning sends the answer and acknowledges the request; throwing leads to a retry by the channel's
 * {@link RetryPolicy} and, after the last attempt, tells the requester what went wrong.
 *
 * <p>Called on virtual threads, by as many at once as {@link ConsumerOptions#concurrency} says.
 *
 * @param <K> type of the requests' keys
 * @param <V> type of the requests' values
 * @param <A> type of the replies' keys
 * @param <B> type of the replies' values
 */
@FunctionalInterface
public interface RequestHandler<K, V, A, B> {

    /** The reply to a request. Where it goes and what it is tied to is set by the caller. */
    Message<A, B> handle(Message<K, V> request) throws Exception;
}
