package dev.postroad.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** Where the broker is: {@code --url} or {@code --data}. */
final class BrokerOptions {
    static final String DEFAULT_URL = "http://127.0.0.1:8480";

    @Option(
            scope = ScopeType.INHERIT,
            names = "--url",
            paramLabel = "URL",
            description = "The server. Default: the variable POSTROAD_URL, else " + DEFAULT_URL + ".")
    private @Nullable String url;

    @Option(
            scope = ScopeType.INHERIT,
            names = "--data",
            paramLabel = "DIR",
            description = "Work on this data directory itself, while no server holds it.")
    private @Nullable Path data;

    /** Whether the command works on a directory of its own, where nothing else can come in. */
    boolean isPrivate() {
        return data != null;
    }

    /**
     * Opens the way to the broker. With {@code --data} that starts one in this process.
     *
     * @throws CliException if both options are given, or the directory can't be had
     */
    Link open() {
        if (data != null && url != null) {
            throw new CliException(ExitCode.USAGE, "give --url or --data, not both");
        }
        if (data != null) {
            return Link.toDirectory(data);
        }
        String variable = System.getenv("POSTROAD_URL");
        String chosen = url != null ? url : variable != null && !variable.isBlank() ? variable.strip() : DEFAULT_URL;
        if (!chosen.startsWith("http://") && !chosen.startsWith("https://")) {
            throw new CliException(
                    ExitCode.USAGE,
                    (url != null ? "--url" : "POSTROAD_URL") + " must begin with http:// or https://, like "
                            + DEFAULT_URL);
        }
        return Link.toServer(chosen);
    }
}
