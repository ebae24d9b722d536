package dev.postroad.proof.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.proof.history.History.Rule;
import dev.postroad.testkit.Property;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HistoryTest {
    private static final int RUN = 7;

    private final History history = new History(RUN, Rule.ORDERED, Rule.DEDUPLICATED);

    private static Payload message(int producer, long sequence) {
        return new Payload(RUN, producer, sequence, 3);
    }

    private void sent(long first, int count) {
        history.attempted(0, first, count, 3);
        history.confirmed(0, first, count);
    }

    private void delivered(long sequence, int attempt) {
        history.delivered(0, attempt, -1, -1, message(0, sequence));
    }

    private Map<String, Long> broken() {
        return history.finish().broken();
    }

    @Test
    void what_was_confirmed_and_delivered_is_fine() {
        sent(0, 1);
        sent(1, 3);
        for (int i = 0; i < 4; i++) {
            delivered(i, 1);
            history.acknowledged(0, 0, i, 1);
        }

        Verdict verdict = history.finish();

        assertThat(verdict.broken()).isEmpty();
        assertThat(verdict.attempts()).isEqualTo(4);
        assertThat(verdict.confirmed()).isEqualTo(4);
    }

    @Test
    void what_is_sent_to_two_channels_at_once_is_in_both_or_in_none() {
        History other = new History(RUN + 1);
        for (History each : List.of(history, other)) {
            each.attempted(0, 0, 3, 3);
            each.unknown(0, 0, 3);
        }
        delivered(0, 1);
        other.delivered(0, 1, -1, -1, new Payload(RUN + 1, 0, 0, 3));
        delivered(1, 1);

        assertThat(history.torn(other, producer -> true))
                .hasSize(1)
                .first()
                .asString()
                .contains("message 1");
        assertThat(history.torn(other, producer -> producer != 0)).isEmpty();
        assertThat(history.finish()
                        .withTorn(history.torn(other, producer -> true))
                        .broken())
                .containsEntry("torn transactions", 1L);
    }

    @Test
    void a_confirmed_message_that_never_comes_is_lost() {
        sent(0, 1);
        sent(1, 1);
        delivered(0, 1);

        assertThat(broken()).containsOnly(Map.entry("lost", 1L));
        assertThat(history.finish().details()).first().asString().contains("message 1 of producer 0", "lost");
    }

    @Test
    void what_is_confirmed_is_missed_until_it_comes() {
        sent(0, 1);
        history.attempted(0, 1, 1, 3);
        history.unknown(0, 1, 1);

        assertThat(history.misses()).isTrue();
        delivered(0, 1);
        assertThat(history.misses()).isFalse();
    }

    @Test
    void with_no_delivery_at_all_everything_confirmed_is_lost() {
        sent(0, 1);
        sent(1, 1);

        assertThat(broken()).containsOnly(Map.entry("lost", 2L));
    }

    @Test
    void a_confirmed_message_missing_for_one_of_two_groups_is_lost() {
        sent(0, 1);
        sent(1, 1);
        history.delivered(0, 1, 0, 0, message(0, 0));
        history.delivered(0, 1, 0, 1, message(0, 1));
        history.delivered(1, 1, 0, 0, message(0, 0));

        assertThat(broken()).containsOnly(Map.entry("lost", 1L));
    }

    @Test
    void an_unknown_message_may_be_there_or_not() {
        history.attempted(0, 0, 1, 3);
        history.attempted(0, 1, 1, 3);
        history.unknown(0, 0, 1);
        history.unknown(0, 1, 1);
        delivered(1, 1);

        assertThat(broken()).isEmpty();
        assertThat(history.finish().recovered()).isEqualTo(1);
    }

    @Test
    void an_unknown_message_must_be_the_same_for_all_groups() {
        history.attempted(0, 0, 1, 3);
        history.attempted(0, 1, 1, 3);
        history.delivered(0, 1, 0, 0, message(0, 0));
        history.delivered(1, 1, 0, 0, message(0, 0));
        history.delivered(1, 1, 0, 1, message(0, 1));

        assertThat(broken()).containsOnly(Map.entry("unstable", 1L));
    }

    @Test
    void a_message_that_nobody_sent_is_invented() {
        sent(0, 1);
        delivered(0, 1);
        delivered(1, 1);
        history.delivered(0, 1, -1, -1, message(5, 0));
        history.delivered(0, 1, -1, -1, new Payload(RUN + 1, 0, 0, 3));

        assertThat(broken()).containsOnly(Map.entry("invented", 3L));
    }

    @Test
    void other_bytes_are_altered() {
        sent(0, 1);
        delivered(0, 1);
        history.delivered(0, 1, -1, -1, null);

        assertThat(broken()).containsOnly(Map.entry("altered", 1L));
    }

    @Test
    void an_attempt_counted_twice_is_a_duplicate() {
        sent(0, 1);
        delivered(0, 1);
        delivered(0, 1);

        assertThat(broken()).containsOnly(Map.entry("duplicated", 1L));
    }

    @Test
    void further_attempts_are_redeliveries() {
        sent(0, 1);
        delivered(0, 1);
        delivered(0, 2);
        delivered(0, 3);

        assertThat(broken()).isEmpty();
        assertThat(history.finish().redelivered()).isEqualTo(2);
    }

    @Test
    void a_second_copy_is_lawful_only_without_deduplication() {
        History lenient = new History(RUN);
        for (History each : List.of(history, lenient)) {
            each.attempted(0, 0, 1, 3);
            each.unknown(0, 0, 1);
            each.attempted(0, 0, 1, 3);
            each.confirmed(0, 0, 1);
            each.delivered(0, 1, -1, -1, message(0, 0));
            each.delivered(0, 1, -1, -1, message(0, 0));
        }

        assertThat(broken()).containsOnly(Map.entry("duplicated", 1L));
        assertThat(lenient.finish().broken()).isEmpty();
    }

    @Test
    void a_later_message_of_the_key_before_an_earlier_one_is_reordered() {
        sent(0, 1);
        sent(1, 1);
        delivered(1, 1);
        delivered(0, 1);

        assertThat(broken()).containsOnly(Map.entry("reordered", 1L));
    }

    @Test
    void other_keys_and_other_producers_may_overtake() {
        sent(0, 1);
        history.attempted(0, 1, 1, 4);
        history.confirmed(0, 1, 1);
        history.attempted(1, 0, 1, 3);
        history.confirmed(1, 0, 1);
        history.delivered(0, 1, -1, -1, new Payload(RUN, 0, 1, 4));
        history.delivered(0, 1, -1, -1, new Payload(RUN, 1, 0, 3));
        delivered(0, 1);

        assertThat(broken()).isEmpty();
    }

    @Test
    void what_was_sent_again_has_no_place_in_the_order() {
        sent(0, 1);
        sent(1, 1);
        history.attempted(0, 0, 1, 3);
        delivered(1, 1);
        delivered(0, 1);

        assertThat(broken()).isEmpty();
    }

    @Test
    void what_is_unresolved_is_told_without_batches() {
        sent(0, 1);
        history.attempted(0, 1, 1, 3);
        history.attempted(0, 2, 2, 3);
        history.attempted(0, 4, 1, 3);
        history.refused(0, 4, 1);
        history.attempted(0, 5, 1, 3);
        history.unknown(0, 5, 1);

        assertThat(history.unresolved(0)).containsExactly(new History.Unresolved(0, 1), new History.Unresolved(0, 5));
        assertThat(history.unresolved(1)).isEmpty();
    }

    @Test
    void what_was_refused_must_not_come() {
        history.attempted(0, 0, 1, 3);
        history.refused(0, 0, 1);
        delivered(0, 1);

        assertThat(broken()).containsOnly(Map.entry("delivered though refused", 1L));
    }

    @Test
    void what_was_settled_must_not_return() {
        sent(0, 1);
        delivered(0, 1);
        history.acknowledged(0, 0, 0, 1);
        delivered(0, 2);

        assertThat(broken()).containsOnly(Map.entry("returned after being settled", 1L));
    }

    @Test
    void an_earlier_attempt_seen_late_is_no_return() {
        sent(0, 1);
        delivered(0, 2);
        history.acknowledged(0, 0, 0, 2);
        delivered(0, 1);

        assertThat(broken()).isEmpty();
    }

    @Test
    void half_a_batch_is_partial() {
        history.attempted(0, 0, 3, 3);
        history.unknown(0, 0, 3);
        history.attempted(0, 3, 2, 3);
        history.unknown(0, 3, 2);
        history.attempted(0, 5, 2, 3);
        history.unknown(0, 5, 2);
        delivered(0, 1);
        delivered(1, 1);
        delivered(3, 1);
        delivered(4, 1);

        assertThat(broken()).containsOnly(Map.entry("partial batches", 1L));
    }

    @Test
    void an_offset_holds_one_message() {
        sent(0, 1);
        sent(1, 1);
        history.placed(0, 0, 2, 9);
        history.delivered(0, 1, 2, 9, message(0, 0));
        history.delivered(0, 1, 2, 9, message(0, 1));

        assertThat(broken()).containsOnly(Map.entry("offsets reused", 1L));
    }

    @Test
    void an_outcome_without_an_attempt_is_the_drivers_fault() {
        assertThatThrownBy(() -> history.confirmed(0, 0, 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not attempted");
    }

    @Test
    void every_changed_byte_of_a_payload_is_seen() {
        Property.forAll("every changed byte of a payload is seen", 50, generator -> {
            Payload payload = message(generator.between(0, 9), generator.between(0, 1_000_000));
            byte[] bytes = payload.write(generator.between(Payload.LEAST_BYTES, 300));
            assertThat(Payload.read(bytes)).isEqualTo(payload);
            for (int i = 0; i < bytes.length; i++) {
                byte[] changed = bytes.clone();
                changed[i] ^= (byte) (1 << (i % 8));
                assertThat(Payload.read(changed)).isNull();
            }
            assertThat(Payload.read(Arrays.copyOf(bytes, bytes.length - 1))).isNull();
        });
    }

    @Test
    void a_transcript_tells_the_same_as_the_events_themselves_and_nothing_of_a_cut_line(@TempDir Path folder)
            throws Exception {
        Path file = folder.resolve("history");
        List<Consumer<Witness>> events = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            int sequence = i;
            events.add(each -> each.attempted(0, sequence, 1, 3));
            events.add(each -> each.confirmed(0, sequence, 1));
            events.add(each -> each.placed(0, sequence, 1, sequence));
            if (i != 500) {
                events.add(each -> each.delivered(0, 1, 1, sequence, message(0, sequence)));
                events.add(each -> each.acknowledged(0, 0, sequence, 1));
            }
        }
        events.add(each -> each.attempted(1, 0, 2, 3));
        events.add(each -> each.refused(1, 0, 2));
        events.add(each -> each.attempted(1, 2, 1, 3));
        events.add(each -> each.unknown(1, 2, 1));
        events.add(each -> each.delivered(0, 1, -1, -1, null));
        History copy = new History(RUN, Rule.ORDERED, Rule.DEDUPLICATED);
        try (Transcript transcript = new Transcript(file)) {
            events.forEach(event -> event.accept(history));
            events.subList(0, 700).forEach(event -> event.accept(transcript));
            long place = Transcript.replay(file, 0, copy);
            events.subList(700, events.size()).forEach(event -> event.accept(transcript));
            Files.writeString(file, "c 1 2", StandardOpenOption.APPEND);
            Transcript.replay(file, place, copy);
        }

        assertThat(copy.finish()).isEqualTo(history.finish());
        assertThat(copy.finish().broken()).containsOnly(Map.entry("lost", 1L), Map.entry("altered", 1L));
    }

    @Test
    void millions_of_messages_fit() {
        int count = 3_000_000;
        for (int i = 0; i < count; i++) {
            history.attempted(0, i, 1, i & 255);
            history.confirmed(0, i, 1);
            history.delivered(0, 1, 0, i, new Payload(RUN, 0, i, i & 255));
            history.acknowledged(0, 0, i, 1);
        }

        assertThat(broken()).isEmpty();
        assertThat(history.confirmedCount()).isEqualTo(count);
    }
}
