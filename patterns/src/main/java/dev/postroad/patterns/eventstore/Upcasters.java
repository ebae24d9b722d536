package dev.postroad.patterns.eventstore;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Brings events of old forms into the present one as they are read; what is stored stays as it is. Immutable.
 *
 * <pre>{@code
 *   EventStore store = Upcasters.NONE
 *           .with("OrderPlaced", 1, event -> event.withSchema(2, addCurrency(event.data())))
 *           .over(stored);
 * }</pre>
 */
public final class Upcasters {
    /** None at all. */
    public static final Upcasters NONE = new Upcasters(Map.of());

    private final Map<Old, UnaryOperator<Event>> known;

    private record Old(String type, int schema) {}

    private Upcasters(Map<Old, UnaryOperator<Event>> known) {
        this.known = known;
    }

    /**
     * These, and one that takes events of a type from one schema to a later one.
     *
     * @param schema that it understands
     * @param upcast must return a higher schema, or another type
     */
    public Upcasters with(String type, int schema, UnaryOperator<Event> upcast) {
        Map<Old, UnaryOperator<Event>> more = new HashMap<>(known);
        more.put(new Old(type, schema), upcast);
        return new Upcasters(Map.copyOf(more));
    }

    /**
     * The event in its present form, by as many steps as it takes.
     *
     * @throws IllegalStateException if a step leads to the same type and no higher schema
     */
    public Event upcast(Event event) {
        Event present = event;
        for (UnaryOperator<Event> step = step(present); step != null; step = step(present)) {
            Event next = step.apply(present);
            if (next.type().equals(present.type()) && next.schema() <= present.schema()) {
                throw new IllegalStateException("the upcaster of " + present.type() + " " + present.schema()
                        + " leads to schema " + next.schema() + "; it must be a higher one");
            }
            present = next;
        }
        return present;
    }

    private @Nullable UnaryOperator<Event> step(Event event) {
        return known.get(new Old(event.type(), event.schema()));
    }

    /** A store whose events are read in their present form. */
    public EventStore over(EventStore store) {
        return new Present(store, this);
    }

    private record Present(EventStore store, Upcasters upcasters) implements EventStore {
        private List<StoredEvent> present(List<StoredEvent> events) {
            return events.stream()
                    .map(event -> new StoredEvent(
                            event.stream(),
                            event.version(),
                            event.position(),
                            upcasters.upcast(event.event()),
                            event.recorded()))
                    .toList();
        }

        @Override
        public long append(String stream, long expected, List<Event> events) {
            return store.append(stream, expected, events);
        }

        @Override
        public List<StoredEvent> read(String stream, long from, int max) {
            return present(store.read(stream, from, max));
        }

        @Override
        public List<StoredEvent> readAll(long after, int max) {
            return present(store.readAll(after, max));
        }

        @Override
        public long version(String stream) {
            return store.version(stream);
        }

        @Override
        public void saveSnapshot(String stream, Snapshot snapshot) {
            store.saveSnapshot(stream, snapshot);
        }

        @Override
        public Optional<Snapshot> snapshot(String stream) {
            return store.snapshot(stream);
        }
    }
}
