package dev.postroad.cli;

import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The way to a broker, by HTTP. Where it leads to a directory it begins with a private server in this process, on a free
 * port of the loopback address, which closes in good order with it: also when the process is asked to end.
 */
final class Link implements AutoCloseable {
    private static volatile boolean ending;

    private final String url;
    private final @Nullable String user;
    private final @Nullable LocalServer server;
    private final @Nullable Thread onExit;
    private @Nullable HttpApi api;
    private @Nullable Postroad postroad;
    private boolean closed;

    private Link(String url, @Nullable String user, @Nullable LocalServer server) {
        this.url = url;
        this.user = user;
        this.server = server;
        this.onExit = server == null ? null : new Thread(this::end, "close " + url);
        if (onExit != null) {
            Runtime.getRuntime().addShutdownHook(onExit);
        }
    }

    static Link toServer(String url) {
        return new Link(url, Login.fromEnvironment(), null);
    }

    static Link toDirectory(Path directory) {
        LocalServer server = LocalServer.start(directory);
        return new Link(server.url(), null, server);
    }

    /** True once the process was asked to end: what fails from then on, fails because of that. */
    static boolean ending() {
        return ending;
    }

    private void end() {
        ending = true;
        closeAll();
    }

    String url() {
        return url;
    }

    /** For all that administrates. */
    synchronized HttpApi api() {
        if (api == null) {
            api = new HttpApi(url, user);
        }
        return api;
    }

    /** For messages. */
    synchronized Postroad postroad() {
        if (postroad == null) {
            try {
                postroad = Postroad.connect(Login.in(url, user));
            } catch (MessagingException e) {
                if (e.reason() == MessagingException.Reason.UNREACHABLE) {
                    throw HttpApi.unreachable(url, e);
                }
                throw e;
            }
        }
        return postroad;
    }

    @Override
    public void close() {
        closeAll();
        if (onExit != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(onExit);
            } catch (IllegalStateException e) {
                // The process is ending, and the hook runs or has run: it finds everything closed.
                return;
            }
        }
    }

    private synchronized void closeAll() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (postroad != null) {
                postroad.close();
            }
        } finally {
            if (api != null) {
                api.close();
            }
            if (server != null) {
                server.close();
            }
        }
    }
}
