package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UsersIT {
    @TempDir
    Path folder;

    private static byte[] line(String password) {
        return (password + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void a_server_lets_in_those_who_were_added_and_nobody_else() throws Exception {
        String users = folder.resolve("users").toString();
        assertThat(Command.run(line("wonderland"), "users", "add", "alice", "--tag", "administrator", "--users", users)
                        .exitCode())
                .isZero();
        assertThat(Files.readString(Path.of(users)))
                .contains("alice:administrator:pbkdf2")
                .doesNotContain("wonderland");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(Path.of(users))))
                .isEqualTo("rw-------");
        Command.Result again = Command.run(line("x"), "users", "add", "alice", "--users", users);
        assertThat(again.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(again.err()).contains("'alice' already");
        assertThat(Command.run("users", "list", "--users", users).text())
                .contains("alice", "administrator", "everything");
        Command.run(line("x"), "users", "add", "app", "--users", users);
        assertThat(Command.run("users", "permit", "app", "--write", "^orders$", "--users", users)
                        .exitCode())
                .isEqualTo(ExitCode.OK);
        assertThat(Command.run("users", "permit", "app", "--read", "(", "--users", users)
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(Command.run("users", "list", "--users", users).text()).contains("/: configure '', write '^orders$'");
        assertThat(Command.run("users", "forbid", "app", "--users", users).exitCode())
                .isEqualTo(ExitCode.OK);
        assertThat(Command.run("users", "list", "--users", users).text()).contains("nothing");
        assertThat(Command.run("users", "forbid", "alice", "--users", users).exitCode())
                .isEqualTo(ExitCode.FAILED);

        Path config = Files.writeString(folder.resolve("postroad.yaml"), "server:\n  users: " + users + "\n");
        try (RunningServer server = RunningServer.on(folder.resolve("data"), "--config", config.toString())) {
            Command.Result stranger = Command.run("channels", "--url", server.url());
            assertThat(stranger.exitCode()).isEqualTo(ExitCode.FAILED);
            assertThat(stranger.err()).contains("POSTROAD_USER");
            assertThat(as("alice", "wonderland", "channels", "create", "orders", "--url", server.url()))
                    .isZero();
            assertThat(as("alice", "wonderland", "send", "orders", "--message", "hi", "--url", server.url()))
                    .isZero();
            assertThat(as("alice", "wonderland", "receive", "orders", "-n", "1", "--url", server.url()))
                    .isZero();
            assertThat(as("alice", "wonderland", "connections", "--url", server.url()))
                    .isZero();
            assertThat(as("alice", "guess", "channels", "--url", server.url())).isEqualTo(ExitCode.FAILED);
        }

        assertThat(Command.run("users", "delete", "alice", "--users", users, "--yes")
                        .exitCode())
                .isZero();
        assertThat(Command.run("users", "passwd", "alice", "--users", users).exitCode())
                .isEqualTo(ExitCode.NOT_FOUND);
        assertThat(Command.run("users", "list").exitCode()).isEqualTo(ExitCode.USAGE);
    }

    private static int as(String user, String password, String... arguments) {
        try (ChildProcess command = Program.with(arguments)
                .environment("POSTROAD_USER", user)
                .environment("POSTROAD_PASSWORD", password)
                .start()) {
            return command.awaitExit(Duration.ofSeconds(60));
        }
    }
}
