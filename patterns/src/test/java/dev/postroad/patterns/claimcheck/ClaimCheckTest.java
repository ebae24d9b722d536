package dev.postroad.patterns.claimcheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Serdes;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClaimCheckTest {
    private static final ClaimSettings TEN = ClaimSettings.DEFAULT.withThreshold(10);
    private static final RetryPolicy AT_ONCE = RetryPolicy.DEFAULT.withDelays(Duration.ZERO, Duration.ZERO);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final List<String> handled = new CopyOnWriteArrayList<>();

    @TempDir
    Path folder;

    @AfterEach
    void close() {
        postroad.close();
    }

    private static Format<String, Claim<String>> format(ClaimCheck check) {
        return check.format(Format.strings());
    }

    private void send(ClaimCheck check, String... values) {
        try (MessageProducer<String, Claim<String>> producer = postroad.producer(format(check))) {
            for (String value : values) {
                producer.send("scans", Message.of(Claim.of(value)));
            }
        }
    }

    private Subscription listen(ClaimCheck check, Handler<String, Claim<String>> handler) {
        return postroad.listen("scans", format(check), ConsumerOptions.DEFAULT, check.around(handler));
    }

    private Handler<String, Claim<String>> collecting() {
        return delivery -> handled.add(delivery.message().value().get());
    }

    private List<Path> blobs() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    enum Kind {
        FILE,
        H2,
        POSTGRESQL,
        MARIADB,
        S3
    }

    @ParameterizedTest
    @EnumSource
    void what_is_put_can_be_got_until_it_is_deleted_or_too_old(Kind kind) throws Exception {
        try (Buckets buckets = new Buckets()) {
            BlobStore store = switch (kind) {
                case FILE -> new FileBlobs(folder);
                case S3 -> buckets.open("scans/2026/");
                default -> {
                    DataSource database = TestDatabase.valueOf(kind.name()).open();
                    String table = TestDatabase.tableName("blobs");
                    try (Connection connection = database.getConnection()) {
                        JdbcBlobs.create(connection, table);
                        JdbcBlobs.create(connection, table);
                    }
                    yield new JdbcBlobs(database, table);
                }
            };
            Generator gen = Generator.announced("blobs of " + kind);
            byte[] large = gen.bytes(1_000_000);
            store.put("id-large", large);
            for (int i = 0; i < 8; i++) {
                store.put("id-" + i, gen.bytes(0, 100));
            }
            assertThat(store.get("id-large", large.length)).hasValue(large);
            assertThat(store.get("id-none", 10)).isEmpty();
            store.delete("id-large");
            store.delete("id-large");
            assertThat(store.get("id-large", large.length)).isEmpty();
            assertThat(store.deleteOlderThan(Duration.ofHours(1))).isZero();
            assertThat(store.get("id-7", 100)).isPresent();
            AtomicInteger gone = new AtomicInteger();
            // Clocks and time stamps are coarse: until all have become older than a millisecond.
            Await.until("all are too old", () -> gone.addAndGet(store.deleteOlderThan(Duration.ofMillis(1))) == 8);
            assertThat(store.get("id-7", 100)).isEmpty();
        }
    }

    @Test
    void only_what_is_over_the_threshold_is_checked_in_and_all_arrives_as_it_was_sent() throws Exception {
        postroad.declare(Channel.command("scans"));
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        String ticketLike = "postroad-claim/1 trick";
        send(check, "0123456789", "0123456789 and more", "", "x".repeat(100_000));
        assertThat(blobs()).hasSize(2);
        new ClaimCheck(new FileBlobs(folder), ClaimSettings.DEFAULT);
        send(new ClaimCheck(new FileBlobs(folder), ClaimSettings.DEFAULT), ticketLike);
        assertThat(blobs()).hasSize(3);
        int largest = postroad.administration().browse("scans", null, 10).stream()
                .mapToInt(browsed -> browsed.message().value().length)
                .max()
                .orElseThrow();
        assertThat(largest).isLessThan(200);
        try (Subscription subscription = listen(check, collecting())) {
            Await.until("all are settled", () -> subscription.counts().acknowledged() == 5);
            Await.until("all blobs are gone", () -> blobs().isEmpty());
        }
        assertThat(handled).containsExactly("0123456789", "0123456789 and more", "", "x".repeat(100_000), ticketLike);
        assertThat(check.fetched()).isEqualTo(3);
        assertThat(check.deleted()).isEqualTo(3);
    }

    @Test
    void a_blob_lives_as_long_as_its_message_through_failures_and_dead_letters() throws Exception {
        postroad.declare(Channel.command("scans").withRetry(AT_ONCE.withMaxAttempts(2)));
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        send(check, "a scan of many bytes");
        AtomicInteger calls = new AtomicInteger();
        try (Subscription subscription = listen(check, delivery -> {
            collecting().handle(delivery);
            if (calls.incrementAndGet() <= 2) {
                throw new IllegalStateException("the printer is on fire");
            }
        })) {
            Await.until("it is given up", () -> subscription.counts().deadLettered() == 1);
            assertThat(blobs()).hasSize(1);
            assertThat(postroad.administration().redrive("scans.dead", null, 1)).isEqualTo(1);
            Await.until("it is handled after all", () -> blobs().isEmpty());
        }
        assertThat(handled).hasSize(3).containsOnly("a scan of many bytes");
    }

    @Test
    void a_delivery_that_its_handler_gave_back_keeps_its_blob() throws Exception {
        postroad.declare(Channel.command("scans"));
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        send(check, "a scan of many bytes");
        AtomicInteger calls = new AtomicInteger();
        try (Subscription subscription = listen(check, delivery -> {
            collecting().handle(delivery);
            if (calls.incrementAndGet() == 1) {
                delivery.retry().join();
            }
        })) {
            Await.until("it is handled again", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(handled).hasSize(2);
    }

    @Test
    void a_damaged_or_missing_blob_is_never_handled_and_the_dead_letter_says_so() throws Exception {
        postroad.declare(Channel.command("scans"));
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        send(check, "a scan of many bytes");
        Path blob = blobs().getFirst();
        byte[] bytes = Files.readAllBytes(blob);
        bytes[3] ^= 1;
        Files.write(blob, bytes);
        send(check, "another scan of many bytes");
        Files.delete(
                blobs().stream().filter(file -> !file.equals(blob)).findFirst().orElseThrow());
        try (Subscription subscription = listen(check, collecting())) {
            Await.until("both are given up", () -> subscription.counts().deadLettered() == 2);
        }
        assertThat(handled).isEmpty();
        List<String> reasons = postroad.administration().browse("scans.dead", null, 10).stream()
                .map(browsed -> DeadLetter.of(browsed.message()).orElseThrow().reason())
                .toList();
        assertThat(reasons.get(0)).contains("is not what was checked in");
        assertThat(reasons.get(1)).contains("not in the blob store any more");
    }

    @Test
    void a_store_that_is_away_is_a_reason_to_retry() throws Exception {
        postroad.declare(Channel.command("scans").withRetry(AT_ONCE.withMaxAttempts(1_000_000)));
        try (Buckets buckets = new Buckets()) {
            ClaimCheck check = new ClaimCheck(buckets.open(""), TEN);
            send(check, "a scan of many bytes");
            buckets.down = true;
            try (MessageProducer<String, Claim<String>> producer = postroad.producer(format(check))) {
                assertThatThrownBy(() -> producer.send("scans", Message.of(Claim.of("a scan of many bytes"))))
                        .isInstanceOf(MessagingException.class)
                        .hasMessageContaining("503");
            }
            try (Subscription subscription = listen(check, collecting())) {
                Await.until("it was tried", () -> subscription.counts().retried() > 2);
                buckets.down = false;
                Await.until("it is handled", () -> check.deleted() == 1);
            }
            assertThat(handled).containsExactly("a scan of many bytes");
            assertThatThrownBy(() -> buckets.open("", "wrong").get("id-1", 10))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("403")
                    .hasMessageContaining("SignatureDoesNotMatch");
        }
    }

    @Test
    void what_only_looks_like_a_ticket_is_never_looked_up() {
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        for (String forged : List.of(
                "postroad-claim/1 ../../etc/passwd 10 " + "0".repeat(64),
                "postroad-claim/2 x",
                "postroad-claim/1 " + "0".repeat(36) + " 10 " + "0".repeat(64) + " ")) {
            assertThatThrownBy(() -> check.serde(Serdes.string()).deserialize(forged.getBytes(StandardCharsets.UTF_8)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new FileBlobs(folder).get("../secret", 10))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_message_passed_on_takes_its_blob_along() throws Exception {
        ClaimCheck check = new ClaimCheck(new FileBlobs(folder), TEN);
        var serde = check.serde(Serdes.bytes());
        byte[] value = "a scan of many bytes".getBytes(StandardCharsets.UTF_8);
        byte[] sent = serde.serialize(Claim.of(value));
        Claim<byte[]> received = serde.deserialize(sent);
        assertThat(serde.serialize(received)).isEqualTo(sent);
        assertThat(blobs()).hasSize(1);
        assertThat(Optional.of(received.get()))
                .hasValueSatisfying(
                        bytes -> assertThat(Arrays.equals(bytes, value)).isTrue());
    }
}
