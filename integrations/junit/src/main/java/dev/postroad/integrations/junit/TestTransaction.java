package dev.postroad.integrations.junit;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Transaction;
import java.util.ArrayList;
import java.util.List;

/** A transaction around whose commit the program may die. */
final class TestTransaction implements Transaction<byte[], byte[]> {
    private final TestTransport transport;
    private final Transaction<byte[], byte[]> inner;
    private final List<Sent> sent = new ArrayList<>();
    private final List<TestDelivery> acknowledged = new ArrayList<>();

    private record Sent(String channel, Message<byte[], byte[]> message) {}

    TestTransaction(TestTransport transport, Transaction<byte[], byte[]> inner) {
        this.transport = transport;
        this.inner = inner;
    }

    @Override
    public void send(String channel, Message<byte[], byte[]> message) {
        inner.send(channel, message);
        sent.add(new Sent(channel, message));
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        if (delivery instanceof TestDelivery ours) {
            inner.acknowledge(ours.inner());
            acknowledged.add(ours);
        } else {
            inner.acknowledge(delivery);
        }
    }

    @Override
    public void commit() {
        for (TestDelivery delivery : acknowledged) {
            if (!delivery.held()) {
                throw delivery.lostException();
            }
        }
        for (TestDelivery delivery : acknowledged) {
            if (delivery.crashes(Fault.CRASH_BEFORE_SETTLE) && delivery.take()) {
                inner.close();
                delivery.comeAgain();
                throw transport.crash(delivery.channel(), delivery.message().id(), "before a transaction is committed");
            }
        }
        transport.locked(() -> {
            inner.commit();
            return true;
        });
        sent.forEach(each -> transport.sentInTransaction(each.channel(), each.message()));
        for (TestDelivery delivery : acknowledged) {
            delivery.take();
            delivery.acknowledged();
        }
        for (TestDelivery delivery : acknowledged) {
            if (delivery.crashes(Fault.CRASH_AFTER_SETTLE)) {
                throw transport.crash(
                        delivery.channel(), delivery.message().id(), "when a transaction has been committed");
            }
        }
    }

    @Override
    public void close() {
        inner.close();
    }
}
