package dev.postroad.transports.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Await;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SendAheadTest {

    @Test
    void noMoreIsUnderWayThanTheBoundAndOneMessageAndAllGetIn() throws Exception {
        int threads = 40;
        int rounds = 500;
        for (int most : new int[] {1, 100, 1 << 12, 100_000}) {
            int largest = 5_000;
            SendAhead ahead = new SendAhead(most);
            AtomicLong underWay = new AtomicLong();
            AtomicLong peak = new AtomicLong();
            LinkedBlockingQueue<Integer> sent = new LinkedBlockingQueue<>();
            List<Thread> senders = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                Random random = new Random(most * 31L + i);
                senders.add(Thread.startVirtualThread(() -> {
                    try {
                        for (int round = 0; round < rounds; round++) {
                            int bytes = random.nextInt(1, largest);
                            ahead.enter(bytes);
                            peak.accumulateAndGet(underWay.addAndGet(bytes), Math::max);
                            sent.add(bytes);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                }));
            }
            for (int i = 0; i < threads * rounds; i++) {
                int bytes = sent.take();
                underWay.addAndGet(-bytes);
                ahead.leave(bytes);
            }
            for (Thread sender : senders) {
                sender.join();
            }
            assertThat(peak.get()).as("bound of " + most).isBetween(1L, most + largest - 1L);
        }
    }

    @Test
    void whoIsInterruptedWhileItWaitsHasBegunNothing() throws Exception {
        SendAhead ahead = new SendAhead(100);
        ahead.enter(60);
        ahead.enter(60);
        Thread here = Thread.currentThread();
        Thread other = Thread.startVirtualThread(here::interrupt);
        assertThatThrownBy(() -> ahead.enter(1_000)).isInstanceOf(InterruptedException.class);
        other.join();
        ahead.leave(60);
        // With the thousand still under way this would wait for ever.
        ahead.enter(1);
    }

    @Test
    void theThreadThatConfirmsIsNotMadeToWaitForItself() throws Exception {
        SendAhead ahead = new SendAhead(100);
        ahead.enter(200);
        Thread confirming = Thread.ofPlatform()
                .name(KafkaProducer.NETWORK_THREAD_PREFIX + " | producer-1")
                .start(() -> {
                    try {
                        // As who sends in the callback of a confirm.
                        ahead.enter(50);
                        ahead.leave(200);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
        confirming.join();
        Thread next = Thread.startVirtualThread(() -> {
            try {
                ahead.enter(50);
                ahead.enter(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Await.until(
                "that a hundred are under way and the next one waits", () -> next.getState() == Thread.State.WAITING);
        ahead.leave(50);
        next.join();
    }
}
