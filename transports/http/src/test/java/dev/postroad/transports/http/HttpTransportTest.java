package dev.postroad.transports.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transport;
import dev.postroad.server.PostroadServer;
import dev.postroad.server.ServerSettings;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpTransportTest {

    @TempDir
    Path data;

    private PostroadServer server;
    private Transport transport;

    @BeforeEach
    void start() {
        server = start(0);
        transport = new HttpProvider().open("http://" + server.httpAuthority());
    }

    private PostroadServer start(int port) {
        return PostroadServer.start(
                ServerSettings.DEFAULT.withData(data).withHttpPort(port).withDrain(Duration.ofSeconds(1)));
    }

    @AfterEach
    void stop() {
        transport.close();
        server.close();
    }

    private static Message<byte[], byte[]> message(String id) {
        return Message.<byte[], byte[]>of(id.getBytes(StandardCharsets.UTF_8)).withId(id);
    }

    private static Reason reason(CompletableFuture<?> future) {
        CompletionException e = catchThrowableOfType(CompletionException.class, future::join);
        return ((MessagingException) e.getCause()).reason();
    }

    @Test
    void urlsThatAreNoneAreRefusedWithoutRepeatingPasswords() {
        HttpProvider provider = new HttpProvider();
        for (String url :
                List.of("http:x", "http://", "http:///x", "ftp://x", "http://h/path", "http://h?q", "http://[")) {
            assertThatThrownBy(() -> provider.open(url)).as(url).isInstanceOf(MessagingException.class);
        }
        try (Transport withUser = provider.open("http://user:secret@localhost")) {
            assertThat(withUser.url()).doesNotContain("secret");
        }
        assertThatThrownBy(() -> provider.open("http://user:secret@host/path"))
                .isInstanceOf(MessagingException.class)
                .hasMessageNotContaining("secret");
        try (Transport withDefaultPort = provider.open("http://localhost")) {
            assertThat(withDefaultPort.url()).isEqualTo("http://localhost:8480");
        }
    }

    @Test
    void aServerThatIsNotThereIsUnreachable() {
        server.close();
        assertThatThrownBy(() -> transport.find("x")).isInstanceOfSatisfying(MessagingException.class, e -> {
            assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
            assertThat(e.getCause()).isNotNull();
        });
        assertThat(reason(transport.send("x", message("m")))).isEqualTo(Reason.UNREACHABLE);
    }

    @Test
    void manySendsAtOnceGoTogetherAndEachGetsItsOwnAnswer() {
        transport.declare(Channel.command("orders").withMaxMessageBytes(100));
        List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            Message<byte[], byte[]> message =
                    i % 100 == 50 ? Message.<byte[], byte[]>of(new byte[101]).withId("large" + i) : message("m" + i);
            receipts.add(transport.send("orders", message));
        }
        for (int i = 0; i < 1_000; i++) {
            if (i % 100 == 50) {
                assertThat(reason(receipts.get(i))).isEqualTo(Reason.TOO_LARGE);
            } else {
                assertThat(receipts.get(i).join().messageId()).isEqualTo("m" + i);
            }
        }
        assertThat(transport.administration().channels())
                .filteredOn(c -> c.channel().name().equals("orders"))
                .singleElement()
                .satisfies(c -> assertThat(c.ready()).isEqualTo(990));
    }

    @Test
    void whatIsOnItsWayToAReceiverThatClosesHasLostNoAttempt() throws Exception {
        transport.declare(Channel.command("orders"));
        List<CompletableFuture<Receipt>> sent = new ArrayList<>();
        for (int round = 0; round < 50; round++) {
            Transport.Receiver untouched = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
            for (int i = 0; i < 10; i++) {
                sent.add(transport.send("orders", message(round + "-" + i)));
            }
            // Some of them are in the hands of the server, some on their way, some with the receiver.
            untouched.close();
        }
        sent.forEach(CompletableFuture::join);
        Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        int came = 0;
        while (came < sent.size()) {
            List<Delivery<byte[], byte[]>> deliveries = receiver.receive(100, Duration.ofSeconds(20));
            assertThat(deliveries).as("after " + came + " of " + sent.size()).isNotEmpty();
            assertThat(deliveries).extracting(Delivery::attempt).containsOnly(1);
            receiver.acknowledge(deliveries).join();
            came += deliveries.size();
        }
    }

    @Test
    void aReceiverGoesOnAfterTheServerCameBackAndOldDeliveriesAreLost() throws Exception {
        transport.declare(Channel.command("orders").withPrefetch(1));
        transport.send("orders", message("a")).join();
        transport.send("orders", message("b")).join();
        Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        Delivery<byte[], byte[]> first =
                receiver.receive(1, Duration.ofSeconds(20)).getFirst();
        int port = server.httpAddress().getPort();
        server.close();
        Await.until(
                "that the old delivery is lost",
                () -> first.extend(Duration.ofSeconds(1)).isCompletedExceptionally());
        server = start(port);
        Delivery<byte[], byte[]> again = Await.value(
                        "the delivery after the restart",
                        () -> receiver.receive(1, Duration.ofSeconds(1)),
                        deliveries -> !deliveries.isEmpty())
                .getFirst();
        assertThat(again.message().id()).isEqualTo("a");
        assertThat(again.attempt()).isEqualTo(2);
        assertThat(reason(first.acknowledge())).isEqualTo(Reason.LEASE_LOST);
        again.acknowledge().join();
        List<Delivery<byte[], byte[]>> last = Await.value(
                "the second message",
                () -> receiver.receive(1, Duration.ofSeconds(1)),
                deliveries -> !deliveries.isEmpty());
        assertThat(last.getFirst().message().id()).isEqualTo("b");
        receiver.close();
    }

    @Test
    void aStreamReadAloneGoesOnWhereItWasAfterTheServerCameBack() throws Exception {
        transport.declare(Channel.event("events").withPartitions(2));
        for (int i = 0; i < 4; i++) {
            transport.send("events", message("m" + i)).join();
        }
        Transport.Receiver receiver = transport.receive(
                List.of("events"), ConsumerOptions.DEFAULT.withStart(new ConsumerOptions.Start.Earliest()));
        List<String> ids = new ArrayList<>();
        while (ids.size() < 4) {
            receiver.receive(10, Duration.ofSeconds(1))
                    .forEach(d -> ids.add(d.message().id()));
        }
        int port = server.httpAddress().getPort();
        server.close();
        server = start(port);
        Await.until("that sending works again", () -> {
            try {
                return transport.send("events", message("later")).join() != null;
            } catch (CompletionException e) {
                return false;
            }
        });
        Await.until("the message after the restart", () -> {
            receiver.receive(10, Duration.ofSeconds(1))
                    .forEach(d -> ids.add(d.message().id()));
            return ids.contains("later");
        });
        assertThat(ids.subList(0, 4)).containsExactlyInAnyOrder("m0", "m1", "m2", "m3");
        assertThat(ids.subList(4, ids.size())).containsOnly("later");
    }

    @Test
    void aChannelThatIsDeletedEndsItsReceivers() throws Exception {
        transport.declare(Channel.command("orders"));
        Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        try (Transport other = new HttpProvider().open("http://" + server.httpAuthority())) {
            assertThatThrownBy(() -> other.administration().delete("orders"))
                    .isInstanceOfSatisfying(
                            MessagingException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.IN_USE));
        }
        receiver.close();
        assertThatThrownBy(() -> receiver.receive(1, Duration.ZERO))
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED));
        Await.until(
                "the server has seen that the receiver is gone",
                () -> transport.administration().channels().stream().noneMatch(each -> each.consumers() > 0));
        transport.administration().delete("orders");
        assertThat(transport.find("orders")).isEmpty();
    }

    @Test
    void everyKindOfChannelIsFoundAsItWasDeclared() {
        for (Channel channel : List.of(
                Channel.command("a/b c ü")
                        .withTtl(Duration.ofMillis(90_061_001))
                        .withPriorities(10)
                        .withMaxBytes(5L),
                Channel.event("e").withMaxBytes(1_000_001L).withCompacted(true).withLease(Duration.ofSeconds(90)),
                Channel.request("r"),
                Channel.document("d").withDedupWindow(Duration.ofHours(36)).withDeadLetter(null))) {
            transport.declare(channel);
            assertThat(transport.find(channel.name())).contains(channel);
        }
    }

    @Test
    void whatWasSentIsConfirmedBeforeCloseReturns() {
        transport.declare(Channel.command("orders"));
        List<CompletableFuture<Receipt>> receipts = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            receipts.add(transport.send("orders", message("m" + i)));
        }
        transport.close();
        assertThat(receipts).allSatisfy(receipt -> assertThat(receipt).isCompleted());
        assertThatThrownBy(() -> transport.find("orders"))
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED));
    }
}
