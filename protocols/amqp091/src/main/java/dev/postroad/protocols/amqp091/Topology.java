package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.ExchangeMethod;
import dev.postroad.protocols.amqp091.codec.Method;
import dev.postroad.protocols.amqp091.codec.QueueMethod;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import dev.postroad.security.Permission.Action;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Exchanges, queues and bindings: what a channel declares, deletes, binds and purges. */
final class Topology {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String RESERVED = "amq.";

    private final AmqpChannel channel;
    private final AmqpConnection connection;

    /** The queue that an empty name stands for: the one that this channel declared last. */
    private String lastQueue = "";

    Topology(AmqpChannel channel) {
        this.channel = channel;
        this.connection = channel.connection();
    }

    /** A name that nobody else has. */
    static String unique(String prefix) {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return prefix + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    void method(ExchangeMethod method) {
        switch (method) {
            case ExchangeMethod.Declare declare -> declare(declare);
            case ExchangeMethod.Delete delete -> delete(delete);
            case ExchangeMethod.Bind bind -> {
                checkExchange(bind.source());
                checkExchange(bind.destination());
                bind(
                        binding(bind.source(), bind.destination(), true, bind.routingKey(), bind.arguments()),
                        bind.noWait() ? null : new ExchangeMethod.BindOk());
            }
            case ExchangeMethod.Unbind unbind -> {
                checkExchange(unbind.source());
                checkExchange(unbind.destination());
                unbind(
                        binding(unbind.source(), unbind.destination(), true, unbind.routingKey(), unbind.arguments()),
                        unbind.noWait() ? null : new ExchangeMethod.UnbindOk());
            }
            default -> throw AmqpChannel.unexpected(method);
        }
    }

    void method(QueueMethod method) {
        switch (method) {
            case QueueMethod.Declare declare -> declare(declare);
            case QueueMethod.Delete delete -> delete(delete);
            case QueueMethod.Purge purge -> purge(purge);
            case QueueMethod.Bind bind -> {
                checkExchange(bind.exchange());
                bind(
                        binding(bind.exchange(), queueName(bind.queue()), false, bind.routingKey(), bind.arguments()),
                        bind.noWait() ? null : new QueueMethod.BindOk());
            }
            case QueueMethod.Unbind unbind -> {
                checkExchange(unbind.exchange());
                unbind(
                        binding(
                                unbind.exchange(),
                                queueName(unbind.queue()),
                                false,
                                unbind.routingKey(),
                                unbind.arguments()),
                        new QueueMethod.UnbindOk());
            }
            default -> throw AmqpChannel.unexpected(method);
        }
    }

    // ── Names and errors ─────────────────────────────────────────────────────────────────────────────────────────────

    private String inEngine(String name) {
        return channel.virtualHost().inEngine(name);
    }

    private String vhost() {
        return channel.virtualHost().name();
    }

    /** The queue meant: the one that was declared last where the name is empty. */
    String queueName(String name) {
        if (!name.isEmpty()) {
            return name;
        }
        if (lastQueue.isEmpty()) {
            throw new AmqpException(ReplyCode.NOT_FOUND, "no previously declared queue");
        }
        return lastQueue;
    }

    String noExchange(String name) {
        return "no exchange '" + name + "' in vhost '" + vhost() + "'";
    }

    private String noQueue(String name) {
        return "no queue '" + name + "' in vhost '" + vhost() + "'";
    }

    /** @throws AmqpException if the queue is a stream, which can't do that */
    void refuseStream(String what, String queue) {
        if (connection.server.broker.definition(inEngine(queue)) instanceof StreamDefinition) {
            throw new AmqpException(
                    ReplyCode.NOT_IMPLEMENTED,
                    what + " not supported by stream queues queue '" + queue + "' in vhost '" + vhost() + "'");
        }
    }

    private static void checkExchange(String name) {
        if (name.isEmpty()) {
            throw new AmqpException(ReplyCode.ACCESS_REFUSED, "operation not permitted on the default exchange");
        }
    }

    /** True if a queue of this name refuses publishes at its bound, and is meant to. */
    boolean refusesWhenFull(PublishGroup.Place place) {
        return place.topic() != null
                || (connection.server.broker.definition(place.target()) instanceof QueueDefinition queue
                        && isBounded(connection.server.broker.policies().effective(queue)));
    }

    private static boolean isBounded(QueueDefinition queue) {
        return queue.maxMessages() > 0 || queue.maxBytes() > 0;
    }

    /**
     * What the engine refused, as AMQP says it.
     *
     * @param inUse the code where the queue is in use, unless that is because it is exclusive and another connection's
     */
    AmqpException refusal(String queue, EngineException refused, ReplyCode inUse, String how) {
        String what = String.valueOf(refused.getMessage());
        return switch (refused.reason()) {
            case NOT_FOUND -> new AmqpException(ReplyCode.NOT_FOUND, queue.isEmpty() ? what : noQueue(queue));
            case IN_USE -> {
                Definition known = connection.server.broker.definition(inEngine(queue));
                yield known instanceof QueueDefinition definition && definition.exclusive() && what.contains("belongs")
                        ? new AmqpException(
                                ReplyCode.RESOURCE_LOCKED,
                                "cannot obtain exclusive access to locked queue '" + queue + "' in vhost '" + vhost()
                                        + "'. It could be originally declared on another connection or the exclusive"
                                        + " property value does not match that of the original declaration.")
                        : new AmqpException(inUse, "queue '" + queue + "' in vhost '" + vhost() + "' " + how);
            }
            case STORAGE_FAILED -> new AmqpException(ReplyCode.INTERNAL_ERROR, what);
            case CLOSED -> new AmqpException(ReplyCode.CONNECTION_FORCED, what);
            case FULL -> new AmqpException(ReplyCode.RESOURCE_ERROR, what);
            default -> new AmqpException(ReplyCode.PRECONDITION_FAILED, what);
        };
    }

    // ── Exchanges ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void declare(ExchangeMethod.Declare declare) {
        String name = declare.exchange();
        checkExchange(name);
        if (declare.passive()) {
            describe(inEngine(name), true, known -> {
                if (known.definition() == null) {
                    throw new AmqpException(ReplyCode.NOT_FOUND, noExchange(name));
                }
                answer(declare);
            });
            return;
        }
        Rights.require(channel.rights()
                .declare(new Declarations.Exchange(
                        vhost(),
                        name,
                        declare.type(),
                        declare.durable(),
                        declare.autoDelete(),
                        declare.internal(),
                        declare.arguments())));
        TopicDefinition definition = Definitions.exchange(name, channel.virtualHost(), declare);
        if (name.startsWith(RESERVED)) {
            describe(inEngine(name), true, found -> {
                if (!(found.definition() instanceof TopicDefinition known)) {
                    throw reserved("exchange", name);
                }
                checkSame(declare, known);
                answer(declare);
            });
            return;
        }
        connection.<Boolean>ask(
                channel, reply -> new Command.Declare(definition, null, reply), isNew -> answer(declare), refused -> {
                    TopicDefinition there = connection.server.broker.topic(inEngine(name));
                    if (refused.reason() != EngineException.Reason.MISMATCH || there == null) {
                        throw refusal("", refused, ReplyCode.PRECONDITION_FAILED, "in use");
                    }
                    checkSame(declare, there);
                    answer(declare);
                });
    }

    private void checkSame(ExchangeMethod.Declare declare, TopicDefinition there) {
        String difference = Definitions.difference(declare.exchange(), channel.virtualHost(), there, declare);
        if (difference != null) {
            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, difference);
        }
    }

    private void answer(ExchangeMethod.Declare declare) {
        if (!declare.noWait()) {
            channel.write(new ExchangeMethod.DeclareOk());
        }
    }

    private static AmqpException reserved(String what, String name) {
        return new AmqpException(
                ReplyCode.ACCESS_REFUSED, what + " name '" + name + "' contains reserved prefix 'amq.*'");
    }

    private void describe(String inEngine, boolean topic, java.util.function.Consumer<Command.Described> then) {
        connection.<Command.Described>ask(
                channel, reply -> new Command.Describe(inEngine, topic, reply), then, refused -> {
                    throw refusal("", refused, ReplyCode.PRECONDITION_FAILED, "in use");
                });
    }

    private void delete(ExchangeMethod.Delete delete) {
        String name = delete.exchange();
        checkExchange(name);
        Rights.require(channel.rights().exchange(Action.CONFIGURE, name));
        if (name.startsWith(RESERVED)) {
            throw reserved("exchange", name);
        }
        String inEngine = inEngine(name);
        connection.<Boolean>ask(
                channel,
                reply -> new Command.DeleteTopic(inEngine, delete.ifUnused(), reply),
                was -> {
                    if (!delete.noWait()) {
                        channel.write(new ExchangeMethod.DeleteOk());
                    }
                },
                refused -> {
                    throw refused.reason() == EngineException.Reason.IN_USE
                            ? new AmqpException(
                                    ReplyCode.PRECONDITION_FAILED,
                                    "exchange '" + name + "' in vhost '" + vhost() + "' in use")
                            : refusal("", refused, ReplyCode.PRECONDITION_FAILED, "in use");
                });
    }

    // ── Bindings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private Binding binding(
            String exchange,
            String destination,
            boolean toTopic,
            String routingKey,
            Map<String, @Nullable Object> arguments) {
        Rights.require(channel.rights()
                .bind(new Declarations.Bound(vhost(), exchange, destination, toTopic, routingKey, arguments)));
        return new Binding(
                inEngine(exchange), inEngine(destination), toTopic, routingKey, MessageMapping.inEngine(arguments));
    }

    private void bind(Binding binding, @Nullable Method ok) {
        connection.<Boolean>ask(
                channel,
                reply -> new Command.Bind(binding, connection, reply),
                isNew -> {
                    if (ok != null) {
                        channel.write(ok);
                    }
                },
                refused -> {
                    throw bindingRefused(binding, refused);
                });
    }

    private AmqpException bindingRefused(Binding binding, EngineException refused) {
        if (refused.reason() != EngineException.Reason.NOT_FOUND) {
            String queue = binding.toTopic() ? "" : channel.virtualHost().local(binding.destination());
            return refusal(queue, refused, ReplyCode.RESOURCE_LOCKED, "in use");
        }
        boolean destination = !binding.toTopic() && connection.server.broker.definition(binding.destination()) == null;
        return new AmqpException(
                ReplyCode.NOT_FOUND,
                destination
                        ? noQueue(channel.virtualHost().local(binding.destination()))
                        : noExchange(channel.virtualHost()
                                .local(
                                        String.valueOf(refused.getMessage()).contains("'" + binding.topic() + "'")
                                                        && !binding.toTopic()
                                                ? binding.topic()
                                                : binding.toTopic() ? binding.destination() : binding.topic())));
    }

    private void unbind(Binding binding, @Nullable Method ok) {
        connection.<Boolean>ask(
                channel,
                reply -> new Command.Unbind(binding, connection, reply),
                was -> {
                    if (ok != null) {
                        channel.write(ok);
                    }
                },
                refused -> {
                    throw bindingRefused(binding, refused);
                });
    }

    // ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void declare(QueueMethod.Declare declare) {
        String replies = declare.queue();
        if (replies.equals(DirectReplies.QUEUE)
                || connection.server.directReplies().has(replies)) {
            // No queue, but clients ask in this way whether there are direct replies, and whether a requester is still
            // there.
            if (!declare.noWait()) {
                channel.write(new QueueMethod.DeclareOk(replies, 0, 1));
            }
            return;
        }
        String name = declare.passive()
                ? queueName(declare.queue())
                : declare.queue().isEmpty() ? unique("amq.gen-") : declare.queue();
        if (!declare.passive()) {
            Rights.require(channel.rights()
                    .declare(new Declarations.Queue(
                            vhost(),
                            name,
                            declare.durable(),
                            declare.autoDelete(),
                            declare.exclusive(),
                            declare.arguments())));
        }
        String inEngine = inEngine(name);
        Definition known = connection.server.broker.definition(inEngine);
        if (declare.passive() && known == null) {
            throw new AmqpException(ReplyCode.NOT_FOUND, noQueue(name));
        }
        if (known == null && !declare.queue().isEmpty() && name.startsWith(RESERVED)) {
            throw reserved("queue", name);
        }
        Definition definition =
                declare.passive() && known != null ? known : Definitions.queue(name, channel.virtualHost(), declare);
        connection.<Boolean>ask(
                channel,
                reply -> new Command.Declare(definition, connection, reply),
                isNew -> declared(declare, name, isNew),
                refused -> {
                    Definition there = connection.server.broker.definition(inEngine);
                    if (refused.reason() == EngineException.Reason.MISMATCH && there != null) {
                        String difference = Definitions.difference(name, channel.virtualHost(), there, declare);
                        if (difference != null) {
                            throw new AmqpException(ReplyCode.PRECONDITION_FAILED, difference);
                        }
                        declared(declare, name, false);
                        return;
                    }
                    throw refusal(
                            refused.reason() == EngineException.Reason.NOT_FOUND ? "" : name,
                            refused,
                            ReplyCode.RESOURCE_LOCKED,
                            "in use");
                });
    }

    private void declared(QueueMethod.Declare declare, String name, boolean isNew) {
        lastQueue = name;
        if (declare.noWait()) {
            return;
        }
        if (isNew) {
            channel.write(new QueueMethod.DeclareOk(name, 0, 0));
            return;
        }
        describe(
                inEngine(name),
                false,
                known -> channel.write(new QueueMethod.DeclareOk(name, known.ready(), known.consumers())));
    }

    private void delete(QueueMethod.Delete delete) {
        String name = queueName(delete.queue());
        Rights.require(channel.rights().queue(Action.CONFIGURE, name));
        String inEngine = inEngine(name);
        connection.<Long>ask(
                channel,
                reply -> new Command.DeleteChannel(inEngine, delete.ifUnused(), delete.ifEmpty(), connection, reply),
                messages -> deleted(delete, messages),
                refused -> {
                    if (refused.reason() == EngineException.Reason.NOT_FOUND) {
                        // Deleting what is not there is fine, as it is for RabbitMQ.
                        deleted(delete, 0);
                        return;
                    }
                    throw refusal(
                            name,
                            refused,
                            ReplyCode.PRECONDITION_FAILED,
                            String.valueOf(refused.getMessage()).contains("consumers") ? "in use" : "not empty");
                });
    }

    private void deleted(QueueMethod.Delete delete, long messages) {
        if (!delete.noWait()) {
            channel.write(new QueueMethod.DeleteOk(messages));
        }
    }

    private void purge(QueueMethod.Purge purge) {
        String name = queueName(purge.queue());
        Rights.require(channel.rights().queue(Action.READ, name));
        String inEngine = inEngine(name);
        refuseStream("queue.purge", name);
        connection.<Long>ask(
                channel,
                reply -> new Command.Purge(inEngine, connection, reply),
                messages -> {
                    if (!purge.noWait()) {
                        channel.write(new QueueMethod.PurgeOk(messages));
                    }
                },
                refused -> {
                    throw refusal(name, refused, ReplyCode.RESOURCE_LOCKED, "in use");
                });
    }
}
