package dev.postroad.memory;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The one rule this broker knows: {@code header = 'value'}. */
final class Filter {
    private static final Pattern EQUALS = Pattern.compile("\\s*(\\w+)\\s*={1,2}\\s*'([^']*)'\\s*");

    private Filter() {}

    static Predicate<Message<byte[], byte[]>> of(@Nullable String rule) {
        if (rule == null) {
            return message -> true;
        }
        Matcher matcher = EQUALS.matcher(rule);
        if (!matcher.matches()) {
            throw new MessagingException(Reason.INVALID, "the rule \"" + rule + "\" is not like: name = 'value'");
        }
        String name = matcher.group(1);
        String value = matcher.group(2);
        return message -> value.equals(message.headers().get(name));
    }
}
