package dev.postroad.transports.embedded;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.routing.RuleSyntaxException;
import dev.postroad.engine.runtime.Broker;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the engine refuses, in the contract's words. */
final class Failures {
    private Failures() {}

    static MessagingException of(EngineException refused) {
        return new MessagingException(reason(refused), String.valueOf(refused.getMessage()), refused);
    }

    private static Reason reason(EngineException refused) {
        return switch (refused.reason()) {
            case INVALID -> Reason.INVALID;
            case NOT_FOUND, UNROUTABLE -> Reason.NOT_FOUND;
            case MISMATCH -> Reason.CHANNEL_MISMATCH;
            case IN_USE -> Reason.IN_USE;
            case TOO_LARGE -> Reason.TOO_LARGE;
            case FULL -> Reason.FULL;
            case NOT_DELIVERED -> Reason.LEASE_LOST;
            case FENCED, OUT_OF_SEQUENCE, DAMAGED -> Reason.FAILED;
            case STORAGE_FAILED -> Reason.STORAGE_FAILED;
            case CLOSED -> refused.getCause() instanceof InterruptedException ? Reason.TIMEOUT : Reason.CLOSED;
        };
    }

    /** Carries out a command and waits for its result. */
    static <R> R await(Broker broker, Function<Reply<R>, Command> command) {
        try {
            return broker.await(command);
        } catch (EngineException e) {
            throw of(e);
        }
    }

    /** A rule as a consumer or an operator wrote it; null for none. */
    static @Nullable Rule rule(@Nullable String filter) {
        if (filter == null) {
            return null;
        }
        try {
            return Rule.parse(filter);
        } catch (RuleSyntaxException e) {
            throw new MessagingException(Reason.INVALID, "the filter is no rule: " + e.getMessage(), e);
        }
    }
}
