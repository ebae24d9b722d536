package dev.postroad.patterns.gather;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What several targets answered. Each target is in exactly one of the three.
 *
 * @param complete true if as many replied as were wanted: with {@link GatherSettings#ALL}, all of them
 * @param replies by target, in the order in which they came
 * @param failures by target: {@code TIMEOUT} for those that did not answer in time, {@code FAILED} with the handler's error,
 *     others where the request was refused
 * @param unawaited targets whose answer was not waited for, because enough had come, or enough could not come any more
 * @param <A> type of the replies' keys
 * @param <B> type of the replies' values
 */
public record Gathered<A, B>(
        boolean complete,
        Map<String, Message<A, B>> replies,
        Map<String, MessagingException> failures,
        List<String> unawaited) {

    public Gathered {
        replies = Collections.unmodifiableMap(new LinkedHashMap<>(replies));
        failures = Collections.unmodifiableMap(new LinkedHashMap<>(failures));
        unawaited = List.copyOf(unawaited);
    }
}
