package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.protocols.amqp091.codec.TxMethod;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a transactional channel has done since its last commit: one transaction of the engine, over any queues, on disk when
 * the commit is answered. A rollback forgets the publishes and gives back the acknowledgements: those deliveries are
 * unacknowledged again.
 */
final class Transaction {
    private static final int MOST = 10_000;
    private static final long MOST_BYTES = 16 << 20;

    private record Published(PublishGroup.Place place, EngineMessage message, boolean isTransient) {}

    private record Settled(Consumer consumer, long number, long tag, Command.Outcome outcome) {}

    private final AmqpChannel channel;
    private final AmqpConnection connection;
    private List<Published> published = new ArrayList<>();
    private List<Settled> settled = new ArrayList<>();
    private long bytes;

    Transaction(AmqpChannel channel) {
        this.channel = channel;
        this.connection = channel.connection();
    }

    /** Publishes and settlements that wait for the commit. */
    int size() {
        return published.size() + settled.size();
    }

    void publish(PublishGroup.Place place, EngineMessage message, boolean isTransient) {
        byte[] payload = message.payload();
        bytes += payload == null ? 0 : payload.length;
        published.add(new Published(place, message, isTransient));
        checkSize();
    }

    void acknowledge(Consumer consumer, long number, long tag) {
        settle(consumer, number, tag, Command.Outcome.Acknowledge.INSTANCE);
    }

    void settle(Consumer consumer, long number, long tag, Command.Outcome outcome) {
        settled.add(new Settled(consumer, number, tag, outcome));
        checkSize();
    }

    private void checkSize() {
        if (published.size() + settled.size() > MOST || bytes > MOST_BYTES) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "the transaction has more than " + MOST + " operations or " + MOST_BYTES
                            + " bytes, the most that one may have: commit more often");
        }
    }

    /** Consumers whose deliveries wait for the commit. */
    Set<Consumer> consumers() {
        Set<Consumer> consumers = new LinkedHashSet<>();
        settled.forEach(s -> consumers.add(s.consumer()));
        return consumers;
    }

    void rollback() {
        restore(settled);
        forget();
        channel.write(new TxMethod.RollbackOk());
    }

    private void restore(List<Settled> all) {
        all.forEach(s -> channel.consuming().unacknowledged().restore(s.consumer(), s.number(), s.tag()));
    }

    private void forget() {
        published = new ArrayList<>();
        settled = new ArrayList<>();
        bytes = 0;
    }

    void commit() {
        List<Published> publishes = published;
        List<Settled> settlements = settled;
        forget();
        List<Command> commands = new ArrayList<>();
        List<Published> routed = new ArrayList<>();
        for (Published p : publishes) {
            // The engine refuses a transaction as a whole: what goes nowhere must not be part of it.
            if (p.place().topic() == null
                    && connection.server.broker.definition(p.place().target()) == null) {
                channel.published(p.place(), p.message(), unroutable(), 0);
                continue;
            }
            routed.add(p);
            commands.add(new Command.Publish(
                    p.place().topic(),
                    p.place().target(),
                    List.of(p.message()),
                    p.isTransient() ? Durability.BUFFERED : null,
                    false,
                    null,
                    Reply.ignored()));
        }
        commands.addAll(settlements(settlements));
        if (commands.isEmpty()) {
            channel.write(new TxMethod.CommitOk());
            return;
        }
        connection.<List<Command.Published>>ask(
                channel,
                reply -> new Command.Transact(commands, reply),
                done -> {
                    giveBackUnrouted(routed, done);
                    channel.write(new TxMethod.CommitOk());
                },
                refused -> {
                    restore(settlements);
                    throw channel.topology().refusal("", refused, ReplyCode.PRECONDITION_FAILED, "in use");
                });
    }

    private void giveBackUnrouted(List<Published> publishes, List<Command.Published> outcomes) {
        for (int i = 0; i < publishes.size(); i++) {
            if (outcomes.get(i).routed() == 0) {
                Published p = publishes.get(i);
                channel.published(p.place(), p.message(), unroutable(), 0);
            }
        }
    }

    private static EngineException unroutable() {
        return new EngineException(EngineException.Reason.UNROUTABLE, "nothing takes the message");
    }

    /** Neighbours of the same consumer and outcome as one command. */
    private static List<Command> settlements(List<Settled> all) {
        List<Command> commands = new ArrayList<>();
        for (int from = 0; from < all.size(); ) {
            Settled first = all.get(from);
            int to = from;
            while (to < all.size()
                    && all.get(to).consumer() == first.consumer()
                    && all.get(to).outcome().equals(first.outcome())) {
                to++;
            }
            long[] numbers =
                    all.subList(from, to).stream().mapToLong(Settled::number).toArray();
            commands.add(new Command.Settle(
                    first.consumer().id(), numbers, numbers.length, first.outcome(), Reply.ignored()));
            from = to;
        }
        return commands;
    }
}
