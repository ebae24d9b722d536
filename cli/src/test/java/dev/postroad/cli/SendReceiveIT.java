package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.cli.doctor.Doctor;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SendReceiveIT {
    private static final int MANY = 20_000;

    @TempDir
    Path folder;

    private static byte[] numbers(int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining("\n", "", "\n"))
                .getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void whatWasSentToADirectoryComesBackAsTheSameBytesInOrder() {
        String data = folder.resolve("data").toString();

        Command.Result sent = Command.run(numbers(MANY), "send", "numbers", "--data", data);
        assertThat(sent.exitCode()).as(sent.err()).isZero();
        assertThat(sent.out()).isEmpty();
        assertThat(sent.err()).contains("20,000 messages confirmed on 'numbers'");

        Command.Result received = Command.run("receive", "numbers", "--data", data, "-n", Integer.toString(MANY));
        assertThat(received.exitCode()).as(received.err()).isZero();
        assertThat(received.out()).isEqualTo(numbers(MANY));

        Command.Result nothing = Command.run("receive", "numbers", "--data", data);
        assertThat(nothing.exitCode()).isZero();
        assertThat(nothing.out()).isEmpty();
    }

    @Test
    void linesMayBeEmptyOrBinaryOrWithoutAnEnd() {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        lines.writeBytes("\n\nfirst\r\n\tgrüße 你好 🙂\n".getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < 256; i++) {
            lines.write(i == '\n' ? 'x' : i);
        }
        String data = folder.resolve("data").toString();

        assertThat(Command.run(lines.toByteArray(), "send", "odd", "--data", data)
                        .exitCode())
                .isZero();
        byte[] received = Command.run("receive", "odd", "--data", data).out();

        lines.write('\n'); // receive ends every line
        assertThat(received).isEqualTo(lines.toByteArray());
    }

    @Test
    void aKilledSendThatIsRunAgainWithDedupLosesNothingAndDoublesNothing() throws Exception {
        int count = 60_000;
        Path data = folder.resolve("data");
        Path input = Files.write(folder.resolve("numbers.txt"), numbers(count));
        String[] send = {
            "send", "numbers", input.toString(), "--data", data.toString(), "--dedup", "run-1", "--batch", "100"
        };

        try (ChildProcess first = Program.with(send).start()) {
            Await.until(
                    "something is stored, or the send is through",
                    RunningServer.START,
                    () -> !first.isAlive()
                            || (Files.isDirectory(data) && Doctor.examine(data).records() > 500));
            first.kill();
        }
        Command.Result again = Command.run(send);
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(again.err()).contains("60,000 messages confirmed", "were there already");

        Command.Result received = Command.run("receive", "numbers", "--data", data.toString());
        assertThat(received.out()).isEqualTo(numbers(count));
    }

    @Test
    void dedupOnAChannelThatRemembersNothingIsRefused() {
        String data = folder.resolve("data").toString();
        Command.run(numbers(1), "send", "numbers", "--data", data);

        Command.Result refused = Command.run(numbers(1), "send", "numbers", "--data", data, "--dedup", "x");

        assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(refused.err()).contains("'numbers' has no dedupWindow", "--set dedupWindow=1d");
    }

    @Test
    void keysHeadersAndPropertiesTravelAndGroupsGoOnWhereTheyStand() {
        try (RunningServer server = RunningServer.on(folder.resolve("data"))) {
            String url = server.url();
            Command.Result typo = Command.run(numbers(1), "send", "ordres", "--url", url);
            assertThat(typo.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
            assertThat(typo.err()).contains("there is no channel 'ordres'", "--create");

            String[] send = {
                "send",
                "events",
                "--url",
                url,
                "--create",
                "--kind",
                "event",
                "--key-separator",
                ":",
                "-H",
                "origin=shop",
                "--type",
                "Counted",
                "--format",
                "json"
            };
            Command.Result sent = Command.run("a:1\nb:2\nnone\n".getBytes(StandardCharsets.UTF_8), send);
            assertThat(sent.exitCode()).as(sent.err()).isZero();
            assertThat(sent.json().path("confirmed").intValue()).isEqualTo(3);

            Command.Result received = Command.run("receive", "events", "--url", url, "-n", "3", "--format", "json");
            assertThat(Arrays.stream(received.text().split("\n"))
                            .map(line -> Json.read(line.getBytes(StandardCharsets.UTF_8), "a line")))
                    .allSatisfy(line -> {
                        assertThat(line.path("message")
                                        .path("headers")
                                        .path("origin")
                                        .asString())
                                .isEqualTo("shop");
                        assertThat(line.path("message").path("type").asString()).isEqualTo("Counted");
                        assertThat(line.has("offset")).isTrue();
                    })
                    .extracting(
                            line -> Json.text("-", line, "message", "key") + Json.text("", line, "message", "value"))
                    .containsExactlyInAnyOrder("a1", "b2", "-none");

            String[] group = {"receive", "events", "--url", url, "--group", "g", "--key-separator", ":"};
            String[] two = Arrays.copyOf(group, group.length + 2);
            two[group.length] = "-n";
            two[group.length + 1] = "2";
            String all = Command.run(two).text() + Command.run(group).text();
            assertThat(all.split("\n")).containsExactlyInAnyOrder("a:1", "b:2", "none");

            Command.Result late =
                    Command.run("receive", "events", "--url", url, "--from", "latest", "-n", "1", "--timeout", "200ms");
            assertThat(late.exitCode()).isEqualTo(ExitCode.TIMEOUT);
            assertThat(late.err()).contains("received 0 of 1");
        }
    }

    @Test
    void aLineOverTheLimitIsNamedAndWhatCameBeforeItIsSent() {
        String data = folder.resolve("data").toString();
        byte[] lines = ("short\n" + "x".repeat(1_100_000) + "\n").getBytes(StandardCharsets.UTF_8);

        Command.Result sent = Command.run(lines, "send", "lines", "--data", data, "--batch", "1");

        assertThat(sent.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(sent.err())
                .contains("line 2 of stdin is longer than the limit of 1,048,576 bytes", "1 message confirmed");
        assertThat(Command.run("receive", "lines", "--data", data).text()).isEqualTo("short\n");
    }
}
