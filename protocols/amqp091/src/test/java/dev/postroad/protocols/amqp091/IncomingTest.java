package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IncomingTest {
    private static final int KIB = 1024;
    private static final long SHARE = 8 << 20;

    private final Incoming.Share share = new Incoming.Share(SHARE);

    private static int fill(Incoming incoming, int bytes) {
        int count = 0;
        while (incoming.reserve(bytes)) {
            count++;
        }
        return count;
    }

    @Test
    void one_connection_alone_holds_so_much_and_no_more() {
        assertThat(fill(new Incoming(share), 64 * KIB) * 64L * KIB)
                .isBetween(Incoming.MOST_BYTES / 2, Incoming.MOST_BYTES);
    }

    @Test
    void many_that_do_not_read_hold_a_share_together_and_little_each() {
        List<Incoming> stalled = new ArrayList<>();
        long held = 0;
        for (int i = 0; i < 200; i++) {
            stalled.add(new Incoming(share));
            held += fill(stalled.getLast(), 64 * KIB) * 64L * KIB;
        }
        assertThat(held).isLessThanOrEqualTo(SHARE + 200 * Incoming.LEAST_BYTES);

        Incoming healthy = new Incoming(share);
        assertThat(fill(healthy, KIB)).isEqualTo((int) (Incoming.LEAST_BYTES / KIB));
    }

    @Test
    void a_message_larger_than_all_room_is_taken_alone() {
        Incoming incoming = new Incoming(new Incoming.Share(0));

        assertThat(incoming.reserve(64 << 20)).isTrue();
        assertThat(incoming.reserve(1)).isFalse();
    }

    @Test
    void who_was_refused_is_told_once_when_there_is_room_again() {
        Incoming incoming = new Incoming(share);
        int count = fill(incoming, 64 * KIB);
        assertThat(incoming.fedAgain()).isFalse();

        for (int i = 0; i < count; i++) {
            incoming.unreserve(64 * KIB);
        }

        assertThat(incoming.fedAgain()).isTrue();
        assertThat(incoming.fedAgain()).isFalse();
    }

    @Test
    void what_is_written_or_closed_gives_its_share_back() {
        Incoming written = new Incoming(share);
        int count = fill(written, 64 * KIB);
        Incoming closed = new Incoming(share);
        fill(closed, 64 * KIB);
        assertThat(share.takenBytes()).isPositive();

        for (int i = 0; i < count; i++) {
            written.unreserve(64 * KIB);
        }
        written.fedAgain();
        closed.gone();
        closed.reserve(1 << 20);

        assertThat(share.takenBytes()).isZero();
    }
}
