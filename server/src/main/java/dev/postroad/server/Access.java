package dev.postroad.server;

import dev.postroad.protocols.amqp091.VirtualHost;
import dev.postroad.protocols.http.HttpAccess;
import dev.postroad.protocols.http.Mount;
import dev.postroad.security.Authenticator;
import dev.postroad.security.TlsContext;
import dev.postroad.security.TlsSettings;
import dev.postroad.security.UsersFile;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may come in, ready to be asked; the same for all protocols.
 *
 * @param users null where none are configured: then {@code guest} comes in from loopback
 * @param authenticator whom protocols ask that always have a login
 */
record Access(
        @Nullable UsersFile users,
        Authenticator authenticator,
        @Nullable TlsContext tls) {

    /** @throws dev.postroad.security.AccessException if a file is missing or can't be used */
    static Access of(ServerSettings settings) {
        Path file = settings.access().users();
        TlsSettings tls = settings.access().tls();
        UsersFile users = file == null ? null : UsersFile.at(file);
        return new Access(
                users,
                users == null ? Authenticator.guestFromLoopback() : Authenticator.users(users, settings.insecure()),
                tls == null ? null : TlsContext.of(tls));
    }

    /** Over HTTP nobody has to log in where there are no users: its settings say who can reach it. */
    HttpAccess http(List<Mount> mounts) {
        return new HttpAccess(users == null ? null : authenticator, tls, mounts, name -> {
            VirtualHost host = VirtualHost.of(name);
            return new HttpAccess.Name(host.name(), host.local(name));
        });
    }
}
