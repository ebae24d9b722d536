package dev.postroad.engine;

import dev.postroad.engine.routing.Fields;
import org.jspecify.annotations.Nullable;

/**
 * What a rule sees of a message: headers first, then the well-known properties, then fields of the payload. Shows one message
 * after another; for one thread.
 */
public final class MessageFields implements Fields {
    private final PayloadFields payloads;
    private @Nullable EngineMessage message;

    /** Shows nothing yet. */
    public MessageFields(PayloadFields payloads) {
        this.payloads = payloads;
    }

    /** Shows this message from now on. Returns itself. */
    public MessageFields of(EngineMessage newMessage) {
        message = newMessage;
        return this;
    }

    @Override
    public @Nullable Object get(String name) {
        EngineMessage m = message;
        if (m == null) {
            return null;
        }
        Object header = m.headers().get(name);
        if (header != null) {
            return HeaderValues.field(header);
        }
        Object property = property(m, name);
        return property != null || m.payload() == null ? property : field(m, name);
    }

    private @Nullable Object field(EngineMessage m, String name) {
        try {
            return payloads.get(m, name);
        } catch (RuntimeException e) {
            // What looks into payloads is not the engine's, and a payload is anybody's: it has no such field then.
            return null;
        }
    }

    private static @Nullable Object property(EngineMessage m, String name) {
        return switch (name) {
            case "type", "JMSType" -> m.properties().type();
            case "source" -> m.properties().source();
            case "correlationId", "JMSCorrelationID" -> m.properties().correlationId();
            case "replyTo", "JMSReplyTo" -> m.properties().replyTo();
            case "contentType" -> m.properties().contentType();
            case "version" -> m.properties().version();
            case "messageId", "JMSMessageID" -> m.id();
            case "timestamp", "JMSTimestamp" -> m.timestampMillis();
            case "JMSPriority" -> (long) m.priority();
            default -> null;
        };
    }
}
