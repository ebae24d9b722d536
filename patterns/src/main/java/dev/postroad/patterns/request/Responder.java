package dev.postroad.patterns.request;

import dev.postroad.api.Handler;
import dev.postroad.api.RequestHandler;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lets a server leave out requests for whose reply nobody waits any more: after a pause or a backlog they would hold up those
 * that can still be answered. Safe for use by many threads.
 *
 * <pre>{@code
 *   Responder responder = new Responder();
 *   postroad.reply("prices", options, format, format, responder.around(request -> Message.of(priceOf(request.value()))));
 * }</pre>
 */
public final class Responder {
    private final AtomicLong handled = new AtomicLong();
    private final AtomicLong expired = new AtomicLong();
    private final AtomicLong late = new AtomicLong();

    /**
     * A handler that is not called for requests past their {@link Deadline}; these become dead letters, where their channel
     * has any. Requests without a deadline are handled.
     */
    public <K, V, A, B> RequestHandler<K, V, A, B> around(RequestHandler<K, V, A, B> handler) {
        return request -> {
            Optional<Deadline> deadline = Deadline.of(request);
            if (deadline.isPresent() && deadline.get().passed()) {
                expired.incrementAndGet();
                throw new Handler.DeadLetterException(
                        "its deadline, " + deadline.get().at() + ", had passed when it was received");
            }
            var reply = handler.handle(request);
            handled.incrementAndGet();
            if (deadline.isPresent() && deadline.get().passed()) {
                late.incrementAndGet();
            }
            return reply;
        };
    }

    /** Requests that were handled. */
    public long handled() {
        return handled.get();
    }

    /** Requests that were not handled, because their deadline had passed. */
    public long expired() {
        return expired.get();
    }

    /** Of those handled, requests whose deadline passed meanwhile. Many of them mean that the server is too slow. */
    public long late() {
        return late.get();
    }
}
