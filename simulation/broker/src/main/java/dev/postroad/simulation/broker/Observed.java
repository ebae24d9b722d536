package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.EngineStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything a broker shows of itself, at one moment.
 *
 * @param queues messages by queue, or by stream and group with a line feed between
 * @param partitions messages by stream and partition with a slash between
 */
record Observed(
        @Nullable EngineStatus known,
        Map<String, List<Command.Browsed>> queues,
        Map<String, Command.Fetched> partitions) {
    Observed(@Nullable EngineStatus status) {
        this(status, new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    EngineStatus status() {
        EngineStatus status = known;
        if (status == null) {
            throw new IllegalStateException("nobody has looked");
        }
        return status;
    }

    static String name(ModelQueue queue) {
        return queue.stream == null ? queue.name() : queue.stream.name() + "\n" + queue.name();
    }
}
