package dev.postroad.transports.kafka;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transaction;
import dev.postroad.transports.emulation.Held;
import java.util.ArrayList;
import java.util.List;

/** Gathers what it is told, and carries it out as one transaction of Kafka's. */
final class KafkaTransaction implements Transaction<byte[], byte[]> {
    private static final int MOST_OPERATIONS = 10_000;

    private final KafkaTransport transport;
    private final List<Transactions.Sending> sends = new ArrayList<>();
    private final List<Held> acknowledged = new ArrayList<>();
    private boolean over;

    KafkaTransaction(KafkaTransport transport) {
        this.transport = transport;
    }

    @Override
    public void send(String channel, Message<byte[], byte[]> message) {
        count();
        sends.add(transport.sending(channel, message));
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        count();
        if (!(delivery instanceof Held held)) {
            throw new MessagingException(
                    Reason.INVALID,
                    "a delivery of channel '" + delivery.channel()
                            + "' was not received through this transport, but is a "
                            + delivery.getClass().getName());
        }
        acknowledged.add(held);
    }

    private void count() {
        requireOpen();
        int operations = sends.size() + acknowledged.size();
        if (operations >= MOST_OPERATIONS) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "the transaction has " + operations + " operations already, the most it may have");
        }
    }

    private void requireOpen() {
        if (over) {
            throw new MessagingException(Reason.CLOSED, "the transaction is over: it was committed or closed");
        }
    }

    @Override
    public void commit() {
        requireOpen();
        over = true;
        if (sends.isEmpty() && acknowledged.isEmpty()) {
            return;
        }
        List<Held> enlisted = new ArrayList<>();
        boolean committed = false;
        try {
            for (Held held : acknowledged) {
                held.enlist();
                enlisted.add(held);
            }
            transport.transactions().run(sends, enlisted);
            committed = true;
        } finally {
            boolean took = committed;
            enlisted.forEach(held -> held.release(took));
        }
    }

    @Override
    public void close() {
        over = true;
    }
}
