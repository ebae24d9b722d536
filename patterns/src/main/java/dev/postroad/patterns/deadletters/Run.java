package dev.postroad.patterns.deadletters;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger tells of one redrive, or of one letter that was sent back edited.
 *
 * @param name of the run; empty for a letter that was sent back edited
 * @param settings it was begun with
 * @param until the number of the last letter there was when it began: what is given up later is not its business
 * @param begun when
 * @param changed when something was written down of it last
 * @param putBack how many letters went back
 * @param ids of these letters, as far as the ledger goes back
 * @param stayed letters that were chosen and stayed: behind an earlier one of their key, or in somebody's hands
 * @param state how it ended, if it did
 * @param open the last batch, ids by numbers, while nothing is written down of its end; else empty
 */
public record Run(
        String name,
        RedriveSettings settings,
        long until,
        Instant begun,
        Instant changed,
        long putBack,
        List<String> ids,
        long stayed,
        State state,
        Map<Long, String> open) {

    /** How far a run has come. */
    public enum State {
        /** At work, or cut off: it can be resumed. */
        OPEN,
        /** All that was to be put back is. */
        ENDED,
        /** Cut off, and not resumed; the books are closed. */
        INTERRUPTED,
        /** One letter, edited. */
        RESENT
    }

    static Run begun(String name, RedriveSettings settings, long until, Instant time) {
        return new Run(name, settings, until, time, time, 0, List.of(), 0, State.OPEN, Map.of());
    }

    static Run resent(String by, Instant time, Map<Long, String> letters, long count) {
        return new Run(
                "",
                RedriveSettings.DEFAULT.withBy(by),
                letters.keySet().stream().mapToLong(Long::longValue).max().orElse(-1),
                time,
                time,
                count,
                count == 0 ? List.of() : List.copyOf(letters.values()),
                letters.size() - count,
                State.RESENT,
                Map.of());
    }

    Run choosing(Map<Long, String> letters) {
        return new Run(
                name, settings, until, begun, changed, putBack, ids, stayed, state, new LinkedHashMap<>(letters));
    }

    Run having(long count, Set<Long> staying, Instant time) {
        List<String> more = new ArrayList<>(ids);
        open.forEach((number, id) -> {
            if (!staying.contains(number)) {
                more.add(id);
            }
        });
        return new Run(
                name, settings, until, begun, time, putBack + count, more, stayed + staying.size(), state, Map.of());
    }

    Run ended(Instant time, boolean interrupted) {
        State end = interrupted ? State.INTERRUPTED : State.ENDED;
        return new Run(name, settings, until, begun, time, putBack, ids, stayed, end, open);
    }

    /** The last batch, where nothing is known of its end; else null. */
    @Nullable
    Map<Long, String> cutOff() {
        return open.isEmpty() ? null : open;
    }
}
