package dev.postroad.cli;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code completion}: what a shell needs to complete commands and options. */
@Command(
        name = "completion",
        header = "Print what bash or zsh needs to complete commands and options.",
        footer = {
            "",
            "Examples:",
            "  source <(postroad completion bash)          for this shell; in ~/.bashrc for all",
            "  source <(postroad completion zsh)"
        })
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    private Shell shell = Shell.BASH;

    /** Shells that understand it. The script makes zsh take bash's way. */
    enum Shell {
        BASH,
        ZSH
    }

    @Override
    public Integer call() {
        CommandSpec root = Objects.requireNonNull(spec).root();
        String script = AutoComplete.bash("postroad", root.commandLine());
        if (shell == Shell.ZSH) {
            script = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" + script;
        }
        Terminal.out().print(script);
        return ExitCode.OK;
    }
}
