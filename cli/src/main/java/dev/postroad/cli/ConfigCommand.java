package dev.postroad.cli;

import dev.postroad.server.ConfigException;
import dev.postroad.server.ConfigFile;
import dev.postroad.server.EffectiveConfig;
import dev.postroad.server.ServerSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code config}: checks and shows the configuration of a server. */
@Command(
        name = "config",
        header = "Check and show the configuration of a server.",
        subcommands = {ConfigCommand.Check.class, ConfigCommand.Show.class},
        footer = {
            "",
            "Examples:",
            "  postroad config check postroad.yaml",
            "  postroad config show postroad.yaml",
            "  POSTROAD_HTTP_PORT=9000 postroad config show"
        })
final class ConfigCommand implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                Objects.requireNonNull(spec).commandLine(), "config needs a command: check or show");
    }

    /** The configuration of a file and the environment, or of the environment alone. */
    static ServerSettings load(@Nullable Path file) {
        if (file != null && !Files.isRegularFile(file)) {
            throw new CliException(ExitCode.NOT_FOUND, "there is no configuration file '" + file + "'");
        }
        try {
            return file == null ? ConfigFile.fromEnvironment(System.getenv()) : ConfigFile.load(file);
        } catch (ConfigException e) {
            throw new CliException(ExitCode.USAGE, told(e), e);
        }
    }

    private static String told(ConfigException e) {
        List<String> problems = e.problems();
        return problems.size() == 1
                ? problems.getFirst()
                : problems.size() + " problems in the configuration:\n  " + String.join("\n  ", problems);
    }

    /** {@code config check} */
    @Command(
            name = "check",
            header = "Check a configuration file: every problem is told with its line and what is meant instead.",
            footer = {"", "Example: postroad config check postroad.yaml"})
    static final class Check implements Callable<Integer> {
        @Parameters(paramLabel = "FILE", description = "The configuration file.")
        private Path file = Path.of("");

        @Mixin
        private FormatOption format = new FormatOption();

        @Override
        public Integer call() {
            if (!Files.isRegularFile(file)) {
                throw new CliException(ExitCode.NOT_FOUND, "there is no configuration file '" + file + "'");
            }
            List<String> problems = List.of();
            try {
                ServerSettings settings = ConfigFile.load(file);
                if (!format.json()) {
                    Terminal.out()
                            .println(file + ": fine; " + count(settings.channels(), "channel") + ", "
                                    + count(settings.topics(), "topic") + ", " + count(settings.bindings(), "binding"));
                }
            } catch (ConfigException e) {
                problems = e.problems();
                if (!format.json()) {
                    throw new CliException(ExitCode.USAGE, told(e), e);
                }
            }
            if (format.json()) {
                Json.print(Terminal.out(), Map.of("file", file.toString(), "problems", problems));
            }
            return problems.isEmpty() ? ExitCode.OK : ExitCode.USAGE;
        }
    }

    private static String count(List<?> things, String what) {
        return things.size() + " " + what + (things.size() == 1 ? "" : "s");
    }

    /** {@code config show} */
    @Command(
            name = "show",
            header = "Show the configuration as it takes effect: file, environment and defaults.",
            footer = {"", "Examples:", "  postroad config show postroad.yaml", "  postroad config show --format json"})
    static final class Show implements Callable<Integer> {
        @Parameters(arity = "0..1", paramLabel = "FILE", description = "The configuration file; none for the defaults.")
        private @Nullable Path file;

        @Mixin
        private FormatOption format = new FormatOption();

        @Override
        public Integer call() {
            ServerSettings settings = load(file);
            Map<String, ?> effective =
                    EffectiveConfig.of(settings, file == null ? Map.of() : ConfigFile.patterns(file));
            if (format.json()) {
                Json.print(Terminal.out(), effective);
            } else {
                print(effective, "");
            }
            return ExitCode.OK;
        }

        /** As YAML, which the same command reads back. */
        private static void print(Map<?, ?> map, String indent) {
            map.forEach((name, value) -> {
                if (value instanceof Map<?, ?> inner) {
                    Terminal.out().println(indent + scalar(name) + ":" + (inner.isEmpty() ? " {}" : ""));
                    print(inner, indent + "  ");
                } else if (value instanceof List<?> list) {
                    Terminal.out().println(indent + scalar(name) + ":" + (list.isEmpty() ? " []" : ""));
                    list.forEach(element -> Terminal.out().println(indent + "  - " + Json.inline(element)));
                } else {
                    Terminal.out().println(indent + scalar(name) + ": " + scalar(value));
                }
            });
        }

        private static String scalar(@Nullable Object value) {
            if (value == null) {
                return "none";
            }
            String text = value.toString();
            return !(value instanceof String) || text.matches("[A-Za-z0-9][A-Za-z0-9._/-]*") ? text : Json.inline(text);
        }
    }
}
