package dev.postroad.transports.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.api.Transport;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.KafkaServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Later messages of a key follow one that was given up, until the dead letters are back or gone, whoever dies meanwhile. */
class DeadKeysIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @TempDir
    static Path folder;

    private static KafkaServer kafka;

    @BeforeAll
    static void start() {
        kafka = KafkaServer.startOn(
                FreePort.find(),
                folder.resolve("kafka"),
                Path.of("target"),
                Map.of("group.min.session.timeout.ms", "1000"));
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    private static String url() {
        return "kafka://" + kafka.servers()
                + "?queue-partitions=2&kafka.heartbeat.interval.ms=300&kafka.session.timeout.ms=2000&timeout=60";
    }

    private static Channel queue(String name) {
        return Channel.command(name).withOrderedByKey(true).withRetry(RetryPolicy.NONE);
    }

    private static void send(Postroad postroad, Channel queue, String key, int from, int to) {
        try (MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            IntStream.range(from, to).forEach(i -> producer.send(queue.name(), Message.of(key, key + i)));
        }
    }

    private static Subscription listen(Postroad postroad, Channel queue, List<String> handled, Set<String> poison) {
        return postroad.listen(queue.name(), Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
            String value = String.valueOf(delivery.message().value());
            if (poison.contains(value)) {
                throw new Handler.DeadLetterException("poison");
            }
            handled.add(value);
        });
    }

    private static long ready(Postroad postroad, String channel) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .mapToLong(ChannelStatus::ready)
                .sum();
    }

    private static void awaitLetters(Postroad postroad, Channel queue, long letters) {
        Await.until(
                letters + " dead letters of " + queue.name(),
                PATIENCE,
                () -> ready(postroad, queue.name() + ".dead") == letters);
    }

    private static List<String> numbered(String key, int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> key + i).toList();
    }

    private static List<String> ofKey(String key, List<String> handled) {
        return handled.stream().filter(value -> value.startsWith(key)).toList();
    }

    @Test
    void laterMessagesFollowAndComeBackInOrderWithThoseThatCameMeanwhile() {
        Channel queue = queue("follow");
        List<String> handled = new CopyOnWriteArrayList<>();
        Set<String> poison = java.util.concurrent.ConcurrentHashMap.newKeySet();
        poison.add("a1");
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(queue);
            send(postroad, queue, "a", 0, 5);
            listen(postroad, queue, handled, poison);
            awaitLetters(postroad, queue, 4);
            send(postroad, queue, "b", 0, 3);
            send(postroad, queue, "a", 5, 7);
            awaitLetters(postroad, queue, 6);
            Await.until(
                    "that the other key goes on",
                    PATIENCE,
                    () -> ofKey("b", handled).size() == 3);
            assertThat(ofKey("a", handled)).containsExactly("a0");
            assertThat(postroad.administration().browse("follow.dead", null, 10).stream()
                            .map(letter -> DeadLetter.of(letter.message())
                                    .orElseThrow()
                                    .cause()))
                    .startsWith(DeadLetter.Cause.REJECTED)
                    .filteredOn(cause -> cause == DeadLetter.Cause.KEY_ORDER)
                    .hasSize(5);

            // Still poison: all come back behind it.
            assertThat(postroad.administration().redrive("follow.dead", null, 100))
                    .isEqualTo(6);
            awaitLetters(postroad, queue, 6);
            assertThat(ofKey("a", handled)).containsExactly("a0");

            poison.clear();
            assertThat(postroad.administration().redrive("follow.dead", null, 2))
                    .isEqualTo(2);
            Await.until("that two are back", PATIENCE, () -> ofKey("a", handled).size() == 3);
            send(postroad, queue, "a", 7, 8);
            awaitLetters(postroad, queue, 5);
            assertThat(postroad.administration().redrive("follow.dead", null, 100))
                    .isEqualTo(5);
            send(postroad, queue, "a", 8, 10);
            Await.until("that all are handled", PATIENCE, () -> {
                postroad.administration().redrive("follow.dead", null, 100);
                return ofKey("a", handled).size() == 10;
            });
            assertThat(ofKey("a", handled)).isEqualTo(numbered("a", 0, 10));
            send(postroad, queue, "a", 10, 12);
            Await.until(
                    "that the key lives", PATIENCE, () -> ofKey("a", handled).size() == 12);
            assertThat(ready(postroad, "follow.dead")).isZero();
        }
    }

    @Test
    void whoeverTakesOverKnowsTheDeadKeys() {
        Channel queue = queue("taken-over");
        List<String> handled = new CopyOnWriteArrayList<>();
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(queue);
            send(postroad, queue, "a", 0, 2);
            send(postroad, queue, "b", 0, 2);
            Subscription first = listen(postroad, queue, handled, Set.of("a0", "b1"));
            awaitLetters(postroad, queue, 3);
            first.close();
        }
        try (Postroad postroad = Postroad.connect(url())) {
            send(postroad, queue, "a", 2, 4);
            send(postroad, queue, "b", 2, 4);
            send(postroad, queue, "c", 0, 2);
            Subscription second = listen(postroad, queue, handled, Set.of());
            awaitLetters(postroad, queue, 7);
            Subscription third = listen(postroad, queue, handled, Set.of());
            send(postroad, queue, "a", 4, 6);
            send(postroad, queue, "b", 4, 6);
            awaitLetters(postroad, queue, 11);
            second.close();
            Await.until("that keys that live go on", PATIENCE, () -> handled.containsAll(numbered("c", 0, 2)));
            assertThat(handled).containsExactlyInAnyOrder("b0", "c0", "c1");
            assertThat(postroad.administration().redrive("taken-over.dead", null, 100))
                    .isEqualTo(11);
            Await.until("that all are handled", PATIENCE, () -> handled.size() == 14);
            third.close();
        }
        assertThat(ofKey("a", handled)).isEqualTo(numbered("a", 0, 6));
        assertThat(ofKey("b", handled)).isEqualTo(numbered("b", 0, 6));
        try (Postroad postroad = Postroad.connect(url())) {
            listen(postroad, queue, handled, Set.of());
            send(postroad, queue, "a", 6, 8);
            send(postroad, queue, "b", 6, 8);
            Await.until("that keys that are back live on with the next one", PATIENCE, () -> handled.size() == 18);
        }
    }

    @Test
    void aKeyWhoseDeadLettersAreDiscardedOrPurgedLivesOn() throws Exception {
        Channel queue = queue("discarded");
        List<String> handled = new CopyOnWriteArrayList<>();
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(queue);
            listen(postroad, queue, handled, Set.of("a0", "a10", "a20"));
            for (int begin = 0; begin < 30; begin += 10) {
                send(postroad, queue, "a", begin, begin + 3);
                awaitLetters(postroad, queue, 3);
                if (begin == 10) {
                    assertThat(postroad.administration().purge("discarded.dead"))
                            .isGreaterThanOrEqualTo(3);
                } else {
                    discard(postroad, "discarded.dead", 3);
                }
                awaitLetters(postroad, queue, 0);
                int next = begin + 3;
                Await.until(
                        "that the dead letters are known to be gone",
                        PATIENCE,
                        () -> ready(postroad, "discarded") == 0);
                send(postroad, queue, "a", next, next + 2);
                Await.until("that the key lives", PATIENCE, () -> handled.contains("a" + (next + 1)));
            }
            assertThat(handled).containsExactly("a3", "a4", "a13", "a14", "a23", "a24");
        }
    }

    private static void discard(Postroad postroad, String letters, int many) throws InterruptedException {
        try (Transport.Receiver receiver = postroad.transport().receive(List.of(letters), ConsumerOptions.DEFAULT)) {
            int left = many;
            while (left > 0) {
                List<Delivery<byte[], byte[]>> some = receiver.receive(left, Duration.ofSeconds(30));
                receiver.acknowledge(some).join();
                left -= some.size();
            }
        }
    }

    @Test
    void aQueueThatIsDeclaredAnewHasNoDeadKeys() {
        Channel queue = queue("anew");
        List<String> handled = new CopyOnWriteArrayList<>();
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(queue);
            send(postroad, queue, "a", 0, 2);
            Subscription first = listen(postroad, queue, handled, Set.of("a0"));
            awaitLetters(postroad, queue, 2);
            first.close();
            postroad.administration().delete("anew");
            postroad.declare(queue);
            send(postroad, queue, "a", 2, 4);
            listen(postroad, queue, handled, Set.of());
            Await.until("that the key lives", PATIENCE, () -> handled.size() == 2);
            assertThat(postroad.administration().redrive("anew.dead", null, 100))
                    .isEqualTo(2);
            Await.until("that the old letters are back", PATIENCE, () -> handled.size() == 4);
        }
        assertThat(handled).containsExactly("a2", "a3", "a0", "a1");
    }

    /** Consumers and redrives are killed at any step; what each key had handled for the first time is in order. */
    @Test
    void orderHoldsWhileConsumersAndRedrivesAreKilledAndNothingIsLost() throws Exception {
        Channel queue = queue("killed");
        Generator random = Generator.announced("dead keys and kills");
        int keys = 8;
        int perKey = 15;
        Path handled = Files.createFile(folder.resolve("handled"));
        Path mended = folder.resolve("mended");
        List<ChildProcess> running = new ArrayList<>();
        try (Postroad postroad = Postroad.connect(url());
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(queue);
            running.add(program("consume", queue, handled, mended));
            running.add(program("consume", queue, handled, mended));
            for (int number = 0; number < perKey; number++) {
                for (int key = 0; key < keys; key++) {
                    boolean poison = number > 0 && random.chance(1, 12);
                    producer.send(
                            "killed",
                            Message.of("k" + key, key + "/" + number + (poison ? "/" + DeadKeysProgram.POISON : "")));
                }
                if (number == perKey / 3) {
                    awaitMoreThan(0, handled);
                    replace(random, running, queue, handled, mended);
                }
            }
            Await.until("that some are dead", PATIENCE, () -> ready(postroad, "killed.dead") > 0);
            replace(random, running, queue, handled, mended);
            Files.createFile(mended);
            for (int i = 0; i < 2; i++) {
                int before = Files.readAllLines(handled).size();
                try (ChildProcess redrive = program("redrive", queue, handled, mended)) {
                    awaitMoreThan(before, handled);
                    redrive.kill();
                }
                replace(random, running, queue, handled, mended);
            }
            Await.until("that all are handled", PATIENCE, () -> {
                DeadKeysProgram.redrive(postroad, "killed.dead", 20);
                return new HashSet<>(Files.readAllLines(handled)).size() == keys * perKey;
            });
        } finally {
            running.forEach(ChildProcess::close);
        }
        Map<String, Integer> next = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String line : Files.readAllLines(handled)) {
            String[] parts = line.split("/", -1);
            if (seen.add(line) && Integer.parseInt(parts[1]) != next.merge(parts[0], 1, Integer::sum) - 1) {
                wrong.add(line + " came as the " + next.get(parts[0]) + "th of its key");
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(next.values()).hasSize(keys).allMatch(count -> count == perKey);
    }

    private static void awaitMoreThan(int lines, Path handled) {
        Await.until(
                "more than " + lines + " handled messages",
                PATIENCE,
                () -> Files.readAllLines(handled).size() > lines);
    }

    /** Kills one of two consumers, and starts another. */
    private static void replace(
            Generator random, List<ChildProcess> consumers, Channel queue, Path handled, Path mended) throws Exception {
        int victim = random.between(0, 1);
        consumers.get(victim).kill();
        consumers.set(victim, program("consume", queue, handled, mended));
    }

    private static ChildProcess program(String what, Channel queue, Path handled, Path mended) throws Exception {
        return ChildProcess.java(
                        DeadKeysProgram.class, what, url(), queue.name(), handled.toString(), mended.toString())
                .start();
    }
}
