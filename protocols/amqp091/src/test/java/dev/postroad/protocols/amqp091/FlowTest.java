package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.BlockedListener;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.runtime.BrokerSettings;
import dev.postroad.testkit.Await;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What clients see of the broker's bounds. */
class FlowTest {
    @Test
    void publishers_are_told_to_wait_while_there_is_no_room_and_nothing_is_lost() throws Exception {
        BrokerSettings small = BrokerSettings.memory(24 << 20);
        EngineSettings engine = small.engine();
        small = small.withEngine(
                engine.withJournal(engine.journal().withSegmentBytes(1 << 20)).withCheckpoints(2 << 20, 200));
        try (AmqpRig rig = new AmqpRig(AmqpSettings.DEFAULT, small)) {
            Connection publishing = rig.connect();
            CompletableFuture<String> blocked = new CompletableFuture<>();
            CompletableFuture<Boolean> unblocked = new CompletableFuture<>();
            publishing.addBlockedListener(new BlockedListener() {
                @Override
                public void handleBlocked(String reason) {
                    blocked.complete(reason);
                }

                @Override
                public void handleUnblocked() {
                    unblocked.complete(true);
                }
            });
            Channel publisher = publishing.createChannel();
            String queue = AmqpRig.queue(publisher, null);
            AtomicBoolean enough = new AtomicBoolean();
            CompletableFuture<Integer> published = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> publishUntilConfirmed(publisher, queue, enough, published));
            String reason = blocked.get(60, TimeUnit.SECONDS);
            assertThat(reason).isNotBlank();
            assertThat(published).isNotDone();
            enough.set(true);

            // Who comes now learns it too, and may consume: that is what makes room.
            Connection consuming = rig.connect();
            CompletableFuture<String> late = new CompletableFuture<>();
            consuming.addBlockedListener(late::complete, () -> {});
            Channel consumer = consuming.createChannel();
            consumer.basicQos(100);
            BlockingQueue<Delivery> deliveries = AmqpRig.consume(consumer, queue, false);
            List<Integer> seen = new ArrayList<>();
            Await.until("all confirmed and consumed", Duration.ofSeconds(60), () -> {
                Delivery delivery = deliveries.poll(100, TimeUnit.MILLISECONDS);
                if (delivery != null) {
                    seen.add(ByteBuffer.wrap(delivery.getBody()).getInt());
                    consumer.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
                }
                return published.isDone() && seen.size() >= published.get();
            });

            assertThat(late.get(60, TimeUnit.SECONDS)).isEqualTo(reason);
            assertThat(unblocked.get(60, TimeUnit.SECONDS)).isTrue();
            assertThat(new TreeSet<>(seen)).hasSize(published.get()).hasSameSizeAs(seen);
        }
    }

    /** Publishes numbers; what was on its way when the bound was reached is refused, and published again. */
    private static void publishUntilConfirmed(
            Channel channel, String queue, AtomicBoolean enough, CompletableFuture<Integer> published) {
        ConcurrentNavigableMap<Long, Integer> outstanding = new ConcurrentSkipListMap<>();
        BlockingQueue<Integer> again = new LinkedBlockingQueue<>();
        try {
            channel.confirmSelect();
            channel.addConfirmListener(
                    (tag, multiple) ->
                            (multiple ? outstanding.headMap(tag, true) : outstanding.subMap(tag, tag + 1)).clear(),
                    (tag, multiple) -> {
                        var refused = multiple ? outstanding.headMap(tag, true) : outstanding.subMap(tag, tag + 1);
                        again.addAll(refused.values());
                        refused.clear();
                    });
            int count = 0;
            while (!enough.get() || !outstanding.isEmpty() || !again.isEmpty()) {
                Integer number = enough.get() ? again.poll(20, TimeUnit.MILLISECONDS) : again.poll();
                if (number == null && enough.get()) {
                    continue;
                }
                int next = number == null ? count++ : number;
                byte[] body = new byte[32 * 1024];
                ByteBuffer.wrap(body).putInt(next);
                outstanding.put(channel.getNextPublishSeqNo(), next);
                channel.basicPublish("", queue, null, body);
            }
            published.complete(count);
        } catch (IOException | InterruptedException | RuntimeException e) {
            published.completeExceptionally(e);
        }
    }
}
