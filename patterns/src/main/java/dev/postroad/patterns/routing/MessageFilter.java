package dev.postroad.patterns.routing;

import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Lets a handler see only the messages that a rule accepts. The others are acknowledged and counted, or passed on to a
 * channel for what was left out. Safe for use by many threads.
 *
 * <p>A rule that throws says neither yes nor no: the message is retried, and given up, like one whose handler failed.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class MessageFilter<K, V> {
    private static final Duration MAX_PAUSE = Duration.ofSeconds(10);

    private final Predicate<Message<K, V>> rule;
    private final @Nullable Passage<K, V> passage;
    private final Set<String> discards;
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong discarded = new AtomicLong();

    private MessageFilter(Predicate<Message<K, V>> rule, @Nullable Passage<K, V> passage, Set<String> discards) {
        this.rule = rule;
        this.passage = passage;
        this.discards = discards;
    }

    /** Accepts what the rule says; drops the rest. */
    public static <K, V> MessageFilter<K, V> accepting(Predicate<Message<K, V>> rule) {
        return new MessageFilter<>(rule, null, Set.of());
    }

    /**
     * This filter, with what is left out passed on to a channel; nothing of it is lost, as with a {@link Router}.
     *
     * @param postroad the connection of the source and of that channel
     */
    public MessageFilter<K, V> withDiscards(Postroad postroad, Format<K, V> format, String channel) {
        return new MessageFilter<>(rule, new Passage<>(postroad, format, MAX_PAUSE), Set.of(channel));
    }

    /** A handler that is called for accepted messages only. */
    public Handler<K, V> around(Handler<K, V> handler) {
        return delivery -> {
            if (rule.test(delivery.message())) {
                accepted.incrementAndGet();
                handler.handle(delivery);
                return;
            }
            if (passage != null) {
                passage.pass(delivery, Passage.Outgoing.toEach(discards, delivery.message()));
            }
            discarded.incrementAndGet();
        };
    }

    /** Deliveries that went to the handler. */
    public long accepted() {
        return accepted.get();
    }

    /** Deliveries that were left out. */
    public long discarded() {
        return discarded.get();
    }
}
