package dev.postroad.cli;

import dev.postroad.api.MessagingException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code postroad} command. */
@Command(
        name = "postroad",
        header = "Postroad, a messaging system for Java.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Where the broker is:",
            "  --url URL    a running server; else the variable POSTROAD_URL, else http://127.0.0.1:8480",
            "  --data DIR   no server: this command works on the directory itself, as long as nobody holds it",
            "",
            "Begin with:",
            "  postroad demo                                 a durable broker carries orders through a crash",
            "  postroad serve --data ./data                  start a server",
            "  echo hello | postroad send greetings --create",
            "  postroad receive greetings",
            "",
            "postroad COMMAND --help tells more, postroad help exit-codes what the exit codes mean."
        })
public final class Main implements Runnable {
    /** All commands, in the order in which the help lists them. */
    private static final Map<String, Supplier<Object>> COMMANDS = commands();

    @Spec
    private @Nullable CommandSpec spec;

    Main() {}

    private static Map<String, Supplier<Object>> commands() {
        Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
        commands.put("demo", DemoCommand::new);
        commands.put("serve", ServeCommand::new);
        commands.put("send", SendCommand::new);
        commands.put("receive", ReceiveCommand::new);
        commands.put("request", RequestCommand::new);
        commands.put("channels", ChannelsCommand::new);
        commands.put("browse", BrowseCommand::new);
        commands.put("dead", DeadCommand::new);
        commands.put("groups", GroupsCommand::new);
        commands.put("connections", ConnectionsCommand::new);
        commands.put("users", UsersCommand::new);
        commands.put("config", ConfigCommand::new);
        commands.put("doctor", DoctorCommand::new);
        commands.put("conformance", ConformanceCommand::new);
        commands.put("bench", BenchCommand::new);
        commands.put("completion", CompletionCommand::new);
        commands.put("version", VersionCommand::new);
        commands.put("help", HelpCommand::new);
        return commands;
    }

    @Override
    public void run() {
        CommandSpec command = Objects.requireNonNull(spec);
        command.commandLine().usage(Terminal.err());
        throw new ParameterException(command.commandLine(), "a command is missing");
    }

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] arguments) {
        int exitCode = commandLine(Terminal.err(), arguments).execute(arguments);
        // A result that could not be written is no success; checkError also flushes.
        boolean lost = Terminal.out().checkError();
        System.exit(exitCode == ExitCode.OK && lost ? ExitCode.FAILED : exitCode);
    }

    /**
     * The command line, errors mapped to exit codes. It has the one command that the arguments begin with, since reading
     * what all of them take would be half of the time a short one needs; or else all.
     */
    static CommandLine commandLine(PrintStream err, String... arguments) {
        CommandLine line = new CommandLine(new Main());
        String first = arguments.length == 0 ? "" : arguments[0];
        boolean all = !COMMANDS.containsKey(first) || first.equals("help") || first.equals("completion");
        COMMANDS.forEach((name, command) -> {
            if (all || name.equals(first)) {
                line.addSubcommand(command.get());
            }
        });
        addHelp(line);
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-V", "--version")
                        .versionHelp(true)
                        .description("Tell the version.")
                        .build());
        line.getCommandSpec().version("postroad " + VersionCommand.version());
        line.registerConverter(Duration.class, Units::duration);
        line.setOut(new PrintWriter(Terminal.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        line.setColorScheme(
                CommandLine.Help.defaultColorScheme(Terminal.colours(Terminal.STDOUT) ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpWidth(100);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExpandAtFiles(false);
        line.setParameterExceptionHandler((wrong, given) -> wrongUsage(wrong, err));
        line.setExecutionExceptionHandler((failure, command, parsed) -> failed(failure, err));
        return line;
    }

    private static void addHelp(CommandLine line) {
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Show this help.")
                        .build());
        line.getSubcommands().values().stream().distinct().forEach(Main::addHelp);
    }

    private static int wrongUsage(ParameterException wrong, PrintStream err) {
        if (wrong.getCause() instanceof CliException told) {
            return failed(told, err);
        }
        CommandLine command = wrong.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        boolean noCommand = wrong instanceof UnmatchedArgumentException unmatched
                && command.getCommandSpec().parent() == null
                && !unmatched.isUnknownOption();
        err.println("postroad: "
                + (noCommand
                        ? "there is no command '"
                                + Units.oneLine(((UnmatchedArgumentException) wrong)
                                        .getUnmatched()
                                        .getFirst()) + "'"
                        : Units.oneLine(String.valueOf(wrong.getMessage()))));
        if (wrong instanceof UnmatchedArgumentException unmatched) {
            List<String> near = unmatched.getSuggestions();
            if (!near.isEmpty()) {
                err.println("  did you mean: " + String.join(", ", near.subList(0, Math.min(3, near.size()))) + "?");
            }
        }
        err.println("  " + name + " --help tells how it is used");
        return ExitCode.USAGE;
    }

    /** Tells what went wrong, and gives the exit code for it. */
    static int failed(Throwable failure, PrintStream err) {
        if (Link.ending()) {
            return ExitCode.INTERRUPTED;
        }
        Terminal.clearProgress();
        if (failure instanceof CliException told) {
            err.println("postroad: " + told.getMessage());
            return told.exitCode();
        }
        if (failure instanceof MessagingException refused) {
            boolean unreachable = refused.reason() == MessagingException.Reason.UNREACHABLE;
            err.println("postroad: " + refused.getMessage() + (unreachable ? HttpApi.ADVICE : ""));
            return exitCode(refused);
        }
        if (failure instanceof InterruptedException) {
            return ExitCode.INTERRUPTED;
        }
        err.println("postroad: something unexpected went wrong, and it is our fault: " + failure);
        StackTraceElement[] trace = failure.getStackTrace();
        for (int i = 0; i < Math.min(12, trace.length); i++) {
            err.println("    at " + trace[i]);
        }
        return ExitCode.FAILED;
    }

    static int exitCode(MessagingException e) {
        return switch (e.reason()) {
            case INVALID -> ExitCode.USAGE;
            case NOT_FOUND -> ExitCode.NOT_FOUND;
            case UNREACHABLE -> ExitCode.UNAVAILABLE;
            case TIMEOUT -> ExitCode.TIMEOUT;
            default -> ExitCode.FAILED;
        };
    }
}
