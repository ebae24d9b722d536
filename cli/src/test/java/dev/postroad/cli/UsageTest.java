package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

class UsageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nonsense | there is no command 'nonsense'",
                "send | CHANNEL",
                "send c --bach 3 | --batch",
                "send c --batch 0 | 1 to 10,000",
                "send c --kind event | --create",
                "send c --key k --key-separator : | not both",
                "send c --url x --data y --message m | not both",
                "send c --priority 10 --message m | 0 to 9",
                "receive c -n 0 | 1 or more",
                "receive c --timeout 5 | 5m",
                "receive c --follow --timeout 5s | not both",
                "receive c --from yesterday | earliest",
                "channels --url ftp://x | http://",
                "channels ls --form json | --format",
                "channels create c --set ttl | NAME=VALUE",
                "serve --http-port 70000 | 65,535",
                "serve --memory --data d | not both",
                "demo --orders 3 | 10 to",
                "demo --full --orders 10 | 20 to",
                "demo --full --seconds 3 | --seconds is not for --full",
                "demo --database postgresql://localhost/shop | --database is for --full",
                "demo --full --database mysql://me:secret@localhost/shop | mysql://…@localhost/shop",
                "conformance | --transport",
                "config | check or show",
                "help nonsense | no command 'nonsense'"
            })
    void whatIsAskedWronglyIsToldAndNothingIsDone(String line, String told) {
        String[] arguments = line.strip().split(" ");
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);

        int exitCode = Main.commandLine(stream, arguments).execute(arguments);

        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("postroad: ")
                .contains(told.strip());
        assertThat(exitCode).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void everyCommandHasHelpWithAnExampleThatItUnderstands() {
        CommandLine all = Main.commandLine(System.err);
        for (CommandLine command : all.getSubcommands().values()) {
            check(command);
            command.getSubcommands().values().forEach(UsageTest::check);
        }
    }

    private static void check(CommandLine command) {
        String name = command.getCommandSpec().qualifiedName();
        String help = command.getUsageMessage(Ansi.OFF);
        assertThat(help).as(name).contains("Example", "--help");
        assertThat(command.getHelp().footer()).as(name).contains(name);
        Pattern.compile("(?m)^(?:Example:)? +(?:[^|\n]*\\| )?(postroad (?:'[^'\n]*'|[^|<>&('\n])*)")
                .matcher(command.getHelp().footer())
                .results()
                .map(found -> found.group(1)
                        .strip()
                        .replaceAll("  +.*", "")
                        .split(" (?=(?:[^\"']*[\"'][^\"']*[\"'])*[^\"']*$)"))
                .forEach(words -> {
                    String[] arguments = java.util.Arrays.stream(words, 1, words.length)
                            .map(word -> word.replaceAll("^'(.*)'$", "$1"))
                            .toArray(String[]::new);
                    CommandLine fresh = Main.commandLine(System.err, arguments);
                    assertThat(fresh.parseArgs(arguments).unmatched())
                            .as(String.join(" ", words))
                            .isEmpty();
                });
    }
}
