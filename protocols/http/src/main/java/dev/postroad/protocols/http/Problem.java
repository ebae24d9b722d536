package dev.postroad.protocols.http;

import dev.postroad.engine.EngineException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Something a client is told as a problem of RFC 9457: what was wrong, with which value, and what to do. */
final class Problem extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String reason;
    private final transient Map<String, Object> more = new LinkedHashMap<>();

    Problem(int status, String reason, String detail) {
        this(status, reason, detail, null);
    }

    private Problem(int status, String reason, String detail, @Nullable Throwable cause) {
        super(detail, cause, false, false);
        this.status = status;
        this.reason = reason;
    }

    static Problem invalid(String detail) {
        return new Problem(400, "INVALID", detail);
    }

    static Problem notFound(String detail) {
        return new Problem(404, "NOT_FOUND", detail);
    }

    static Problem tooLarge(String detail) {
        return new Problem(413, "TOO_LARGE", detail);
    }

    static Problem full(String detail) {
        return new Problem(503, "FULL", detail).with("retryAfter", 1);
    }

    static Problem of(EngineException e) {
        Problem problem = new Problem(status(e.reason()), e.reason().name(), String.valueOf(e.getMessage()), e);
        return e.reason() == EngineException.Reason.FULL ? problem.with("retryAfter", 1) : problem;
    }

    private static int status(EngineException.Reason reason) {
        return switch (reason) {
            case INVALID -> 400;
            case NOT_FOUND -> 404;
            case MISMATCH, IN_USE, NOT_DELIVERED, FENCED, OUT_OF_SEQUENCE -> 409;
            case TOO_LARGE -> 413;
            case UNROUTABLE -> 422;
            case DAMAGED -> 500;
            case FULL, STORAGE_FAILED, CLOSED -> 503;
        };
    }

    /** One member more. */
    Problem with(String name, Object value) {
        more.put(name, value);
        return this;
    }

    int status() {
        return status;
    }

    /** The members of the problem's JSON object. */
    Map<String, Object> members() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put(
                "type",
                "urn:postroad:problem:" + reason.toLowerCase(Locale.ROOT).replace('_', '-'));
        members.put("title", title());
        members.put("status", status);
        members.put("reason", reason);
        members.put("detail", String.valueOf(getMessage()));
        members.putAll(more);
        return members;
    }

    @Nullable
    Object member(String name) {
        return more.get(name);
    }

    private String title() {
        return switch (reason) {
            case "INVALID" -> "The request is not valid";
            case "NOT_FOUND" -> "There is no such thing";
            case "METHOD_NOT_ALLOWED" -> "This can't be done here";
            case "UNSUPPORTED_MEDIA_TYPE" -> "The body has a type that is not understood here";
            case "MISMATCH" -> "It exists, otherwise than declared";
            case "IN_USE" -> "Somebody else holds it";
            case "NOT_DELIVERED" -> "A delivery is not, or no longer, in your hands";
            case "FENCED" -> "Somebody newer has taken over";
            case "OUT_OF_SEQUENCE" -> "A message before this one is missing";
            case "TOO_LARGE" -> "Over a limit of size";
            case "FULL" -> "At a bound; try again later";
            case "UNROUTABLE" -> "The message was routed nowhere";
            case "DAMAGED" -> "The message is damaged on disk";
            case "STORAGE_FAILED" -> "The broker's storage failed; it accepts nothing more";
            case "CLOSED" -> "The broker is closing";
            case "UNAUTHENTICATED" -> "Who are you?";
            case "DENIED" -> "Not allowed";
            default -> "Something went wrong in the broker";
        };
    }
}
