package dev.postroad.patterns.settings;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.breaker.CircuitBreaker;
import dev.postroad.patterns.breaker.RateLimiter;
import dev.postroad.patterns.claimcheck.BlobStore;
import dev.postroad.patterns.claimcheck.ClaimCheck;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.claimcheck.FileBlobs;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.inbox.ChannelInbox;
import dev.postroad.patterns.inbox.ChannelInboxSettings;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.inbox.InboxStore;
import dev.postroad.patterns.inbox.RedisInbox;
import dev.postroad.patterns.inbox.RedisInboxSettings;
import dev.postroad.patterns.inbox.TransactionalHandler;
import dev.postroad.patterns.overload.TimeLimit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.UnifiedJedis;

/**
 * What the settings of one channel make of a handler. One for each channel of a program: its handlers share the circuit breaker
 * and the rate. Safe for use by many threads.
 *
 * <pre>{@code
 *   ChannelPatterns patterns = new ChannelPatterns("orders", settings);
 *   postroad.listen("orders", format, options, patterns.around(handler));
 * }</pre>
 *
 * <p>From the outside in: rate limit, circuit breaker, time limit, inbox, handler. So what waits for its turn or for better
 * times does not use up its time, and a duplicate is neither a success nor a failure of what the handler calls.
 *
 * <p>No setting is passed over: a handler of a channel with an inbox is made by the method for the place where that remembers,
 * and one of a channel with a claim check only after {@link #claimCheck} was asked for.
 */
public final class ChannelPatterns {
    private final String channel;
    private final PatternSettings settings;
    private final @Nullable RateLimiter rate;
    private final @Nullable CircuitBreaker breaker;
    private final @Nullable TimeLimit time;
    private @Nullable ClaimCheck claims;

    /** @param channel its name, for messages */
    public ChannelPatterns(String channel, PatternSettings settings) {
        this.channel = channel;
        this.settings = settings;
        this.rate = settings.rateLimit() == null ? null : new RateLimiter(settings.rateLimit());
        this.breaker =
                settings.circuitBreaker() == null ? null : new CircuitBreaker(channel, settings.circuitBreaker());
        this.time = settings.timeLimit() == null ? null : new TimeLimit(settings.timeLimit());
    }

    /** What was set. */
    public PatternSettings settings() {
        return settings;
    }

    /**
     * A handler of a channel without an inbox.
     *
     * @throws IllegalStateException if the settings have an inbox
     */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        InboxStore inbox = settings.inbox();
        if (inbox != null) {
            throw new IllegalStateException("channel '" + channel + "' has an inbox in " + where(inbox)
                    + "; make its handlers with it, or take 'inbox' out of its patterns");
        }
        return guarded(handler);
    }

    /**
     * A handler whose work is remembered in its database.
     *
     * @throws IllegalStateException if the settings have no inbox, or one elsewhere
     */
    public <K, V> Handler<K, V> around(DataSource database, TransactionalHandler<K, V> handler) {
        return guarded(new Inbox(database, inbox(InboxSettings.class, "a database")).around(handler));
    }

    /**
     * A handler whose work is remembered in Redis. Under a name of its own, so that programs without Redis need not have its
     * client to be compiled.
     *
     * @throws IllegalStateException if the settings have no inbox, or one elsewhere
     */
    public <K, V> Handler<K, V> aroundWithRedis(UnifiedJedis redis, Handler<K, V> handler) {
        return guarded(new RedisInbox(redis, inbox(RedisInboxSettings.class, "Redis")).around(handler));
    }

    /**
     * Handles messages that the broker remembers. What this limits and watches is the handler; messages are admitted as they
     * come.
     *
     * @throws IllegalStateException if the settings have no inbox, or one elsewhere
     */
    public <K, V> Subscription listen(
            Postroad postroad, Format<K, V> format, ConsumerOptions options, ChannelInbox.Work<K, V> work) {
        ChannelInboxSettings store = inbox(ChannelInboxSettings.class, "the broker");
        requireClaims();
        return ChannelInbox.open(postroad, channel, store)
                .listen(
                        format,
                        options,
                        (delivery, transaction) -> this.<K, V>wrapped(each -> work.handle(each, transaction))
                                .handle(delivery));
    }

    /**
     * The claim check of the channel, on the folder of the settings; the same each time.
     *
     * @throws IllegalStateException if the settings have none, or no folder
     */
    public synchronized ClaimCheck claimCheck() {
        ClaimCheck present = claims;
        if (present != null) {
            return present;
        }
        if (settings.blobs() == null) {
            claimSettings();
            throw new IllegalStateException("the claim check of channel '" + channel
                    + "' has no folder; name one, or give it a blob store of the program's");
        }
        return claimCheck(new FileBlobs(settings.blobs()));
    }

    /**
     * The claim check of the channel on a blob store of the program's.
     *
     * @throws IllegalStateException if the settings have none
     */
    public synchronized ClaimCheck claimCheck(BlobStore store) {
        ClaimCheck made = new ClaimCheck(store, claimSettings());
        claims = made;
        return made;
    }

    /** How the channel's dead letters are put back. */
    public RedriveSettings redrive() {
        RedriveSettings redrive = settings.redrive();
        return redrive == null ? RedriveSettings.DEFAULT : redrive;
    }

    /** To be watched; null where there is none. */
    public @Nullable RateLimiter rateLimiter() {
        return rate;
    }

    /** To be watched; null where there is none. */
    public @Nullable CircuitBreaker circuitBreaker() {
        return breaker;
    }

    /** To be watched; null where there is none. */
    public @Nullable TimeLimit timeLimit() {
        return time;
    }

    private ClaimSettings claimSettings() {
        ClaimSettings claim = settings.claimCheck();
        if (claim == null) {
            throw new IllegalStateException("channel '" + channel + "' has no claim check among its patterns");
        }
        return claim;
    }

    private <S extends InboxStore> S inbox(Class<S> type, String place) {
        InboxStore inbox = settings.inbox();
        if (!type.isInstance(inbox)) {
            throw new IllegalStateException("channel '" + channel + "' has "
                    + (inbox == null ? "no inbox" : "an inbox in " + where(inbox)) + " among its patterns, but one in "
                    + place + " is asked for");
        }
        return type.cast(inbox);
    }

    private static String where(InboxStore inbox) {
        return switch (inbox) {
            case InboxSettings database -> "a database";
            case RedisInboxSettings redis -> "Redis";
            case ChannelInboxSettings broker -> "the broker";
        };
    }

    private <K, V> Handler<K, V> guarded(Handler<K, V> handler) {
        requireClaims();
        return wrapped(handler);
    }

    private synchronized void requireClaims() {
        if (settings.claimCheck() != null && claims == null) {
            throw new IllegalStateException("channel '" + channel
                    + "' has a claim check among its patterns; use the format that claimCheck() makes, or take it out");
        }
    }

    private <K, V> Handler<K, V> wrapped(Handler<K, V> handler) {
        Handler<K, V> wrapped = time == null ? handler : time.around(handler);
        wrapped = breaker == null ? wrapped : breaker.around(wrapped);
        return rate == null ? wrapped : rate.around(wrapped);
    }
}
