package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.Death.Cause;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.TopicDefinition.Routing;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a message remembers of having been given up. */
class DeathTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private EngineMessage only(String queue) {
        List<Command.Browsed> all = rig.browse(queue);
        assertThat(all).hasSize(1);
        return all.getFirst().message();
    }

    @Test
    void eachDeathIsCountedByQueueAndCauseWithItsRouteTimesAndTtl() {
        rig.declare(TopicDefinition.named("t", Routing.DIRECT));
        rig.declare(QueueDefinition.named("work").withDeadLetter(DeadLetterTarget.channel("wait")));
        rig.declare(
                QueueDefinition.named("wait").withTtlMillis(1000).withDeadLetter(new DeadLetterTarget("t", "again")));
        rig.bind(Binding.toChannel("t", "work", "first"));
        rig.bind(Binding.toChannel("t", "work", "again"));
        long start = rig.now();
        rig.sendTo("t", "first", message("m").withTtlMillis(60_000));
        for (int round = 0; round < 3; round++) {
            Rig.Taker taker = rig.consume("work", 1);
            taker.deadLetter("no", taker.one());
            taker.leave();
            rig.crash();
            rig.advance(1000);
        }
        EngineMessage back = only("work");
        assertThat(back.route()).isEqualTo(Route.of("t", "again"));
        assertThat(back.deaths())
                .containsExactly(
                        new Death(Cause.EXPIRED, "wait", null, 3, start + 1000, start + 3000, 0, false),
                        new Death(
                                Cause.REJECTED, "work", Route.of("t", "first"), 3, start, start + 2000, 60_000, true));
    }

    @Test
    void whatWouldGoRoundByItselfIsDroppedAndWhatIsRejectedOnTheWayIsNot() {
        rig.declare(QueueDefinition.named("a").withTtlMillis(100).withDeadLetter(DeadLetterTarget.channel("b")));
        rig.declare(QueueDefinition.named("b").withTtlMillis(100).withDeadLetter(DeadLetterTarget.channel("a")));
        rig.declare(QueueDefinition.named("self").withTtlMillis(100).withDeadLetter(new DeadLetterTarget(null, null)));
        rig.send("a", "round");
        rig.send("self", "at once");
        rig.advance(150);
        assertThat(rig.contents("b")).containsExactly("round");
        assertThat(rig.contents("self")).isEmpty();
        rig.crash();
        rig.advance(150);
        assertThat(rig.contents("a")).isEmpty();
        assertThat(rig.contents("b")).isEmpty();

        rig.send("a", "rejected");
        rig.advance(150);
        Rig.Taker taker = rig.consume("b", 1);
        taker.deadLetter("no", taker.one());
        assertThat(rig.contents("a")).containsExactly("rejected");
    }

    @Test
    void withoutAKeyOfItsOwnADeadLetterKeepsTheKeysOfItsMessage() {
        rig.declare(TopicDefinition.named("t", Routing.DIRECT));
        rig.declare(TopicDefinition.named("dead", Routing.DIRECT));
        rig.declare(QueueDefinition.named("q").withDeadLetter(new DeadLetterTarget("dead", null)));
        rig.declare(QueueDefinition.named("x"));
        rig.declare(QueueDefinition.named("y"));
        rig.bind(Binding.toChannel("t", "q", "one"));
        rig.bind(Binding.toChannel("dead", "x", "one"));
        rig.bind(Binding.toChannel("dead", "y", "blind"));
        Route way = new Route("t", List.of("one", "two", "blind"), 1);
        rig.sendTo("t", "one", message("m").withRoute(way));
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("no", taker.one());
        rig.crash();
        for (String queue : List.of("x", "y")) {
            assertThat(only(queue).route()).isEqualTo(new Route("dead", way.keys(), 1));
            assertThat(only(queue).deaths().getFirst().route()).isEqualTo(way);
        }
    }

    @Test
    void whatIsPutBackIsAsItWasPublished() {
        rig.declare(TopicDefinition.named("t", Routing.FANOUT));
        rig.declare(QueueDefinition.named("q").withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.declare(QueueDefinition.named("dead"));
        rig.bind(Binding.toChannel("t", "q", ""));
        rig.sendTo("t", "key", message("m"));
        EngineMessage sent = only("q");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("no", taker.one());
        taker.leave();
        rig.crash();
        assertThat(rig.<Long>call(reply -> new Command.Redrive("dead", null, 10, reply)))
                .isEqualTo(1);
        EngineMessage back = only("q");
        assertThat(back.route()).isEqualTo(sent.route());
        assertThat(back.deaths()).isEmpty();
        assertThat(back.headers()).isEmpty();
    }

    @Test
    void aNewcomerToAFullQueueIsRefusedAndDeadLetteredWhereTheQueueSaysSo() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(QueueDefinition.named("q")
                .withMaxMessages(1)
                .withDeadLetter(DeadLetterTarget.channel("dead"))
                .withOverflow(Overflow.DEAD_LETTER_NEWEST));
        assertThat(rig.send("q", "one").refused()).isZero();
        assertThat(rig.send("q", "two").refused()).isEqualTo(1);
        rig.crash();
        assertThat(rig.contents("q")).containsExactly("one");
        assertThat(rig.contents("dead")).containsExactly("two");
        assertThat(only("dead").deaths().getFirst().cause()).isEqualTo(Cause.OVERFLOW);
    }

    @Test
    void aBoundOfWhatWaitsLeavesOutWhatIsInFlightUntilItComesBack() {
        rig.declare(QueueDefinition.named("q")
                .withMaxMessages(2)
                .withMaxBytes(100_000)
                .withBoundsWaiting(true)
                .withOverflow(Overflow.DROP_OLDEST));
        rig.send("q", "1", "2");
        Rig.Taker taker = rig.consume("q", 2);
        List<EngineDelivery> held = taker.take();
        rig.send("q", "3", "4");
        assertThat(rig.contents("q")).containsExactly("1", "2", "3", "4");
        taker.release(held.toArray(EngineDelivery[]::new));
        assertThat(rig.contents("q")).containsExactly("3", "4");
        assertThat(taker.texts()).containsExactly("3", "4");
    }
}
