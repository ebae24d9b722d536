package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.Route;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Publishes that followed one another on a channel to the same place: one command to the engine, one reply, an outcome each. */
final class PublishGroup implements Reply<Command.EachPublished>, Event {
    private static final int MOST_MESSAGES = 4096;
    private static final long MOST_BYTES = 1 << 20;

    /**
     * Where to, as the client and as the engine say it.
     *
     * @param topic the engine's name of the exchange; null for the default exchange
     * @param target the engine's name of the queue, or the routing key
     * @param route of messages without copies; null for straight to the queue
     */
    record Place(
            String exchange,
            String routingKey,
            boolean mandatory,
            @Nullable String topic,
            String target,
            @Nullable Route route) {
        boolean is(String otherExchange, String otherKey, boolean otherMandatory) {
            return mandatory == otherMandatory && routingKey.equals(otherKey) && exchange.equals(otherExchange);
        }
    }

    private final AmqpConnection connection;
    private final AmqpChannel channel;
    private final Place place;
    private final List<EngineMessage> messages = new ArrayList<>();
    private boolean transientOnes;

    /** Number of the first for confirms; 0 where the channel does not confirm. */
    private long firstTag;

    private long bytes;
    private List<@Nullable EngineException> refusals = List.of();
    private @Nullable EngineException refusal;

    PublishGroup(AmqpConnection connection, AmqpChannel channel, Place place) {
        this.connection = connection;
        this.channel = channel;
        this.place = place;
    }

    boolean takes(AmqpChannel other, Place otherPlace, boolean isTransient, int more) {
        return channel == other
                && place == otherPlace
                && transientOnes == isTransient
                && messages.size() < MOST_MESSAGES
                && bytes + more <= MOST_BYTES;
    }

    /** @param tag for its confirm; 0 for none */
    void add(EngineMessage message, boolean isTransient, int size, long tag) {
        if (messages.isEmpty()) {
            transientOnes = isTransient;
            firstTag = tag;
        }
        messages.add(message);
        bytes += size;
    }

    Command command() {
        return new Command.PublishEach(publish(), this);
    }

    Command.Publish publish() {
        return new Command.Publish(
                place.topic(),
                place.target(),
                messages,
                transientOnes ? Durability.BUFFERED : null,
                place.mandatory() && place.topic() != null,
                null,
                true,
                Reply.ignored());
    }

    Place place() {
        return place;
    }

    List<EngineMessage> messages() {
        return messages;
    }

    @Override
    public void done(Command.EachPublished result) {
        refusals = result.refusals();
        connection.tell(this);
    }

    @Override
    public void failed(EngineException cause) {
        refusal = cause;
        connection.tell(this);
    }

    @Override
    public void happen() {
        connection.answered(bytes);
        EngineException whole = refusal;
        if (whole == null && refusals.isEmpty()) {
            if (firstTag > 0) {
                channel.confirmed(firstTag + messages.size() - 1);
            }
            return;
        }
        for (int i = 0; i < messages.size(); i++) {
            EngineException why = whole == null ? refusals.get(i) : whole;
            if (!channel.published(place, messages.get(i), why, firstTag == 0 ? 0 : firstTag + i)) {
                return;
            }
        }
    }
}
