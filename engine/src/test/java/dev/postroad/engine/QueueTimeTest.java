package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Times to live, idle queues, delays and schedules. */
class QueueTimeTest {
    private static final long YEAR = 365L * 24 * 60 * 60 * 1000;

    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    @Test
    void aMessageThatIsNotTakenWithinTheQueuesTimeToLiveGoes() {
        rig.declare(QueueDefinition.named("q").withTtlMillis(10_000));
        rig.send("q", "a");
        rig.advance(5_000);
        rig.send("q", "b");
        rig.crash();
        rig.advance(5_000);

        assertThat(rig.contents("q")).containsExactly("b");
        assertThat(rig.status("q").counters().expired()).isEqualTo(1);
        rig.advance(5_000);
        assertThat(rig.contents("q")).isEmpty();
    }

    @Test
    void aMessagesOwnTimeToLiveCountsWhereItIsShorter() {
        rig.declare(QueueDefinition.named("q").withTtlMillis(10_000));
        rig.send("q", message("short").withTtlMillis(1_000), message("long").withTtlMillis(60_000), message("none"));
        rig.advance(1_000);
        assertThat(rig.contents("q")).containsExactly("long", "none");
        rig.advance(9_000);

        assertThat(rig.contents("q")).isEmpty();
    }

    @Test
    void whatExpiresBecomesADeadLetterThatSaysSo() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(QueueDefinition.named("q").withTtlMillis(1_000).withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("q", message("a").withTtlMillis(500));
        rig.crash();
        rig.advance(500);

        List<Command.Browsed> letters = rig.browse("dead");
        assertThat(letters).hasSize(1);
        assertThat(letters.getFirst().message().headers()).containsEntry(DeadLetterHeaders.CAUSE, "expired");
        rig.advance(60_000);
        assertThat(rig.contents("dead")).as("a letter has no time to live").containsExactly("a");
    }

    @Test
    void whatIsHeldExpiresWhenItComesBack() {
        rig.declare(QueueDefinition.named("q").withTtlMillis(1_000));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery held = taker.one();
        rig.advance(5_000);
        assertThat(rig.contents("q")).containsExactly("a");
        taker.release(held);

        assertThat(taker.take()).isEmpty();
        assertThat(rig.contents("q")).isEmpty();
    }

    @Test
    void expiredMessagesInAPageOnDiskGoToo() {
        rig.declare(QueueDefinition.named("q"));
        for (int i = 0; i < 60_000; i++) {
            rig.submit(Rig.publishing("q", message("m" + i).withTtlMillis(i % 2 == 0 ? 10_000 : 20_000)));
            if (i % 5_000 == 0) {
                rig.run();
            }
        }
        rig.run();
        rig.checkpoint();
        rig.crash();
        rig.advance(10_000);
        assertThat(rig.status("q").ready()).isEqualTo(30_000);
        rig.advance(10_000);

        assertThat(rig.status("q").ready()).isZero();
    }

    @Test
    void anIdleQueueGoesAndOneThatIsUsedStays() {
        rig.declare(QueueDefinition.named("idle").withExpiresMillis(10_000));
        rig.declare(QueueDefinition.named("used").withExpiresMillis(10_000));
        Rig.Taker taker = rig.consume("used", 1);
        rig.advance(9_999);
        assertThat(rig.exists("idle")).isTrue();
        rig.advance(1);
        assertThat(rig.exists("idle")).isFalse();
        assertThat(rig.exists("used")).isTrue();
        taker.leave();
        rig.crash();
        rig.advance(9_999);
        assertThat(rig.exists("used")).as("idle since the restart").isTrue();
        rig.advance(1);
        assertThat(rig.exists("used")).isFalse();
    }

    @Test
    void aDelayedMessageComesAtItsTimeFromMillisecondsToYears() {
        rig.declare(QueueDefinition.named("q"));
        Rig.Taker taker = rig.consume("q", 10);
        rig.send(
                "q",
                message("years").withDeliverAtMillis(rig.now() + 3 * YEAR),
                message("day").withDeliverAtMillis(rig.now() + 86_400_000),
                message("ms").withDeliverAtMillis(rig.now() + 5),
                message("past").withDeliverAtMillis(rig.now() - 1_000));
        assertThat(taker.texts()).containsExactly("past");
        rig.advance(4);
        assertThat(taker.take()).isEmpty();
        rig.advance(1);
        assertThat(taker.texts()).containsExactly("ms");
        rig.crash();
        Rig.Taker again = rig.consume("q", 10);
        assertThat(again.texts()).containsExactly("ms", "past");
        rig.advance(86_400_000);
        assertThat(again.texts()).containsExactly("day");
        rig.restart();
        Rig.Taker last = rig.consume("q", 10);
        last.take();
        rig.advance(3 * YEAR);

        assertThat(last.texts()).containsExactly("years");
    }

    @Test
    void delayedMessagesComeInOrderOfTheirTimes() {
        rig.declare(QueueDefinition.named("q"));
        rig.send(
                "q",
                message("c").withDeliverAtMillis(rig.now() + 3_000),
                message("a").withDeliverAtMillis(rig.now() + 1_000),
                message("b").withDeliverAtMillis(rig.now() + 2_000));
        Rig.Taker taker = rig.consume("q", 10);
        rig.advance(10_000);

        assertThat(taker.texts()).containsExactly("a", "b", "c");
    }

    @Test
    void whatWaitsForItsTimeIsListedAndCanBeCancelled() {
        rig.declare(QueueDefinition.named("q"));
        long at = rig.now() + YEAR;
        rig.send(
                "q",
                message("a").withId("1").withDeliverAtMillis(at),
                message("b").withId("2").withDeliverAtMillis(at));
        rig.crash();
        List<Command.Browsed> listed = rig.browse("q");
        assertThat(listed).extracting(Command.Browsed::state).containsOnly(Command.Browsed.State.DELAYED);
        assertThat(listed).extracting(Command.Browsed::notBeforeMillis).containsOnly(at);
        assertThat(rig.<Integer>call(reply -> new Command.Cancel("q", "1", reply)))
                .isEqualTo(1);
        assertThat(rig.<Integer>call(reply -> new Command.Cancel("q", "1", reply)))
                .isZero();
        rig.crash();
        Rig.Taker taker = rig.consume("q", 10);
        rig.advance(YEAR);

        assertThat(taker.texts()).containsExactly("b");
    }

    @Test
    void whatWaitsForARetryIsNotCancelled() {
        rig.declare(QueueDefinition.named("q"));
        rig.send("q", message("a").withId("1"));
        Rig.Taker taker = rig.consume("q", 1);
        taker.releaseAfter(60_000, taker.one());

        assertThat(rig.<Integer>call(reply -> new Command.Cancel("q", "1", reply)))
                .isZero();
        rig.advance(60_000);
        assertThat(taker.texts()).containsExactly("a");
    }

    @Test
    void a_lease_runs_out_by_steady_time_whatever_the_time_of_day() {
        rig.engine().steadyTime(0);
        rig.declare(QueueDefinition.named("q").withLeaseMillis(1_000));
        rig.send("q", "a");
        rig.consume("q", 1);
        rig.clock.jump(java.time.Duration.ofDays(1));
        rig.consume("q", 1);
        rig.run();
        assertThat(rig.log).as("the time of day went on by a day").hasSize(1);

        rig.clock.jump(java.time.Duration.ofDays(-2));
        rig.engine().steadyTime(1_000);
        rig.run();
        assertThat(rig.log)
                .as("the time of day went back, and the lease is over")
                .hasSize(2);
    }

    @Test
    void aClockThatIsSetBackHurtsNothing() {
        rig.declare(QueueDefinition.named("q").withLeaseMillis(1_000).withDedupMillis(60_000));
        rig.send("q", message("a").withId("1"), message("later").withDeliverAtMillis(rig.now() + 60_000));
        rig.clock.jump(java.time.Duration.ofDays(-400));
        assertThat(rig.send("q", message("a").withId("1")).duplicates()).isEqualTo(1);
        Rig.Taker taker = rig.consume("q", 10);
        assertThat(taker.texts()).containsExactly("a");
        rig.crash();
        assertThat(rig.send("q", message("a").withId("1")).duplicates()).isEqualTo(1);
        rig.send("q", message("b").withId("2"));
        Rig.Taker again = rig.consume("q", 10);
        assertThat(again.texts()).containsExactly("a", "b");
        rig.clock.jump(java.time.Duration.ofDays(800));
        rig.run();

        assertThat(again.take()).extracting(d -> text(d.message())).contains("later");
        assertThat(rig.send("q", message("c").withId("1")).duplicates()).isZero();
    }
}
