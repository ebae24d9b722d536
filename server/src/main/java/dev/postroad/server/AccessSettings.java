package dev.postroad.server;

import dev.postroad.security.TlsSettings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Who may come in.
 *
 * @param users the file of users, who all have to log in; null where nobody has to from loopback
 * @param tls what every port speaks; null for plain connections
 */
public record AccessSettings(@Nullable Path users, @Nullable TlsSettings tls) {
    /** No users, no TLS. */
    public static final AccessSettings OPEN = new AccessSettings(null, null);

    /** Whether strangers can neither come in nor listen. */
    boolean isClosed() {
        return users != null && tls != null;
    }
}
