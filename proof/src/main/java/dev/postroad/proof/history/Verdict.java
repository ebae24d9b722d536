package dev.postroad.proof.history;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a history shows. The first five are what happened, the others are promises broken and should be zero.
 *
 * @param attempts messages sent
 * @param confirmed of these, the producer was told that they are stored
 * @param refused of these, the producer was told that they are not
 * @param recovered of those with an unknown outcome, delivered all the same
 * @param redelivered deliveries after the first that are lawful
 * @param lost confirmed, and not delivered to a group
 * @param invented delivered, and never sent
 * @param altered delivered with other bytes than were sent
 * @param duplicated delivered as a second copy, or an attempt that was counted twice
 * @param reordered delivered for the first time behind a later one of its producer and key
 * @param unwanted refused, and delivered all the same
 * @param returned delivered again after its acknowledgement was confirmed
 * @param partialBatches delivered in part
 * @param torn sent to several channels at once, and not in all of them
 * @param offsetReuse an offset that held two messages
 * @param unstable with an unknown outcome, there for one group and not for another
 * @param details the first few of what is broken, in words
 */
public record Verdict(
        long attempts,
        long confirmed,
        long refused,
        long recovered,
        long redelivered,
        long lost,
        long invented,
        long altered,
        long duplicated,
        long reordered,
        long unwanted,
        long returned,
        long partialBatches,
        long torn,
        long offsetReuse,
        long unstable,
        List<String> details) {

    private static final int MOST_TORN = 20;

    public Verdict {
        details = List.copyOf(details);
    }

    /** This one, with what was found when it was compared with that of another channel. */
    public Verdict withTorn(List<String> found) {
        List<String> all = new ArrayList<>(details);
        all.addAll(found.subList(0, Math.min(found.size(), MOST_TORN)));
        return new Verdict(
                attempts,
                confirmed,
                refused,
                recovered,
                redelivered,
                lost,
                invented,
                altered,
                duplicated,
                reordered,
                unwanted,
                returned,
                partialBatches,
                torn + found.size(),
                offsetReuse,
                unstable,
                all);
    }

    /** What is broken, by name; empty is the aim. */
    public Map<String, Long> broken() {
        Map<String, Long> all = new LinkedHashMap<>();
        all.put("lost", lost);
        all.put("invented", invented);
        all.put("altered", altered);
        all.put("duplicated", duplicated);
        all.put("reordered", reordered);
        all.put("delivered though refused", unwanted);
        all.put("returned after being settled", returned);
        all.put("partial batches", partialBatches);
        all.put("torn transactions", torn);
        all.put("offsets reused", offsetReuse);
        all.put("unstable", unstable);
        all.values().removeIf(count -> count == 0);
        return all;
    }

    /** For people: what happened, and what is broken if anything is. */
    @Override
    public String toString() {
        String broken = broken().isEmpty()
                ? "nothing broken"
                : broken().entrySet().stream()
                                .map(each -> each.getValue() + " " + each.getKey())
                                .collect(Collectors.joining(", "))
                        + ": " + String.join("; ", details);
        return attempts + " sent, " + confirmed + " confirmed, " + refused + " refused, " + recovered + " recovered, "
                + redelivered + " redelivered; " + broken;
    }
}
