package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A consumer of a stream, and what it should get: each partition from its place on, once, in order, as its filter has it. */
final class StreamReader implements DeliverySink {
    final ModelStream stream;
    final Command.ConsumerSettings settings;
    final TreeSet<Long> unsettled = new TreeSet<>();
    private final @Nullable Filter filter;
    private final List<EngineDelivery> come = new ArrayList<>();
    private long[] next = {};
    private boolean cancelled;
    long id = -1;
    int credit;

    StreamReader(ModelStream stream, Command.ConsumerSettings settings, @Nullable Filter filter) {
        this.stream = stream;
        this.settings = settings;
        this.filter = filter;
        credit = settings.credit();
    }

    /** It begins to read here. */
    void begin(long consumerId, Command.Start start) {
        id = consumerId;
        next = new long[stream.partitions.length];
        for (int p = 0; p < next.length; p++) {
            next[p] = first(stream.partitions[p], p, start);
        }
    }

    private static long first(ModelStream.Partition of, int partition, Command.Start start) {
        return switch (start) {
            case Command.Start.Earliest e -> 0;
            case Command.Start.Latest l -> of.next();
            case Command.Start.Last l -> Math.max(0, of.next() - 1);
            case Command.Start.Offset o -> o.offset();
            case Command.Start.Offsets o -> o.offsets().get(partition);
            case Command.Start.Timestamp t ->
                of.entries.stream().filter(e -> e.accepted < t.millis()).count();
        };
    }

    @Override
    public void deliver(EngineDelivery delivery) {
        Violation.unless(!cancelled, () -> "a delivery of " + stream.name() + " after the end of its consumer");
        come.add(delivery);
    }

    @Override
    public void cancelled(String reason) {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Compares what has come with what should have. Returns how much it was. */
    int judge(long latest, @Nullable Consumer<String> story) {
        for (EngineDelivery delivery : come) {
            if (story != null) {
                story.accept("    " + told(delivery));
            }
            String difference = take(delivery, latest);
            if (difference != null) {
                throw new Violation(told(delivery) + ": " + difference);
            }
        }
        int count = come.size();
        come.clear();
        return count;
    }

    private String told(EngineDelivery delivery) {
        return "offset " + delivery.offset() + " of " + stream.name() + "/" + delivery.partition() + " to consumer "
                + id;
    }

    private @Nullable String take(EngineDelivery delivery, long latest) {
        ModelStream.Partition of = stream.partitions[delivery.partition()];
        long offset = delivery.offset();
        if (offset < next[delivery.partition()] || offset >= of.next()) {
            return "it should be " + next[delivery.partition()] + " or more, and less than " + of.next();
        }
        for (long at = next[delivery.partition()]; at < offset; at++) {
            if (wants(of, of.entries.get((int) at), latest)) {
                return "offset " + at + " was passed over";
            }
        }
        ModelStream.Entry entry = of.entries.get((int) offset);
        if (entry.gone) {
            return "it had gone";
        }
        if (filter != null && !filter.takes(entry.body)) {
            return "its filter does not take it";
        }
        if (credit <= 0) {
            return "it has no credit";
        }
        if (delivery.attempt() != 1 || !delivery.queue().equals(stream.name()) || delivery.group() != null) {
            return "it is said to be attempt " + delivery.attempt() + " of " + delivery.queue() + "/"
                    + delivery.group();
        }
        next[delivery.partition()] = offset + 1;
        credit--;
        if (!settings.autoAcknowledge()) {
            unsettled.add(delivery.number());
        }
        return Contents.difference(entry.body, entry.letter, delivery.message());
    }

    /** True if the message must come. */
    private boolean wants(ModelStream.Partition of, ModelStream.Entry entry, long latest) {
        return !entry.gone && !stream.mayGo(of, entry, latest) && (filter == null || filter.takes(entry.body));
    }

    /** Nothing that must come may wait for a consumer that has credit. */
    void checkNothingStuck(long latest) {
        for (int p = 0; p < next.length && credit > 0; p++) {
            ModelStream.Partition of = stream.partitions[p];
            for (long at = next[p]; at < of.next(); at++) {
                if (wants(of, of.entries.get((int) at), latest)) {
                    throw new Violation("offset " + at + " of " + stream.name() + "/" + p
                            + " does not come to consumer " + id + ", which has credit");
                }
            }
        }
    }

    /** Settles deliveries. Returns how many were not its own. */
    int settle(long[] numbers, Command.Outcome outcome) {
        int unknown = 0;
        for (long number : numbers) {
            boolean extend = outcome instanceof Command.Outcome.Extend;
            if (extend ? !unsettled.contains(number) : !unsettled.remove(number)) {
                unknown++;
            } else if (!extend && settings.restoring()) {
                credit++;
            }
        }
        return unknown;
    }
}
