package dev.postroad.patterns.saga;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One step of a saga: a command to the service that does it, and perhaps one that undoes it.
 *
 * @param name within its saga, 1 to 100 characters; kept in states that are stored, so that it must not change while they live
 * @param action does the step
 * @param compensation undoes it, also if it was never done or only perhaps; null where there is nothing to undo
 * @param timeout how long an answer is waited for, 1 ms or more
 * @param attempts how often the command is sent before the step counts as failed, 1 or more; the id is the same each time
 * @param onReply what becomes of the saga's data when the step is done, from the value of the answer
 * @param <S> type of the saga's data
 */
public record Step<S>(
        String name,
        Send<S> action,
        @Nullable Send<S> compensation,
        Duration timeout,
        int attempts,
        BiFunction<S, byte[], S> onReply) {

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public Step {
        if (name.isEmpty() || name.length() > 100) {
            throw new IllegalArgumentException("name is '" + name + "'; it must be 1 to 100 characters long");
        }
        if (timeout.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "timeout of step " + name + " is " + timeout + "; it must be 1 ms or more");
        }
        if (attempts < 1) {
            throw new IllegalArgumentException(
                    "attempts of step " + name + " is " + attempts + "; it must be 1 or more");
        }
    }

    /**
     * A message to a channel, made from the saga's data.
     *
     * @param channel a declared channel that a {@link Participant} handles
     * @param message of the data; its id, reply-to and correlation id are set by the saga
     * @param <S> type of the saga's data
     */
    public record Send<S>(String channel, Function<S, Message<byte[], byte[]>> message) {}

    /** A step done by a command to this channel; not compensated, an answer within a minute, three attempts. */
    public static <S, K, V> Step<S> of(
            String name, String channel, Format<K, V> format, Function<S, Message<K, V>> command) {
        return new Step<>(name, send(channel, format, command), null, Duration.ofMinutes(1), 3, (data, reply) -> data);
    }

    private static <S, K, V> Send<S> send(String channel, Format<K, V> format, Function<S, Message<K, V>> command) {
        return new Send<>(channel, data -> MessageBytes.serialize(format, command.apply(data)));
    }

    /** This step, undone by a command to this channel. */
    public <K, V> Step<S> withCompensation(String channel, Format<K, V> format, Function<S, Message<K, V>> command) {
        return new Step<>(name, action, send(channel, format, command), timeout, attempts, onReply);
    }

    /** This step with another time to wait for an answer. */
    public Step<S> withTimeout(Duration newTimeout) {
        return new Step<>(name, action, compensation, newTimeout, attempts, onReply);
    }

    /** This step with another number of attempts. */
    public Step<S> withAttempts(int newAttempts) {
        return new Step<>(name, action, compensation, timeout, newAttempts, onReply);
    }

    /** This step, whose answer changes the saga's data. */
    public Step<S> withOnReply(BiFunction<S, byte[], S> newOnReply) {
        return new Step<>(name, action, compensation, timeout, attempts, newOnReply);
    }
}
