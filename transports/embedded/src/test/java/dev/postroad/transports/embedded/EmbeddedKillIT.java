package dev.postroad.transports.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKillIT {
    private static final int ROUNDS = 4;
    private static final long ENOUGH_BYTES = 40_000;
    private static final Comparator<String> BY_NUMBER = Comparator.comparing(EmbeddedKillIT::number);

    @Test
    void whatWasConfirmedIsThereOnceAndWholeAfterEachKill(@TempDir Path directory) throws IOException {
        String url = "embedded:" + directory.resolve("data");
        Path confirmed = Files.createFile(directory.resolve("confirmed"));
        List<String> orders = new ArrayList<>();
        List<String> events = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            sendAndKill(url, "run" + round, confirmed);
            try (Postroad postroad = Postroad.connect(url)) {
                orders.addAll(drain(postroad, "orders", ConsumerOptions.DEFAULT.withPrefetch(1_000)));
                events.addAll(drain(
                        postroad,
                        "events",
                        ConsumerOptions.DEFAULT.withGroup("check").withPrefetch(1_000)));
            }
        }
        assertThat(orders).doesNotHaveDuplicates();
        assertThat(events).doesNotHaveDuplicates();
        Set<String> there = new HashSet<>(orders);
        there.addAll(events);
        assertThat(wholeLines(confirmed)).isNotEmpty().allMatch(there::contains);
        assertBatchesWhole(orders);
        for (int round = 0; round < ROUNDS; round++) {
            assertWithoutGap(orders, "run" + round + "-one-");
            // Spread over partitions, which are in order each.
            assertWithoutGap(events.stream().sorted(BY_NUMBER).toList(), "run" + round + "-many-");
        }
    }

    private static void sendAndKill(String url, String run, Path confirmed) throws IOException {
        long before = Files.size(confirmed);
        try (ChildProcess program = ChildProcess.java(SendingProgram.class, url, run, confirmed.toString())
                .start()) {
            program.awaitLine("sending");
            Await.until("enough was confirmed", () -> Files.size(confirmed) - before > ENOUGH_BYTES);
            program.kill();
        }
    }

    private static List<String> drain(Postroad postroad, String channel, ConsumerOptions options) {
        List<String> ids = new ArrayList<>();
        try (MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), options)) {
            consumer.subscribe(List.of(channel));
            while (true) {
                // What a channel holds when it opens is handed over at once; a second without anything is its end.
                List<Message<String, String>> polled = consumer.poll(Duration.ofSeconds(1));
                if (polled.isEmpty()) {
                    return ids;
                }
                for (Message<String, String> message : polled) {
                    assertThat(message.value()).isEqualTo("value of " + message.id());
                    ids.add(message.id());
                }
                consumer.commit();
            }
        }
    }

    /** The last line may have been cut. */
    private static List<String> wholeLines(Path file) throws IOException {
        String text = Files.readString(file);
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    private static void assertBatchesWhole(List<String> orders) {
        Map<String, Integer> sizes = new HashMap<>();
        for (String id : orders) {
            if (id.contains("-batch-")) {
                sizes.merge(id.substring(0, id.lastIndexOf('-')), 1, Integer::sum);
            }
        }
        assertThat(sizes)
                .isNotEmpty()
                .allSatisfy((batch, size) -> assertThat(size).as(batch).isEqualTo(10));
    }

    private static int number(String id) {
        return Integer.parseInt(id.substring(id.lastIndexOf('-') + 1));
    }

    /** What one thread sent before something that is there is there too. */
    private static void assertWithoutGap(List<String> ids, String prefix) {
        List<Integer> numbers = ids.stream()
                .filter(id -> id.startsWith(prefix))
                .map(EmbeddedKillIT::number)
                .toList();
        for (int i = 0; i < numbers.size(); i++) {
            assertThat(numbers.get(i)).as(prefix).isEqualTo(i);
        }
    }
}
