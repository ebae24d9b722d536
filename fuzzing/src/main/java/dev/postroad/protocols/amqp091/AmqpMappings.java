package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineMessage;
import dev.postroad.protocols.amqp091.codec.ArgumentReader;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.FieldTable;
import dev.postroad.protocols.amqp091.codec.MalformedException;
import io.netty.buffer.Unpooled;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of AMQP's properties and arguments in the engine, as functions of bytes; in their package so that they need not be
 * public for the sake of fuzzing. For any thread.
 */
public final class AmqpMappings {
    private AmqpMappings() {}

    /** Whether that is how a client is refused. */
    public static boolean refuses(Throwable thrown) {
        return thrown instanceof MalformedException || thrown instanceof AmqpException;
    }

    private static ArgumentReader reader(byte[] input) {
        return new ArgumentReader().over(Unpooled.wrappedBuffer(input), input.length);
    }

    /** A message's properties: to the engine and back, and there again, where it must be the same message. */
    public static void message(byte[] input) {
        EngineMessage once = toEngine(BasicProperties.read(reader(input)));
        EngineMessage again = toEngine(MessageMapping.toAmqp(once));
        if (!MessageMapping.toAmqp(once)
                        .toString()
                        .equals(MessageMapping.toAmqp(again).toString())
                && once.headers().values().stream().noneMatch(byte[].class::isInstance)) {
            throw new AssertionError(
                    "there and back, " + MessageMapping.toAmqp(once) + " is " + MessageMapping.toAmqp(again));
        }
    }

    private static EngineMessage toEngine(BasicProperties properties) {
        PublishGroup.Place place = new PublishGroup.Place("", "q", false, null, "q", null);
        return MessageMapping.toEngine(
                properties, new byte[0], Routed.of(place, properties.headers(), VirtualHost.DEFAULT));
    }

    /** The arguments of a queue: declared again as they are shown, it must be the same queue. */
    public static void queue(byte[] input) {
        Map<String, @Nullable Object> arguments = FieldTable.read(reader(input));
        Definition once = define(arguments);
        QueueArguments.Declared shown = QueueArguments.declared(once, VirtualHost.DEFAULT);
        Definition again = QueueArguments.definition("q", VirtualHost.DEFAULT, shown);
        String difference = QueueArguments.difference("q", VirtualHost.DEFAULT, once, shown);
        if (!once.equals(again) || difference != null) {
            throw new AssertionError("declared as it is shown, " + once + " is " + again + ": " + difference);
        }
    }

    private static Definition define(Map<String, @Nullable Object> arguments) {
        return QueueArguments.definition(
                "q", VirtualHost.DEFAULT, new QueueArguments.Declared(true, false, false, arguments));
    }
}
