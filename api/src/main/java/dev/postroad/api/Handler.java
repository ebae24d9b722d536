package dev.postroad.api;

/**
 * What an application does with a delivery. Returning acknowledges it, unless the handler settled it itself; throwing
 * leads to a retry by the channel's {@link RetryPolicy}, or to a dead letter past its last attempt.
 *
 * <p>A {@link Handler.DeadLetterException} dead-letters at once; a {@link Handler.RetryAfterException} says itself when the
 * next attempt is wanted. Called on virtual threads, by as many at once as {@link ConsumerOptions#concurrency} says.
 *
 * @param <K> type of the key
 * @param <V> type of the value
 */
@FunctionalInterface
public interface Handler<K, V> {

    /** Handles one delivery. */
    void handle(Delivery<K, V> delivery) throws Exception;

    /** Thrown by a handler for a message that no retry can help. */
    final class DeadLetterException extends RuntimeException {
        private static final long serialVersionUID = 1;

        /** @param reason said in the dead letter */
        public DeadLetterException(String reason) {
            super(reason);
        }

        /**
         * @param reason said in the dead letter
         * @param cause whose class the dead letter tells
         */
        public DeadLetterException(String reason, Throwable cause) {
            super(reason, cause);
        }
    }

    /** Thrown by a handler that knows when another attempt makes sense. */
    final class RetryAfterException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final java.time.Duration delay;

        /**
         * @param reason why now is no good time
         * @param delay how long to wait, zero or more
         */
        public RetryAfterException(String reason, java.time.Duration delay) {
            super(reason);
            this.delay = delay;
        }

        /**
         * @param reason why now is no good time
         * @param delay how long to wait, zero or more
         * @param cause what failed, whose class the dead letter tells if this was the last attempt
         */
        public RetryAfterException(String reason, java.time.Duration delay, Throwable cause) {
            super(reason, cause);
            this.delay = delay;
        }

        /** How long to wait. */
        public java.time.Duration delay() {
            return delay;
        }
    }
}
