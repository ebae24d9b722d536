package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Durability;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.ExchangeMethod;
import dev.postroad.protocols.amqp091.codec.QueueMethod;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Declarations of exchanges and queues as the engine's definitions; an argument that is not known is refused by name. */
final class Definitions {
    private Definitions() {}

    static TopicDefinition exchange(String name, VirtualHost host, ExchangeMethod.Declare declare) {
        TopicDefinition.Routing routing = switch (declare.type()) {
            case "direct" -> TopicDefinition.Routing.DIRECT;
            case "fanout" -> TopicDefinition.Routing.FANOUT;
            case "topic" -> TopicDefinition.Routing.PATTERN;
            case "headers" -> TopicDefinition.Routing.HEADERS;
            default ->
                throw new AmqpException(
                        ReplyCode.COMMAND_INVALID, "unknown exchange type '" + declare.type() + "'");
        };
        String alternate = null;
        for (Map.Entry<String, @Nullable Object> argument : declare.arguments().entrySet()) {
            if (!argument.getKey().equals("alternate-exchange")) {
                throw unknown(argument.getKey(), "exchange", declare.exchange(), host);
            }
            alternate = host.inEngine(text(argument));
        }
        return new TopicDefinition(name, routing, alternate, declare.autoDelete(), null);
    }

    static QueueDefinition queue(String name, VirtualHost host, QueueMethod.Declare declare) {
        QueueDefinition queue = QueueDefinition.named(name)
                .withDurability(declare.durable() ? Durability.DURABLE : Durability.TRANSIENT)
                .withExclusive(declare.exclusive())
                .withAutoDelete(declare.autoDelete());
        String letterExchange = null;
        String letterKey = null;
        for (Map.Entry<String, @Nullable Object> argument : declare.arguments().entrySet()) {
            switch (argument.getKey()) {
                case "x-message-ttl" -> queue = queue.withTtlMillis(number(argument));
                case "x-expires" -> queue = queue.withExpiresMillis(number(argument));
                case "x-max-length" -> queue = queue.withMaxMessages(number(argument));
                case "x-max-length-bytes" -> queue = queue.withMaxBytes(number(argument));
                case "x-max-priority" -> queue = queue.withPriorities((int) number(argument) + 1);
                case "x-delivery-limit" -> queue = queue.withDeliveryLimit((int) number(argument));
                case "x-single-active-consumer" ->
                    queue = queue.withSingleActiveConsumer(Boolean.TRUE.equals(argument.getValue()));
                case "x-overflow" ->
                    queue = queue.withOverflow(
                            text(argument).equals("reject-publish")
                                    ? QueueDefinition.Overflow.REJECT_PUBLISH
                                    : QueueDefinition.Overflow.DROP_OLDEST);
                case "x-dead-letter-exchange" -> letterExchange = text(argument);
                case "x-dead-letter-routing-key" -> letterKey = text(argument);
                case "x-queue-type", "x-queue-mode", "x-queue-version" -> text(argument);
                default -> throw unknown(argument.getKey(), "queue", declare.queue(), host);
            }
        }
        if (letterExchange != null) {
            queue = queue.withDeadLetter(
                    letterExchange.isEmpty()
                            ? QueueDefinition.DeadLetterTarget.channel(
                                    letterKey == null ? name : host.inEngine(letterKey))
                            : new QueueDefinition.DeadLetterTarget(host.inEngine(letterExchange), letterKey));
        }
        if (!declare.arguments().containsKey("x-overflow") && (queue.maxMessages() > 0 || queue.maxBytes() > 0)) {
            queue = queue.withOverflow(
                    queue.deadLetter() == null
                            ? QueueDefinition.Overflow.DROP_OLDEST
                            : QueueDefinition.Overflow.DEAD_LETTER_OLDEST);
        }
        return queue;
    }

    private static AmqpException unknown(String argument, String what, String name, VirtualHost host) {
        return new AmqpException(
                ReplyCode.PRECONDITION_FAILED,
                "invalid arg '" + argument + "' for " + what + " '" + name + "' in vhost '" + host.name()
                        + "': it is not known here");
    }

    private static long number(Map.Entry<String, @Nullable Object> argument) {
        if (argument.getValue() instanceof Number number
                && number.longValue() >= 0
                && number.doubleValue() == number.longValue()) {
            return number.longValue();
        }
        throw new AmqpException(
                ReplyCode.PRECONDITION_FAILED,
                "invalid arg '" + argument.getKey() + "': " + argument.getValue() + " is no number of 0 or more");
    }

    private static String text(Map.Entry<String, @Nullable Object> argument) {
        if (argument.getValue() instanceof String text) {
            return text;
        }
        throw new AmqpException(
                ReplyCode.PRECONDITION_FAILED,
                "invalid arg '" + argument.getKey() + "': " + argument.getValue() + " is no text");
    }
}
