package dev.postroad.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SendRoomTest {
    private static final int SIZE = 1024;

    @Test
    void noMoreAreInsideThanThereIsRoomForAndAllGetIn() throws Exception {
        SendRoom room = new SendRoom(SIZE);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Semaphore there = new Semaphore(0);
        int threads = 3 * SIZE;
        int rounds = 20;
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            senders.add(Thread.startVirtualThread(() -> {
                try {
                    for (int round = 0; round < rounds; round++) {
                        room.enter();
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        there.release();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
        }
        Thread confirming = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < threads * rounds; i++) {
                there.acquireUninterruptibly();
                inside.decrementAndGet();
                room.leave();
            }
        });
        for (Thread sender : senders) {
            sender.join();
        }
        confirming.join();
        assertThat(most.get()).isBetween(2, SIZE);
        assertThat(room.underWay()).isZero();
        assertThat(room.awaitEmpty(0)).isTrue();
    }

    @Test
    void whoIsInterruptedWhileItWaitsHasBegunNothing() throws Exception {
        SendRoom room = new SendRoom(SIZE);
        for (int i = 0; i < SIZE; i++) {
            room.enter();
        }
        Thread here = Thread.currentThread();
        Thread other = Thread.startVirtualThread(here::interrupt);
        assertThatThrownBy(room::enter).isInstanceOf(InterruptedException.class);
        other.join();
        assertThat(room.underWay()).isEqualTo(SIZE);
    }

    @Test
    void whoWaitsForTheLastHearsOfIt() throws Exception {
        SendRoom room = new SendRoom(SIZE);
        for (int i = 0; i < 3; i++) {
            room.enter();
        }
        assertThat(room.awaitEmpty(0)).isFalse();
        CountDownLatch empty = new CountDownLatch(1);
        Thread waiting = Thread.startVirtualThread(() -> {
            try {
                if (room.awaitEmpty(30)) {
                    empty.countDown();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        for (int i = 0; i < 3; i++) {
            room.leave();
        }
        waiting.join();
        assertThat(empty.getCount()).isZero();
    }
}
