package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static dev.postroad.engine.Rig.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.routing.Rule;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Competing consumers and what becomes of their deliveries. */
class QueueDeliveryTest {
    private final Rig rig = new Rig();

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private static QueueDefinition queue(String name) {
        return QueueDefinition.named(name);
    }

    @Test
    void whatWasConfirmedIsDeliveredInOrderAfterACrash() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");

        rig.crash();

        assertThat(rig.consume("q", 10).texts()).containsExactly("a", "b", "c");
    }

    @Test
    void whatWasAcknowledgedIsGoneAfterACrashAndTheRestComesAgain() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");
        Rig.Taker taker = rig.consume("q", 10);
        List<EngineDelivery> got = taker.take();
        taker.acknowledge(got.get(1));

        rig.crash();

        List<EngineDelivery> again = rig.consume("q", 10).take();
        assertThat(again).extracting(d -> text(d.message())).containsExactly("a", "c");
        assertThat(again).extracting(EngineDelivery::attempt).containsExactly(2, 2);
    }

    @Test
    void aConsumerHoldsNoMoreThanItsCredit() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c", "d");
        Rig.Taker taker = rig.consume("q", 2);

        List<EngineDelivery> first = taker.take();
        assertThat(first).hasSize(2);
        assertThat(taker.take()).isEmpty();
        taker.acknowledge(first.get(0));
        assertThat(taker.texts()).containsExactly("c");
        assertThat(taker.credit(1)).isEqualTo(1);
        assertThat(taker.texts()).containsExactly("d");
    }

    @Test
    void messagesThatComeOneByOneAreSharedAmongTheConsumers() {
        rig.declare(queue("q"));
        List<Rig.Taker> takers = List.of(rig.consume("q", 100), rig.consume("q", 100), rig.consume("q", 100));
        for (int i = 0; i < 30; i++) {
            rig.send("q", "m" + i);
        }

        assertThat(takers).allSatisfy(taker -> assertThat(taker.take()).hasSize(10));
    }

    @Test
    void aBacklogIsSharedAmongTheConsumers() {
        rig.declare(queue("q"));
        Rig.Taker one = rig.consume("q", 100);
        Rig.Taker two = rig.consume("q", 100);
        rig.send("q", "a", "b", "c", "d", "e", "f");

        assertThat(one.texts()).containsExactly("a", "c", "e");
        assertThat(two.texts()).containsExactly("b", "d", "f");
    }

    @Test
    void aReleasedMessageComesBackToItsPlace() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery first = taker.one();

        taker.release(first);

        EngineDelivery again = taker.one();
        assertThat(text(again.message())).isEqualTo("a");
        assertThat(again.attempt()).isEqualTo(2);
    }

    @Test
    void aReleaseThatDoesNotCountLeavesTheAttemptUncounted() {
        rig.declare(queue("q").withDeliveryLimit(2));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        for (int i = 0; i < 5; i++) {
            EngineDelivery delivery = taker.one();
            assertThat(delivery.attempt()).isEqualTo(1);
            taker.settle(new Command.Outcome.Release(0, null, false), delivery);
        }

        rig.crash();

        assertThat(rig.consume("q", 1).one().attempt()).isEqualTo(2);
    }

    @Test
    void aDelayedReleaseWaitsForItsTimeAlsoAcrossACrash() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b");
        Rig.Taker taker = rig.consume("q", 1);
        taker.releaseAfter(60_000, taker.one());
        assertThat(taker.texts()).containsExactly("b");
        assertThat(rig.status("q").delayed()).isEqualTo(1);

        rig.crash();
        Rig.Taker other = rig.consume("q", 10);
        assertThat(other.texts()).containsExactly("b");
        rig.advance(59_000);
        assertThat(other.take()).isEmpty();
        rig.advance(1_000);

        EngineDelivery late = other.one();
        assertThat(text(late.message())).isEqualTo("a");
        assertThat(late.attempt()).isEqualTo(2);
    }

    @Test
    void theDeliveryCountIsDurableAndAtItsLimitTheMessageIsADeadLetter() {
        rig.declare(queue("dead"));
        rig.declare(queue("q").withDeliveryLimit(3).withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("q", message("poison").withId("m-1").withHeaders(Rig.header("color", "red")));
        for (int attempt = 1; attempt < 3; attempt++) {
            assertThat(rig.consume("q", 1).one().attempt()).isEqualTo(attempt);
            rig.crash();
        }
        Rig.Taker last = rig.consume("q", 1);
        EngineDelivery delivery = last.one();
        assertThat(delivery.attempt()).isEqualTo(3);

        last.settle(new Command.Outcome.Release(0, "no such customer", true), delivery);
        rig.crash();

        assertThat(rig.browse("q")).isEmpty();
        EngineMessage letter = rig.consume("dead", 1).one().message();
        assertThat(letter.id()).isEqualTo("m-1");
        assertThat(letter.headers())
                .containsEntry("color", "red")
                .containsEntry(DeadLetterHeaders.CAUSE, "delivery-limit")
                .containsEntry(DeadLetterHeaders.ORIGIN, "q")
                .containsEntry(DeadLetterHeaders.ATTEMPTS, 3L)
                .containsEntry(DeadLetterHeaders.TIME, rig.now());
        assertThat((String) letter.headers().get(DeadLetterHeaders.REASON))
                .contains("no such customer")
                .contains("3 times of 3");
    }

    @Test
    void whenAMessageFailedFirstIsKnownToLaterDeliveriesAndToItsDeadLetterAlsoAfterACrash() {
        rig.declare(queue("dead"));
        rig.declare(queue("q").withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery first = taker.one();
        assertThat(first.firstFailureMillis()).isZero();
        taker.settle(new Command.Outcome.Release(0, null, false), first);
        EngineDelivery again = taker.one();
        assertThat(again.firstFailureMillis())
                .as("what does not count is no failure")
                .isZero();
        rig.advance(1_000);
        long failed = rig.now();
        taker.settle(new Command.Outcome.Release(0, "no", true), again);
        rig.crash();
        rig.advance(1_000);
        Rig.Taker second = rig.consume("q", 1);
        second.settle(new Command.Outcome.Release(0, "no", true), second.one());
        rig.restart();
        Rig.Taker third = rig.consume("q", 1);
        EngineDelivery last = third.one();
        assertThat(last.firstFailureMillis()).isEqualTo(failed);

        third.settle(new Command.Outcome.DeadLetter("no use", "java.io.IOException"), last);
        rig.crash();

        Rig.Taker operator = rig.consume("dead", 1);
        EngineDelivery letter = operator.one();
        assertThat(letter.message().headers())
                .containsEntry(DeadLetterHeaders.FIRST_FAILURE, failed)
                .containsEntry(DeadLetterHeaders.EXCEPTION, "java.io.IOException");
        operator.release(letter);
        operator.leave();
        assertThat(rig.<Long>call(reply -> new Command.Redrive("dead", null, 10, reply)))
                .isEqualTo(1);
        EngineDelivery anew = rig.consume("q", 1).one();
        assertThat(anew.message().headers()).isEmpty();
        assertThat(anew.firstFailureMillis()).isZero();
    }

    @Test
    void aDeadLetterCarriesItsReasonAndSurvivesACrash() {
        rig.declare(queue("dead"));
        rig.declare(queue("q").withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("the amount is negative", taker.one());

        rig.crash();

        EngineDelivery letter = rig.consume("dead", 1).one();
        assertThat(text(letter.message())).isEqualTo("a");
        assertThat(letter.message().headers())
                .containsEntry(DeadLetterHeaders.REASON, "the amount is negative")
                .containsEntry(DeadLetterHeaders.CAUSE, "rejected");
        assertThat(letter.attempt()).isEqualTo(1);
    }

    @Test
    void withoutADeadLetterTargetWhatIsGivenUpIsDroppedAndCounted() {
        rig.declare(queue("q"));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("nobody wants it", taker.one());

        assertThat(rig.browse("q")).isEmpty();
        assertThat(rig.status("q").counters().dropped()).isEqualTo(1);
    }

    @Test
    void aLeaseThatRunsOutGivesTheMessageToAnother() {
        rig.declare(queue("q").withLeaseMillis(30_000));
        rig.send("q", "a");
        Rig.Taker slow = rig.consume("q", 1);
        EngineDelivery delivery = slow.one();
        Rig.Taker other = rig.consume("q", 1);

        rig.advance(29_999);
        assertThat(other.take()).isEmpty();
        rig.advance(1);

        List<EngineDelivery> both = new ArrayList<>(other.take());
        both.addAll(slow.take());
        assertThat(both).hasSize(1);
        assertThat(both.getFirst().attempt()).isEqualTo(2);
        if (both.getFirst().consumerId() == other.id) {
            assertThat(slow.acknowledge(delivery)).as("too late").isEqualTo(1);
            assertThat(other.acknowledge(both.getFirst())).isZero();
        }
    }

    @Test
    void anExtendedLeaseLastsLonger() {
        rig.declare(queue("q").withLeaseMillis(10_000));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery delivery = taker.one();
        rig.advance(8_000);
        assertThat(taker.extend(20_000, delivery)).isZero();
        rig.advance(19_999);
        assertThat(taker.take()).isEmpty();
        rig.advance(1);

        assertThat(taker.one().attempt()).isEqualTo(2);
    }

    @Test
    void aLeaseMustBeExtendedByAPositiveTime() {
        rig.declare(queue("q").withLeaseMillis(10_000));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery delivery = taker.one();
        long[] numbers = {delivery.number()};
        for (long millis : new long[] {0, -1, Long.MIN_VALUE}) {
            EngineException refusal = rig.<Integer>refused(
                    reply -> new Command.Settle(taker.id, numbers, 1, new Command.Outcome.Extend(millis), reply));
            assertThat(refusal.reason()).isEqualTo(EngineException.Reason.INVALID);
            assertThat(refusal).hasMessageContaining(String.valueOf(millis));
        }
        assertThat(taker.acknowledge(delivery)).isZero();
    }

    @Test
    void theLongestTimesThereAreMeanForEver() {
        long ever = Long.MAX_VALUE;
        rig.declare(queue("q")
                .withLeaseMillis(ever)
                .withTtlMillis(ever)
                .withExpiresMillis(ever)
                .withDedupMillis(ever));
        rig.declare(StreamDefinition.named("s", 1).withRetentionMillis(ever).withDedupMillis(ever));
        rig.send("q", message("a").withId("1").withTtlMillis(ever));
        rig.send("q", message("b").withId("1"));
        rig.send("q", message("c").withId("2").withDeliverAtMillis(ever));
        rig.send("s", message("x").withId("1"), message("y").withId("1"));
        Rig.Taker taker = rig.consume("q", 10);
        EngineDelivery delivery = taker.one();
        rig.advance(86_400_000L * 365);
        assertThat(taker.take()).isEmpty();
        taker.extend(ever, delivery);
        rig.advance(86_400_000L * 365);
        assertThat(taker.take()).isEmpty();
        taker.releaseAfter(ever, delivery);
        rig.advance(86_400_000L * 365);

        assertThat(taker.take()).isEmpty();
        assertThat(rig.contents("q")).containsExactly("a", "c");
        assertThat(rig.contents("s")).containsExactly("x");
    }

    @Test
    void settlingTheSameDeliveryTwiceInOneCommandSettlesItOnce() {
        rig.declare(queue("dead"));
        rig.declare(queue("q").withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("q", "a", "b", "c");
        Rig.Taker taker = rig.consume("q", 3);
        List<EngineDelivery> got = taker.take();

        assertThat(taker.acknowledge(got.get(0), got.get(0))).isEqualTo(1);
        assertThat(rig.status("q").counters().acknowledged()).isEqualTo(1);
        assertThat(taker.deadLetter("no", got.get(1), got.get(1))).isEqualTo(1);
        assertThat(rig.contents("dead")).containsExactly("b");
        assertThat(taker.release(got.get(2), got.get(2))).isEqualTo(1);
        assertThat(taker.texts()).containsExactly("c");
    }

    @Test
    void aCountBeyondTheNumbersIsRefusedAndTheEngineGoesOn() {
        rig.declare(queue("q"));
        Rig.Taker taker = rig.consume("q", 3);
        EngineException refusal = rig.<Integer>refused(
                reply -> new Command.Settle(taker.id, new long[] {1}, 2, Command.Outcome.Acknowledge.INSTANCE, reply));

        assertThat(refusal.reason()).isEqualTo(EngineException.Reason.INVALID);
        rig.send("q", "a");
        assertThat(taker.texts()).containsExactly("a");
    }

    @Test
    void oneConsumerCannotSettleTheDeliveriesOfAnother() {
        rig.declare(queue("q"));
        rig.send("q", "a");
        Rig.Taker holder = rig.consume("q", 1);
        EngineDelivery delivery = holder.one();
        Rig.Taker other = rig.consume("q", 1);

        assertThat(other.acknowledge(delivery)).isEqualTo(1);
        assertThat(rig.status("q").inFlight()).isEqualTo(1);
    }

    @Test
    void whenAConsumerLeavesItsDeliveriesGoBackInOrder() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");
        Rig.Taker first = rig.consume("q", 2);
        first.take();

        assertThat(first.leave()).isEqualTo(2);

        assertThat(rig.consume("q", 10).texts()).containsExactly("a", "b", "c");
    }

    @Test
    void aLeavingConsumerMayKeepAndSettleWhatItHolds() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");
        Rig.Taker first = rig.consume("q", 2);
        List<EngineDelivery> got = first.take();
        int back = rig.<Integer>call(reply -> new Command.Unsubscribe(first.id, false, reply));
        Rig.Taker second = rig.consume("q", 10);

        assertThat(back).isZero();
        assertThat(second.texts()).containsExactly("c");
        assertThat(first.acknowledge(got.get(0))).isZero();
        first.release(got.get(1));
        assertThat(second.texts()).containsExactly("b");
        assertThat(rig.status("q").inFlight()).isEqualTo(2);
    }

    @Test
    void whatALeftConsumerHoldsGoesWithTheQueueOrWithItsLease() {
        rig.declare(queue("q").withLeaseMillis(1_000));
        rig.send("q", "a");
        Rig.Taker lost = rig.consume("q", 1);
        lost.one();
        rig.<Integer>call(reply -> new Command.Unsubscribe(lost.id, false, reply));
        rig.advance(1_000);
        assertThat(rig.engine().consumers().isEmpty()).isTrue();
        Rig.Taker left = rig.consume("q", 1);
        EngineDelivery held = left.one();
        rig.<Integer>call(reply -> new Command.Unsubscribe(left.id, false, reply));
        rig.<Long>call(reply -> new Command.DeleteChannel("q", false, false, null, reply));

        assertThat(rig.<Integer>refused(reply -> new Command.Settle(
                                left.id, new long[] {held.number()}, 1, Command.Outcome.Acknowledge.INSTANCE, reply))
                        .reason())
                .isEqualTo(EngineException.Reason.NOT_DELIVERED);
        assertThat(rig.engine().consumers().isEmpty()).isTrue();
    }

    @Test
    void aConnectionThatGoesTakesItsConsumersAndExclusiveQueuesWithIt() {
        Object connection = "connection-1";
        rig.<Boolean>call(reply -> new Command.Declare(queue("mine").withExclusive(true), connection, reply));
        rig.declare(queue("q"));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", null, owned(connection, 5));
        taker.take();
        EngineException refusal = rig.<Long>refused(
                reply -> new Command.Subscribe("mine", null, owned("connection-2", 1), rig.new Taker(), reply));
        assertThat(refusal.reason()).isEqualTo(EngineException.Reason.IN_USE);

        assertThat(rig.<Integer>call(reply -> new Command.CloseOwner(connection, reply)))
                .isEqualTo(1);

        assertThat(rig.exists("mine")).isFalse();
        assertThat(rig.consume("q", 1).texts()).containsExactly("a");
        rig.crash();
        assertThat(rig.exists("mine")).isFalse();
    }

    private static Command.ConsumerSettings owned(Object owner, int credit) {
        return new Command.ConsumerSettings(credit, true, false, false, 0, 0, null, owner, "owned");
    }

    @Test
    void anExclusiveQueueDoesNotOutliveItsConnectionByACrash() {
        rig.<Boolean>call(reply -> new Command.Declare(queue("mine").withExclusive(true), "connection-1", reply));
        rig.declare(queue("q"));

        rig.crash();

        assertThat(rig.exists("mine")).isFalse();
        assertThat(rig.exists("q")).isTrue();
    }

    @Test
    void anAutoDeleteQueueGoesWithItsLastConsumer() {
        rig.declare(queue("q").withAutoDelete(true));
        rig.send("q", "a");
        rig.crash();
        Rig.Taker one = rig.consume("q", 1);
        Rig.Taker two = rig.consume("q", 1);
        one.leave();
        assertThat(rig.exists("q")).isTrue();
        two.leave();

        assertThat(rig.exists("q")).isFalse();
        rig.crash();
        assertThat(rig.exists("q")).isFalse();
    }

    @Test
    void withASingleActiveConsumerOneReceivesAndTheNextTakesOver() {
        rig.declare(queue("q").withSingleActiveConsumer(true));
        Rig.Taker active = rig.consume("q", 1);
        Rig.Taker standby = rig.consume("q", 10);
        rig.send("q", "a", "b", "c");

        assertThat(active.texts()).containsExactly("a");
        assertThat(standby.take()).isEmpty();
        active.leave();
        assertThat(standby.texts()).containsExactly("a", "b", "c");
    }

    @Test
    void anExclusiveConsumerIsAlone() {
        rig.declare(queue("q"));
        Command.ConsumerSettings alone = new Command.ConsumerSettings(1, true, false, true, 0, 0, null, null, "alone");
        Rig.Taker only = rig.consume("q", null, alone);
        EngineException refusal = rig.<Long>refused(reply ->
                new Command.Subscribe("q", null, Command.ConsumerSettings.prefetch(1, "late"), rig.new Taker(), reply));
        assertThat(refusal.reason()).isEqualTo(EngineException.Reason.IN_USE);
        only.leave();
        rig.consume("q", 1);
        assertThat(rig.<Long>refused(reply -> new Command.Subscribe("q", null, alone, rig.new Taker(), reply))
                        .reason())
                .isEqualTo(EngineException.Reason.IN_USE);
    }

    @Test
    void theConsumerOfHigherPriorityIsServedFirstWhileItHasCredit() {
        rig.declare(queue("q"));
        Rig.Taker low = rig.consume("q", null, priority(1, 10));
        Rig.Taker high = rig.consume("q", null, priority(5, 2));
        rig.send("q", "a", "b", "c");

        assertThat(high.texts()).containsExactly("a", "b");
        assertThat(low.texts()).containsExactly("c");
    }

    private static Command.ConsumerSettings priority(int priority, int credit) {
        return new Command.ConsumerSettings(credit, true, false, false, priority, 0, null, null, "p" + priority);
    }

    @Test
    void aHigherPriorityIsAlwaysDeliveredFirst() {
        rig.declare(queue("q").withPriorities(10));
        for (int i = 0; i < 10; i++) {
            rig.send(
                    "q",
                    message("low" + i).withPriority(1),
                    message("high" + i).withPriority(9),
                    message("over" + i).withPriority(200));
        }
        rig.crash();
        List<String> order = rig.drain("q");

        assertThat(order.subList(0, 20)).allMatch(t -> t.startsWith("high") || t.startsWith("over"));
        assertThat(order.subList(20, 30))
                .containsExactly("low0", "low1", "low2", "low3", "low4", "low5", "low6", "low7", "low8", "low9");
    }

    @Test
    void aNewcomerOfHigherPriorityOvertakesWhatIsReleased() {
        rig.declare(queue("q").withPriorities(3));
        rig.send("q", "a");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery first = taker.one();
        rig.send("q", message("urgent").withPriority(2));
        taker.release(first);

        assertThat(taker.texts()).containsExactly("urgent");
    }

    @Test
    void aConsumerThatAcknowledgesByTakingLeavesNothingBehind() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b", "c");
        Rig.Taker taker = rig.consume(
                "q", null, new Command.ConsumerSettings(2, false, true, false, 0, 0, null, null, "automatic"));

        assertThat(taker.texts()).containsExactly("a", "b");
        assertThat(rig.contents("q")).containsExactly("c");
        rig.crash();
        assertThat(rig.contents("q")).containsExactly("c");
    }

    @Test
    void aFilteringConsumerGetsWhatMatchesAndTheRestWaitsForAnother() {
        rig.declare(queue("q"));
        Rule red = Rule.parse("color = 'red'");
        Rig.Taker reds =
                rig.consume("q", null, new Command.ConsumerSettings(10, true, false, false, 0, 0, red, null, "reds"));
        rig.send(
                "q",
                message("1").withHeaders(Rig.header("color", "red")),
                message("2").withHeaders(Rig.header("color", "blue")),
                message("3").withHeaders(Rig.header("color", "red")));

        assertThat(reds.texts()).containsExactly("1", "3");
        assertThat(rig.consume("q", 10).texts()).containsExactly("2");
    }

    @Test
    void aFilteringConsumerWithoutCreditIsWaitedFor() {
        rig.declare(queue("q"));
        Rig.Taker reds = rig.consume(
                "q",
                null,
                new Command.ConsumerSettings(1, true, false, false, 0, 0, Rule.parse("color = 'red'"), null, "reds"));
        Rig.Taker blues = rig.consume(
                "q",
                null,
                new Command.ConsumerSettings(
                        10, true, false, false, 0, 0, Rule.parse("color = 'blue'"), null, "blues"));
        for (int i = 0; i < 3; i++) {
            rig.send("q", message("r" + i).withHeaders(Rig.header("color", "red")));
            rig.send("q", message("b" + i).withHeaders(Rig.header("color", "blue")));
        }
        assertThat(blues.texts()).containsExactly("b0", "b1", "b2");
        for (int i = 0; i < 3; i++) {
            EngineDelivery next = reds.one();
            assertThat(text(next.message())).isEqualTo("r" + i);
            reds.acknowledge(next);
        }
    }

    @Test
    void countsAreSinceTheEngineWasOpened() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b");
        rig.crash();
        rig.send("q", "c");

        assertThat(rig.status("q").counters().accepted()).isEqualTo(1);
        assertThat(rig.status("q").ready()).isEqualTo(3);
    }

    @Test
    void deliveringToAConsumerWhoseQueueIsDeletedEndsIt() {
        rig.declare(queue("q"));
        rig.send("q", "a", "b");
        Rig.Taker taker = rig.consume("q", 1);
        EngineDelivery held = taker.one();

        long gone = rig.<Long>call(reply -> new Command.DeleteChannel("q", false, false, null, reply));

        assertThat(gone).isEqualTo(2);
        assertThat(taker.cancelled).contains("deleted");
        assertThat(rig.<Integer>refused(reply -> new Command.Settle(
                                taker.id, new long[] {held.number()}, 1, Command.Outcome.Acknowledge.INSTANCE, reply))
                        .reason())
                .isEqualTo(EngineException.Reason.NOT_DELIVERED);
        rig.crash();
        assertThat(rig.exists("q")).isFalse();
        assertThat(rig.refused(publishing("q", message("x"))).reason()).isEqualTo(EngineException.Reason.NOT_FOUND);
    }

    @Test
    void aQueueDeletedAndDeclaredAgainIsEmptyAlsoAfterACrash() {
        rig.declare(queue("q"));
        rig.send("q", "old");
        rig.<Long>call(reply -> new Command.DeleteChannel("q", false, false, null, reply));
        rig.declare(queue("q"));
        rig.send("q", "new");

        rig.crash();

        assertThat(rig.contents("q")).containsExactly("new");
    }
}
