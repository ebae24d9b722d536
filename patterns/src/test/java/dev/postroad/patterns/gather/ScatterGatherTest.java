package dev.postroad.patterns.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScatterGatherTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Duration LONG = Duration.ofMinutes(5);

    private final Postroad postroad = Postroad.connect("embedded:memory");

    @AfterEach
    void close() {
        postroad.close();
    }

    private void answering(String channel) {
        postroad.declare(Channel.request(channel).withTimeout(LONG));
        postroad.reply(
                channel,
                ConsumerOptions.DEFAULT,
                STRINGS,
                STRINGS,
                request -> Message.of(request.value() + " by " + channel));
    }

    private void failing(String channel) {
        postroad.declare(Channel.request(channel).withTimeout(LONG));
        postroad.reply(channel, ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            throw new IllegalStateException(channel + " is on strike");
        });
    }

    private void silent(String channel) {
        postroad.declare(Channel.request(channel).withTimeout(LONG));
    }

    private ScatterGather<String, String, String, String> gather(GatherSettings settings) {
        return new ScatterGather<>(postroad, settings, STRINGS, STRINGS);
    }

    @Test
    void all_replies_come_in_one_result_each_under_its_own_target() {
        for (String target : Set.of("a", "b", "c")) {
            answering(target);
        }
        var all = gather(GatherSettings.of("a", "b", "c").withTimeout(LONG));
        for (int i = 0; i < 50; i++) {
            // A correlation id of the user's own must not make the three requests one.
            Gathered<String, String> result =
                    all.askAndWait(Message.<String, String>of("parcel " + i).withCorrelationId("mine"));
            assertThat(result.complete()).isTrue();
            assertThat(result.replies()).hasSize(3);
            for (String target : Set.of("a", "b", "c")) {
                assertThat(result.replies().get(target).value()).isEqualTo("parcel " + i + " by " + target);
            }
        }
        assertThat(all.complete()).isEqualTo(50);
    }

    @Test
    void a_partial_result_names_who_failed_and_who_could_not_be_asked() {
        answering("a");
        failing("b");
        Gathered<String, String> result =
                gather(GatherSettings.of("a", "b", "unknown").withTimeout(LONG)).askAndWait(Message.of("x"));
        assertThat(result.complete()).isFalse();
        assertThat(result.replies()).containsOnlyKeys("a");
        assertThat(result.failures()).containsOnlyKeys("b", "unknown");
        assertThat(result.failures().get("b")).hasMessageContaining("b is on strike");
        assertThat(result.failures().get("unknown").reason()).isEqualTo(Reason.NOT_FOUND);
        assertThat(result.unawaited()).isEmpty();
    }

    @Test
    void the_deadline_ends_it_with_what_has_come() {
        answering("a");
        silent("b");
        Gathered<String, String> result = gather(GatherSettings.of("a", "b").withTimeout(Duration.ofMillis(300)))
                .askAndWait(Message.of("x"));
        assertThat(result.complete()).isFalse();
        assertThat(result.failures().get("b").reason()).isEqualTo(Reason.TIMEOUT);
        Set<String> accounted = new HashSet<>(result.replies().keySet());
        accounted.addAll(result.failures().keySet());
        assertThat(accounted).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void the_first_so_many_replies_are_enough_and_nothing_is_left_waiting() {
        answering("a");
        answering("b");
        silent("c");
        var two = gather(GatherSettings.of("a", "c", "b").withFirst(2).withTimeout(LONG));
        for (int i = 0; i < 20; i++) {
            Gathered<String, String> result = two.askAndWait(Message.of("x" + i));
            assertThat(result.complete()).isTrue();
            assertThat(result.replies()).containsOnlyKeys("a", "b");
            assertThat(result.unawaited()).containsExactly("c");
        }
        Await.until(
                "nothing is in flight",
                () -> two.counts().values().stream().allMatch(counts -> counts.inFlight() == 0));
    }

    @Test
    void a_quorum_that_can_not_come_any_more_ends_it_at_once() {
        failing("a");
        failing("b");
        silent("c");
        var quorum = gather(GatherSettings.of("a", "b", "c").withQuorum().withTimeout(LONG));
        Gathered<String, String> result = quorum.askAndWait(Message.of("x"));
        assertThat(result.complete()).isFalse();
        assertThat(result.failures()).containsOnlyKeys("a", "b");
        assertThat(result.unawaited()).containsExactly("c");
        assertThat(quorum.partial()).isEqualTo(1);
    }

    @Test
    void a_reply_after_enough_have_come_is_dropped_and_counted() throws Exception {
        answering("a");
        silent("b");
        CountDownLatch gathered = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        postroad.reply("b", ConsumerOptions.DEFAULT, STRINGS, STRINGS, request -> {
            asked.countDown();
            gathered.await();
            return Message.of("late");
        });
        var first = gather(GatherSettings.of("b", "a").withFirst(1).withTimeout(LONG));
        Gathered<String, String> result = first.askAndWait(Message.of("x"));
        asked.await();
        gathered.countDown();
        assertThat(result.replies()).containsOnlyKeys("a");
        Await.until("it is counted", () -> postroad.lateReplies() == 1);
    }

    @Test
    void cancelling_gives_up_what_is_waited_for() {
        silent("a");
        silent("b");
        var all = gather(GatherSettings.of("a", "b").withTimeout(LONG));
        CompletableFuture<Gathered<String, String>> result = all.ask(Message.of("x"));
        assertThat(all.counts().values()).allMatch(counts -> counts.inFlight() == 1);
        result.cancel(false);
        assertThat(all.counts().values()).allMatch(counts -> counts.inFlight() == 0);
    }

    @Test
    void settings_out_of_bounds_are_named() {
        assertThatThrownBy(() -> GatherSettings.of("a", "b").withFirst(3)).hasMessageContaining("enough is 3");
        assertThatThrownBy(() -> GatherSettings.of("a", "a")).hasMessageContaining("without repetitions");
        assertThatThrownBy(() -> GatherSettings.of()).hasMessageContaining("0 channels");
    }
}
