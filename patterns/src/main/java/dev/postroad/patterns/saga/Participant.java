package dev.postroad.patterns.saga;

import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import java.nio.charset.StandardCharsets;

/**
 * Does steps of sagas, and answers. For {@link Postroad#listen}, on the channel that the steps are sent to.
 *
 * <p>Commands come at least once: the work must be idempotent, which setting something to a value by the saga's id is. Work that
 * is not belongs into a {@link JdbcParticipant}. An answer that is lost is given again when the saga asks again.
 *
 * @param <K> type of the commands' keys
 * @param <V> type of the commands' values
 */
public final class Participant<K, V> implements Handler<K, V> {
    private static final byte[] NOTHING = {};

    private final MessageProducer<byte[], byte[]> producer;
    private final Work<K, V> work;

    /**
     * Does a step, or undoes one.
     *
     * @param <K> type of the command's key
     * @param <V> type of the command's value
     */
    @FunctionalInterface
    public interface Work<K, V> {
        /**
         * Does what the command asks.
         *
         * @param command from the saga; its correlation id is the saga's id
         * @return the value of the answer; {@link Participant#nothing} where the saga needs none
         * @throws StepFailedException if it was not done and is not going to be
         * @throws Exception anything else is tried again, as the channel says
         */
        byte[] perform(Message<K, V> command) throws Exception;
    }

    private Participant(MessageProducer<byte[], byte[]> producer, Work<K, V> work) {
        this.producer = producer;
        this.work = work;
    }

    /** A participant that answers on this connection. */
    public static <K, V> Participant<K, V> of(Postroad postroad, Work<K, V> work) {
        return new Participant<>(postroad.producer(Format.bytes()), work);
    }

    /** An answer without a value. */
    public static byte[] nothing() {
        return NOTHING;
    }

    /** True if this command undoes a step. */
    public static boolean undoes(Message<?, ?> command) {
        return command.headers().getOrDefault(SagaHeaders.STEP, "").startsWith("undo/");
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        Message<K, V> command = delivery.message();
        try {
            answer(command, SagaHeaders.DONE, work.perform(command), "");
        } catch (StepFailedException e) {
            answer(command, SagaHeaders.FAILED, NOTHING, String.valueOf(e.getMessage()));
        }
    }

    /** Who sent a command that is no saga's wants no answer. */
    private void answer(Message<K, V> command, String outcome, byte[] value, String reason) {
        String channel = command.replyTo();
        String saga = command.correlationId();
        String step = command.headers().get(SagaHeaders.STEP);
        if (channel == null || saga == null || step == null) {
            return;
        }
        producer.send(
                channel,
                Message.of(saga.getBytes(StandardCharsets.UTF_8), value)
                        .withId(command.id() + "/reply")
                        .withCorrelationId(saga)
                        .withHeader(SagaHeaders.STEP, step)
                        .withHeader(SagaHeaders.OUTCOME, outcome)
                        .withHeader(SagaHeaders.REASON, reason));
    }
}
