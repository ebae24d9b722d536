package dev.postroad.engine;

import static dev.postroad.engine.Rig.keyed;
import static dev.postroad.engine.Rig.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.routing.Rule;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One key has one delivery in flight, and its order survives failures, dead letters and their way back. */
class KeyOrderTest {
    private final Rig rig = new Rig();

    @BeforeEach
    void declare() {
        rig.declare(QueueDefinition.named("dead"));
        rig.declare(QueueDefinition.named("q")
                .withKeyOrdered(true)
                .withDeliveryLimit(3)
                .withDeadLetter(DeadLetterTarget.channel("dead")));
    }

    @AfterEach
    void everythingAddsUp() {
        rig.check();
        rig.close();
    }

    private void send(String... keysAndNumbers) {
        for (String each : keysAndNumbers) {
            rig.send("q", keyed(each.substring(0, 1), each));
        }
    }

    private long redrive(@Nullable Rule filter, long max) {
        return rig.<Long>call(reply -> new Command.Redrive("dead", filter, max, reply));
    }

    private static List<String> texts(List<EngineDelivery> deliveries) {
        return deliveries.stream().map(d -> text(d.message())).toList();
    }

    @Test
    void ofOneKeyOneDeliveryIsInFlightAndOthersFlow() {
        send("a1", "a2", "b1", "a3", "b2", "c1");
        Rig.Taker taker = rig.consume("q", 10);

        List<EngineDelivery> first = taker.take();
        assertThat(texts(first)).containsExactly("a1", "b1", "c1");
        EngineStatus.Queue status = rig.status("q");
        assertThat(status.inFlight()).isEqualTo(3);
        assertThat(status.parked()).isEqualTo(3);
        assertThat(status.ready()).isZero();
        taker.acknowledge(first.get(0));
        assertThat(taker.texts()).containsExactly("a2");
    }

    @Test
    void messagesWithoutAKeyAreNotHeldUp() {
        send("a1", "a2");
        rig.send("q", "x", "y");

        assertThat(rig.consume("q", 10).texts()).containsExactly("a1", "x", "y");
    }

    @Test
    void aFailingKeyWaitsAloneWithWhatComesBehindItAlsoAcrossACrash() {
        send("a1", "a2", "b1", "b2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.releaseAfter(10_000, taker.one());
        EngineDelivery b1 = taker.one();
        assertThat(text(b1.message())).isEqualTo("b1");
        taker.acknowledge(b1);
        rig.crash();
        send("a3", "b3");

        assertThat(rig.drain("q")).containsExactly("b2", "b3");
        rig.advance(10_000);
        assertThat(rig.drain("q")).containsExactly("a1", "a2", "a3");
    }

    @Test
    void aReleasedHeadIsDeliveredAgainBeforeItsFollowers() {
        send("a1", "a2", "b1");
        Rig.Taker taker = rig.consume("q", 10);
        List<EngineDelivery> got = taker.take();
        taker.release(got.get(0));

        assertThat(taker.texts()).containsExactly("a1");
    }

    @Test
    void aDeadLetterTakesTheLaterMessagesOfItsKeyWithItInSequence() {
        send("a1", "b1", "a2", "a3", "b2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());

        assertThat(rig.contents("dead")).containsExactly("a1", "a2", "a3");
        assertThat(rig.contents("q")).containsExactly("b1", "b2");
        rig.crash();
        List<Command.Browsed> letters = rig.browse("dead");
        assertThat(letters)
                .extracting(b -> b.message().headers().get(DeadLetterHeaders.CAUSE))
                .containsExactly("rejected", "key-order", "key-order");
        assertThat(rig.drain("q")).containsExactly("b1", "b2");
    }

    @Test
    void newcomersOfADeadKeyFollowItAlsoAfterACrash() {
        send("a1");
        Rig.Taker taker = rig.consume("q", 10);
        taker.deadLetter("poison", taker.one());
        rig.crash();
        send("a2", "b1");
        rig.restart();
        send("a3");

        assertThat(rig.contents("dead")).containsExactly("a1", "a2", "a3");
        assertThat(rig.drain("q")).containsExactly("b1");
    }

    @Test
    void redriveBringsTheMessagesBackInSequenceAndNewcomersComeBehindThem() {
        send("a1", "a2", "b1");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        taker.leave();
        send("a3");

        assertThat(redrive(null, 100)).isEqualTo(3);
        send("a4");
        rig.crash();

        assertThat(rig.browse("dead")).isEmpty();
        List<String> order = new ArrayList<>(rig.drain("q"));
        assertThat(order).contains("b1");
        order.remove("b1");
        assertThat(order).containsExactly("a1", "a2", "a3", "a4");
        assertThat(rig.browse("q")).isEmpty();
    }

    @Test
    void whatIsPutBackIsAsItWasBefore() {
        EngineMessage sent = keyed("a", "a1").withId("id-1").withHeaders(Rig.header("color", "red"));
        rig.send("q", sent);
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        redrive(null, 100);
        EngineDelivery again = taker.one();

        assertThat(again.attempt()).isEqualTo(1);
        assertThat(again.message().headers()).isEqualTo(sent.headers());
        assertThat(again.message().id()).isEqualTo("id-1");
    }

    @Test
    void discardingTheLettersRevivesTheKey() {
        send("a1", "a2");
        Rig.Taker taker = rig.consume("q", 10);
        taker.deadLetter("poison", taker.one());
        rig.<Long>call(reply -> new Command.Purge("dead", reply));
        send("a3");
        assertThat(taker.texts()).containsExactly("a3");

        rig.crash();
        assertThat(rig.drain("q")).containsExactly("a3");
    }

    @Test
    void acknowledgingTheLettersRevivesTheKey() {
        send("a1", "a2");
        Rig.Taker taker = rig.consume("q", 10);
        taker.deadLetter("poison", taker.one());
        assertThat(rig.drain("dead")).containsExactly("a1", "a2");
        send("a3");

        assertThat(taker.texts()).containsExactly("a3");
    }

    @Test
    void deletingTheLetterQueueRevivesTheKey() {
        send("a1", "a2");
        Rig.Taker taker = rig.consume("q", 10);
        taker.deadLetter("poison", taker.one());
        rig.<Long>call(reply -> new Command.DeleteChannel("dead", false, false, null, reply));
        send("a3");

        assertThat(taker.texts()).containsExactly("a3");
        rig.crash();
        assertThat(rig.drain("q")).containsExactly("a3");
    }

    @Test
    void aPartOfALineThatIsPutBackKeepsItsOrderThroughARestart() {
        send("a1", "a2", "a3");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        taker.leave();
        assertThat(redrive(null, 1)).isEqualTo(1);
        assertThat(rig.contents("q")).containsExactly("a1");

        rig.crash();

        assertThat(rig.contents("q")).containsExactly("a1");
        assertThat(rig.contents("dead")).containsExactly("a2", "a3");
        assertThat(redrive(null, 10)).isEqualTo(2);
        assertThat(rig.drain("q")).containsExactly("a1", "a2", "a3");
    }

    @Test
    void aMessageThatFailsAgainAfterItWasPutBackGoesBeforeTheLettersThatStayed() {
        send("a1", "a2", "a3");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        assertThat(redrive(null, 2)).isEqualTo(2);
        taker.deadLetter("poison still", taker.one());
        assertThat(rig.browse("q")).isEmpty();
        send("a4");
        rig.crash();

        assertThat(redrive(null, 10)).isEqualTo(4);

        assertThat(rig.drain("q")).containsExactly("a1", "a2", "a3", "a4");
    }

    @Test
    void aFilterOnRedriveHoldsBackWhatIsBehindALetterThatStays() {
        send("a1", "b1", "a2", "b2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("bad amount", taker.one());
        taker.deadLetter("bad name", taker.one());

        assertThat(redrive(Rule.parse("`postroad-dead-letter-reason` <> 'bad name'"), 100))
                .isEqualTo(2);

        assertThat(texts(taker.take())).containsExactly("a1");
        assertThat(rig.contents("dead")).containsExactly("b1", "b2");
    }

    @Test
    void chosenLettersGoBackInSequenceAndNoneOvertakesOneThatWasNotChosen() {
        send("a1", "b1", "a2", "b2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        taker.deadLetter("poison", taker.one());
        List<Command.Browsed> letters = rig.browse("dead");
        Map<String, Long> numbers = new HashMap<>();
        letters.forEach(letter -> numbers.put(text(letter.message()), letter.number()));

        assertThat(putBack(null, numbers.get("a2"))).as("a1 lies before it").isZero();
        assertThat(putBack(null, numbers.get("b2"), numbers.get("b1"), 1L << 40))
                .isEqualTo(2);
        assertThat(putBack(null, numbers.get("b2"))).as("gone").isZero();
        rig.crash();
        assertThat(rig.drain("q")).containsExactly("b1", "b2");
        assertThat(rig.contents("dead")).containsExactly("a1", "a2");
    }

    @Test
    void moreLettersThanABatchTakesGoBackOnceEach() {
        List<String> sent = new ArrayList<>();
        for (int i = 1; i <= 200; i++) {
            sent.add("a" + i);
            sent.add("b" + i);
        }
        send(sent.toArray(String[]::new));
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        taker.deadLetter("poison", taker.one());
        taker.leave();
        long[] letters =
                rig.browse("dead").stream().mapToLong(Command.Browsed::number).toArray();
        assertThat(letters).hasSize(400);

        assertThat(putBack(null, letters)).isEqualTo(400);
        assertThat(rig.contents("dead")).isEmpty();
        assertThat(rig.contents("q")).containsExactlyInAnyOrderElementsOf(sent);
    }

    @Test
    void anEditedLetterTakesItsOwnPlaceInTheLineOfItsKey() {
        send("a1", "a2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        Command.Browsed first = rig.browse("dead").getFirst();
        EngineMessage letter = first.message();

        EngineMessage otherKey = keyed("other", "mended");
        assertThatThrownBy(() -> putBack(otherKey, first.number()))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("its key can't be edited");
        EngineMessage mended = new EngineMessage(
                letter.id(),
                letter.key(),
                "mended".getBytes(StandardCharsets.UTF_8),
                letter.headers(),
                letter.properties(),
                letter.timestampMillis(),
                letter.priority(),
                0,
                0);
        assertThat(putBack(mended, first.number())).isEqualTo(1);
        assertThat(redrive(null, 10)).isEqualTo(1);

        rig.crash();
        List<EngineDelivery> back = rig.consume("q", 10).take();
        assertThat(texts(back)).containsExactly("mended");
        assertThat(back.getFirst().message().headers()).isEmpty();
        assertThat(rig.contents("q")).containsExactly("mended", "a2");
    }

    @Test
    void lettersAreLookedAtPageByPage() {
        send("a1", "a2", "a3");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        List<Command.Browsed> page = page(-1);
        assertThat(page).hasSize(2);
        List<Command.Browsed> next = page(page.getLast().number());
        assertThat(next).hasSize(1);
        assertThat(page(next.getFirst().number())).isEmpty();
    }

    private List<Command.Browsed> page(long after) {
        return rig.call(reply -> new Command.Browse("dead", null, null, after, 2, reply));
    }

    private long putBack(@Nullable EngineMessage edited, long... numbers) {
        return rig.<Long>call(reply -> new Command.PutBack("dead", numbers, edited, reply));
    }

    @Test
    void aLetterThatIsBeingLookedAtHoldsBackWhatIsBehindIt() {
        send("a1", "a2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        Rig.Taker operator = rig.consume("dead", 1);
        EngineDelivery letter = operator.one();

        assertThat(redrive(null, 100)).isZero();
        operator.release(letter);
        operator.leave();
        assertThat(redrive(null, 100)).isEqualTo(2);
        assertThat(texts(taker.take())).containsExactly("a1");
    }

    @Test
    void anExpiredHeadLetsItsFollowersPass() {
        rig.send("q", keyed("a", "a1").withTtlMillis(1_000));
        send("a2");
        Rig.Taker taker = rig.consume("q", 1);
        taker.releaseAfter(5_000, taker.one());
        assertThat(taker.take()).isEmpty();
        rig.advance(1_200);

        assertThat(taker.texts()).containsExactly("a2");
        assertThat(rig.contents("dead")).containsExactly("a1");
    }

    @Test
    void parkedMessagesThatExpireAreNotCountedAnyMore() {
        send("a1");
        for (int i = 2; i < 10; i++) {
            rig.send("q", keyed("a", "a" + i).withTtlMillis(1_000));
        }
        Rig.Taker taker = rig.consume("q", 10);
        EngineDelivery head = taker.one();
        rig.advance(2_000);

        EngineStatus.Queue status = rig.status("q");
        assertThat(status.inFlight()).isEqualTo(1);
        assertThat(status.parked()).isZero();
        assertThat(status.ready()).isZero();
        taker.acknowledge(head);
        assertThat(taker.take()).isEmpty();
    }

    @Test
    void aMovedMessageOfADeadKeyFollowsItToTheLetters() {
        rig.declare(QueueDefinition.named("other"));
        send("a1");
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        rig.send("other", keyed("a", "a2"));
        rig.<Long>call(reply -> new Command.Move("other", "q", null, 10, reply));

        assertThat(rig.contents("dead")).containsExactly("a1", "a2");
        assertThat(taker.take()).isEmpty();
    }

    @Test
    void aDuplicateOfANewcomerThatFollowedItsDeadKeyIsDropped() {
        rig.declare(QueueDefinition.named("once")
                .withKeyOrdered(true)
                .withDedupMillis(60_000)
                .withDeadLetter(DeadLetterTarget.channel("dead")));
        rig.send("once", keyed("a", "a1").withId("1"));
        Rig.Taker taker = rig.consume("once", 1);
        taker.deadLetter("poison", taker.one());
        rig.send("once", keyed("a", "a2").withId("2"));
        rig.crash();
        assertThat(rig.send("once", keyed("a", "a2").withId("2")).duplicates()).isEqualTo(1);

        assertThat(rig.contents("dead")).containsExactly("a1", "a2");
    }

    @Test
    void aLineLongerThanAChunkGoesThereAndBackInSequence() {
        int count = 1_000;
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = String.format("a%04d", i);
            all.add(name);
            rig.submit(Rig.publishing("q", keyed("a", name)));
        }
        rig.run();
        Rig.Taker taker = rig.consume("q", 1);
        taker.deadLetter("poison", taker.one());
        taker.leave();
        assertThat(rig.contents("dead")).isEqualTo(all);
        assertThat(redrive(null, 5_000)).isEqualTo(count);
        rig.crash();

        assertThat(rig.drain("q")).isEqualTo(all);
    }

    @Test
    void aKillAnywhereBetweenDeathAndReturnKeepsTheSequence() {
        for (int call = 1; call < 200; call += 3) {
            try (Rig each = new Rig(Rig.SMALL, PayloadFields.NONE, call)) {
                each.declare(QueueDefinition.named("dead"));
                each.declare(QueueDefinition.named("q")
                        .withKeyOrdered(true)
                        .withDeadLetter(DeadLetterTarget.channel("dead")));
                List<String> all = new ArrayList<>();
                String filling = "x".repeat(2_000);
                for (int i = 0; i < 600; i++) {
                    all.add(String.format("a%04d", i));
                    each.submit(Rig.publishing("q", keyed("a", all.get(i) + filling)));
                }
                each.run();
                each.killAtCall(call);
                boolean killed = false;
                try {
                    Rig.Taker taker = each.consume("q", 1);
                    taker.deadLetter("poison", taker.one());
                    taker.leave();
                    each.<Long>call(reply -> new Command.Redrive("dead", null, 300, reply));
                    each.<Long>call(reply -> new Command.Redrive("dead", null, 300, reply));
                } catch (Rig.Killed e) {
                    killed = true;
                }
                each.crash();
                each.<Long>call(reply -> new Command.Redrive("dead", null, 1_000, reply));
                assertThat(each.drain("q").stream().map(t -> t.substring(0, 5)))
                        .as("killed at call %d", call)
                        .isEqualTo(all);
                each.check();
                if (!killed) {
                    return;
                }
            }
        }
    }
}
