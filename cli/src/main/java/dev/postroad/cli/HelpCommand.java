package dev.postroad.cli;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code help} */
@Command(
        name = "help",
        header = "Explain a command, or the exit codes.",
        footer = {
            "",
            "Examples:",
            "  postroad help send",
            "  postroad help channels create",
            "  postroad help exit-codes"
        })
final class HelpCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(arity = "0..2", paramLabel = "COMMAND", description = "What to explain; exit-codes explains those.")
    private String[] topic = {};

    @Override
    public Integer call() {
        CommandLine line = Objects.requireNonNull(spec).root().commandLine();
        if (topic.length == 1 && topic[0].equals("exit-codes")) {
            Terminal.out().print(ExitCode.TEXT);
            return ExitCode.OK;
        }
        for (String name : topic) {
            CommandLine inner = line.getSubcommands().get(name);
            if (inner == null) {
                throw new CliException(
                        ExitCode.USAGE,
                        "there is no command '" + String.join(" ", topic) + "'; postroad --help lists all, and there is"
                                + " postroad help exit-codes");
            }
            line = inner;
        }
        line.usage(Terminal.out());
        return ExitCode.OK;
    }
}
