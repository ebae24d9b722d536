package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Command;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Arguments of basic.consume; one that is not known is refused by name.
 *
 * @param priority of x-priority: the higher is served first
 * @param start of x-stream-offset, where a stream is read from; null if it is not said
 */
record ConsumeArguments(int priority, Command.@Nullable Start start) {
    private static final String PRIORITY = "x-priority";

    /** Where a stream is read from; of a delivery, where it stands there. */
    static final String OFFSET = "x-stream-offset";

    private static final Map<Character, Long> UNIT_SECONDS =
            Map.of('Y', 31_536_000L, 'M', 2_592_000L, 'D', 86_400L, 'h', 3_600L, 'm', 60L, 's', 1L);

    static ConsumeArguments read(Map<String, @Nullable Object> arguments) {
        int priority = 0;
        Command.Start start = null;
        for (Map.Entry<String, @Nullable Object> argument : arguments.entrySet()) {
            switch (argument.getKey()) {
                case PRIORITY -> priority = priority(argument.getValue());
                case OFFSET -> start = start(argument.getValue());
                default -> throw refused(argument.getKey(), "it is not known here");
            }
        }
        return new ConsumeArguments(priority, start);
    }

    static AmqpException refused(String argument, String why) {
        return new AmqpException(
                ReplyCode.PRECONDITION_FAILED, "invalid arg '" + argument + "' for basic.consume: " + why);
    }

    /** The value as a whole number; null if it is none. */
    private static @Nullable Long whole(@Nullable Object value) {
        return switch (value) {
            case Byte number -> number.longValue();
            case Short number -> number.longValue();
            case Integer number -> number.longValue();
            case Long number -> number;
            case null, default -> null;
        };
    }

    private static int priority(@Nullable Object value) {
        Long number = whole(value);
        if (number == null || number != number.intValue()) {
            throw refused(PRIORITY, value + " is no integer");
        }
        return number.intValue();
    }

    private static Command.Start start(@Nullable Object value) {
        Long offset = whole(value);
        if (offset != null) {
            if (offset < 0) {
                throw refused(OFFSET, offset + " is negative");
            }
            return new Command.Start.Offset(offset);
        }
        if (value instanceof Instant time) {
            return new Command.Start.Timestamp(time.toEpochMilli());
        }
        if (value instanceof String text) {
            return named(text);
        }
        throw refused(OFFSET, value + " is no offset, time or one of first, last, next");
    }

    private static Command.Start named(String text) {
        return switch (text) {
            case "first" -> new Command.Start.Earliest();
            case "last" -> new Command.Start.Last();
            case "next" -> new Command.Start.Latest();
            default -> new Command.Start.Timestamp(System.currentTimeMillis() - 1000 * interval(text));
        };
    }

    /** Seconds of an interval like 7D or 30m. */
    private static long interval(String text) {
        Long unit = text.isEmpty() ? null : UNIT_SECONDS.get(text.charAt(text.length() - 1));
        String digits = text.isEmpty() ? "" : text.substring(0, text.length() - 1);
        if (unit == null || !digits.matches("[0-9]{1,9}")) {
            throw refused(
                    OFFSET,
                    String.format(
                            Locale.ROOT, "'%s' is none of first, last, next, and no interval like 7D, 12h, 30m", text));
        }
        return unit * Long.parseLong(digits);
    }
}
