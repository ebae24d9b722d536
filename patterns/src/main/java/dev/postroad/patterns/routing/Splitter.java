package dev.postroad.patterns.routing;

import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * A handler that sends the parts of each message to a channel: all of them or none, under the rules of the {@link Router}.
 * Each part says which message it is of ({@value #GROUP_HEADER}), its place from 0 ({@value #PART_HEADER}) and how many there
 * are ({@value #PARTS_HEADER}), so that an {@link Aggregator} can put them together; its id is made of these, so that a
 * repetition has the same. Safe for use by many threads.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 * @param <L> type of the parts' keys
 * @param <W> type of the parts' values
 */
public final class Splitter<K, V, L, W> implements Handler<K, V> {
    /** Header of a part with the id of the message that it is of. */
    public static final String GROUP_HEADER = "postroad-part-of";

    /** Header of a part with its place, from 0. */
    public static final String PART_HEADER = "postroad-part";

    /** Header of a part with the number of parts. */
    public static final String PARTS_HEADER = "postroad-parts";

    /** More parts than this a message may not have: they are sent as one transaction. */
    public static final int MAX_PARTS = 9_999;

    private static final Duration MAX_PAUSE = Duration.ofSeconds(10);
    private static final int MAX_ID_BYTES = 255;

    private final Passage<L, W> passage;
    private final String channel;
    private final Function<Message<K, V>, List<Message<L, W>>> split;
    private final AtomicLong messages = new AtomicLong();
    private final AtomicLong parts = new AtomicLong();

    /**
     * @param postroad the connection of the source and of the parts' channel
     * @param format of the parts
     * @param channel where they go
     * @param split gives the parts, in order; none is fine. What it throws is a failure of handling the message
     */
    public Splitter(
            Postroad postroad,
            Format<L, W> format,
            String channel,
            Function<Message<K, V>, List<Message<L, W>>> split) {
        this.passage = new Passage<>(postroad, format, MAX_PAUSE);
        this.channel = channel;
        this.split = split;
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        List<Message<L, W>> found = split.apply(delivery.message());
        if (found.size() > MAX_PARTS) {
            throw new DeadLetterException("it has " + found.size() + " parts; a message may have " + MAX_PARTS);
        }
        String group = String.valueOf(delivery.message().id());
        List<Passage.Outgoing<L, W>> outgoing = new ArrayList<>(found.size());
        for (int i = 0; i < found.size(); i++) {
            outgoing.add(new Passage.Outgoing<>(
                    channel,
                    found.get(i)
                            .withId(partId(group, i))
                            .withHeader(GROUP_HEADER, group)
                            .withHeader(PART_HEADER, Integer.toString(i))
                            .withHeader(PARTS_HEADER, Integer.toString(found.size()))));
        }
        passage.pass(delivery, outgoing);
        messages.incrementAndGet();
        parts.addAndGet(found.size());
    }

    private static String partId(String group, int part) {
        String id = group + "/" + part;
        byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
        return bytes.length <= MAX_ID_BYTES ? id : UUID.nameUUIDFromBytes(bytes).toString();
    }

    /** Messages that were split. */
    public long messages() {
        return messages.get();
    }

    /** Parts that were sent. */
    public long parts() {
        return parts.get();
    }

    /** Tries that the parts' channel refused. */
    public long refused() {
        return passage.refused();
    }
}
