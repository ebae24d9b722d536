package dev.postroad.transports.embedded;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transaction;
import dev.postroad.engine.Command;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sends and acknowledgements gathered here, and carried out by the engine as one command. */
final class EmbeddedTransaction implements Transaction<byte[], byte[]> {
    private static final int MOST_OPERATIONS = 10_000;

    private final Broker broker;
    private final Limits limits;
    private final List<Command> sends = new ArrayList<>();
    private final Map<QueueSource, List<EmbeddedDelivery>> acknowledged = new LinkedHashMap<>();
    private int operations;
    private boolean over;

    EmbeddedTransaction(Broker broker, Limits limits) {
        this.broker = broker;
        this.limits = limits;
    }

    @Override
    public void send(String channel, Message<byte[], byte[]> message) {
        requireOpen();
        MessagingException refused = limits.check(channel, message);
        if (refused != null) {
            throw refused;
        }
        count();
        sends.add(new Command.Publish(
                null, channel, List.of(Messages.toEngine(channel, message)), null, false, null, Reply.ignored()));
    }

    @Override
    public void acknowledge(Delivery<?, ?> delivery) {
        count();
        switch (delivery) {
            case EmbeddedDelivery ours ->
                acknowledged
                        .computeIfAbsent(ours.source(), source -> new ArrayList<>())
                        .add(ours);
            case ReadDelivery read -> {
                // Nothing is remembered of it, with or without a transaction.
            }
            default -> throw foreign(delivery);
        }
    }

    static MessagingException foreign(Delivery<?, ?> delivery) {
        return new MessagingException(
                Reason.INVALID,
                "a delivery of channel '" + delivery.channel() + "' was not received through this transport, but is a "
                        + delivery.getClass().getName());
    }

    private void count() {
        requireOpen();
        if (operations == MOST_OPERATIONS) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "the transaction has " + operations + " operations already, the most it may have");
        }
        operations++;
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
        if (operations == 0) {
            return;
        }
        List<EmbeddedDelivery> taken = new ArrayList<>();
        boolean committed = false;
        try {
            List<Command> commands = new ArrayList<>(sends);
            acknowledged.forEach((source, deliveries) -> {
                for (EmbeddedDelivery delivery : deliveries) {
                    if (!delivery.take()) {
                        throw delivery.alreadySettled();
                    }
                    taken.add(delivery);
                }
                commands.add(source.settlement(deliveries, Command.Outcome.Acknowledge.INSTANCE, Reply.ignored()));
            });
            if (!commands.isEmpty()) {
                Failures.<List<Command.Published>>await(broker, reply -> new Command.Transact(commands, reply));
            }
            committed = true;
        } finally {
            if (!committed) {
                taken.forEach(EmbeddedDelivery::reopen);
            }
        }
    }

    @Override
    public void close() {
        over = true;
    }
}
