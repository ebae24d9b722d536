package dev.postroad.patterns.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RequesterTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final RequestSettings PRICES = RequestSettings.of("prices").withTimeout(Duration.ofSeconds(30));

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final Responder responder = new Responder();

    @AfterEach
    void close() {
        postroad.close();
    }

    private Requester<String, String, String, String> requester(RequestSettings settings) {
        return new Requester<>(postroad, settings, STRINGS, STRINGS);
    }

    private void answerPrices() {
        postroad.reply(
                "prices",
                ConsumerOptions.DEFAULT.withConcurrency(8),
                STRINGS,
                STRINGS,
                responder.around(request -> Message.of(request.key(), "price of " + request.value())));
    }

    @Test
    void each_of_many_requests_of_two_requesters_finds_its_own_reply() {
        postroad.declare(Channel.request("prices").withMaxMessages(1_000L));
        answerPrices();
        List<Requester<String, String, String, String>> requesters = List.of(requester(PRICES), requester(PRICES));
        List<CompletableFuture<Message<String, String>>> replies = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            replies.add(requesters.get(i % 2).ask(Message.of("k" + i, "article " + i)));
        }
        for (int i = 0; i < 600; i++) {
            Message<String, String> reply = replies.get(i).join();
            assertThat(reply.key()).isEqualTo("k" + i);
            assertThat(reply.value()).isEqualTo("price of article " + i);
        }
        for (Requester<?, ?, ?, ?> requester : requesters) {
            Await.until("all are counted", () -> requester.counts().equals(new Requester.Counts(300, 300, 0, 0, 0)));
        }
        assertThat(postroad.administration().channels().stream()
                        .filter(status -> status.channel().name().startsWith("replies.")))
                .hasSize(1);
    }

    @Test
    void a_second_request_with_the_correlation_id_of_one_that_waits_is_refused() {
        postroad.declare(Channel.request("prices"));
        Requester<String, String, String, String> requester = requester(PRICES);
        CompletableFuture<Message<String, String>> first =
                requester.ask(Message.<String, String>of("tea").withCorrelationId("c"));
        MessagingException refused = failure(
                () -> requester.askAndWait(Message.<String, String>of("milk").withCorrelationId("c")));
        assertThat(refused.reason()).isEqualTo(Reason.INVALID);
        answerPrices();
        assertThat(first.join().value()).isEqualTo("price of tea");
    }

    @Test
    void a_callback_is_told_each_outcome() throws Exception {
        postroad.declare(Channel.request("prices"), Channel.request("nobody"));
        postroad.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            if ("gold".equals(request.value())) {
                throw new IllegalStateException("no price today");
            }
            return Message.of("2.50");
        });
        BlockingQueue<Outcome<String, String>> outcomes = new LinkedBlockingQueue<>();
        requester(PRICES).ask(Message.of("tea"), outcomes::add);
        assertThat(next(outcomes))
                .isInstanceOfSatisfying(
                        Outcome.Replied.class,
                        replied -> assertThat(replied.reply().value()).isEqualTo("2.50"));
        requester(PRICES).ask(Message.of("gold"), outcomes::add);
        assertThat(next(outcomes))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.failure()).hasMessageContaining("no price today"));
        requester(RequestSettings.of("nobody").withTimeout(Duration.ofMillis(10)))
                .ask(Message.of("tea"), outcomes::add);
        assertThat(next(outcomes)).isInstanceOf(Outcome.TimedOut.class);
        requester(RequestSettings.of("unknown")).ask(Message.of("tea"), outcomes::add);
        assertThat(next(outcomes))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.failure().reason()).isEqualTo(Reason.NOT_FOUND));
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(30, TimeUnit.SECONDS);
        assertThat(next).isNotNull();
        return next;
    }

    @Test
    void the_bound_on_what_is_in_flight_holds_and_cancelling_makes_room() {
        postroad.declare(Channel.request("prices"));
        Requester<String, String, String, String> requester = requester(PRICES.withMaxInFlight(2));
        CompletableFuture<Message<String, String>> first = requester.ask(Message.of("a"));
        CompletableFuture<Message<String, String>> second = requester.ask(Message.of("b"));
        MessagingException full = failure(() -> requester.askAndWait(Message.of("c")));
        assertThat(full.reason()).isEqualTo(Reason.FULL);
        assertThat(full).hasMessageContaining("2 requests").hasMessageContaining("'prices'");
        first.cancel(false);
        answerPrices();
        assertThat(requester.askAndWait(Message.of("c")).value()).isEqualTo("price of c");
        assertThat(second.join().value()).isEqualTo("price of b");
        // Its waiter went with the cancelled future, so that its reply came too late.
        Await.until("the late reply is counted", () -> postroad.lateReplies() == 1);
        Await.until("nothing is in flight", () -> requester.counts().inFlight() == 0);
    }

    @Test
    void an_interrupted_wait_gives_its_request_up() throws Exception {
        postroad.declare(Channel.request("prices"));
        Requester<String, String, String, String> requester = requester(PRICES);
        CompletableFuture<MessagingException> thrown = new CompletableFuture<>();
        Thread waiting = Thread.ofPlatform()
                .start(() -> thrown.complete(failure(() -> {
                    requester.askAndWait(Message.of("tea"));
                })));
        Await.until("it waits", () -> requester.counts().inFlight() == 1);
        waiting.interrupt();
        assertThat(thrown.get(30, TimeUnit.SECONDS).reason()).isEqualTo(Reason.TIMEOUT);
        assertThat(requester.counts().inFlight()).isZero();
    }

    @Test
    void a_deadline_travels_to_the_server_and_on_to_what_it_asks() {
        postroad.declare(Channel.request("prices"), Channel.request("stock"));
        List<Instant> deadlines = new ArrayList<>();
        Requester<String, String, String, String> stock =
                requester(RequestSettings.of("stock").withTimeout(Duration.ofHours(1)));
        postroad.reply("stock", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            deadlines.add(Deadline.of(request).orElseThrow().at());
            return Message.of("7");
        });
        postroad.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            Deadline deadline = Deadline.of(request).orElseThrow();
            deadlines.add(deadline.at());
            return stock.askAndWait(deadline.on(Message.of(request.value())));
        });
        Instant before = Instant.now();
        assertThat(requester(PRICES).askAndWait(Message.of("tea")).value()).isEqualTo("7");
        assertThat(deadlines.getFirst())
                .isBetween(before.plusMillis(29_990), Instant.now().plusSeconds(30));
        // The hour of its own settings does not count; what is left of the thirty seconds does.
        assertThat(deadlines.getLast()).isBeforeOrEqualTo(Instant.now().plusSeconds(30));
    }

    @Test
    void a_request_past_its_deadline_is_neither_sent_nor_handled() {
        postroad.declare(Channel.request("prices"));
        answerPrices();
        Deadline passed = new Deadline(Instant.now().minusSeconds(1));
        Requester<String, String, String, String> requester = requester(PRICES);
        assertThat(failure(() -> requester.askAndWait(passed.on(Message.of("tea")))))
                .hasMessageContaining("it was not sent");
        assertThat(requester.counts().timedOut()).isEqualTo(1);
        try (var producer = postroad.producer(STRINGS)) {
            producer.send("prices", passed.on(Message.of("tea")));
        }
        Await.until("it is left out", () -> responder.expired() == 1);
        assertThat(responder.handled()).isZero();
    }

    @Test
    void a_reply_past_the_deadline_is_dropped_and_counted_on_both_sides() {
        postroad.declare(Channel.request("prices"));
        CountDownLatch timedOut = new CountDownLatch(1);
        AtomicInteger called = new AtomicInteger();
        postroad.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, responder.around(request -> {
            called.incrementAndGet();
            timedOut.await();
            return Message.of("2.50");
        }));
        // On a busy machine a request may expire before it is delivered; then the next one is asked.
        while (called.get() == 0) {
            MessagingException failure = failure(
                    () -> requester(PRICES.withTimeout(Duration.ofMillis(200))).askAndWait(Message.of("tea")));
            assertThat(failure.reason()).isEqualTo(Reason.TIMEOUT);
        }
        timedOut.countDown();
        Await.until("the late reply is counted", () -> postroad.lateReplies() >= 1 && responder.late() == 1);
    }

    private static MessagingException failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        MessagingException failure = catchThrowableOfType(MessagingException.class, call);
        assertThat(failure).isNotNull();
        return failure;
    }
}
