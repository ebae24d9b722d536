package dev.postroad.protocols.amqp091;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Route;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.runtime.Connections.ChannelDetails;
import dev.postroad.protocols.amqp091.codec.AccessMethod;
import dev.postroad.protocols.amqp091.codec.ArgumentReader;
import dev.postroad.protocols.amqp091.codec.BasicMethod;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.ChannelMethod;
import dev.postroad.protocols.amqp091.codec.ConfirmMethod;
import dev.postroad.protocols.amqp091.codec.ConnectionMethod;
import dev.postroad.protocols.amqp091.codec.ExchangeMethod;
import dev.postroad.protocols.amqp091.codec.Fields;
import dev.postroad.protocols.amqp091.codec.MalformedException;
import dev.postroad.protocols.amqp091.codec.Method;
import dev.postroad.protocols.amqp091.codec.QueueMethod;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.protocols.amqp091.codec.TxMethod;
import dev.postroad.security.Permission.Action;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A channel: puts methods and their content together, publishes and confirms. What else it does is in its parts. */
final class AmqpChannel {
    private static final int FIRST_BYTES = 256 * 1024;
    private static final byte[] NO_BODY = {};

    private final AmqpConnection connection;
    private final int number;
    private final Topology topology;
    private final Consuming consuming;
    private @Nullable Transaction transaction;
    private int methodId;

    /** We said close; only the answer counts. */
    private boolean ending;

    // The publish whose content is coming.
    private PublishGroup.@Nullable Place place;
    private PublishGroup.@Nullable Place lastPlace;
    private @Nullable BasicProperties properties;
    private byte[] body = NO_BODY;
    private long bodySize;
    private int bodyAt;

    // Confirms: tags count the publishes since they were asked for.
    private boolean confirms;
    private long nextTag = 1;
    private long confirmedTo;
    private int confirmed;

    AmqpChannel(AmqpConnection connection, int number) {
        this.connection = connection;
        this.number = number;
        this.topology = new Topology(this);
        this.consuming = new Consuming(this);
    }

    /** What operators see of it. Messages are counted by queue, not by channel. */
    ChannelDetails details() {
        Transaction open = transaction;
        return new ChannelDetails(
                number,
                confirms,
                open != null,
                consuming.prefetch(),
                consuming.sharedPrefetch(),
                consuming.unacknowledged().count(),
                confirms ? nextTag - 1 - confirmedTo : 0,
                open == null ? 0 : open.size(),
                consuming.details(),
                null);
    }

    AmqpConnection connection() {
        return connection;
    }

    int number() {
        return number;
    }

    VirtualHost virtualHost() {
        return connection.handshake().virtualHost();
    }

    @Nullable
    Transaction transaction() {
        return transaction;
    }

    /** What the user may do. */
    Rights rights() {
        return connection.handshake().rights();
    }

    Consuming consuming() {
        return consuming;
    }

    Topology topology() {
        return topology;
    }

    /** The method being carried out, for close methods. */
    int methodId() {
        return methodId;
    }

    void write(Method method) {
        connection.write(number, method);
    }

    // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

    void method(ArgumentReader in) {
        Method method = Method.read(in);
        if (ending) {
            ending(method);
            return;
        }
        methodId = method.id();
        if (place != null) {
            throw new MalformedException(
                    ReplyCode.UNEXPECTED_FRAME,
                    "expected the content of a publish, got method " + Method.name(methodId) + " instead");
        }
        switch (method) {
            case BasicMethod.Publish publish -> publish(publish);
            case BasicMethod m -> consuming.method(m);
            case QueueMethod m -> topology.method(m);
            case ExchangeMethod m -> topology.method(m);
            case ChannelMethod m -> channel(m);
            case ConfirmMethod.Select select -> confirmSelect(select);
            case TxMethod m -> transactional(m);
            case AccessMethod.Request request -> write(new AccessMethod.RequestOk(1));
            case AccessMethod.RequestOk m -> throw unexpected(m);
            case ConfirmMethod.SelectOk m -> throw unexpected(m);
            case ConnectionMethod m -> throw unexpected(m);
        }
    }

    static MalformedException unexpected(Method method) {
        return new MalformedException(
                ReplyCode.COMMAND_INVALID,
                "method " + Method.name(method.id()) + " is not for a client to send on an open channel");
    }

    private void channel(ChannelMethod method) {
        switch (method) {
            case ChannelMethod.Close close -> close();
            case ChannelMethod.Flow flow -> {
                if (!flow.active()) {
                    throw new AmqpException(ReplyCode.NOT_IMPLEMENTED, "active=false");
                }
                write(new ChannelMethod.FlowOk(true));
            }
            case ChannelMethod.FlowOk ok -> {}
            case ChannelMethod.CloseOk ok -> throw unexpected(ok);
            case ChannelMethod.Open open ->
                throw new MalformedException(ReplyCode.CHANNEL_ERROR, "second 'channel.open' seen");
            case ChannelMethod.OpenOk ok -> throw unexpected(ok);
        }
    }

    void header(ArgumentReader in) {
        if (ending) {
            return;
        }
        if (place == null || properties != null) {
            throw new MalformedException(
                    ReplyCode.UNEXPECTED_FRAME, "a content header came where no content is expected");
        }
        int classId = in.readUnsignedShort();
        in.readUnsignedShort();
        long size = in.readLong();
        if (classId != methodId >>> 16) {
            throw new MalformedException(
                    ReplyCode.UNEXPECTED_FRAME,
                    "expected a content header for class " + (methodId >>> 16) + ", got one for class " + classId);
        }
        BasicProperties read = BasicProperties.read(in);
        int most = connection.server.settings().maxMessageBytes();
        if (size < 0 || size > most) {
            place = null;
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "message size " + Long.toUnsignedString(size) + " is larger than configured max size " + most);
        }
        properties = read;
        bodySize = size;
        bodyAt = 0;
        if (size == 0) {
            body = NO_BODY;
            complete();
        }
    }

    void body(ByteBuf in, int length) {
        if (ending) {
            return;
        }
        if (properties == null) {
            throw new MalformedException(ReplyCode.UNEXPECTED_FRAME, "a content body came where none is expected");
        }
        if (length > bodySize - bodyAt) {
            throw new MalformedException(
                    ReplyCode.FRAME_ERROR,
                    "a content body has more than the " + bodySize + " bytes that its header said");
        }
        if (bodyAt == 0) {
            // Memory is taken as bytes arrive, not as the header says.
            body = new byte[(int) Math.min(bodySize, Math.max(length, FIRST_BYTES))];
        } else if (bodyAt + length > body.length) {
            body = Arrays.copyOf(body, (int) Math.min(bodySize, Math.max(2L * body.length, bodyAt + length)));
        }
        in.readBytes(body, bodyAt, length);
        bodyAt += length;
        if (bodyAt == bodySize) {
            complete();
        }
    }

    // ── Publishing ───────────────────────────────────────────────────────────────────────────────────────────────────

    private void publish(BasicMethod.Publish publish) {
        connection.publishing();
        if (publish.immediate()) {
            throw new AmqpException(ReplyCode.NOT_IMPLEMENTED, "immediate=true");
        }
        PublishGroup.Place known = lastPlace;
        if (known == null || !known.is(publish.exchange(), publish.routingKey(), publish.mandatory())) {
            Rights.require(rights().exchange(Action.WRITE, publish.exchange()));
            String topic = publish.exchange().isEmpty() ? null : virtualHost().inEngine(publish.exchange());
            String target = topic == null ? virtualHost().inEngine(publish.routingKey()) : publish.routingKey();
            known = new PublishGroup.Place(
                    publish.exchange(),
                    publish.routingKey(),
                    publish.mandatory(),
                    topic,
                    target,
                    topic == null ? null : Route.of(topic, target));
            lastPlace = known;
        }
        place = known;
    }

    private void complete() {
        PublishGroup.Place to = place;
        BasicProperties with = properties;
        byte[] payload = body;
        place = null;
        properties = null;
        body = NO_BODY;
        if (to == null || with == null) {
            throw new IllegalStateException("content without its publish");
        }
        String userId = with.userId();
        if (userId != null && !userId.equals(connection.handshake().userName())) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "user_id property set to '" + userId + "' but authenticated user was '"
                            + connection.handshake().userName() + "'");
        }
        String replyTo = with.replyTo();
        if (replyTo != null && replyTo.equals(DirectReplies.QUEUE)) {
            with = consuming.withDirectReply(with);
        }
        if (to.topic() == null && to.routingKey().startsWith(DirectReplies.QUEUE)) {
            replyDirectly(to, with, payload);
            return;
        }
        EngineMessage message = MessageMapping.toEngine(with, payload, Routed.of(to, with.headers(), virtualHost()));
        message = delayed(to, with, message);
        String mark = connection.mark();
        if (mark != null) {
            message = MessageMapping.marked(message, mark);
        }
        boolean isTransient = MessageMapping.isTransient(with);
        Transaction open = transaction;
        if (open != null) {
            open.publish(to, message, isTransient);
            return;
        }
        int size = payload.length + 128;
        long tag = confirms ? nextTag++ : 0;
        connection.group(this, to, isTransient, size).add(message, isTransient, size, tag);
    }

    /** The message with a time to be delivered at, where it says a delay to an exchange that knows delays. */
    private EngineMessage delayed(PublishGroup.Place to, BasicProperties with, EngineMessage message) {
        String topic = to.topic();
        if (topic == null || with.headers() == null || !(with.headers().get("x-delay") instanceof Number delay)) {
            return message;
        }
        TopicDefinition exchange = connection.server.broker.topic(topic);
        if (exchange == null || !ExchangeArguments.delays(exchange) || delay.longValue() <= 0) {
            return message;
        }
        if (delay.longValue() > Arguments.MOST_MILLIS) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "the header x-delay is " + delay + "; it may be " + Arguments.MOST_MILLIS + " ms at most");
        }
        return message.withDeliverAtMillis(System.currentTimeMillis() + delay.longValue());
    }

    private void replyDirectly(PublishGroup.Place to, BasicProperties with, byte[] payload) {
        boolean delivered = connection.server.directReplies().reply(to.exchange(), to.routingKey(), with, payload);
        if (!delivered && to.mandatory()) {
            giveBack(to, with, payload);
        }
        if (confirms) {
            connection.handOver();
            // Not with those before it, which may still be on their way to the disk.
            write(new BasicMethod.Ack(nextTag++, false));
        }
    }

    private void giveBack(PublishGroup.Place to, BasicProperties with, byte @Nullable [] payload) {
        write(new BasicMethod.Return(ReplyCode.NO_ROUTE.code(), "NO_ROUTE", to.exchange(), to.routingKey()));
        connection.output().content(number, with, payload);
    }

    // ── What became of publishes ─────────────────────────────────────────────────────────────────────────────────────

    /** All up to this tag that were not refused are as safe as they have to be. */
    void confirmed(long tag) {
        if (ending) {
            return;
        }
        if (confirmed == 0) {
            connection.confirms(this);
        }
        confirmed += (int) (tag - confirmedTo);
        confirmedTo = tag;
    }

    /** Writes what was confirmed since the last time, as one. */
    void writeConfirms() {
        if (confirmed > 0 && !ending) {
            write(new BasicMethod.Ack(confirmedTo, confirmed > 1));
        }
        confirmed = 0;
    }

    /**
     * What became of one message.
     *
     * @param why it was refused; null if it was not
     * @param tag for its confirm; 0 for none
     * @return false if the channel ends by it
     */
    boolean published(PublishGroup.Place to, EngineMessage message, @Nullable EngineException why, long tag) {
        if (ending) {
            return false;
        }
        if (why == null || isUnroutable(to, why)) {
            if (why != null && to.mandatory()) {
                giveBack(to, MessageMapping.toAmqp(message), message.payload());
            }
            if (tag > 0) {
                confirmed(tag);
            }
            return true;
        }
        switch (why.reason()) {
            case FULL -> {
                if (tag > 0) {
                    writeConfirms();
                    confirmedTo = tag;
                    write(new BasicMethod.Nack(tag, false, false));
                    return true;
                }
                if (topology.refusesWhenFull(to)) {
                    // Nobody asked to be told: that is what RabbitMQ does too.
                    return true;
                }
                connection.end(ReplyCode.RESOURCE_ERROR, String.valueOf(why.getMessage()), BasicMethod.Publish.ID);
                return false;
            }
            case NOT_FOUND -> end(ReplyCode.NOT_FOUND, topology.noExchange(to.exchange()), BasicMethod.Publish.ID);
            case STORAGE_FAILED, CLOSED ->
                connection.end(
                        why.reason() == EngineException.Reason.CLOSED
                                ? ReplyCode.CONNECTION_FORCED
                                : ReplyCode.INTERNAL_ERROR,
                        String.valueOf(why.getMessage()),
                        BasicMethod.Publish.ID);
            default -> {
                boolean internal = isInternal(to);
                end(
                        internal ? ReplyCode.ACCESS_REFUSED : ReplyCode.PRECONDITION_FAILED,
                        internal
                                ? "cannot publish to internal exchange '" + to.exchange() + "' in vhost '"
                                        + virtualHost().name() + "'"
                                : String.valueOf(why.getMessage()),
                        BasicMethod.Publish.ID);
            }
        }
        return false;
    }

    private boolean isInternal(PublishGroup.Place to) {
        TopicDefinition exchange = to.topic() == null ? null : connection.server.broker.topic(to.topic());
        return exchange != null && exchange.internal();
    }

    private static boolean isUnroutable(PublishGroup.Place to, EngineException why) {
        return why.reason() == EngineException.Reason.UNROUTABLE
                || (to.topic() == null && why.reason() == EngineException.Reason.NOT_FOUND);
    }

    private void confirmSelect(ConfirmMethod.Select select) {
        if (transaction != null) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "cannot switch from tx to confirm mode");
        }
        confirms = true;
        if (!select.noWait()) {
            write(new ConfirmMethod.SelectOk());
        }
    }

    private void transactional(TxMethod method) {
        if (method instanceof TxMethod.Select) {
            if (confirms) {
                throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "cannot switch from confirm to tx mode");
            }
            if (transaction == null) {
                connection.handOver();
                transaction = new Transaction(this);
            }
            write(new TxMethod.SelectOk());
            return;
        }
        Transaction open = transaction;
        if (open == null) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, "channel is not transactional");
        }
        switch (method) {
            case TxMethod.Commit commit -> open.commit();
            case TxMethod.Rollback rollback -> open.rollback();
            default -> throw unexpected(method);
        }
    }

    /** Consumers that were refused a message get it now. */
    void feed() {
        consuming.feed();
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    boolean ended() {
        return ending;
    }

    private void close() {
        ending = true;
        consuming.end(() -> {
            write(new ChannelMethod.CloseOk());
            connection.forget(this);
        });
    }

    /** Ends the channel with an error; its deliveries go back at once. */
    void end(ReplyCode code, String what, int causeId) {
        if (ending) {
            return;
        }
        writeConfirms();
        ending = true;
        place = null;
        properties = null;
        body = NO_BODY;
        consuming.end(() -> {});
        write(new ChannelMethod.Close(
                code.code(), Fields.shorten(AmqpException.replyText(code, what)), causeId >>> 16, causeId & 0xFFFF));
    }

    private void ending(Method method) {
        switch (method) {
            case ChannelMethod.CloseOk ok -> connection.forget(this);
            case ChannelMethod.Close close -> {
                write(new ChannelMethod.CloseOk());
                connection.forget(this);
            }
            default -> {}
        }
    }

    /** The connection ends, and what the engine holds for it goes with it. */
    void gone() {
        ending = true;
        consuming.gone();
    }
}
