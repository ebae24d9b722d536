package dev.postroad.patterns.inbox;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;

/**
 * Has each message handled once, by remembering it in Redis after its handler succeeded: for work that is no database
 * transaction. Safe for use by many threads and by many instances on one Redis.
 *
 * <pre>{@code
 *   RedisInbox inbox = new RedisInbox(redis, RedisInboxSettings.of("billing"));
 *   postroad.listen("orders", format, options, inbox.around(delivery -> mail(delivery.message().value())));
 * }</pre>
 *
 * <p>While a handler is at work its message is claimed: a second delivery of it is given back to the broker, to come again
 * later. Between the work and the memory there is a moment; what dies in it is handled again, so that nothing is lost. An
 * {@link Inbox} in the work's own database has no such moment.
 */
public final class RedisInbox {
    private static final System.Logger LOG = System.getLogger(RedisInbox.class.getName());
    private static final int MAX_ID = 255;
    private static final String DONE = "done";
    /** Only the own claim: after a handler that took too long the key may be another one's. */
    private static final String RELEASE =
            "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

    private final UnifiedJedis redis;
    private final RedisInboxSettings settings;
    private final AtomicLong handled = new AtomicLong();
    private final AtomicLong duplicates = new AtomicLong();
    private final AtomicLong busy = new AtomicLong();

    /** @param redis stays open; it must have a connection for each handler at work */
    public RedisInbox(UnifiedJedis redis, RedisInboxSettings settings) {
        this.redis = redis;
        this.settings = settings;
    }

    /** A handler that does its work once for each message id. */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        return around(message -> String.valueOf(message.id()), handler);
    }

    /**
     * A handler that does its work once for each identity, where that is something else than the message id.
     *
     * @param identity of a message, at most {@value #MAX_ID} characters; never a checksum, which two messages may share
     * @param handler must leave settling the delivery to who called it
     */
    public <K, V> Handler<K, V> around(Function<Message<K, V>, String> identity, Handler<K, V> handler) {
        return delivery -> handle(identity.apply(delivery.message()), delivery, handler);
    }

    private <K, V> void handle(String identity, Delivery<K, V> delivery, Handler<K, V> handler) throws Exception {
        if (identity.length() > MAX_ID) {
            throw new Handler.DeadLetterException("the identity of the message has " + identity.length()
                    + " characters; an inbox remembers " + MAX_ID + " at most");
        }
        String key = settings.prefix() + ":" + settings.consumer() + ":" + identity;
        String token = UUID.randomUUID().toString();
        if (!claimed(key, token)) {
            return;
        }
        try {
            handler.handle(delivery);
        } catch (Throwable e) {
            release(key, token);
            throw e;
        }
        handled.incrementAndGet();
        remember(key);
    }

    /** False for a duplicate. */
    private boolean claimed(String key, String token) {
        SetParams claim = SetParams.setParams().nx().px(settings.claim().toMillis());
        if (redis.set(key, token, claim) != null) {
            return true;
        }
        if (DONE.equals(redis.get(key))) {
            duplicates.incrementAndGet();
            return false;
        }
        busy.incrementAndGet();
        throw new Handler.RetryAfterException(
                "another handler of '" + settings.consumer() + "' is at work on this message", settings.busyDelay());
    }

    private void release(String key, String token) {
        try {
            redis.eval(RELEASE, List.of(key), List.of(token));
        } catch (JedisException e) {
            // The claim ends by itself, and the message is tried again after it.
            LOG.log(Level.WARNING, "the claim " + key + " could not be released: " + e.getMessage());
        }
    }

    private void remember(String key) {
        SetParams window = SetParams.setParams().px(settings.window().toMillis());
        try {
            redis.set(key, DONE, window);
        } catch (JedisException e) {
            // Failing the delivery would have the work done again for certain.
            LOG.log(
                    Level.WARNING,
                    key + " was handled, but could not be remembered; it has its effect again if it comes after "
                            + settings.claim() + ": " + e.getMessage());
        }
    }

    /** Messages that were handled. */
    public long handled() {
        return handled.get();
    }

    /** Messages that had been handled before, and were acknowledged without being handled again. */
    public long duplicates() {
        return duplicates.get();
    }

    /** Deliveries that came while another handler was at work on their message, and were given back. */
    public long busy() {
        return busy.get();
    }
}
