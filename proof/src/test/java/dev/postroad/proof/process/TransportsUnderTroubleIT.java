package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.Signals;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same program on three brokers by another url, while these are paused, stopped and killed. */
@Tag("soak")
class TransportsUnderTroubleIT {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Duration PAUSE = Duration.ofSeconds(5);
    private static final int SENDERS = 4;
    private static final int KEYS_EACH = 5;
    private static final int FLOWING = 200;

    @TempDir
    Path folder;

    /** What was confirmed and what was handled, by all. */
    private static final class Books {
        private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
        private final Map<String, Set<Integer>> handled = new ConcurrentHashMap<>();
        private final Set<String> values = ConcurrentHashMap.newKeySet();
        private final Map<String, String> idOf = new ConcurrentHashMap<>();
        private final Set<String> wrong = ConcurrentHashMap.newKeySet();

        void handled(Message<String, String> message) {
            String key = String.valueOf(message.key());
            String value = String.valueOf(message.value());
            String id = String.valueOf(message.id());
            String former = idOf.putIfAbsent(value, id);
            if (former != null && !former.equals(id)) {
                wrong.add(value + " came as " + former + " and as " + id);
            }
            values.add(value);
            // One of a key at a time: the set keeps the order in which each came first.
            handled.computeIfAbsent(key, any -> new LinkedHashSet<>())
                    .add(Integer.valueOf(value.substring(value.indexOf('/') + 1)));
        }
    }

    /** How a program takes messages. */
    enum Taking {
        /** Handlers, several keys at once. */
        LISTENING,
        /** One thread that polls and commits. */
        POLLING
    }

    @ParameterizedTest
    @CsvSource({
        "SERVE, LISTENING",
        "SERVE, POLLING",
        "RABBITMQ, LISTENING",
        "RABBITMQ, POLLING",
        "KAFKA, LISTENING",
        "KAFKA, POLLING"
    })
    void whatIsConfirmedComesInOrderAndUnderItsIdWhateverHappensToTheBroker(BrokerKind kind, Taking taking)
            throws Exception {
        int port = FreePort.find();
        BrokerKind.Running running = kind.start(folder, port);
        Books books = new Books();
        AtomicBoolean sending = new AtomicBoolean(true);
        AtomicBoolean over = new AtomicBoolean();
        Thread polling = null;
        List<Thread> senders = new ArrayList<>();
        try (Postroad postroad = Postroad.connect(running.url())) {
            postroad.declare(Channel.command("load").withOrderedByKey(true).withDeadLetter(null));
            if (taking == Taking.LISTENING) {
                postroad.listen(
                        "load",
                        Format.strings(),
                        ConsumerOptions.DEFAULT.withConcurrency(8),
                        delivery -> books.handled(delivery.message()));
            } else {
                polling = Thread.ofPlatform().start(() -> poll(postroad, books, over));
            }
            for (int sender = 0; sender < SENDERS; sender++) {
                int number = sender;
                senders.add(Thread.ofVirtual().start(() -> send(postroad, number, books, sending)));
            }
            awaitFlow(books);

            Signals.stop(running.pid());
            long end = System.nanoTime() + PAUSE.toNanos();
            Await.until("that the pause is over", () -> System.nanoTime() > end);
            Signals.resume(running.pid());
            awaitFlow(books);

            running.stop().run();
            running.end();
            running = kind.start(folder, port);
            awaitFlow(books);

            running.end();
            running = kind.start(folder, port);
            awaitFlow(books);

            sending.set(false);
            for (Thread sender : senders) {
                assertThat(sender.join(PATIENCE)).isTrue();
            }
            Await.until(
                    "that all that is confirmed is handled", PATIENCE, () -> books.values.containsAll(books.confirmed));
            over.set(true);
            if (polling != null) {
                assertThat(polling.join(PATIENCE)).isTrue();
            }
        } finally {
            over.set(true);
            sending.set(false);
            running.process().close();
        }
        assertThat(books.wrong).isEmpty();
        assertThat(books.handled.values())
                .allSatisfy(numbers -> assertThat(List.copyOf(numbers)).isSorted());
    }

    private static void poll(Postroad postroad, Books books, AtomicBoolean over) {
        try (MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
            consumer.subscribe(List.of("load"));
            while (!over.get()) {
                try {
                    consumer.poll(Duration.ofMillis(200)).forEach(books::handled);
                    consumer.commit();
                } catch (MessagingException e) {
                    // What was not committed comes again.
                    LockSupport.parkNanos(20_000_000);
                }
            }
        }
    }

    /** New messages are confirmed and handled: senders and consumers have found the broker again by themselves. */
    private static void awaitFlow(Books books) {
        int confirmed = books.confirmed.size();
        int handled = books.values.size();
        Await.until(
                "that messages flow",
                PATIENCE,
                () -> books.confirmed.size() > confirmed + FLOWING && books.values.size() > handled + FLOWING);
    }

    /** One message of a key after the other; each is repeated under its id until it is confirmed. */
    private static void send(Postroad postroad, int sender, Books books, AtomicBoolean sending) {
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        for (int i = 0; sending.get(); i++) {
            String key = "k" + sender + "-" + i % KEYS_EACH;
            String value = key + "/" + i;
            Message<String, String> message = Message.of(key, value).withId("id-" + value);
            boolean confirmed = false;
            while (!confirmed && sending.get()) {
                try {
                    producer.send("load", message);
                    books.confirmed.add(value);
                    confirmed = true;
                } catch (MessagingException e) {
                    LockSupport.parkNanos(20_000_000);
                }
            }
        }
    }
}
