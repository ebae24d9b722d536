package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Receipt;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.TransportPage;
import dev.postroad.conformance.patterns.PatternChecks;
import dev.postroad.examples.orders.Books;
import dev.postroad.examples.orders.OrderFlow;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.RabbitMqServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** What is to be shown on a real RabbitMQ, started once. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RabbitMqIT {
    private static final Path PAGE = Path.of("../../docs/transports.md");
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int AHEAD = 500;
    private static final String MANAGEMENT = "rabbitmq_management";

    @TempDir
    static Path folder;

    private static RabbitMqServer rabbit;

    @BeforeAll
    static void start() {
        rabbit = RabbitMqServer.start(folder, MANAGEMENT);
    }

    @AfterAll
    static void stop() {
        rabbit.close();
    }

    private static String url() {
        return "amqp://guest:guest@127.0.0.1:" + rabbit.port();
    }

    @Test
    void theTransportPassesTheKitAndThePageTellsWhatItFound() {
        ConformanceReport report = Conformance.run(
                () -> Postroad.connect(url()),
                Conformance.Options.DEFAULT
                        .withMore(PatternChecks.all())
                        .withAtOnce(6)
                        .withReopen(old -> {
                            old.close();
                            return Postroad.connect(url());
                        }));
        assertThat(report.passed()).as(report.table()).isTrue();
        try (Postroad postroad = Postroad.connect(url())) {
            TransportPage.hold(PAGE, "RabbitMQ", postroad.transport(), report);
        }
    }

    @Test
    void theExampleRunsUnchanged() throws Exception {
        OrderFlow.Plan plan = new OrderFlow.Plan(60, Duration.ofSeconds(1), 7, 0.2, "example-");
        try (Postroad postroad = Postroad.connect(url());
                OrderFlow flow = new OrderFlow(postroad, plan)) {
            assertThat(flow.runThrough(PATIENCE)).get().matches(Books::balance);
        }
    }

    @Test
    void aBacklogComesInPiecesOfAQuarterOfThePrefetch() {
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.command("pieces").withDeadLetter(null));
            MessageProducer<byte[], byte[]> producer = postroad.producer(Format.bytes());
            List<CompletableFuture<Receipt>> sent = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                sent.add(producer.sendAsync("pieces", Message.of(new byte[] {(byte) i, (byte) (i >> 8)})));
            }
            sent.forEach(CompletableFuture::join);
            MessageConsumer<byte[], byte[]> consumer =
                    postroad.consumer(Format.bytes(), ConsumerOptions.DEFAULT.withPrefetch(200));
            consumer.subscribe(List.of("pieces"));
            int next = 0;
            while (next < 2_000) {
                List<Message<byte[], byte[]>> polled = consumer.poll(PATIENCE);
                assertThat(polled).hasSizeBetween(1, 50);
                for (Message<byte[], byte[]> message : polled) {
                    assertThat(message.value()).containsExactly((byte) next, (byte) (next >> 8));
                    next++;
                }
                consumer.commit();
            }
        }
    }

    private static MessagingException refused(String url) {
        return catchThrowableOfType(
                MessagingException.class, () -> Postroad.connect(url).close());
    }

    @Test
    void aWrongPasswordIsToldWithoutRepeatingIt() {
        MessagingException e = refused("amqp://guest:secret@127.0.0.1:" + rabbit.port());
        assertThat(e.reason()).isEqualTo(Reason.DENIED);
        assertThat(e).hasMessageContaining("'guest'").hasMessageContaining("USER:PASSWORD");
        assertThat(e.getMessage()).doesNotContain("secret");
        assertThat(e).hasCauseInstanceOf(java.io.IOException.class);
    }

    @Test
    void aWrongVirtualHostIsNamed() {
        MessagingException e = refused(url() + "/nowhere");
        assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND);
        assertThat(e).hasMessageContaining("'nowhere'").hasMessageContaining("path of the url");
    }

    @Test
    void whereNothingListensIsToldWithWhatToLookAt() {
        MessagingException e = refused("amqp://guest:guest@127.0.0.1:" + FreePort.find());
        assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(e).hasMessageContaining("running").hasMessageContaining("host and port");
    }

    @Test
    void whatTheBrokerFindsTooLargeIsToldWithTheSettingAndTheNextMessageIsTaken() {
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(
                    Channel.command("large").withDeadLetter(null).withMaxMessageBytes(Channel.MAX_MESSAGE_BYTES));
            MessageProducer<byte[], byte[]> producer = postroad.producer(Format.bytes());
            byte[] value = new byte[RabbitMqServer.MAX_MESSAGE_BYTES + 1];
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> producer.send("large", Message.of(value)));
            assertThat(e.reason()).isEqualTo(Reason.TOO_LARGE);
            assertThat(e).hasMessageContaining("'large'").hasMessageContaining("max_message_size");
            producer.send("large", Message.of(new byte[10]));
        }
    }

    @Test
    void aQueueThatExistsOtherwiseIsToldWithWhatToDo() throws Exception {
        try (Connection raw = raw();
                Postroad postroad = Postroad.connect(url())) {
            raw.createChannel().queueDeclare("taken", true, false, false, Map.of("x-max-length", 5));
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> postroad.declare(Channel.command("taken")));
            assertThat(e.reason()).isEqualTo(Reason.CHANNEL_MISMATCH);
            assertThat(e).hasMessageContaining("taken").hasMessageContaining("rename the channel");
            assertThat(postroad.find("taken")).isEmpty();
        }
    }

    @Test
    void aQueueThatOthersDeletedIsMissed() throws Exception {
        try (Connection raw = raw();
                Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.command("deleted").withDeadLetter(null));
            raw.createChannel().queueDelete("deleted");
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> producer.send("deleted", Message.of("a")));
            assertThat(e.reason()).isEqualTo(Reason.NOT_FOUND);
            assertThat(e).hasMessageContaining("'deleted'").hasMessageContaining("declare the channel again");
        }
    }

    @Test
    void aUserWithoutPermissionIsDeniedByName() throws Exception {
        manage("users/reader", "{\"password\":\"reader\",\"tags\":\"\"}");
        manage("permissions/%2F/reader", "{\"configure\":\"^postroad-.*\",\"write\":\".*\",\"read\":\".*\"}");
        try (Postroad postroad = Postroad.connect("amqp://reader:reader@127.0.0.1:" + rabbit.port())) {
            MessagingException e = catchThrowableOfType(
                    MessagingException.class,
                    () -> postroad.declare(Channel.command("forbidden").withDeadLetter(null)));
            assertThat(e.reason()).isEqualTo(Reason.DENIED);
            assertThat(e).hasMessageContaining("'forbidden'").hasMessageContaining("'reader'");
        }
    }

    /** First, while there are few queues to bring back. */
    @Test
    @Order(1)
    void nothingConfirmedIsLostWhenTheBrokerIsStoppedUnderLoadAndConsumersGoOnByThemselves() {
        nothingIsLostAcross(RabbitMqServer::stop);
    }

    @Test
    @Order(2)
    void nothingConfirmedIsLostWhenTheBrokerIsKilledUnderLoadAndConsumersGoOnByThemselves() {
        nothingIsLostAcross(RabbitMqServer::kill);
    }

    private static void nothingIsLostAcross(Consumer<RabbitMqServer> end) {
        Set<String> confirmed = ConcurrentHashMap.newKeySet();
        Set<String> handled = ConcurrentHashMap.newKeySet();
        AtomicBoolean sending = new AtomicBoolean(true);
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.command("load"));
            postroad.listen(
                    "load",
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withConcurrency(4),
                    delivery -> handled.add(delivery.message().value()));
            Thread producer = Thread.ofVirtual().start(() -> produce(postroad, confirmed, sending));
            CompletableFuture<Void> ahead = CompletableFuture.runAsync(
                    () -> produceAhead(postroad, confirmed, sending), Thread::startVirtualThread);
            Await.until("that messages flow", () -> confirmed.size() > 2 * AHEAD);
            end.accept(rabbit);
            int before = confirmed.size();
            rabbit = RabbitMqServer.startOn(rabbit.port(), folder, MANAGEMENT);
            Await.until("that messages flow again", PATIENCE, () -> confirmed.size() > before + 2 * AHEAD);
            // Who comes now finds all that was declared, though a stream may not be back.
            try (Postroad other = Postroad.connect(url())) {
                assertThat(other.find("load")).isPresent();
            }
            sending.set(false);
            Await.until("that the producer ends", () -> !producer.isAlive());
            ahead.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
            Await.until("that all confirmed messages were handled", PATIENCE, () -> handled.containsAll(confirmed));
        }
    }

    /** Sends without a pause; what fails is told, and the next is tried. */
    private static void produce(Postroad postroad, Set<String> confirmed, AtomicBoolean sending) {
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        for (int i = 0; sending.get(); i++) {
            String value = "m" + i;
            try {
                producer.send("load", Message.of(value));
                confirmed.add(value);
            } catch (MessagingException e) {
                assertThat(e.reason().repeatable()).as(e.toString()).isTrue();
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    /** As the other, with so many under way that they go together; of each it is told what became of it. */
    private static void produceAhead(Postroad postroad, Set<String> confirmed, AtomicBoolean sending) {
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        for (int i = 0; sending.get(); i += AHEAD) {
            Map<String, CompletableFuture<Receipt>> sent = new HashMap<>();
            for (int each = i; each < i + AHEAD; each++) {
                sent.put("a" + each, producer.sendAsync("load", Message.of("a" + each)));
            }
            AtomicInteger failed = new AtomicInteger();
            sent.forEach((value, receipt) -> {
                try {
                    receipt.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
                    confirmed.add(value);
                } catch (CompletionException e) {
                    assertThat(e.getCause()).isInstanceOf(MessagingException.class);
                    failed.incrementAndGet();
                }
            });
            if (failed.get() > 0) {
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    private static Connection raw() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url());
        return factory.newConnection();
    }

    private static void manage(String path, String body) throws Exception {
        String login = Base64.getEncoder().encodeToString("guest:guest".getBytes(StandardCharsets.UTF_8));
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + rabbit.managementPort() + "/api/" + path))
                            .header("Authorization", "Basic " + login)
                            .header("Content-Type", "application/json")
                            .PUT(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 299);
        }
    }
}
