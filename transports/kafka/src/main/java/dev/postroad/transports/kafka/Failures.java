package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.GroupNotEmptyException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Kafka's errors as the contract's, cause kept. */
final class Failures {
    private Failures() {}

    static MessagingException of(String what, KafkaUrl url, Throwable thrown) {
        Throwable cause = thrown;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof MessagingException messaging) {
            return messaging;
        }
        String text = String.valueOf(cause.getMessage());
        String said = what + " failed on " + url.shown() + ": " + text;
        return switch (cause) {
            case AuthenticationException e ->
                new MessagingException(Reason.DENIED, said + "; check USER:PASSWORD in the url", cause);
            case AuthorizationException e ->
                new MessagingException(Reason.DENIED, said + "; give the user the permission (ACL)", cause);
            case UnknownTopicOrPartitionException e ->
                new MessagingException(Reason.NOT_FOUND, said + "; declare the channel again", cause);
            case RecordTooLargeException e ->
                new MessagingException(Reason.TOO_LARGE, said + "; raise max.message.bytes of the topic", cause);
            case RecordBatchTooLargeException e ->
                new MessagingException(Reason.TOO_LARGE, said + "; raise max.message.bytes of the topic", cause);
            case InvalidTopicException e -> new MessagingException(Reason.INVALID, said, cause);
            case GroupNotEmptyException e -> new MessagingException(Reason.IN_USE, said, cause);
            case TimeoutException e ->
                new MessagingException(
                        Reason.UNREACHABLE,
                        said + "; no broker answered within " + url.timeoutMillis()
                                + " ms: are they running, and are host and port right?",
                        cause);
            case DisconnectException e -> new MessagingException(Reason.UNREACHABLE, said, cause);
            default ->
                new MessagingException(
                        Reason.FAILED, said + " (" + cause.getClass().getSimpleName() + ")", cause);
        };
    }

    static <T> T await(String what, KafkaUrl url, KafkaFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw of(what, url, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted: " + what, e);
        }
    }
}
