package dev.postroad.integrations.junit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What happened to messages, in the order in which it happened. Safe for use by many threads; the oldest half goes when full. */
final class Story {
    private static final int MOST = 200_000;
    private static final int SHOWN = 60;

    private final TestClock clock;
    private final List<Event> events = new ArrayList<>();

    private record Event(
            Instant at, String channel, @Nullable String id, boolean fault, String what) {
        @Override
        public String toString() {
            return at + "  " + channel + "  " + (id == null ? "" : id + "  ") + (fault ? "FAULT: " : "") + what;
        }
    }

    Story(TestClock clock) {
        this.clock = clock;
    }

    void tell(String channel, @Nullable String id, String what) {
        add(new Event(clock.instant(), channel, id, false, what));
    }

    void fault(String channel, @Nullable String id, String what) {
        add(new Event(clock.instant(), channel, id, true, what));
    }

    private synchronized void add(Event event) {
        if (events.size() == MOST) {
            events.subList(0, MOST / 2).clear();
        }
        events.add(event);
    }

    /** Of one message. */
    String of(String messageId) {
        return lines(event -> Objects.equals(messageId, event.id));
    }

    /**
     * What a failure is explained by: the messages that it names, else those that faults struck, else all; the last lines of it.
     */
    String explaining(String failure) {
        List<Event> all;
        synchronized (this) {
            all = List.copyOf(events);
        }
        var named = all.stream()
                .map(Event::id)
                .filter(id -> id != null && id.length() > 1 && failure.contains(id))
                .collect(Collectors.toSet());
        if (!named.isEmpty()) {
            return lines(event -> event.id != null && named.contains(event.id));
        }
        var struck = all.stream()
                .filter(Event::fault)
                .map(event -> String.valueOf(event.id))
                .collect(Collectors.toSet());
        return struck.isEmpty()
                ? lines(event -> true)
                : lines(event -> event.fault || struck.contains(String.valueOf(event.id)));
    }

    private synchronized String lines(Predicate<Event> which) {
        List<String> lines = events.stream().filter(which).map(Event::toString).toList();
        int left = Math.max(0, lines.size() - SHOWN);
        return (left == 0 ? "" : "  … " + left + " earlier lines\n")
                + lines.stream().skip(left).map(line -> "  " + line).collect(Collectors.joining("\n"));
    }
}
