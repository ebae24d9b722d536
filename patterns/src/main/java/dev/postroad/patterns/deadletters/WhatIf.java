package dev.postroad.patterns.deadletters;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import java.time.Duration;
import java.util.function.Function;

/**
 * Runs a handler against dead letters with its messages held back, and tells which would succeed, before anything is touched.
 *
 * <pre>
 *   orders.dead ──(looked at)──▶ Rehearsal, a transport ──▶ listen ──▶ the handler ──▶ its sends and settlements,
 *                                                                                      written down instead of done
 * </pre>
 *
 * The handler runs in a subscription like any other: the channel's retries, its order per key, its format and its limits are
 * those of the real one, only that no retry waits. So a deterministic handler does what it would do after a redrive. What it
 * does beside messaging it does: give it a database whose transaction is rolled back, or none.
 */
public final class WhatIf {
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private WhatIf() {}

    /**
     * Tries letters. Blocks until all are tried.
     *
     * @param postroad where the letters lie; nothing there is changed
     * @param deadLetterChannel the channel they lie in
     * @param settings which letters, and how
     * @param format of the messages
     * @param handler makes the handler. Whatever it sends must go through the connection that it is given, which holds it back;
     *     this connection can send, begin transactions and look, and refuses by name all that would change anything. A handler
     *     that waits for a reply fails
     * @return what would become of each letter; of those of the channel, and group, that the first one came from
     * @throws MessagingException {@code TIMEOUT} if it takes longer than allowed; {@code NOT_FOUND} if the channel that the
     *     letters came from is gone
     */
    public static <K, V> WhatIfReport replay(
            Postroad postroad,
            String deadLetterChannel,
            WhatIfSettings settings,
            Format<K, V> format,
            Function<Postroad, Handler<K, V>> handler)
            throws InterruptedException {
        DeadLetters letters = new DeadLetters(postroad, deadLetterChannel);
        Rehearsal rehearsal =
                new Rehearsal(postroad.transport(), letters.new Pages(settings.filter(), Long.MAX_VALUE), settings);
        if (rehearsal.empty()) {
            return new WhatIfReport("", java.util.List.of(), 0, 0);
        }
        try (Postroad held = Postroad.over(rehearsal)) {
            Handler<K, V> tried = handler.apply(held);
            ConsumerOptions options = ConsumerOptions.DEFAULT
                    .withConcurrency(settings.concurrency())
                    .withGroup(rehearsal.group());
            Subscription subscription = held.listen(rehearsal.origin(), format, options, rehearsal.noting(tried));
            try {
                if (!rehearsal.await(settings.timeout())) {
                    throw new MessagingException(
                            Reason.TIMEOUT,
                            "the handler has not gone through the letters of '" + deadLetterChannel + "' within "
                                    + settings.timeout() + "; " + rehearsal.settled() + " were tried");
                }
            } finally {
                // A handler that hangs is interrupted after that.
                subscription.close(PATIENCE);
            }
            return rehearsal.report();
        }
    }
}
