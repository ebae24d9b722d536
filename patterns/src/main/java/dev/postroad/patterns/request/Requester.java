package dev.postroad.patterns.request;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Sends requests of one kind and tells their replies: as a future, to a callback, or to the thread that waits. All requests
 * of one connection share one reply channel. Safe for use by many threads.
 *
 * <pre>{@code
 *   var prices = new Requester<>(postroad, RequestSettings.of("prices"), Format.strings(), Format.strings());
 *   Message<String, String> price = prices.askAndWait(Message.of("tea"));
 * }</pre>
 *
 * <p>Each request carries its {@link Deadline}, and where messages can expire it is not delivered past it. A reply that
 * comes when nobody waits is dropped and counted, see {@link Postroad#lateReplies}.
 *
 * @param <K> type of the requests' keys
 * @param <V> type of the requests' values
 * @param <A> type of the replies' keys
 * @param <B> type of the replies' values
 */
public final class Requester<K, V, A, B> {
    private final Postroad postroad;
    private final RequestSettings settings;
    private final Format<K, V> format;
    private final Format<A, B> replyFormat;
    private final Semaphore room;
    private final AtomicLong asked = new AtomicLong();
    private final AtomicLong replied = new AtomicLong();
    private final AtomicLong timedOut = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();

    /** @param postroad must outlive the requester, which holds nothing that needs closing */
    public Requester(Postroad postroad, RequestSettings settings, Format<K, V> format, Format<A, B> replyFormat) {
        this.postroad = postroad;
        this.settings = settings;
        this.format = format;
        this.replyFormat = replyFormat;
        this.room = new Semaphore(settings.maxInFlight());
    }

    /**
     * Sends a request and returns at once. Cancelling the future gives up waiting, and makes room for another request; the
     * request itself is not called back.
     *
     * @return the reply; or fails with a {@link MessagingException}: {@code TIMEOUT}, {@code FULL} at the bound on what is
     *     in flight, {@code FAILED} if its handler failed at its last attempt, others as sending fails
     */
    public CompletableFuture<Message<A, B>> ask(Message<K, V> request) {
        if (!room.tryAcquire()) {
            failed.incrementAndGet();
            return CompletableFuture.failedFuture(new MessagingException(
                    Reason.FULL,
                    settings.maxInFlight() + " requests to channel '" + settings.channel()
                            + "' wait for their replies already (maxInFlight); this one was not sent"));
        }
        asked.incrementAndGet();
        CompletableFuture<Message<A, B>> reply;
        try {
            Duration wait = timeFor(request);
            reply = postroad.request(
                    settings.channel(), Deadline.in(wait).on(request.withTtl(wait)), format, replyFormat);
        } catch (RuntimeException e) {
            reply = CompletableFuture.failedFuture(asMessaging(e));
        }
        reply.whenComplete((message, failure) -> ended(failure));
        return reply;
    }

    /**
     * Sends a request, and tells the callback what became of it: once, on a virtual thread, where it may block.
     *
     * @param callback what it throws goes to the thread's handler of uncaught exceptions
     */
    public void ask(Message<K, V> request, Consumer<? super Outcome<A, B>> callback) {
        ask(request).whenComplete((message, failure) -> {
            Outcome<A, B> outcome = failure == null ? new Outcome.Replied<>(message) : outcome(failure);
            Thread.ofVirtual().name("postroad-reply-" + settings.channel()).start(() -> callback.accept(outcome));
        });
    }

    /**
     * Sends a request and waits for its reply.
     *
     * @throws MessagingException as the future of {@link #ask(Message)} fails; {@code TIMEOUT} also if interrupted, with the
     *     interrupt kept and the request given up
     */
    public Message<A, B> askAndWait(Message<K, V> request) {
        CompletableFuture<Message<A, B>> reply = ask(request);
        try {
            return reply.get();
        } catch (InterruptedException e) {
            reply.cancel(false);
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT,
                    "interrupted while waiting for a reply from channel '" + settings.channel()
                            + "'; whether the request was handled is unknown",
                    e);
        } catch (ExecutionException e) {
            MessagingException failure = asMessaging(e.getCause() == null ? e : e.getCause());
            // Thrown anew, with the stack of who waits.
            throw new MessagingException(failure.reason(), String.valueOf(failure.getMessage()), failure);
        }
    }

    /** What became of the requests so far. */
    public Counts counts() {
        return new Counts(
                asked.get(),
                replied.get(),
                timedOut.get(),
                failed.get(),
                settings.maxInFlight() - room.availablePermits());
    }

    /**
     * Requests by what became of them.
     *
     * @param asked accepted by the requester
     * @param replied answered
     * @param timedOut not answered in time
     * @param failed refused, cancelled, or failed by their handler
     * @param inFlight waiting now
     */
    public record Counts(long asked, long replied, long timedOut, long failed, int inFlight) {}

    /** The nearest of the settings' timeout, the request's time to live, and the deadline it was given. */
    private Duration timeFor(Message<K, V> request) {
        Duration wait = settings.timeout();
        Duration ttl = request.properties().ttl();
        if (ttl != null && ttl.compareTo(wait) < 0) {
            wait = ttl;
        }
        Optional<Deadline> given = Deadline.of(request);
        if (given.isPresent() && given.get().left().compareTo(wait) < 0) {
            wait = given.get().left();
        }
        if (wait.toMillis() < 1) {
            throw new MessagingException(
                    Reason.TIMEOUT,
                    "the deadline of the request to channel '" + settings.channel() + "' has passed; it was not sent");
        }
        return wait;
    }

    private void ended(Throwable failure) {
        room.release();
        if (failure == null) {
            replied.incrementAndGet();
        } else if (asMessaging(failure).reason() == Reason.TIMEOUT) {
            timedOut.incrementAndGet();
        } else {
            failed.incrementAndGet();
        }
    }

    private Outcome<A, B> outcome(Throwable failure) {
        MessagingException messaging = asMessaging(failure);
        return messaging.reason() == Reason.TIMEOUT
                ? new Outcome.TimedOut<>(settings.timeout())
                : new Outcome.Failed<>(messaging);
    }

    private static MessagingException asMessaging(Throwable failure) {
        return failure instanceof MessagingException messaging
                ? messaging
                : new MessagingException(Reason.FAILED, "the request failed: " + failure, failure);
    }
}
