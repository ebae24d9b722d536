package dev.postroad.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code bench}: hands over to the benchmarks, a program of their own that brings other brokers' libraries along. */
@Command(
        name = "bench",
        header = "Measure Postroad beside other brokers and the limits of this machine.",
        description = {
            "",
            "The benchmarks are a program of their own: ./postroad bench in a checkout builds and starts it. All arguments go"
                    + " to it; postroad bench help tells what it takes.",
            ""
        },
        footer = {"", "Example: postroad bench embedded"})
final class BenchCommand implements Callable<Integer> {
    private static final String PROGRAM = "dev.postroad.benchmarks.Main";

    @Parameters(arity = "0..*", paramLabel = "ARGUMENT", description = "For the benchmarks.")
    private List<String> arguments = List.of();

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (BenchCommand.class.getResource("/" + PROGRAM.replace('.', '/') + ".class") == null) {
            throw new CliException(
                    ExitCode.FAILED,
                    "the benchmarks are not part of this installation; in a checkout of Postroad, ./postroad bench builds and"
                            + " runs them");
        }
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                PROGRAM));
        command.addAll(arguments);
        return new ProcessBuilder(command).inheritIO().start().waitFor();
    }
}
