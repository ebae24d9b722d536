package dev.postroad.cli;

import dev.postroad.cli.doctor.Doctor;
import dev.postroad.server.PostroadServer;
import dev.postroad.server.ServerException;
import dev.postroad.server.ServerSettings;
import java.io.IOException;
import java.nio.file.Path;

/** A server in this process: private, on a free port of the loopback address, or as {@code serve} is told. */
final class LocalServer implements AutoCloseable {
    private static final String LOG_LEVEL = "POSTROAD_LOG_LEVEL";

    private final PostroadServer server;

    private LocalServer(PostroadServer server) {
        this.server = server;
    }

    /**
     * For one command's own use. Logs warnings only, unless the environment says otherwise.
     *
     * @throws CliException if another process holds the directory, or it can't be used
     */
    static LocalServer start(Path directory) {
        if (System.getenv(LOG_LEVEL) == null) {
            System.setProperty(LOG_LEVEL, "WARN");
        }
        return start(ServerSettings.DEFAULT
                .withData(directory)
                .withBind("127.0.0.1")
                .withHttpPort(0)
                .withAmqp(null));
    }

    /** @throws CliException with what to do */
    static LocalServer start(ServerSettings settings) {
        Path directory = settings.data();
        if (directory != null) {
            refuseHeld(directory);
        }
        try {
            return new LocalServer(PostroadServer.start(settings));
        } catch (ServerException e) {
            throw new CliException(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
    }

    private static void refuseHeld(Path directory) {
        long holder;
        try {
            holder = Doctor.holder(directory);
        } catch (IOException e) {
            throw new CliException(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
        if (holder >= 0) {
            throw new CliException(
                    ExitCode.UNAVAILABLE,
                    "the data directory " + directory + " is in use by "
                            + (holder == 0 ? "another process" : "process " + holder)
                            + "; stop it, or if it is a server, talk to it with --url");
        }
    }

    String url() {
        return "http://" + authority();
    }

    /** Where it speaks AMQP; empty for nowhere. */
    java.util.Optional<String> amqpAuthority() {
        return server.amqpAuthority();
    }

    /** Host and port. */
    String authority() {
        return server.httpAuthority();
    }

    @Override
    public void close() {
        server.close();
    }
}
