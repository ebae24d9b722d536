package dev.postroad.patterns.deadletters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeadLettersTest {
    private static final Channel ORDERS = Channel.command("orders");

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final DeadLetters letters = new DeadLetters(postroad, "orders.dead");

    @BeforeEach
    void declare() {
        postroad.declare(ORDERS);
    }

    @AfterEach
    void close() {
        postroad.close();
    }

    private void bury(int count) throws InterruptedException {
        List<Message<byte[], byte[]>> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            messages.add(Letters.message("k" + i % 3, "m" + i));
        }
        Letters.bury(postroad, ORDERS, messages);
    }

    private List<String> received(String channel, int count) throws InterruptedException {
        List<String> texts = new ArrayList<>();
        try (Transport.Receiver receiver = postroad.transport().receive(List.of(channel), ConsumerOptions.DEFAULT)) {
            while (texts.size() < count) {
                for (Delivery<byte[], byte[]> delivery : receiver.receive(100, Duration.ofSeconds(30))) {
                    assertThat(delivery.attempt()).isEqualTo(1);
                    texts.add(Letters.text(delivery.message()));
                    delivery.acknowledge().join();
                }
            }
        }
        return texts;
    }

    private static List<String> texts(List<Letter> found) {
        return found.stream().map(letter -> Letters.text(letter.message())).toList();
    }

    @Test
    void letters_are_found_by_what_they_tell() throws Exception {
        bury(6);
        Letter first = letters.search(LetterFilter.ALL, 10).getFirst();
        Instant died = first.told().time();
        assertThat(first.told().exception()).isEqualTo("java.lang.IllegalStateException");
        assertThat(first.message().headers()).isEmpty();
        assertThat(texts(letters.search(LetterFilter.ALL.withKey("k1"), 10))).containsExactly("m1", "m4");
        assertThat(texts(letters.search(LetterFilter.ALL.withReason("NO USE: m3"), 10)))
                .containsExactly("m3");
        assertThat(texts(letters.search(LetterFilter.ALL.withId("id-m2"), 10))).containsExactly("m2");
        assertThat(letters.search(LetterFilter.ALL.withException("IllegalStateException"), 4))
                .hasSize(4);
        assertThat(letters.search(LetterFilter.ALL.withException("StateException"), 4))
                .isEmpty();
        assertThat(letters.search(LetterFilter.ALL.withFrom(died).withTo(Instant.MAX), 10))
                .hasSize(6);
        assertThat(letters.search(LetterFilter.ALL.withTo(died), 10)).isEmpty();
        assertThat(letters.search(LetterFilter.ALL.withCause(DeadLetter.Cause.EXPIRED), 10))
                .isEmpty();
        assertThat(texts(letters.search(LetterFilter.ALL.withRule("messageId IN ('id-m0', 'id-m5')"), 10)))
                .containsExactly("m0", "m5");
        assertThat(letters.find(first.number())).contains(first);
        assertThat(letters.find(first.number() + 1_000)).isEmpty();
        LetterFilter all = new LetterFilter(
                "a = 1", "r", "e", DeadLetter.Cause.REJECTED, "o", "g", "k", "i", died, died.plusSeconds(1));
        assertThat(LetterFilter.of(all.toMap())).isEqualTo(all);
    }

    @Test
    void an_edited_letter_goes_back_once_and_the_ledger_says_who_did_it() throws Exception {
        bury(2);
        long number = letters.search(LetterFilter.ALL, 1).getFirst().number();
        assertThat(letters.resend(
                        number,
                        "anna",
                        message -> message.withKeyAndValue(message.key(), "mended".getBytes(StandardCharsets.UTF_8))
                                .withHeader("mended", "yes")))
                .isTrue();
        assertThat(letters.resend(number, "anna", message -> message)).isFalse();
        assertThat(received("orders", 1)).containsExactly("mended");
        Run run = letters.runs().getFirst();
        assertThat(run.state()).isEqualTo(Run.State.RESENT);
        assertThat(run.settings().by()).isEqualTo("anna");
        assertThat(run.ids()).containsExactly("id-m0");
        assertThat(Letters.count(postroad, "orders.dead")).isEqualTo(1);
    }

    @Test
    void a_redrive_puts_back_what_fits_batch_by_batch_and_the_books_balance() throws Exception {
        bury(25);
        List<Long> progress = new ArrayList<>();
        Run run = letters.redrive(
                RedriveSettings.DEFAULT
                        .withFilter(LetterFilter.ALL.withKey("k0"))
                        .withBatch(4)
                        .withPerSecond(1_000)
                        .withBy("anna"),
                progress::add);
        assertThat(run.state()).isEqualTo(Run.State.ENDED);
        assertThat(run.putBack()).isEqualTo(9);
        assertThat(run.stayed()).isZero();
        assertThat(progress).containsExactly(4L, 8L, 9L);
        assertThat(run.ids()).hasSize(9).startsWith("id-m0", "id-m3").doesNotHaveDuplicates();
        assertThat(received("orders", 9)).startsWith("m0", "m3", "m6").hasSize(9);
        assertThat(letters.redrive(RedriveSettings.DEFAULT.withMax(5)).putBack())
                .isEqualTo(5);
        assertThat(letters.runs()).extracting(Run::putBack).containsExactly(9L, 5L);
        assertThat(Letters.count(postroad, "orders.dead")).isEqualTo(11);
        assertThat(letters.resume(done -> {})).isEmpty();
    }

    @Test
    void two_redrives_of_a_channel_are_not_at_work_at_once() throws Exception {
        bury(10);
        AtomicReference<MessagingException> refused = new AtomicReference<>();
        Run run = letters.redrive(RedriveSettings.DEFAULT.withBatch(5), done -> {
            if (done == 5) {
                try {
                    new DeadLetters(postroad, "orders.dead").redrive(RedriveSettings.DEFAULT);
                } catch (MessagingException e) {
                    refused.set(e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        assertThat(run.putBack()).isEqualTo(10);
        assertThat(refused.get().reason()).isEqualTo(MessagingException.Reason.IN_USE);
        assertThat(refused.get()).hasMessageContaining("orders.dead.ledger");
        assertThat(received("orders", 10)).doesNotHaveDuplicates();
    }

    @Test
    void a_redrive_that_breaks_off_is_resumed_and_leaves_what_died_since() throws Exception {
        bury(10);
        assertThatThrownBy(() -> letters.redrive(RedriveSettings.DEFAULT.withBatch(3), done -> {
                    throw new IllegalStateException("the operator's terminal is gone");
                }))
                .hasMessage("the operator's terminal is gone");
        assertThat(letters.runs()).extracting(Run::state).containsExactly(Run.State.OPEN);
        Letters.bury(postroad, ORDERS, List.of(Letters.message("late", "late")));

        Run run = letters.resume(done -> {}).orElseThrow();
        assertThat(run.state()).isEqualTo(Run.State.ENDED);
        assertThat(run.putBack())
                .as("what was put back and died again is not put back twice")
                .isEqualTo(10);
        assertThat(run.settings().batch()).isEqualTo(3);
        assertThat(texts(letters.search(LetterFilter.ALL, 100))).contains("late");
    }

    @Test
    void in_a_channel_ordered_by_key_letters_go_back_in_sequence_and_none_before_one_that_does_not_fit()
            throws Exception {
        Channel lines = Channel.command("lines").withOrderedByKey(true);
        postroad.declare(lines);
        List<Message<byte[], byte[]>> messages = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            messages.add(Letters.message("k" + i % 3, "m" + i));
        }
        Letters.bury(postroad, lines, messages);
        DeadLetters dead = new DeadLetters(postroad, "lines.dead");
        Run held = dead.redrive(RedriveSettings.DEFAULT.withFilter(LetterFilter.ALL.withId("id-m4")));
        assertThat(held.putBack()).isZero();
        assertThat(held.stayed()).isEqualTo(1);
        Run run = dead.redrive(RedriveSettings.DEFAULT.withBatch(2));
        assertThat(run.putBack()).isEqualTo(12);
        List<String> back = received("lines", 12);
        for (int key = 0; key < 3; key++) {
            int k = key;
            assertThat(back.stream()
                            .map(text -> Integer.parseInt(text.substring(1)))
                            .filter(number -> number % 3 == k))
                    .isSorted()
                    .hasSize(4);
        }
    }

    /** Long lines of few keys, in batches that the broker has to carry out in several. */
    @Test
    void letters_of_few_keys_in_large_batches_go_back_once_each_and_in_order() throws Exception {
        Channel lines = Channel.command("lines").withOrderedByKey(true);
        postroad.declare(lines);
        List<Message<byte[], byte[]>> messages = new ArrayList<>();
        for (int i = 0; i < 900; i++) {
            messages.add(Letters.message("k" + i % 3, "m" + i));
        }
        Letters.bury(postroad, lines, messages);
        Run run = new DeadLetters(postroad, "lines.dead").redrive(RedriveSettings.DEFAULT.withBatch(1_000));
        assertThat(run.putBack()).isEqualTo(900);
        List<String> back = postroad.administration().browse("lines", null, 10_000).stream()
                .map(found -> new String(found.message().key(), StandardCharsets.UTF_8) + " "
                        + found.message().id())
                .toList();
        assertThat(back).hasSize(900).doesNotHaveDuplicates();
        for (int key = 0; key < 3; key++) {
            String of = "k" + key + " ";
            assertThat(back.stream().filter(each -> each.startsWith(of)))
                    .isSortedAccordingTo(java.util.Comparator.comparingInt(
                            each -> Integer.parseInt(each.substring(each.lastIndexOf('m') + 1))));
        }
        assertThat(Letters.count(postroad, "lines.dead")).isZero();
    }
}
