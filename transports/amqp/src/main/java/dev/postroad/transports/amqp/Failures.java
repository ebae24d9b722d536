package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.PossibleAuthenticationFailureException;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The client's errors as the contract's, cause kept. */
final class Failures {
    private Failures() {}

    /** Why there is no connection. */
    static MessagingException connecting(AmqpUrl url, Throwable cause) {
        String at = url.shown();
        if (cause instanceof AuthenticationFailureException
                || cause instanceof PossibleAuthenticationFailureException) {
            return new MessagingException(
                    Reason.DENIED,
                    at + " refuses the user '" + url.user()
                            + "' or its password; check USER:PASSWORD in the url, and that the user may log in from here",
                    cause);
        }
        AMQP.Connection.Close close = connectionClose(cause);
        if (close != null) {
            String text = close.getReplyText();
            return switch (close.getReplyCode()) {
                case AMQP.NOT_ALLOWED ->
                    new MessagingException(
                            text.contains("not found") ? Reason.NOT_FOUND : Reason.DENIED,
                            at + " refuses virtual host '" + url.vhost() + "' to user '" + url.user()
                                    + "'; check the path of the url, and the user's permissions: " + text,
                            cause);
                case AMQP.ACCESS_REFUSED ->
                    new MessagingException(Reason.DENIED, at + " refuses user '" + url.user() + "': " + text, cause);
                default -> new MessagingException(Reason.UNREACHABLE, at + " closed the connection: " + text, cause);
            };
        }
        Throwable root = cause;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String why = switch (root) {
            case ConnectException refused ->
                "nothing accepts connections there (" + refused.getMessage()
                        + "); is the broker running, and are host and port right?";
            case UnknownHostException unknown -> "there is no host '" + url.host() + "'; check the host of the url";
            case TimeoutException late ->
                "it did not answer within " + url.connectMillis() + " ms; is that an AMQP broker?";
            default -> root.toString();
        };
        return new MessagingException(Reason.UNREACHABLE, at + " can't be reached: " + why, cause);
    }

    /** Why a channel or connection was closed, said of what was being done. */
    static MessagingException of(String what, AmqpUrl url, Throwable cause) {
        if (cause instanceof MessagingException messaging) {
            return messaging;
        }
        AMQP.Channel.Close close = channelClose(cause);
        if (close == null) {
            AMQP.Connection.Close connection = connectionClose(cause);
            String why = connection == null ? String.valueOf(cause.getMessage()) : connection.getReplyText();
            if (connection != null && connection.getReplyCode() == AMQP.NOT_ALLOWED) {
                return new MessagingException(
                        Reason.DENIED, what + " is not allowed on " + url.shown() + ": " + why, cause);
            }
            return new MessagingException(
                    cause instanceof TimeoutException ? Reason.TIMEOUT : Reason.UNREACHABLE,
                    what + " failed: the connection to " + url.shown() + " broke (" + why + "); the outcome is unknown",
                    cause);
        }
        String text = String.valueOf(close.getReplyText());
        Reason reason = switch (close.getReplyCode()) {
            case AMQP.ACCESS_REFUSED -> text.contains("exclusive") ? Reason.IN_USE : Reason.DENIED;
            case AMQP.NOT_FOUND -> Reason.NOT_FOUND;
            case AMQP.RESOURCE_LOCKED -> Reason.IN_USE;
            case AMQP.CONTENT_TOO_LARGE -> Reason.TOO_LARGE;
            case AMQP.PRECONDITION_FAILED ->
                text.toLowerCase(Locale.ROOT).contains("larger than") ? Reason.TOO_LARGE : Reason.CHANNEL_MISMATCH;
            default -> Reason.FAILED;
        };
        String advice = switch (reason) {
            case DENIED ->
                "; give user '" + url.user() + "' the permission (configure, write, read) in vhost '" + url.vhost()
                        + "'";
            case CHANNEL_MISMATCH ->
                "; there is a queue of this name that was declared otherwise: delete it, rename the channel, or"
                        + " declare the channel to match";
            case TOO_LARGE -> "; raise max_message_size of the broker, or send less";
            default -> "";
        };
        return new MessagingException(reason, what + " was refused by " + url.shown() + ": " + text + advice, cause);
    }

    private static AMQP.Channel.@Nullable Close channelClose(Throwable cause) {
        ShutdownSignalException signal = signal(cause);
        return signal != null && signal.getReason() instanceof AMQP.Channel.Close close ? close : null;
    }

    private static AMQP.Connection.@Nullable Close connectionClose(Throwable cause) {
        ShutdownSignalException signal = signal(cause);
        return signal != null && signal.getReason() instanceof AMQP.Connection.Close close ? close : null;
    }

    private static @Nullable ShutdownSignalException signal(@Nullable Throwable cause) {
        for (Throwable each = cause; each != null; each = each.getCause()) {
            if (each instanceof ShutdownSignalException signal) {
                return signal;
            }
        }
        return null;
    }
}
