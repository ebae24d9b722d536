package dev.postroad.protocols.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboxTest {
    private static final int LARGE = 60_000;

    private final List<EngineDelivery> unwanted = new ArrayList<>();
    private int number;

    private static EngineMessage message(int bytes) {
        return EngineMessage.of(new byte[bytes]);
    }

    private boolean give(Inbox inbox, int bytes) {
        EngineMessage message = message(bytes);
        if (!inbox.takes(message)) {
            return false;
        }
        inbox.deliver(new EngineDelivery(1, "orders", null, number++, 1, 0, -1, -1, message));
        inbox.flush();
        return true;
    }

    private int fill(Inbox inbox, int bytes) {
        int taken = 0;
        while (give(inbox, bytes)) {
            taken++;
        }
        return taken;
    }

    @Test
    void whatWaitsForAConnectionIsBoundedInBytesAndItGoesOnWhenAllIsTaken() throws Exception {
        Inbox.Share share = new Inbox.Share(1 << 20);
        Inbox inbox = new Inbox(true, share, unwanted::addAll);
        int[] resumed = new int[1];
        inbox.resumeWith(() -> resumed[0]++);

        int taken = fill(inbox, LARGE);

        assertThat(taken).isBetween(2, (1 << 20) / LARGE);
        assertThat(inbox.take(1, Long.MAX_VALUE, 0)).hasSize(1);
        assertThat(resumed[0]).isZero();
        assertThat(inbox.take(1_000, Long.MAX_VALUE, 0)).hasSize(taken - 1);
        assertThat(resumed[0]).isOne();
        assertThat(share.taken()).hasValue(0);
        assertThat(fill(inbox, LARGE)).isEqualTo(taken);
    }

    @Test
    void whereOthersHoldTheWholeShareALittleIsLeftForEach() {
        Inbox.Share share = new Inbox.Share(1 << 20);
        fill(new Inbox(true, share, unwanted::addAll), LARGE);

        assertThat(fill(new Inbox(true, share, unwanted::addAll), LARGE)).isOne();
        assertThat(fill(new Inbox(true, share, unwanted::addAll), 10 * LARGE)).isOne();
        assertThat(fill(new Inbox(true, share, unwanted::addAll), 100)).isGreaterThan(100);
    }

    @Test
    void atMostSoManyBytesAreTakenAtOnceButAlwaysOne() throws Exception {
        Inbox inbox = new Inbox(true, new Inbox.Share(1 << 20), unwanted::addAll);
        fill(inbox, LARGE);

        assertThat(inbox.take(1_000, 1, 0)).hasSize(1);
        assertThat(inbox.take(1_000, 2 * LARGE, 0)).hasSize(2);
    }

    @Test
    void whatIsGivenBackTakesNoRoom() {
        Inbox.Share share = new Inbox.Share(1 << 20);
        Inbox inbox = new Inbox(true, share, unwanted::addAll);
        EngineMessage withheld = message(LARGE);
        assertThat(inbox.takes(withheld)).isTrue();
        inbox.withheld(withheld);
        give(inbox, LARGE);

        assertThat(inbox.close()).hasSize(1);
        assertThat(share.taken()).hasValue(0);
    }
}
