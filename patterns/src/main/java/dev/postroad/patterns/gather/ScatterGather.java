package dev.postroad.patterns.gather;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.request.Deadline;
import dev.postroad.patterns.request.RequestSettings;
import dev.postroad.patterns.request.Requester;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Asks several channels the same and gathers their replies into one result: from all, from the first so many, or from more
 * than half. Safe for use by many threads.
 *
 * <pre>{@code
 *   var quotes = new ScatterGather<>(postroad, GatherSettings.of("ship.dhl", "ship.ups"), format, format);
 *   Gathered<String, String> result = quotes.askAndWait(Message.of("2 kg to Bern"));
 * }</pre>
 *
 * <p>A result always comes, at the deadline at the latest; that a target failed is part of it and no exception. Nothing is
 * left behind: what need not be waited for any more is given up at once, and its reply dropped and counted.
 *
 * @param <K> type of the questions' keys
 * @param <V> type of the questions' values
 * @param <A> type of the replies' keys
 * @param <B> type of the replies' values
 */
public final class ScatterGather<K, V, A, B> {
    private final GatherSettings settings;
    private final Map<String, Requester<K, V, A, B>> requesters = new LinkedHashMap<>();
    private final AtomicLong complete = new AtomicLong();
    private final AtomicLong partial = new AtomicLong();

    /** @param postroad must outlive this, which holds nothing that needs closing */
    public ScatterGather(Postroad postroad, GatherSettings settings, Format<K, V> format, Format<A, B> replyFormat) {
        this.settings = settings;
        for (String target : settings.targets()) {
            RequestSettings one =
                    RequestSettings.of(target).withTimeout(settings.timeout()).withMaxInFlight(settings.maxInFlight());
            requesters.put(target, new Requester<>(postroad, one, format, replyFormat));
        }
    }

    /**
     * Asks and returns at once.
     *
     * @param question sent to each target; its correlation id is left out, because each request has one of its own
     * @return what was gathered; never fails. Cancelling it gives up all that is waited for
     */
    public CompletableFuture<Gathered<A, B>> ask(Message<K, V> question) {
        Deadline deadline = Deadline.of(question)
                .filter(given -> given.left().compareTo(settings.timeout()) < 0)
                .orElseGet(() -> Deadline.in(settings.timeout()));
        Message<K, V> request =
                deadline.on(question.withProperties(question.properties().withCorrelationId(null)));
        Gathering gathering = new Gathering();
        requesters.forEach((target, requester) -> gathering.asked(target, requester, request));
        return gathering.result;
    }

    /**
     * Asks and waits.
     *
     * @throws MessagingException {@code TIMEOUT} if interrupted, with the interrupt kept and the requests given up
     */
    public Gathered<A, B> askAndWait(Message<K, V> question) {
        CompletableFuture<Gathered<A, B>> result = ask(question);
        try {
            return result.get();
        } catch (InterruptedException e) {
            result.cancel(false);
            Thread.currentThread().interrupt();
            throw new MessagingException(
                    Reason.TIMEOUT, "interrupted while waiting for replies from " + settings.targets(), e);
        } catch (ExecutionException e) {
            throw new MessagingException(Reason.FAILED, "gathering replies failed: " + e.getCause(), e);
        }
    }

    /** Results with as many replies as wanted. */
    public long complete() {
        return complete.get();
    }

    /** Results with fewer. */
    public long partial() {
        return partial.get();
    }

    /** What became of the requests to each target, so that one sees which of them is slow or fails. */
    public Map<String, Requester.Counts> counts() {
        Map<String, Requester.Counts> counts = new LinkedHashMap<>();
        requesters.forEach((target, requester) -> counts.put(target, requester.counts()));
        return counts;
    }

    /** One question under way. Guarded by itself; the result is completed outside of the lock. */
    private final class Gathering {
        private final CompletableFuture<Gathered<A, B>> result = new CompletableFuture<>();
        private final Map<String, CompletableFuture<Message<A, B>>> waiting = new LinkedHashMap<>();
        private final Map<String, Message<A, B>> replies = new LinkedHashMap<>();
        private final Map<String, MessagingException> failures = new LinkedHashMap<>();
        private boolean ended;

        Gathering() {
            // Also when who asked has cancelled it.
            result.whenComplete((gathered, failure) -> giveUpTheRest());
        }

        void asked(String target, Requester<K, V, A, B> requester, Message<K, V> request) {
            synchronized (this) {
                if (ended) {
                    // The first ones were quick enough: this one's answer would be of no use.
                    return;
                }
            }
            CompletableFuture<Message<A, B>> reply = requester.ask(request);
            boolean needless;
            synchronized (this) {
                needless = ended;
                waiting.put(target, reply);
            }
            if (needless) {
                reply.cancel(false);
            }
            reply.whenComplete((message, failure) -> answered(target, message, failure));
        }

        private void answered(String target, @Nullable Message<A, B> message, @Nullable Throwable failure) {
            Gathered<A, B> gathered;
            synchronized (this) {
                if (ended) {
                    return;
                }
                if (message != null) {
                    replies.put(target, message);
                } else {
                    failures.put(target, asMessaging(target, failure));
                }
                if (!enough()) {
                    return;
                }
                ended = true;
                gathered = gathered();
            }
            giveUpTheRest();
            (gathered.complete() ? complete : partial).incrementAndGet();
            result.complete(gathered);
        }

        private boolean enough() {
            int targets = requesters.size();
            if (settings.enough() == GatherSettings.ALL) {
                return replies.size() + failures.size() == targets;
            }
            return replies.size() == settings.enough() || targets - failures.size() < settings.enough();
        }

        private Gathered<A, B> gathered() {
            int wanted = settings.enough() == GatherSettings.ALL ? requesters.size() : settings.enough();
            List<String> unawaited = requesters.keySet().stream()
                    .filter(target -> !replies.containsKey(target) && !failures.containsKey(target))
                    .toList();
            return new Gathered<>(replies.size() >= wanted, replies, failures, unawaited);
        }

        private void giveUpTheRest() {
            List<CompletableFuture<Message<A, B>>> rest;
            synchronized (this) {
                ended = true;
                rest = List.copyOf(waiting.values());
            }
            rest.forEach(reply -> reply.cancel(false));
        }
    }

    private static MessagingException asMessaging(String target, @Nullable Throwable failure) {
        return failure instanceof MessagingException messaging
                ? messaging
                : new MessagingException(Reason.FAILED, "asking channel '" + target + "' failed: " + failure, failure);
    }
}
