package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Definition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.ExchangeMethod;
import dev.postroad.protocols.amqp091.codec.QueueMethod;
import org.jspecify.annotations.Nullable;

/** The methods that declare exchanges and queues, and the engine's definitions. */
final class Definitions {
    private Definitions() {}

    private static ExchangeArguments.Declared declared(ExchangeMethod.Declare declare) {
        return new ExchangeArguments.Declared(
                declare.type(), declare.durable(), declare.autoDelete(), declare.internal(), declare.arguments());
    }

    private static QueueArguments.Declared declared(QueueMethod.Declare declare) {
        return new QueueArguments.Declared(
                declare.durable(), declare.exclusive(), declare.autoDelete(), declare.arguments());
    }

    /** @throws AmqpException if the method says what can't be */
    static TopicDefinition exchange(String name, VirtualHost host, ExchangeMethod.Declare declare) {
        return ExchangeArguments.definition(name, host, declared(declare));
    }

    /** @throws AmqpException if the method says what can't be */
    static Definition queue(String name, VirtualHost host, QueueMethod.Declare declare) {
        return QueueArguments.definition(name, host, declared(declare));
    }

    /** In what an exchange that is there differs from the method; null if in nothing. */
    static @Nullable String difference(
            String name, VirtualHost host, TopicDefinition there, ExchangeMethod.Declare declare) {
        return ExchangeArguments.difference(name, host, there, declared(declare));
    }

    /** In what a queue that is there differs from the method; null if in nothing. */
    static @Nullable String difference(String name, VirtualHost host, Definition there, QueueMethod.Declare declare) {
        return QueueArguments.difference(name, host, there, declared(declare));
    }
}
