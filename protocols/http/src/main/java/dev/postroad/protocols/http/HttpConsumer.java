package dev.postroad.protocols.http;

import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.channel.ChannelDeclaration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** A consumer of the engine's that works for HTTP clients, and the deliveries they hold. */
final class HttpConsumer {
    private final int instance;
    private final long id;
    private final ChannelDeclaration channel;
    private final @Nullable String group;
    private final boolean autoAcknowledge;
    private final long leaseMillis;
    private final Inbox inbox;
    private final ConcurrentHashMap<Long, Held> held = new ConcurrentHashMap<>();
    private final AtomicInteger nonces = new AtomicInteger();
    private volatile int received = Integer.MAX_VALUE;
    private volatile long usedNanos = System.nanoTime();

    /** A delivery in a client's hands, until its lease ends. */
    private record Held(int nonce, int attempt, long untilNanos) {}

    /** @param leaseMillis 0 for none */
    HttpConsumer(
            int instance,
            long id,
            ChannelDeclaration channel,
            @Nullable String group,
            boolean autoAcknowledge,
            long leaseMillis,
            Inbox inbox) {
        this.instance = instance;
        this.id = id;
        this.channel = channel;
        this.group = group;
        this.autoAcknowledge = autoAcknowledge;
        this.leaseMillis = leaseMillis;
        this.inbox = inbox;
    }

    long id() {
        return id;
    }

    ChannelDeclaration channel() {
        return channel;
    }

    @Nullable
    String group() {
        return group;
    }

    Inbox inbox() {
        return inbox;
    }

    boolean autoAcknowledge() {
        return autoAcknowledge;
    }

    /** Notes that a client holds a delivery now; the name it settles it by. */
    DeliveryId hold(EngineDelivery delivery) {
        int nonce = nonces.incrementAndGet();
        long until = leaseMillis == 0 ? Long.MAX_VALUE : System.nanoTime() + leaseMillis * 1_000_000L;
        held.put(delivery.number(), new Held(nonce, delivery.attempt(), until));
        return new DeliveryId(instance, id, delivery.number(), nonce);
    }

    /** The attempt of a delivery that is in a client's hands, and no longer is then; 0 if it is not. */
    int claim(DeliveryId delivery) {
        Held found = held.get(delivery.number());
        return found != null && found.nonce == delivery.nonce() && held.remove(delivery.number(), found)
                ? found.attempt
                : 0;
    }

    /** Undoes a claim whose settlement was refused. */
    void unclaim(DeliveryId delivery, int attempt) {
        held.putIfAbsent(delivery.number(), new Held(delivery.nonce(), attempt, Long.MAX_VALUE));
    }

    /** The attempt of a delivery that is in a client's hands, and stays there for so long from now; 0 if it is not. */
    int extend(DeliveryId delivery, long millis) {
        Held found = held.get(delivery.number());
        if (found == null || found.nonce != delivery.nonce()) {
            return 0;
        }
        Held longer = new Held(found.nonce, found.attempt, System.nanoTime() + millis * 1_000_000L);
        return held.replace(delivery.number(), found, longer) ? found.attempt : 0;
    }

    /** True if the lease of a delivery may have run out, so that only the engine knows whose it is. */
    boolean doubtful(DeliveryId delivery) {
        Held found = held.get(delivery.number());
        return found != null && found.untilNanos != Long.MAX_VALUE && found.untilNanos - System.nanoTime() < 0;
    }

    /** The client says that it looked at so many deliveries, the first ones, and at no others. */
    void received(int count) {
        received = count;
    }

    /** The numbers of deliveries that were handed out and that the client says it has not looked at. */
    LongStream unread() {
        int seen = received;
        return held.entrySet().stream()
                .filter(entry -> entry.getValue().nonce > seen)
                .mapToLong(Map.Entry::getKey)
                .sorted();
    }

    int holding() {
        return held.size();
    }

    /** Forgets deliveries whose lease ended a while ago. */
    void forgetExpired(long graceNanos) {
        long now = System.nanoTime();
        held.values().removeIf(h -> h.untilNanos != Long.MAX_VALUE && now - h.untilNanos > graceNanos);
    }

    void used() {
        usedNanos = System.nanoTime();
    }

    long idleNanos() {
        return System.nanoTime() - usedNanos;
    }
}
