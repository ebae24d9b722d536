package dev.postroad.patterns.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.integrations.junit.Fault;
import dev.postroad.integrations.junit.Faults;
import dev.postroad.integrations.junit.SeededTest;
import dev.postroad.integrations.junit.TestBroker;
import dev.postroad.patterns.schedule.ScheduleSettings.Missed;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SchedulerTest {
    private static final Instant BEGIN = Instant.parse("2030-01-01T00:00:00Z");

    private TestBroker broker = TestBroker.start(Faults.none(), BEGIN);

    @AfterEach
    void close() {
        broker.close();
    }

    private Scheduler open() {
        return open(ScheduleSettings.DEFAULT);
    }

    private Scheduler open(ScheduleSettings settings) {
        broker.postroad().declare(Channel.command("reminders"), Channel.event("ticks"));
        return Scheduler.open(broker.postroad(), settings.withClock(broker.clock()));
    }

    /** What arrives, with the day and the time of day. */
    private List<String> arrivals(String channel) {
        List<String> arrivals = Collections.synchronizedList(new ArrayList<>());
        ConsumerOptions options =
                channel.equals("ticks") ? ConsumerOptions.DEFAULT.withGroup("test") : ConsumerOptions.DEFAULT;
        broker.postroad()
                .listen(
                        channel,
                        Format.strings(),
                        options,
                        delivery ->
                                arrivals.add(broker.clock().instant().toString().substring(8, 16) + " "
                                        + delivery.message().value()));
        return arrivals;
    }

    private static Message<String, String> message(String value) {
        return Message.of("key", value);
    }

    @Test
    void a_message_is_sent_after_its_delay_and_at_its_moment_and_not_before() {
        Scheduler scheduler = open();
        List<String> arrivals = arrivals("reminders");
        scheduler.in(Duration.ofDays(2), "reminders", message("in two days"), Format.strings());
        scheduler.at(BEGIN.plus(Duration.ofHours(3)), "reminders", message("at three"), Format.strings());
        scheduler.at(BEGIN.minusSeconds(5), "reminders", message("at once"), Format.strings());
        assertThat(scheduler.pending(10))
                .extracting(Scheduled::at)
                .contains(BEGIN.plus(Duration.ofHours(3)), BEGIN.plus(Duration.ofDays(2)));
        broker.advance(Duration.ofDays(30));
        assertThat(arrivals).containsExactly("01T00:00 at once", "01T03:00 at three", "03T00:00 in two days");
        assertThat(scheduler.pending(10)).isEmpty();
        Await.until("three counted", () -> scheduler.fired() == 3);
    }

    @Test
    void what_is_sent_is_the_message_as_it_was_given() {
        Scheduler scheduler = open();
        List<Message<String, String>> got = Collections.synchronizedList(new ArrayList<>());
        broker.postroad()
                .listen(
                        "ticks",
                        Format.strings(),
                        ConsumerOptions.DEFAULT.withGroup("test"),
                        delivery -> got.add(delivery.message()));
        Message<String, String> given = message("v")
                .withHeader("a", "b")
                .withType("Reminder")
                .withCorrelationId("c-1")
                .withPriority(3);
        String id = scheduler.in(Duration.ofHours(1), "ticks", given, Format.strings());
        broker.advance(Duration.ofHours(1));
        assertThat(got).singleElement().satisfies(message -> {
            assertThat(message.key()).isEqualTo("key");
            assertThat(message.value()).isEqualTo("v");
            assertThat(message.headers()).containsExactlyEntriesOf(given.headers());
            assertThat(message.id()).isEqualTo(id);
            assertThat(message.type()).isEqualTo("Reminder");
            assertThat(message.correlationId()).isEqualTo("c-1");
            assertThat(message.properties().deliverAt()).isNull();
            assertThat(message.properties().destination()).isEqualTo("ticks");
        });
    }

    @Test
    void a_message_that_is_cancelled_does_not_come() {
        Scheduler scheduler = open();
        List<String> arrivals = arrivals("reminders");
        String first = scheduler.in(Duration.ofDays(1), "reminders", message("first"), Format.strings());
        scheduler.in(Duration.ofDays(1), "reminders", message("second"), Format.strings());
        assertThat(scheduler.cancel(first)).isTrue();
        assertThat(scheduler.cancel(first)).isFalse();
        assertThat(scheduler.cancel("nobody")).isFalse();
        broker.advance(Duration.ofDays(2));
        assertThat(arrivals).containsExactly("02T00:00 second");
    }

    @Test
    void several_instances_send_each_message_once() {
        List<Scheduler> instances = List.of(open(), open(), open());
        List<String> arrivals = arrivals("reminders");
        for (Scheduler instance : instances) {
            instance.cron("hourly", Cron.parse("@hourly"), ZoneOffset.UTC, "reminders", message("h"), Format.strings());
        }
        IntStream.range(0, 50)
                .forEach(i -> instances
                        .get(i % 3)
                        .in(Duration.ofMinutes(i), "reminders", message("m" + i), Format.strings()));
        broker.advance(Duration.ofHours(24));
        assertThat(arrivals).hasSize(50 + 24).doesNotHaveDuplicates();
        Await.until(
                "74 counted",
                () -> instances.stream().mapToLong(Scheduler::fired).sum() == 74);
    }

    @Test
    void a_cron_that_is_registered_otherwise_takes_the_place_of_the_one_before() {
        Scheduler scheduler = open();
        List<String> arrivals = arrivals("reminders");
        Cron daily = Cron.parse("0 3 * * *");
        scheduler.cron("report", daily, ZoneOffset.UTC, "reminders", message("old"), Format.strings());
        scheduler.cron("report", daily, ZoneOffset.UTC, "reminders", message("new"), Format.strings());
        scheduler.cron(
                "report", Cron.parse("0 5 * * *"), ZoneOffset.UTC, "reminders", message("new"), Format.strings());
        scheduler.cron(
                "report", Cron.parse("0 5 * * *"), ZoneOffset.UTC, "reminders", message("new"), Format.strings());
        assertThat(scheduler.pending(10)).hasSize(1);
        broker.advance(Duration.ofDays(2));
        assertThat(arrivals).containsExactly("01T05:00 new", "02T05:00 new");
    }

    @Test
    void a_cron_ends_when_it_is_cancelled_and_may_begin_again_at_once() {
        Scheduler scheduler = open();
        List<String> arrivals = arrivals("reminders");
        for (int i = 0; i < 3; i++) {
            scheduler.cron("it's", Cron.parse("@daily"), ZoneOffset.UTC, "reminders", message("m"), Format.strings());
            assertThat(scheduler.cancelCron("it's")).isTrue();
            assertThat(scheduler.cancelCron("it's")).isFalse();
        }
        broker.advance(Duration.ofDays(3));
        assertThat(arrivals).isEmpty();
        scheduler.cron("it's", Cron.parse("@daily"), ZoneOffset.UTC, "reminders", message("m"), Format.strings());
        broker.advance(Duration.ofDays(1));
        assertThat(arrivals).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void moments_that_pass_while_no_instance_runs_come_as_the_settings_say(Missed missed) {
        ScheduleSettings settings = ScheduleSettings.DEFAULT.withMissed(missed);
        List<String> arrivals = arrivals(declared());
        try (Scheduler scheduler = open(settings)) {
            scheduler.cron(
                    "hourly", Cron.parse("@hourly"), ZoneOffset.UTC, "reminders", message("h"), Format.strings());
        }
        broker.advance(Duration.ofMinutes(5 * 60 + 30));
        Scheduler scheduler = open(settings);
        broker.advance(Duration.ofHours(1));
        List<String> late = IntStream.range(
                        0,
                        switch (missed) {
                            case ONCE -> 1;
                            case EACH -> 5;
                            case NONE -> 0;
                        })
                .mapToObj(i -> "01T05:30 h")
                .toList();
        List<String> wanted = new ArrayList<>(late);
        wanted.add("01T06:00 h");
        assertThat(arrivals).isEqualTo(wanted);
        assertThat(scheduler.skipped()).isEqualTo(missed == Missed.NONE ? 1 : 0);
    }

    private String declared() {
        broker.postroad().declare(Channel.command("reminders"));
        return "reminders";
    }

    @Test
    void what_its_channel_refuses_for_good_is_a_dead_letter_with_the_reason_and_a_cron_goes_on() {
        Scheduler scheduler = open();
        scheduler.in(Duration.ofHours(1), "nowhere", message("lost"), Format.strings());
        scheduler.cron("c", Cron.parse("@hourly"), ZoneOffset.UTC, "nowhere", message("c"), Format.strings());
        broker.advance(Duration.ofHours(2));
        broker.assertDeadLettered("schedule", "nowhere");
        assertThat(broker.deadLetters("schedule.cron")).isEqualTo(2);
        assertThat(scheduler.refused()).isEqualTo(3);
        broker.postroad().declare(Channel.command("nowhere"));
        broker.advance(Duration.ofHours(1));
        broker.assertPublished("nowhere", "c");
        assertThat(broker.postroad().administration().redrive("schedule.dead", null, 10))
                .isEqualTo(1);
        broker.settle();
        broker.assertPublished("nowhere", "lost");
    }

    @Test
    void a_channel_that_is_full_is_tried_again() {
        broker.postroad().declare(Channel.command("reminders").withMaxMessages(1L));
        Scheduler scheduler = Scheduler.open(broker.postroad(), ScheduleSettings.DEFAULT.withClock(broker.clock()));
        scheduler.in(Duration.ofHours(1), "reminders", message("a"), Format.strings());
        scheduler.in(Duration.ofHours(1), "reminders", message("b"), Format.strings());
        broker.advance(Duration.ofMinutes(61));
        broker.assertPublished("reminders", 1);
        List<String> arrivals = arrivals("reminders");
        broker.advance(Duration.ofMinutes(10));
        assertThat(arrivals).hasSize(2);
    }

    @Test
    void names_and_channels_out_of_bounds_are_refused() {
        Scheduler scheduler = open();
        assertThatThrownBy(() -> scheduler.cron(
                        "", Cron.parse("@daily"), ZoneOffset.UTC, "reminders", message("m"), Format.strings()))
                .isInstanceOf(MessagingException.class);
        assertThatThrownBy(() -> ScheduleSettings.DEFAULT.withChannel("")).hasMessageContaining("channel is ''");
    }

    @SeededTest(
            runs = 4,
            faults = {Fault.CRASH_BEFORE_SETTLE, Fault.CRASH_AFTER_SETTLE, Fault.LEASE_LOSS, Fault.RESTART, Fault.POISON
            })
    void each_message_is_sent_once_whatever_dies(TestBroker faulty) {
        broker.close();
        broker = faulty;
        Scheduler scheduler = open();
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            wanted.add("m" + i);
            scheduler.in(Duration.ofMinutes(i), "reminders", message("m" + i).withId("m" + i), Format.strings());
        }
        scheduler.cron("c", Cron.parse("*/5 * * * *"), ZoneOffset.UTC, "reminders", message("c"), Format.strings());
        faulty.advance(Duration.ofMinutes(100));
        assertThat(scheduler.fired()).isLessThanOrEqualTo(60);
        List<String> sent = new ArrayList<>();
        faulty.postroad()
                .administration()
                .browse("reminders", null, 1_000)
                .forEach(each -> sent.add(each.message().id()));
        assertThat(sent).doesNotHaveDuplicates();
        assertThat(sent.stream().filter(id -> id.startsWith("m")).toList()).containsExactlyInAnyOrderElementsOf(wanted);
        assertThat(sent.stream().filter(id -> id.startsWith("c@")).toList()).hasSize(20);
    }
}
