package dev.postroad.transports.embedded;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A consumer of a queue, or of a group of a stream. Its credit, restored as deliveries are settled, bounds what it holds. */
final class QueueSource extends Source implements DeliverySink {
    private final Broker broker;
    private final EmbeddedReceiver receiver;
    private final String channel;
    private final @Nullable String group;
    private final int prefetch;
    private final boolean leased;

    /** Deliveries of this turn; by the thread that runs the engine. */
    private List<Arrival> arriving = new ArrayList<>();

    /** Set once, before anything can be received. */
    private volatile long consumerId;

    private record Handed(QueueSource source, EngineDelivery delivery) implements Arrival {
        @Override
        public Delivery<byte[], byte[]> toDelivery() {
            return new EmbeddedDelivery(source, delivery);
        }
    }

    private QueueSource(
            Broker broker,
            EmbeddedReceiver receiver,
            ChannelDeclaration channel,
            ConsumerOptions options,
            int prefetch) {
        this.broker = broker;
        this.receiver = receiver;
        this.channel = channel.name();
        this.group = options.group();
        this.prefetch = prefetch;
        this.leased = options.lease() != null || channel.leaseMillis() > 0;
    }

    /** Begins to consume; makes the group if it is new. */
    static QueueSource open(
            Broker broker,
            EmbeddedReceiver receiver,
            ChannelDeclaration channel,
            ConsumerOptions options,
            @Nullable Rule filter,
            String name) {
        Integer own = options.prefetch();
        int prefetch = own == null ? channel.prefetch() : own;
        QueueSource source = new QueueSource(broker, receiver, channel, options, prefetch);
        String group = options.group();
        if (group != null) {
            Command.Start start = start(broker, channel, options.start());
            Failures.<Boolean>await(
                    broker,
                    reply -> new Command.DeclareSharedGroup(
                            channel.name(), channel.groupDefinition(group), start, reply));
        }
        Command.ConsumerSettings settings = new Command.ConsumerSettings(
                prefetch,
                true,
                false,
                options.exclusive(),
                options.priority(),
                options.lease() == null ? 0 : options.lease().toMillis(),
                filter,
                null,
                name);
        source.consumerId = Failures.<Long>await(
                broker, reply -> new Command.Subscribe(channel.name(), group, settings, source, reply));
        return source;
    }

    private static Command.Start start(
            Broker broker, ChannelDeclaration channel, ConsumerOptions.@Nullable Start start) {
        return switch (start) {
            case null -> new Command.Start.Earliest();
            case ConsumerOptions.Start.Earliest earliest -> new Command.Start.Earliest();
            case ConsumerOptions.Start.Latest latest -> new Command.Start.Latest();
            case ConsumerOptions.Start.Offset from -> new Command.Start.Offset(from.offset());
            case ConsumerOptions.Start.Timestamp from ->
                new Command.Start.Offsets(IntStream.range(0, channel.partitions())
                        .mapToObj(p -> Seeking.first(broker, channel.name(), p, from.timestamp()))
                        .toList());
        };
    }

    String channel() {
        return channel;
    }

    @Nullable
    String group() {
        return group;
    }

    /** True if its deliveries have a lease, which can be extended. */
    boolean leased() {
        return leased;
    }

    /** Settles deliveries of this consumer that were {@link EmbeddedDelivery#take taken}. */
    CompletableFuture<Void> settle(List<EmbeddedDelivery> deliveries, Command.Outcome outcome) {
        SettleFuture settled = new SettleFuture(
                broker, channel, deliveries.size(), deliveries.size() == 1 ? deliveries.getFirst() : null);
        broker.submit(settlement(deliveries, outcome, settled));
        return settled;
    }

    /** The same of one, or an extension of its lease, which leaves it unsettled. */
    CompletableFuture<Void> settle(EmbeddedDelivery delivery, Command.Outcome outcome) {
        boolean ends = !(outcome instanceof Command.Outcome.Extend);
        SettleFuture settled = new SettleFuture(broker, channel, 1, ends ? delivery : null);
        int[] attempts = leased ? new int[] {delivery.attempt()} : null;
        broker.submit(new Command.Settle(consumerId, new long[] {delivery.number()}, 1, attempts, outcome, settled));
        return settled;
    }

    /** A settlement as a command, for a transaction say. */
    Command.Settle settlement(List<EmbeddedDelivery> deliveries, Command.Outcome outcome, Reply<Integer> reply) {
        int count = deliveries.size();
        long[] numbers = new long[count];
        int[] attempts = leased ? new int[count] : null;
        for (int i = 0; i < count; i++) {
            EmbeddedDelivery delivery = deliveries.get(i);
            numbers[i] = delivery.number();
            if (attempts != null) {
                // Without a lease nothing comes to a consumer again that it has not given back.
                attempts[i] = delivery.attempt();
            }
        }
        return new Command.Settle(consumerId, numbers, count, attempts, outcome, reply);
    }

    // ── On the engine's thread ───────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void deliver(EngineDelivery delivery) {
        arriving.add(new Handed(this, delivery));
    }

    @Override
    public void flush() {
        receiver.arrived(this, arriving, prefetch);
        if (arriving.size() > 1_024) {
            arriving = new ArrayList<>();
        } else {
            arriving.clear();
        }
    }

    @Override
    public void cancelled(String reason) {
        receiver.ended(
                this,
                new MessagingException(
                        Reason.NOT_FOUND, "nothing more comes from channel '" + channel + "': " + reason));
    }

    // ── By whoever receives ──────────────────────────────────────────────────────────────────────────────────────────

    @Override
    void request() {
        // comes by itself
    }

    @Override
    void stop() {
        end(reply -> new Command.Unsubscribe(consumerId, false, reply));
    }

    @Override
    void close(List<Arrival> untouched) {
        if (!untouched.isEmpty()) {
            long[] numbers = new long[untouched.size()];
            int count = 0;
            for (Arrival arrival : untouched) {
                if (arrival instanceof Handed handed) {
                    numbers[count++] = handed.delivery.number();
                }
            }
            int total = count;
            end(reply ->
                    new Command.Settle(consumerId, numbers, total, new Command.Outcome.Release(0, null, false), reply));
        }
        end(reply -> new Command.Unsubscribe(consumerId, true, reply));
    }

    /** What a broker that has stopped, or a queue that was deleted, says to an end is of no matter. */
    private void end(Function<Reply<Integer>, Command> command) {
        try {
            broker.await(command);
        } catch (EngineException e) {
            switch (e.reason()) {
                case NOT_FOUND, NOT_DELIVERED, CLOSED, STORAGE_FAILED -> {
                    // Its deliveries have gone back, or will when the broker opens again.
                }
                default -> throw Failures.of(e);
            }
        }
    }
}
