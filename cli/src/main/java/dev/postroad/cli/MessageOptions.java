package dev.postroad.cli;

import dev.postroad.api.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What messages carry beside their value. */
final class MessageOptions {
    @Option(
            names = {"-k", "--key"},
            paramLabel = "KEY",
            description = "The key: equal keys keep their order.")
    private @Nullable String key;

    @Option(
            names = {"-H", "--header"},
            paramLabel = "NAME=VALUE",
            description = "A header; repeat it for more.")
    private List<String> headers = new ArrayList<>();

    @Option(names = "--type", paramLabel = "TYPE", description = "What the message is about, OrderCreated for example.")
    private @Nullable String type;

    @Option(names = "--priority", paramLabel = "0-9", description = "Priority, 9 is served first. Default: 0.")
    private int priority;

    @Option(names = "--ttl", paramLabel = "TIME", description = "Time to live, 5m for example.")
    private @Nullable Duration ttl;

    @Option(names = "--delay", paramLabel = "TIME", description = "Not to be delivered before this time has passed.")
    private @Nullable Duration delay;

    boolean hasKey() {
        return key != null;
    }

    /** A message with all this and no value. */
    Message<byte[], byte[]> template() {
        Map<String, String> named = new LinkedHashMap<>();
        for (String header : headers) {
            int equals = header.indexOf('=');
            if (equals < 1) {
                throw new CliException(ExitCode.USAGE, "--header is '" + header + "'; it must be NAME=VALUE");
            }
            named.put(header.substring(0, equals), header.substring(equals + 1));
        }
        if (priority < Message.LOWEST_PRIORITY || priority > Message.HIGHEST_PRIORITY) {
            throw new CliException(ExitCode.USAGE, "--priority is " + priority + "; it must be 0 to 9");
        }
        if (ttl != null && ttl.toMillis() < 1) {
            throw new CliException(ExitCode.USAGE, "--ttl is 0; it must be 1ms or more");
        }
        byte @Nullable [] bytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
        Message<byte[], byte[]> message = Message.of(bytes, (byte @Nullable []) null);
        message = message.withHeaders(named).withPriority(priority);
        if (type != null) {
            message = message.withType(type);
        }
        if (ttl != null) {
            message = message.withTtl(ttl);
        }
        return delay == null ? message : message.withDelay(delay);
    }
}
