package dev.postroad.transports.amqp;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Gives a consumer of queues a quarter of its prefetch at a time. What is taken together is acknowledged together, and a broker that
 * learns of half a prefetch at once has meanwhile run out of what it may send: it stands still until then, and hands out the next
 * half message by message. RabbitMQ gave out a third less that way.
 */
record SteadyReceiver(Transport.Receiver receiver, int most) implements Transport.Receiver {
    private static final int PIECES = 4;

    /** Where the prefetch is small, each acknowledgement costs more than the wait. */
    private static final int LEAST = 16;

    /** @param channels what it receives from; streams are acknowledged by position, in pieces as large as they come */
    static Transport.Receiver of(Transport.Receiver receiver, List<Channel> channels, ConsumerOptions options) {
        int most = 0;
        for (Channel channel : channels) {
            if (channel.kind().isStream()) {
                return receiver;
            }
            Integer asked = options.prefetch();
            int prefetch = asked == null ? channel.prefetch() : asked;
            most += Math.max(LEAST, prefetch / PIECES);
        }
        return new SteadyReceiver(receiver, most);
    }

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        return receiver.receive(Math.min(max, most), timeout);
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
        return receiver.acknowledge(deliveries);
    }

    @Override
    public void close() {
        receiver.close();
    }
}
