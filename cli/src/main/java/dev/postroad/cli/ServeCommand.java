package dev.postroad.cli;

import dev.postroad.server.ServerSettings;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code serve}: runs a server until it is asked to stop. */
@Command(
        name = "serve",
        header = "Run a server until it is asked to stop.",
        description = {
            "",
            "When it accepts it prints one line on stdout, and no other:",
            "",
            "  ready http=127.0.0.1:8480 amqp=127.0.0.1:5672 data=/var/lib/postroad",
            "",
            "Its log is on stderr; the variable POSTROAD_LOG_LEVEL (DEBUG, INFO, WARN, ERROR) says how much. SIGTERM or Ctrl-C"
                    + " drains it: what was accepted is finished, then it ends with exit code 0.",
            "",
            "Options go before variables of the environment (POSTROAD_HTTP_PORT …), and those before the configuration file.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad serve --data ./data",
            "  postroad serve --config postroad.yaml",
            "  postroad serve --data ./data --http-port 0        a free port; the ready line tells which",
            "  postroad serve --memory                           keeps nothing; for trying things out"
        })
final class ServeCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Data directory, made if it is missing. Default: ./data.")
    private @Nullable Path data;

    @Option(names = "--memory", description = "Keep everything in memory, to be lost at the end.")
    private boolean memory;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration: channels, limits. See docs/configuration.md.")
    private @Nullable Path config;

    @Option(names = "--bind", paramLabel = "ADDR", description = "Address to listen on. Default: 127.0.0.1.")
    private @Nullable String bind;

    @Option(names = "--http-port", paramLabel = "N", description = "Port, 0 picks a free one. Default: 8480.")
    private @Nullable Integer httpPort;

    @Option(
            names = "--amqp-port",
            paramLabel = "N",
            description =
                    "Port of AMQP 0-9-1, 0 picks a free one, 'off' for none. Default: 5672; a free one where --http-port is"
                            + " 0.")
    private @Nullable String amqpPort;

    @Option(
            names = "--insecure",
            description =
                    "Listen on an address that others can reach although nobody has to log in: they can read and delete"
                            + " everything.")
    private boolean insecure;

    @Override
    public Integer call() throws InterruptedException {
        ServerSettings settings = settings();
        LocalServer server = LocalServer.start(settings);
        CountDownLatch asked = new CountDownLatch(1);
        Thread drain = new Thread(
                () -> {
                    server.close();
                    // The hook runs because of a signal, whose exit code would tell of a failure.
                    Runtime.getRuntime().halt(ExitCode.OK);
                },
                "drain");
        Runtime.getRuntime().addShutdownHook(drain);
        Path directory = settings.data();
        Terminal.out()
                .println("ready http=" + server.authority()
                        + server.amqpAuthority().map(amqp -> " amqp=" + amqp).orElse("") + " data="
                        + (directory == null
                                ? "memory"
                                : directory.toAbsolutePath().normalize()));
        Terminal.out().flush();
        asked.await();
        return ExitCode.OK;
    }

    private ServerSettings settings() {
        if (memory && data != null) {
            throw new CliException(ExitCode.USAGE, "give --data or --memory, not both");
        }
        if (httpPort != null && (httpPort < 0 || httpPort > 65_535)) {
            throw new CliException(
                    ExitCode.USAGE, "--http-port is " + httpPort + "; it must be 0 (pick a free one) to 65,535");
        }
        ServerSettings settings = ConfigCommand.load(config);
        if (memory) {
            settings = settings.withData(null);
        }
        if (data != null) {
            settings = settings.withData(data);
        }
        if (bind != null) {
            settings = settings.withBind(bind);
        }
        if (httpPort != null) {
            settings = settings.withHttpPort(httpPort);
        }
        if (amqpPort != null) {
            settings = amqpPort.equals("off") ? settings.withAmqp(null) : settings.withAmqpPort(amqpPort(amqpPort));
        }
        return insecure ? settings.withInsecure(true) : settings;
    }

    private static int amqpPort(String text) {
        int port = -1;
        try {
            port = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            // Refused below, with other numbers that are no port.
        }
        if (port < 0 || port > 65_535) {
            throw new CliException(
                    ExitCode.USAGE, "--amqp-port is " + text + "; it must be 0 (pick a free one) to 65,535, or 'off'");
        }
        return port;
    }
}
