package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Lets messages wait in queues that all channels share, one for each of some lengths of time: there they expire and are
 * dead-lettered to the queue that their routing key names. There are four lengths to a doubling; a wait of ten seconds and more is
 * rounded down, and who receives the message early sends it to wait for the rest. Queues that nobody needs go by themselves.
 */
final class Delays {
    /** The longest wait that is promised. */
    static final java.time.Duration LONGEST = java.time.Duration.ofDays(30);

    private static final long ROUND_DOWN_FROM_MILLIS = 10_000;
    private static final long LONGEST_STEP_MILLIS = TimeUnit.DAYS.toMillis(14);
    private static final long UNUSED_MILLIS = TimeUnit.MINUTES.toMillis(10);
    private static final long FRESH_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final int MOST_ATTEMPTS = 8;
    private static final long PAUSE_MILLIS = 20;

    private final Link link;
    private final Publisher publisher;
    private final Map<Long, Long> declaredAt = new ConcurrentHashMap<>();

    Delays(Link link, Publisher publisher) {
        this.link = link;
        this.publisher = publisher;
    }

    /** The length of time that a message waits which is to wait so long. */
    static long step(long millis) {
        long wait = Math.clamp(millis, 1, LONGEST_STEP_MILLIS);
        if (wait <= 4) {
            return 4;
        }
        long unit = Math.max(1, Long.highestOneBit(wait) >> 2);
        long down = wait / unit * unit;
        return down == wait || wait >= ROUND_DOWN_FROM_MILLIS ? down : down + unit;
    }

    /** Sends to a queue, to arrive there after about so long. Blocks where a queue must be declared first. */
    CompletableFuture<Void> send(String queue, AMQP.BasicProperties properties, byte[] body, long millis) {
        long step = step(millis);
        String name = Wire.DELAY_PREFIX + step;
        Long last = declaredAt.get(step);
        if (last == null || System.nanoTime() - last > FRESH_NANOS) {
            declare(name, step);
            declaredAt.put(step, System.nanoTime());
        }
        return publish(name, queue, properties, body, 1);
    }

    /** These queues are never full: what one refuses, it refuses because its leader is being elected. */
    private CompletableFuture<Void> publish(
            String exchange, String queue, AMQP.BasicProperties properties, byte[] body, int attempt) {
        CompletableFuture<Void> sent = publisher.publish(exchange, queue, properties, body);
        return attempt == MOST_ATTEMPTS
                ? sent
                : sent.exceptionallyComposeAsync(
                        failure -> failure instanceof MessagingException refused && refused.reason() == Reason.FULL
                                ? publish(exchange, queue, properties, body, attempt + 1)
                                : CompletableFuture.failedFuture(failure),
                        CompletableFuture.delayedExecutor(
                                PAUSE_MILLIS * attempt, TimeUnit.MILLISECONDS, Thread::startVirtualThread));
    }

    private void declare(String name, long millis) {
        Map<String, Object> arguments = new HashMap<>();
        arguments.put("x-queue-type", "quorum");
        arguments.put("x-message-ttl", millis);
        arguments.put("x-expires", 2 * millis + UNUSED_MILLIS);
        arguments.put("x-dead-letter-exchange", "");
        // The letter leaves only when its queue has confirmed it; that takes this overflow.
        arguments.put("x-dead-letter-strategy", "at-least-once");
        arguments.put("x-overflow", "reject-publish");
        link.with("declaring the queue '" + name + "', where messages wait", channel -> {
            channel.exchangeDeclare(name, BuiltinExchangeType.FANOUT, true, true, Map.of());
            channel.queueDeclare(name, true, false, false, arguments);
            return channel.queueBind(name, name, "");
        });
    }
}
