package dev.postroad.protocols.http;

import dev.postroad.security.User;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A part of the interface that somebody else answers: an HTTP interface of another protocol's world, say. Login, limits and
 * everything below are this interface's.
 *
 * @param prefix such as {@code /api}: it gets every path below that the broker's own interface does not have
 * @param handler who answers
 */
public record Mount(String prefix, Handler handler) {

    /** Answers requests. Called by many threads, each a virtual one, so that it may block. */
    public interface Handler {
        Answer answer(Request request) throws Exception;
    }

    /**
     * What is asked.
     *
     * @param method of HTTP
     * @param path below the prefix, as it was sent: still percent-encoded, beginning with a slash, or empty
     * @param query as it was sent; null for none
     * @param body empty for none
     * @param user who asks; {@code guest} where nobody has to log in
     */
    public record Request(
            String method, String path, @Nullable String query, byte[] body, User user) {}

    /**
     * What is answered.
     *
     * @param type of the body; empty where there is none
     * @param headers further ones
     */
    public record Answer(int status, String type, byte[] body, Map<String, String> headers) {}

    /** @throws IllegalArgumentException if the prefix is none */
    public Mount {
        if (!prefix.startsWith("/") || prefix.endsWith("/")) {
            throw new IllegalArgumentException(
                    "a mount's prefix begins with '/' and ends without, not '" + prefix + "'");
        }
    }

    boolean takes(String rawPath) {
        return rawPath.equals(prefix) || rawPath.startsWith(prefix + "/");
    }
}
