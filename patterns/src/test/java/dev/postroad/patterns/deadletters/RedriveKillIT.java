package dev.postroad.patterns.deadletters;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Generator;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A redrive whose process is killed, again and again, ends with books that balance. */
class RedriveKillIT {
    private static final int KILLS = Integer.getInteger("postroad.redrive.kills", 2);
    private static final int LETTERS = 350 * KILLS;

    @Test
    void aRedriveThatIsKilledMidwayIsResumedAndItsBooksBalance(@TempDir Path directory) throws Exception {
        Generator random = Generator.announced("when the redrive is killed");
        Channel orders = Channel.command("orders");
        String data = directory.resolve("data").toString();
        List<String> ids = new ArrayList<>();
        try (Postroad postroad = Postroad.connect("embedded:" + data)) {
            postroad.declare(orders);
            List<Message<byte[], byte[]>> messages = new ArrayList<>();
            for (int i = 0; i < LETTERS; i++) {
                messages.add(Letters.message("k" + i % 10, "m" + i));
                ids.add("id-m" + i);
            }
            Letters.bury(postroad, orders, messages);
        }
        for (int kill = 0; kill < KILLS; kill++) {
            try (ChildProcess program =
                    ChildProcess.java(RedrivingProgram.class, data).start()) {
                int lines = random.between(1, 12);
                for (int i = 0; i < lines; i++) {
                    program.awaitLine("some progress", line -> line.contains("done "), Duration.ofMinutes(2));
                }
                program.kill();
                program.awaitExit();
            }
        }
        try (Postroad postroad = Postroad.connect("embedded:" + data)) {
            DeadLetters letters = new DeadLetters(postroad, "orders.dead");
            Run cutOff = letters.runs().getLast();
            assertThat(cutOff.state()).isEqualTo(Run.State.OPEN);
            Run run = letters.resume(done -> {}).orElseThrow();
            assertThat(run.name()).isEqualTo(cutOff.name());
            assertThat(letters.runs()).hasSize(1);
            assertThat(run.state()).isEqualTo(Run.State.ENDED);
            assertThat(run.putBack()).isEqualTo(LETTERS);
            assertThat(run.ids()).hasSize(LETTERS);
            assertThat(new HashSet<>(run.ids())).isEqualTo(new HashSet<>(ids));
            assertThat(Letters.count(postroad, "orders.dead")).isZero();
            assertThat(Letters.count(postroad, "orders")).isEqualTo(LETTERS);
            List<String> back = postroad.administration().browse("orders", null, LETTERS + 1).stream()
                    .map(found -> String.valueOf(found.message().id()))
                    .toList();
            assertThat(back).hasSize(LETTERS).containsExactlyInAnyOrderElementsOf(ids);
        }
    }
}
