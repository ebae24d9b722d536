package dev.postroad.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Option;

/** {@code --yes} and {@code --dry-run} for what cannot be taken back. */
final class Confirmation {
    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask.")
    private boolean yes;

    @Option(names = "--dry-run", description = "Tell what would be done, and do nothing.")
    private boolean dryRun;

    boolean dryRun() {
        return dryRun;
    }

    /**
     * Asks on a terminal.
     *
     * @param what would be done: "purge 12 messages of 'orders'"
     * @throws CliException if there is nobody to ask and no {@code --yes}, or the answer is no
     */
    void ask(String what) throws IOException {
        if (yes) {
            return;
        }
        if (!Terminal.is(Terminal.STDIN) || !Terminal.is(Terminal.STDERR)) {
            throw new CliException(
                    ExitCode.USAGE,
                    "would " + what + "; --yes does it, --dry-run only tells (there is no terminal to ask on)");
        }
        Terminal.err().print("postroad: " + what + "? [y/N] ");
        Terminal.err().flush();
        String answer = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        if (answer == null || !answer.strip().toLowerCase(java.util.Locale.ROOT).startsWith("y")) {
            throw new CliException(ExitCode.FAILED, "nothing was done");
        }
    }
}
