package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Something declared: as durable as messages, and compared when it is declared again. Queues and streams share one space of
 * names, topics have their own.
 */
public sealed interface Definition permits QueueDefinition, StreamDefinition, TopicDefinition {
    /** Tag of a queue in records. */
    byte QUEUE = 1;

    /** Tag of a stream in records. */
    byte STREAM = 2;

    /** Tag of a topic in records. */
    byte TOPIC = 3;

    /** Name, unique among its like. */
    String name();

    /** Which kind of definition this is, in records. */
    byte tag();

    /** Writes the definition; at most 64 KiB. */
    void encode(ByteBuffer out);

    /** Reads a definition written after its tag. */
    static Definition decode(ByteBuffer in) {
        byte tag = in.get();
        return switch (tag) {
            case QUEUE -> QueueDefinition.decode(in);
            case STREAM -> StreamDefinition.decode(in);
            case TOPIC -> TopicDefinition.decode(in);
            default -> throw new IllegalStateException("definition of kind " + tag);
        };
    }

    /** Checks a name. */
    static void checkName(String what, String name) {
        int bytes = name.getBytes(StandardCharsets.UTF_8).length;
        if (bytes < 1 || bytes > 255) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "the name of a " + what + " has " + bytes + " bytes; it must have 1 to 255");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (Character.isISOControl(c)) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        String.format(
                                "the name of a %s has the control character U+%04X; it must have none", what, (int) c));
            }
        }
    }

    /** Refuses a setting that is out of its bounds. */
    static void check(boolean holds, String what, String setting, @Nullable Object value, String bounds) {
        if (!holds) {
            throw new EngineException(
                    EngineException.Reason.INVALID, what + setting + " is " + value + "; it must be " + bounds);
        }
    }

    /** Refuses two settings that contradict each other. */
    static void exclude(boolean both, String what, String one, String other, String why) {
        if (both) {
            throw new EngineException(
                    EngineException.Reason.INVALID, what + one + " contradicts " + other + ": " + why);
        }
    }
}
