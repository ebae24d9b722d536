package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ProducersTest {
    private static final long DAY = 24L * 60 * 60 * 1000;

    private final Producers producers = new Producers("orders");
    private long nextOffset;

    private long check(long id, int epoch, int sequence, int count) {
        return producers.check(new Command.Producer(id, (short) epoch, sequence, 0), 0, count, 0);
    }

    private long store(long id, int epoch, int sequence, int count, long millis) {
        long first = nextOffset;
        for (int i = 0; i < count; i++) {
            producers.apply(id, (short) epoch, Producers.after(sequence, i), 0, nextOffset++, millis);
        }
        return first;
    }

    private static void refused(Reason reason, ThrowingCallable call, String... words) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason))
                .satisfies(e -> assertThat(e.getMessage()).contains(words));
    }

    @Test
    void aBatchSentAgainGetsTheOffsetItHas() {
        store(7, 0, 0, 3, 1);
        long second = store(7, 0, 3, 2, 1);

        assertThat(check(7, 0, 0, 3)).isZero();
        assertThat(check(7, 0, 3, 2)).isEqualTo(second);
        assertThat(check(7, 0, 5, 10)).isEqualTo(-1);
    }

    @Test
    void theLastFiveBatchesAreRememberedThoughOthersWriteInBetween() {
        long[] firsts = new long[8];
        for (int i = 0; i < firsts.length; i++) {
            firsts[i] = store(7, 0, 10 * i, 10, 1);
            store(8, 0, 10 * i, 10, 1);
        }

        for (int i = 3; i < 8; i++) {
            assertThat(check(7, 0, 10 * i, 10)).isEqualTo(firsts[i]);
        }
        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 0, 20, 10), "sequence 80 is expected", "given was 20", "older");
    }

    @Test
    void aGapIsRefusedWithWhatIsExpectedAndWhatWasGiven() {
        store(7, 0, 0, 3, 1);

        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 0, 5, 1), "producer 7", "'orders'", "3 is expected", "was 5");
        refused(Reason.OUT_OF_SEQUENCE, () -> check(9, 0, 1, 1), "0 is expected", "given was 1");
    }

    @Test
    void aBatchThatIsPartlyKnownIsRefused() {
        store(7, 0, 0, 3, 1);

        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 0, 2, 2), "3 is expected", "given was 2");
    }

    @Test
    void aHigherEpochBeginsAnewAndFencesTheOneBefore() {
        store(7, 0, 0, 3, 1);

        assertThat(check(7, 1, 0, 1)).isEqualTo(-1);
        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 1, 3, 1), "0 is expected");

        store(7, 1, 0, 1, 1);
        refused(Reason.FENCED, () -> check(7, 0, 3, 1), "epoch is 0", "epoch 1");
        refused(Reason.FENCED, () -> check(7, 0, 0, 3), "epoch is 0");
    }

    @Test
    void sequencesGoFromTheLargestIntToZero() {
        int last = Integer.MAX_VALUE;
        producers.apply(7, (short) 0, last - 1, 0, nextOffset++, 1);
        assertThat(check(7, 0, last, 2)).isEqualTo(-1);

        long first = store(7, 0, last, 2, 1);

        assertThat(check(7, 0, last, 2)).isEqualTo(first);
        assertThat(check(7, 0, 0, 1)).isEqualTo(first + 1);
        assertThat(check(7, 0, 1, 1)).isEqualTo(-1);
        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 0, 2, 1), "1 is expected");
    }

    @Test
    void partitionsHaveSequencesOfTheirOwn() {
        store(7, 0, 0, 3, 1);

        assertThat(producers.check(new Command.Producer(7, (short) 0, 0, 1), 1, 3, 0))
                .isEqualTo(-1);
    }

    @Test
    void negativeNumbersAreRefusedByName() {
        refused(Reason.INVALID, () -> check(-1, 0, 0, 1), "id is -1");
        refused(Reason.INVALID, () -> check(1, -1, 0, 1), "epoch is -1");
        refused(Reason.INVALID, () -> check(1, 0, -1, 1), "sequence is -1");
    }

    @Test
    void aProducerIdleForSevenDaysIsForgottenAndNotTakenForNewInTheMiddle() {
        store(7, 0, 0, 3, 1);
        store(8, 0, 0, 3, 7 * DAY);
        assertThat(check(7, 0, 0, 3)).isZero();

        store(8, 0, 3, 1, 7 * DAY + 1);

        refused(Reason.OUT_OF_SEQUENCE, () -> check(7, 0, 3, 1), "0 is expected", "nothing is known");
        assertThat(producers.size()).isEqualTo(1);
    }

    @Test
    void theClockGoingBackForgetsNobody() {
        store(7, 0, 0, 3, 100 * DAY);
        store(8, 0, 0, 3, 1);
        store(7, 0, 3, 1, 2);

        assertThat(check(8, 0, 0, 3)).isEqualTo(3);
        assertThat(check(7, 0, 0, 3)).isZero();
    }

    @Test
    void atTheBoundOnlyTheIdleMakeRoom() {
        for (int i = 0; i < Producers.MOST; i++) {
            producers.apply(i, (short) 0, 0, 0, i, 1);
        }
        Command.Producer fresh = new Command.Producer(Producers.MOST, (short) 0, 0, 0);
        refused(Reason.FULL, () -> producers.check(fresh, 0, 1, 2), "" + Producers.MOST);

        long later = 1 + Producers.ACTIVE_MILLIS;
        assertThat(producers.check(fresh, 0, 1, later)).isEqualTo(-1);
        producers.apply(Producers.MOST, (short) 0, 0, 0, 1, later);

        assertThat(producers.size()).isEqualTo(Producers.MOST);
        refused(
                Reason.OUT_OF_SEQUENCE,
                () -> producers.check(new Command.Producer(0, (short) 0, 1, 0), 0, 1, later),
                "nothing is known");
        assertThat(producers.check(new Command.Producer(1, (short) 0, 0, 0), 0, 1, later))
                .isEqualTo(1);
    }

    /** One that sends batches in order and sends some of its last ones again, now and then. */
    private static final class Client {
        final long id;
        int sequence;
        final List<int[]> batches = new ArrayList<>();
        final List<Long> firsts = new ArrayList<>();

        Client(long id, int sequence) {
            this.id = id;
            this.sequence = sequence;
        }
    }

    @Test
    void whateverIsSentAgainOfTheLastFiveBatchesIsStoredOnceThroughRestarts() {
        Property.forAll("each batch is stored once", 200, gen -> {
            Producers all = new Producers("s");
            List<Client> clients = new ArrayList<>();
            long offset = 0;
            for (int i = 0; i < 4; i++) {
                Client client = new Client(i, gen.flip() ? 0 : Integer.MAX_VALUE - gen.between(0, 30));
                clients.add(client);
                if (client.sequence > 0) {
                    // as if it had sent two thousand million before
                    all.apply(i, (short) 0, client.sequence - 1, 2, offset++, 1);
                }
            }
            for (int step = gen.between(10, 200); step > 0; step--) {
                Client client = gen.choose(clients);
                int count = gen.between(1, 5);
                if (gen.chance(1, 3) && !client.batches.isEmpty()) {
                    int which = client.batches.size() - gen.between(1, Math.min(5, client.batches.size()));
                    int[] batch = client.batches.get(which);
                    assertThat(check(all, client, batch[0], batch[1])).isEqualTo(client.firsts.get(which));
                } else {
                    assertThat(check(all, client, client.sequence, count)).isEqualTo(-1);
                    client.batches.add(new int[] {client.sequence, count});
                    client.firsts.add(offset);
                    for (int i = 0; i < count; i++) {
                        all.apply(client.id, (short) 0, client.sequence, 2, offset++, step);
                        client.sequence = Producers.after(client.sequence, 1);
                    }
                }
                if (gen.chance(1, 10)) {
                    all = restored(all);
                }
                checkGapIsRefused(gen, all, client);
            }
        });
    }

    private static long check(Producers all, Client client, int sequence, int count) {
        return all.check(new Command.Producer(client.id, (short) 0, sequence, 2), 2, count, 0);
    }

    private static void checkGapIsRefused(Generator gen, Producers all, Client client) {
        int beyond = Producers.after(client.sequence, gen.between(1, 100));
        refused(Reason.OUT_OF_SEQUENCE, () -> check(all, client, beyond, 1), "given was " + beyond);
    }

    private static Producers restored(Producers producers) {
        Snapshot snapshot = new Snapshot();
        producers.write(snapshot);
        Producers again = new Producers("s");
        again.read(snapshot.finish());
        assertThat(again.size()).isEqualTo(producers.size());
        Snapshot second = new Snapshot();
        again.write(second);
        Snapshot first = new Snapshot();
        producers.write(first);
        assertThat(second.finish()).isEqualTo(first.finish());
        return again;
    }
}
