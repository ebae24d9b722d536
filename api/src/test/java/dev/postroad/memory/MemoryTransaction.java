package dev.postroad.memory;

import dev.postroad.api.Channel;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transaction;
import java.util.ArrayList;
import java.util.List;

final class MemoryTransaction implements Transaction<byte[], byte[]> {
    private record Sent(String channel, Message<byte[], byte[]> message) {}

    private final MemoryBroker broker;
    private final List<Sent> sends = new ArrayList<>();
    private final List<MemoryDelivery> acknowledged = new ArrayList<>();
    private boolean over;

    MemoryTransaction(MemoryBroker broker) {
        this.broker = broker;
    }

    @Override
    public void send(String channel, Message<byte[], byte[]> message) {
        requireOpen();
        if (broker.bugs.contains(Bug.SENDS_BEFORE_COMMIT)) {
            broker.locked(() -> broker.send(channel, message));
        } else {
            sends.add(new Sent(channel, message));
        }
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        requireOpen();
        if (!(delivery instanceof MemoryDelivery ours)) {
            throw new MessagingException(Reason.INVALID, "a delivery of another transport: " + delivery);
        }
        if (!broker.bugs.contains(Bug.FORGETS_TRANSACTED_ACKNOWLEDGEMENTS)) {
            acknowledged.add(ours);
        }
    }

    @Override
    public void commit() {
        requireOpen();
        over = true;
        broker.locked(() -> {
            for (MemoryDelivery delivery : acknowledged) {
                delivery.requireHeld();
            }
            for (Sent sent : sends) {
                Channel channel = broker.stored(sent.channel).channel;
                broker.checkSize(channel, sent.message);
            }
            for (Sent sent : sends) {
                broker.send(sent.channel, sent.message);
            }
            for (MemoryDelivery delivery : acknowledged) {
                broker.acknowledge(delivery.line, delivery.item);
                delivery.markSettled();
            }
        });
    }

    private void requireOpen() {
        if (over) {
            throw new MessagingException(Reason.CLOSED, "the transaction is over");
        }
    }

    @Override
    public void close() {
        over = true;
    }
}
