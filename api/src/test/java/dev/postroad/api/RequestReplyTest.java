package dev.postroad.api;

import static dev.postroad.api.Failures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.MessagingException.Reason;
import dev.postroad.memory.MemoryBroker;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RequestReplyTest {
    private static final Format<String, String> STRINGS = Format.strings();

    private final MemoryBroker broker = MemoryBroker.inRealTime();
    private final Postroad asking = Postroad.over(broker.connect());
    private final Postroad answering = Postroad.over(broker.connect());

    @AfterEach
    void close() {
        asking.close();
        answering.close();
    }

    private CompletableFuture<Message<String, String>> ask(Message<String, String> question) {
        return asking.request("prices", question, STRINGS, STRINGS);
    }

    private static Message<String, String> answer(Message<String, String> request) {
        return Message.of(request.key(), "price of " + request.value());
    }

    @Test
    void eachOfManyRequestsFindsItsReply() {
        asking.declare(Channel.request("prices").withMaxMessages(500L));
        answering.reply(
                "prices", ConsumerOptions.DEFAULT.withConcurrency(8), STRINGS, STRINGS, RequestReplyTest::answer);
        List<CompletableFuture<Message<String, String>>> replies = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            replies.add(ask(Message.of("k" + i, "article " + i)));
        }
        for (int i = 0; i < 500; i++) {
            Message<String, String> reply = replies.get(i).join();
            assertThat(reply.key()).isEqualTo("k" + i);
            assertThat(reply.value()).isEqualTo("price of article " + i);
        }
    }

    @Test
    void aRequestThatNobodyAnswersTimesOutAndExpires() {
        asking.declare(Channel.request("prices"));
        Message<String, String> question =
                Message.<String, String>of("k", "tea").withTtl(Duration.ofMillis(20));
        CompletableFuture<Message<String, String>> reply = ask(question);
        assertRefused(Reason.TIMEOUT, () -> Blocking.await(reply, "asking")).contains("'prices'", "PT0.02S", "unknown");
        Await.until("the request is gone", () -> status("prices").ready() == 0);
    }

    @Test
    void aLateReplyIsDroppedAndCounted() {
        asking.declare(Channel.request("prices"));
        CountDownLatch timedOut = new CountDownLatch(1);
        answering.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            timedOut.await();
            return answer(request);
        });
        CompletableFuture<Message<String, String>> reply =
                ask(Message.<String, String>of("k", "tea").withTtl(Duration.ofMillis(500)));
        Await.until("the request is at work or over", () -> status("prices").inFlight() == 1 || reply.isDone());
        assertRefused(Reason.TIMEOUT, () -> Blocking.await(reply, "asking"));
        boolean handled = status("prices").inFlight() == 1;
        timedOut.countDown();
        if (handled) {
            Await.until("the late reply is counted", () -> asking.lateReplies() == 1);
        }
    }

    @Test
    void noMoreRequestsWaitThanTheChannelHolds() {
        asking.declare(Channel.request("prices").withMaxMessages(3L));
        for (int i = 0; i < 3; i++) {
            ask(Message.of("k", "v"));
        }
        assertRefused(Reason.FULL, () -> ask(Message.of("k", "v"))).contains("3 requests wait", "'prices'");
    }

    @Test
    void aFailedHandlerIsToldToTheRequester() {
        asking.declare(Channel.request("prices"));
        answering.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            throw new IllegalStateException("the list is lost");
        });
        CompletableFuture<Message<String, String>> reply = ask(Message.of("k", "tea"));
        assertRefused(Reason.FAILED, () -> Blocking.await(reply, "asking")).contains("the list is lost");
    }

    @Test
    void requestsThatWaitFailWhenTheConnectionCloses() {
        asking.declare(Channel.request("prices"));
        CompletableFuture<Message<String, String>> reply = ask(Message.of("k", "tea"));
        asking.close();
        assertRefused(Reason.CLOSED, () -> Blocking.await(reply, "asking"));
        assertThat(answering.administration().channels())
                .extracting(status -> status.channel().name())
                .containsExactly("prices");
    }

    @Test
    void aRequestWithoutReplyToIsHandledAllTheSame() {
        asking.declare(Channel.request("prices"));
        Subscription subscription =
                answering.reply("prices", ConsumerOptions.DEFAULT, STRINGS, STRINGS, RequestReplyTest::answer);
        asking.producer(STRINGS).send("prices", Message.of("k", "tea"));
        Await.until("it is handled", () -> subscription.counts().acknowledged() == 1);
    }

    private Administration.ChannelStatus status(String channel) {
        return answering.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .findFirst()
                .orElseThrow();
    }
}
