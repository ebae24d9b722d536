package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DocumentationIT {
    private static final Duration PATIENCE = Duration.ofMinutes(8);

    @TempDir
    Path folder;

    @Test
    void whatTheDocumentationSaysRunsAsItStands() throws Exception {
        Path document = Path.of(System.getProperty("basedir", "")).resolve("../docs/cli.md");
        String script = Pattern.compile("(?ms)^```sh\n(.*?)^```$")
                .matcher(Files.readString(document))
                .results()
                .map(block -> block.group(1))
                .collect(Collectors.joining("\n", "set -eux\n", "echo all of it ran\n"));
        Path command = folder.resolve("postroad");
        Files.writeString(
                command,
                Program.words().stream()
                        .map(word -> "'" + word + "'")
                        .collect(Collectors.joining(" ", "#!/bin/sh\nexec ", " \"$@\"\n")));
        assertThat(command.toFile().setExecutable(true)).isTrue();

        try (RunningServer server = RunningServer.on(folder.resolve("data"));
                ChildProcess shell = ChildProcess.command("sh", "-c", script)
                        .directory(folder)
                        .environment("PATH", folder + ":" + System.getenv("PATH"))
                        .environment("POSTROAD_URL", server.url())
                        .start()) {
            int exitCode = shell.awaitExit(PATIENCE);

            assertThat(exitCode).as(String.join("\n", shell.tail())).isZero();
            assertThat(shell.tail()).contains("all of it ran");
        }
    }
}
