package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.ChildProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The tools that come with librabbitmq, the C client, called from a shell. They have no confirms of their own: what a tool
 * that ended well has published is there.
 */
@ExtendWith(SharedServer.class)
class LibrabbitmqToolsIT {
    @TempDir
    Path folder;

    /** Each script ends with {@code held}; {@code $B} is the server, {@code wait_for N COMMAND} waits for an output. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            work queue | amqp-declare-queue $B -d -q t-tasks;\
              for i in 1 2 3 4; do amqp-publish $B -p -r t-tasks -b task$i; done;\
              amqp-consume $B -q t-tasks -p 1 -c 2 sh -c 'cat; echo' >one; amqp-consume $B -q t-tasks -c 2 sh -c 'cat; echo' >two;\
              [ "$(cat one two | tr '\\n' ' ')" = "task1 task2 task3 task4 " ]; ! amqp-get $B -q t-tasks; amqp-delete-queue $B -q t-tasks
            publish and subscribe | subscribe amq.fanout x one; subscribe amq.fanout x two;\
              publish_until amq.fanout x news one two; [ "$(cat one) $(cat two)" = "news news" ]
            routing | subscribe amq.direct t-error errors; amqp-publish $B -e amq.direct -r t-info -b no;\
              publish_until amq.direct t-error yes errors; [ "$(cat errors)" = yes ]
            topics | subscribe amq.topic 't.*.critical' critical; amqp-publish $B -e amq.topic -r t.kern.info -b no;\
              publish_until amq.topic t.kern.critical yes critical; [ "$(cat critical)" = yes ]
            request and reply | amqp-declare-queue $B -q t-rpc; amqp-declare-queue $B -q t-replies;\
              amqp-publish $B -r t-rpc -t t-replies -b 21;\
              amqp-consume $B -q t-rpc -c 1 sh -c 'amqp-publish $B -r t-replies -b $(( $(cat) * 2 ))';\
              [ "$(amqp-get $B -q t-replies)" = 42 ]; amqp-delete-queue $B -q t-rpc; amqp-delete-queue $B -q t-replies
            what was published is there | amqp-declare-queue $B -d -q t-there; seq 1 50 | amqp-publish $B -p -l -r t-there;\
              amqp-consume $B -q t-there -c 50 sh -c 'cat; echo' >all; seq 1 50 | diff - all; amqp-delete-queue $B -q t-there
            """)
    void theToolsDoWhatTheyDoWithRabbitMq(String pattern, String script, Server server) throws Exception {
        Path file = folder.resolve("script");
        Files.writeString(
                file,
                """
                set -eu
                export B='--url=amqp://guest:guest@127.0.0.1:%d'
                subscribe() { amqp-consume $B -e "$1" -r "$2" -c 1 cat >"$3" 2>>log & }
                # A subscriber that is only just binding its queue misses what is published before.
                publish_until() {
                    e=$1 r=$2 b=$3; shift 3; tries=0
                    for f in "$@"; do
                        until [ -s "$f" ]; do
                            tries=$((tries + 1)); [ $tries -lt 200 ]; amqp-publish $B -e $e -r $r -b $b; sleep 0.1
                        done
                    done
                }
                %s
                echo held
                """
                        .formatted(server.amqpPort(), script.replace("; ", "\n")));
        try (ChildProcess shell =
                ChildProcess.command("sh", file.toString()).directory(folder).start()) {
            int exitCode = shell.awaitExit(Duration.ofSeconds(90));

            assertThat(shell.tail())
                    .as(pattern + " (apt-get install amqp-tools, if a command is not found)")
                    .endsWith("held");
            assertThat(exitCode).isZero();
        }
    }
}
