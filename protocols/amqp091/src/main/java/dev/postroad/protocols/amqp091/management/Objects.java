package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.Reply;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.Declarations;
import dev.postroad.protocols.amqp091.Declarations.Bound;

/** Declares and deletes exchanges, queues and bindings. */
final class Objects {
    private static final String RESERVED = "amq.";

    private final Broker broker;

    Objects(Broker broker) {
        this.broker = broker;
    }

    Declarations.Queue readQueue(String vhost, String name, ManagementJson body) {
        Declarations.Queue queue = new Declarations.Queue(
                vhost,
                name,
                body.flag("durable", true),
                body.flag("auto_delete", false),
                false,
                body.table("arguments"));
        body.ignore("vhost", "name", "node", "type");
        body.requireNothingLeft();
        return queue;
    }

    Declarations.Exchange readExchange(String vhost, String name, ManagementJson body) {
        Declarations.Exchange exchange = new Declarations.Exchange(
                vhost,
                name,
                body.text("type", "direct"),
                body.flag("durable", true),
                body.flag("auto_delete", false),
                body.flag("internal", false),
                body.table("arguments"));
        body.ignore("vhost", "name");
        body.requireNothingLeft();
        return exchange;
    }

    /** True if it is new. */
    boolean declare(Declarations.Queue wanted) {
        Definition definition = Declarations.toDefinition(wanted);
        Definition known = broker.definition(definition.name());
        if (known != null) {
            String difference = Declarations.difference(known, wanted);
            if (difference != null) {
                throw ApiProblem.bad(difference);
            }
            return false;
        }
        return broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    /** True if it is new. */
    boolean declare(Declarations.Exchange wanted) {
        if (wanted.name().isEmpty()) {
            throw ApiProblem.bad("operation not permitted on the default exchange");
        }
        TopicDefinition definition = Declarations.toDefinition(wanted);
        Command.Described known =
                broker.await((Reply<Command.Described> reply) -> new Command.Describe(definition.name(), true, reply));
        if (known.definition() instanceof TopicDefinition topic) {
            String difference = Declarations.difference(topic, wanted);
            if (difference != null) {
                throw ApiProblem.bad(difference);
            }
            return false;
        }
        return broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    /** Declares what every virtual host has, so that it can be bound and published to before anybody has connected. */
    void predeclare(String vhost) {
        for (TopicDefinition topic : Declarations.predeclared(vhost)) {
            broker.await((Reply<Boolean> reply) -> new Command.Declare(topic, null, reply));
        }
    }

    void bind(Bound binding) {
        if (binding.source().isEmpty()) {
            throw ApiProblem.bad("operation not permitted on the default exchange");
        }
        broker.await((Reply<Boolean> reply) -> new Command.Bind(Declarations.toBinding(binding), reply));
    }

    void unbind(Bound binding) {
        if (!broker.await((Reply<Boolean> reply) -> new Command.Unbind(Declarations.toBinding(binding), reply))) {
            throw ApiProblem.notFound();
        }
    }

    void deleteQueue(String vhost, String name, boolean ifUnused, boolean ifEmpty) {
        String channel = Declarations.inEngine(vhost, name);
        try {
            broker.await((Reply<Long> reply) -> new Command.DeleteChannel(channel, ifUnused, ifEmpty, null, reply));
        } catch (EngineException e) {
            throw e.reason() == EngineException.Reason.IN_USE ? ApiProblem.bad(String.valueOf(e.getMessage())) : e;
        }
    }

    void deleteExchange(String vhost, String name, boolean ifUnused) {
        if (name.isEmpty() || name.startsWith(RESERVED)) {
            throw ApiProblem.bad("exchange name '" + name + "' contains reserved prefix 'amq.*'");
        }
        String topic = Declarations.inEngine(vhost, name);
        if (!broker.await((Reply<Boolean> reply) -> new Command.DeleteTopic(topic, ifUnused, reply))) {
            throw ApiProblem.notFound();
        }
    }

    void purge(String vhost, String name) {
        String channel = Declarations.inEngine(vhost, name);
        broker.await((Reply<Long> reply) -> new Command.Purge(channel, reply));
    }
}
