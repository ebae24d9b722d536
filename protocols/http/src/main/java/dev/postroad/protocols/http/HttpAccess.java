package dev.postroad.protocols.http;

import dev.postroad.security.Authenticator;
import dev.postroad.security.TlsContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who comes in over HTTP, how, and to what else than the broker's own interface.
 *
 * @param users whom HTTP Basic is checked with, on everything but {@code /health/…}; null where nobody has to log in
 * @param tls null for plain HTTP
 * @param mounts what others answer
 * @param names what users' permissions are said of
 */
public record HttpAccess(
        @Nullable Authenticator users, @Nullable TlsContext tls, List<Mount> mounts, Names names) {
    /** Plain HTTP without a login. */
    public static final HttpAccess OPEN = new HttpAccess(null, null, List.of(), Names.PLAIN);

    /** Which virtual host a channel or topic is in. */
    @FunctionalInterface
    public interface Names {
        /** All in the virtual host {@code /}. */
        Names PLAIN = name -> new Name("/", name);

        Name of(String name);
    }

    /** A virtual host, and a name there. */
    public record Name(String virtualHost, String local) {}

    public HttpAccess {
        mounts = List.copyOf(mounts);
    }
}
