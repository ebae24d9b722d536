package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ListingsIT {
    @TempDir
    static Path folder;

    private static RunningServer server;

    @BeforeAll
    static void start() {
        server = RunningServer.on(folder.resolve("data"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Command.Result run(String... arguments) {
        return send("", arguments);
    }

    private static Command.Result send(String lines, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--url", server.url()));
        return Command.run(lines.getBytes(StandardCharsets.UTF_8), all.toArray(String[]::new));
    }

    @Test
    void channelsAreMadeListedDescribedPurgedAndDeleted() {
        Command.Result made = run("channels", "create", "things", "--set", "retry.maxAttempts=3", "--set", "ttl=5m");
        assertThat(made.exitCode()).as(made.err()).isZero();
        assertThat(run("channels", "create", "things", "--set", "retry.maxAttempts=4")
                        .err())
                .contains("exists otherwise");
        Command.Result unknown = run("channels", "create", "others", "--set", "retri=4");
        assertThat(unknown.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err()).contains("retri", "retry");
        send("a\nb\nc\n", "send", "things");

        JsonNode listed = run("channels", "--format", "json").json();
        assertThat(listed.path("channels")
                        .valueStream()
                        .filter(channel -> channel.path("name").asString().equals("things"))
                        .findFirst()
                        .orElseThrow()
                        .path("ready")
                        .intValue())
                .isEqualTo(3);
        assertThat(run("channels", "ls").text())
                .containsPattern("(?m)^NAME +KIND +READY")
                .containsPattern("(?m)^things +command +3 ");
        assertThat(run("channels", "describe", "things").text())
                .containsPattern("maxAttempts +3")
                .containsPattern("ttl +5m");

        assertThat(run("browse", "things", "--format", "json")
                        .json()
                        .path("messages")
                        .size())
                .isEqualTo(3);
        assertThat(run("browse", "things", "--max", "2").err()).contains("the first 2");

        Command.Result unasked = run("channels", "purge", "things");
        assertThat(unasked.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(unasked.err()).contains("--yes");
        assertThat(run("channels", "purge", "things", "--dry-run").err()).contains("would drop 3 messages");
        assertThat(run("channels", "purge", "things", "--yes", "--format", "json")
                        .json()
                        .path("messages")
                        .intValue())
                .isEqualTo(3);
        assertThat(run("channels", "delete", "things", "--yes").exitCode()).isZero();
        Command.Result gone = run("channels", "describe", "things");
        assertThat(gone.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(gone.err()).contains("'things'");
    }

    @Test
    void deadLettersAreListedShownAndRedriven() {
        run("channels", "create", "work");
        send("poison\n", "send", "work", "--key", "k");
        try (Postroad postroad = Postroad.connect(server.url());
                Subscription failing = postroad.listen("work", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
                    throw new Handler.DeadLetterException("it smells");
                })) {
            Await.until("it is given up", () -> failing.counts().deadLettered() == 1);
        }

        assertThat(run("dead", "--format", "json").json().path("deadLetters").toString())
                .contains("work.dead");
        JsonNode letters = run("dead", "list", "work.dead", "--format", "json").json();
        String id = Json.text("", letters.path("messages").get(0), "message", "id");
        assertThat(run("dead", "list", "work.dead").text()).contains(id, "it smells");
        assertThat(run("dead", "show", "work.dead", id).text()).contains("it smells", "poison");
        assertThat(run("dead", "show", "work.dead", "nobody").exitCode()).isEqualTo(ExitCode.NOT_FOUND);

        assertThat(run("dead", "redrive", "work.dead", "--dry-run").err())
                .contains("1 message of 'work.dead' would be put back");
        assertThat(run("dead", "list", "work.dead", "--exception", "DeadLetterException", "--since", "1h")
                        .text())
                .contains(id);
        assertThat(run("dead", "list", "work.dead", "--reason", "nothing of the kind")
                        .text())
                .isEmpty();
        assertThat(run("dead", "redrive", "work.dead", "--resume").exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(run("dead", "redrive", "work.dead", "--format", "json", "--key", "k", "--rate", "100")
                        .json()
                        .path("messages")
                        .intValue())
                .isEqualTo(1);
        assertThat(run("receive", "work").text()).isEqualTo("poison\n");
        JsonNode runs =
                run("dead", "ledger", "work.dead", "--format", "json").json().path("runs");
        assertThat(runs.size()).isEqualTo(1);
        assertThat(runs.get(0).path("ids").get(0).asString()).isEqualTo(id);
        assertThat(run("dead", "ledger", "work.dead").text()).contains("ended");
    }

    @Test
    void aDeadLetterIsEditedAndPutBack() {
        run("channels", "create", "mending");
        send("broken\n", "send", "mending", "--key", "k");
        try (Postroad postroad = Postroad.connect(server.url());
                Subscription failing =
                        postroad.listen("mending", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
                            throw new Handler.DeadLetterException("it is broken");
                        })) {
            Await.until("it is given up", () -> failing.counts().deadLettered() == 1);
        }
        JsonNode letter = run("dead", "list", "mending.dead", "--format", "json")
                .json()
                .path("messages")
                .get(0);
        String number = "#" + letter.path("number").asLong();
        assertThat(run("dead", "show", "mending.dead", number).text()).contains("it is broken", "broken");
        assertThat(run("dead", "edit", "mending.dead", number).exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run("dead", "edit", "mending.dead", number, "--value", "whole", "--by", "anna")
                        .exitCode())
                .isZero();
        assertThat(run("dead", "edit", "mending.dead", number, "--value", "whole")
                        .exitCode())
                .isEqualTo(ExitCode.NOT_FOUND);
        assertThat(run("receive", "mending").text()).isEqualTo("whole\n");
        assertThat(run("dead", "ledger", "mending.dead").text()).contains("anna", "resent");
    }

    @Test
    void groupsAreListedWithTheirLagAndDeleted() {
        send("1\n2\n3\n", "send", "events", "--create", "--kind", "event");
        run("receive", "events", "--group", "readers", "-n", "1");

        JsonNode groups =
                run("groups", "--channel", "events", "--format", "json").json();
        assertThat(groups.path("groups").get(0).path("group").asString()).isEqualTo("readers");
        assertThat(groups.path("groups").get(0).path("lag").intValue()).isEqualTo(2);
        assertThat(run("groups").text()).containsPattern("(?m)^readers +events +2");
        assertThat(run("groups", "delete", "events", "readers", "--yes").exitCode())
                .isZero();
        assertThat(run("groups", "--channel", "events", "--format", "json")
                        .json()
                        .path("groups")
                        .size())
                .isZero();
    }

    @Test
    void aRequestPrintsItsReplyOrTellsThatNoneCame() {
        run("channels", "create", "upper", "--kind", "request");
        try (Postroad postroad = Postroad.connect(server.url());
                Subscription replier = postroad.reply(
                        "upper",
                        ConsumerOptions.DEFAULT,
                        Format.strings(),
                        Format.strings(),
                        request -> Message.of(String.valueOf(request.value()).toUpperCase(Locale.ROOT)))) {
            assertThat(replier.active()).isTrue();
            Command.Result heard = run("request", "upper", "hello", "--timeout", "60s");
            assertThat(heard.text()).as(heard.err()).isEqualTo("HELLO\n");
        }
        Command.Result unheard = run("request", "upper", "hello", "--timeout", "300ms");
        assertThat(unheard.exitCode()).isEqualTo(ExitCode.TIMEOUT);
    }
}
