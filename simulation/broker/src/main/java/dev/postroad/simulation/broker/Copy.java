package dev.postroad.simulation.broker;

import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Route;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A message in a queue of the model. */
final class Copy {
    final ModelQueue queue;

    /** As it was sent, without what dead-lettering adds. */
    final EngineMessage body;

    /** What dead-lettering added; null for none. */
    final @Nullable Letter letter;

    /** As a dead letter, the queue in which its key is dead because of it; null for none. */
    final @Nullable ModelQueue deadIn;

    /** As such a dead letter, its place in the line of that key. */
    final long deadPlace;

    /** Where it stands in the line of its key. */
    final long place;

    final long expiry;

    /** Its time to live may have been over since then: when a dead letter came is not always known. */
    final long mayExpire;

    final int lane;
    final @Nullable String key;

    /** Where a shared group's message lies in its stream; -1 otherwise. */
    final int partition;

    final long offset;

    /** Where it stands in its queue. */
    long order;

    /** Grows from each message that is stored to the next. */
    long since;

    boolean there;
    int attempts;
    long notBefore;
    boolean firstDelay;

    /** Its place in the queue is not known before somebody looks. */
    boolean loose;

    /** Nobody's filter took it in a shared group: it may go. */
    boolean mayDrop;

    /** Its queue may have held too many bytes: as one of the oldest it may have had to go. */
    boolean mayOverflow;

    /** When that was, first and last: after a crash the clock may have gone back. */
    long overflowFrom;

    long overflowTo;

    /** At which of the times when its queue may have had to be shortened it waited there: a bit for each. */
    long waited;

    /** By which the broker knows it; -1 while the model does not know. */
    long number = -1;

    // what no crash outlives
    @Nullable
    ModelConsumer holder;

    long lease;

    Copy(
            ModelQueue queue,
            EngineMessage body,
            @Nullable Letter letter,
            @Nullable ModelQueue deadIn,
            long deadPlace,
            long place,
            long expiry,
            int lane,
            @Nullable String key,
            int partition,
            long offset) {
        this.queue = queue;
        this.body = body;
        this.letter = letter;
        this.deadIn = deadIn;
        this.deadPlace = deadPlace;
        this.place = place;
        this.expiry = expiry;
        this.mayExpire = expiry == 0 || letter == null ? expiry : expiry - (letter.to() - letter.from());
        this.lane = lane;
        this.key = key;
        this.partition = partition;
        this.offset = offset;
    }

    /** A message is known by its time stamp, which no other has. */
    long tag() {
        return body.timestampMillis();
    }

    long leastBytes() {
        byte[] payload = body.payload();
        byte[] own = body.key();
        long bytes = payload == null ? 0 : payload.length;
        return bytes + (own == null ? 0 : own.length);
    }

    /** With all that may stand around it in a record. */
    long mostBytes() {
        return leastBytes() + (letter == null ? 500 : 3_000);
    }

    /**
     * What dead-lettering adds to a message.
     *
     * @param from time of dead-lettering at the earliest
     * @param to and at the latest
     * @param deaths it has died of, the latest first, each once
     * @param firstRoute what it had been published with before the first
     * @param exception class of what was thrown; null for none
     */
    record Letter(
            String cause,
            String origin,
            @Nullable String group,
            int attempts,
            long from,
            long to,
            List<Death> deaths,
            @Nullable Route firstRoute,
            @Nullable String exception) {}

    /**
     * A death of a message.
     *
     * @param queue or stream whose group it was
     */
    record Death(String cause, String queue) {
        /** True if somebody or something found fault with the message, not with the time or the room there was. */
        boolean judged() {
            return cause.equals("rejected") || cause.equals("key-order");
        }
    }

    @Override
    public String toString() {
        return "m" + tag() + (key == null ? "" : " " + key) + (letter == null ? "" : " (" + letter.cause() + ")")
                + (number < 0 ? "" : " number " + number)
                + " attempts " + attempts
                + (notBefore > 0 ? " until " + notBefore : "") + (expiry > 0 ? " expires " + expiry : "")
                + (holder != null ? " held" : "");
    }
}
