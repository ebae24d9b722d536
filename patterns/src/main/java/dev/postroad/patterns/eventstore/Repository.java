package dev.postroad.patterns.eventstore;

import dev.postroad.api.Serde;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Things whose state is what their events came to. Safe for use by many threads.
 *
 * <pre>{@code
 *   Repository<Account> accounts = Repository.of(store, new Account(0), Account::after);
 *   accounts.update("account-7", account -> account.withdraw(20));      // the events that follow, or an exception
 * }</pre>
 *
 * @param <S> type of the state
 */
public final class Repository<S> {
    private static final System.Logger LOG = System.getLogger(Repository.class.getName());
    private static final int AT_ONCE = 500;
    private static final int MOST_TRIES = 100;

    private final EventStore store;
    private final S nothing;
    private final BiFunction<S, Event, S> fold;
    private final int snapshotEvery;
    private final int schema;
    private final @Nullable Serde<S> serde;

    /**
     * A state at a version.
     *
     * @param state what the events came to
     * @param version of the last of them, 0 for none
     * @param <S> type of the state
     */
    public record Loaded<S>(S state, long version) {}

    private Repository(
            EventStore store,
            S nothing,
            BiFunction<S, Event, S> fold,
            int snapshotEvery,
            int schema,
            @Nullable Serde<S> serde) {
        this.store = store;
        this.nothing = nothing;
        this.fold = fold;
        this.snapshotEvery = snapshotEvery;
        this.schema = schema;
        this.serde = serde;
    }

    /**
     * Things without snapshots.
     *
     * @param nothing the state before the first event
     * @param fold the state after an event; must pass over types that it does not know
     */
    public static <S> Repository<S> of(EventStore store, S nothing, BiFunction<S, Event, S> fold) {
        return new Repository<>(store, nothing, fold, 0, 0, null);
    }

    /**
     * The same with a snapshot whenever so many events have come since the last one.
     *
     * @param every 1 or more
     * @param newSchema version of the state's form: snapshots of another one are left aside, and made anew from the events
     */
    public Repository<S> withSnapshots(int every, int newSchema, Serde<S> newSerde) {
        if (every < 1) {
            throw new IllegalArgumentException("every is " + every + "; it must be 1 or more");
        }
        return new Repository<>(store, nothing, fold, every, newSchema, newSerde);
    }

    /** The present state of a thing. */
    public Loaded<S> load(String stream) {
        return load(stream, snapshot(stream));
    }

    private Optional<Loaded<S>> snapshot(String stream) {
        Serde<S> known = serde;
        if (known == null) {
            return Optional.empty();
        }
        return store.snapshot(stream)
                .filter(snapshot -> snapshot.schema() == schema)
                .map(snapshot -> new Loaded<>(known.deserialize(snapshot.state()), snapshot.version()));
    }

    private Loaded<S> load(String stream, Optional<Loaded<S>> snapshot) {
        S state = snapshot.map(Loaded::state).orElse(nothing);
        long version = snapshot.map(Loaded::version).orElse(0L);
        while (true) {
            List<StoredEvent> events = store.read(stream, version + 1, AT_ONCE);
            for (StoredEvent event : events) {
                state = fold.apply(state, event.event());
                version = event.version();
            }
            if (events.size() < AT_ONCE) {
                return new Loaded<>(state, version);
            }
        }
    }

    /**
     * Decides what happens next and appends it; decides again, on the new state, if somebody was faster.
     *
     * @param decide the events that follow from the state, may be none; may be called several times
     * @return the state with them
     * @throws VersionConflictException if others were faster a hundred times in a row
     */
    public Loaded<S> update(String stream, Function<S, List<Event>> decide) {
        for (int tries = 1; ; tries++) {
            Optional<Loaded<S>> snapshot = snapshot(stream);
            Loaded<S> loaded = load(stream, snapshot);
            List<Event> events = decide.apply(loaded.state());
            if (events.isEmpty()) {
                return loaded;
            }
            try {
                long version = store.append(stream, loaded.version(), events);
                S state = loaded.state();
                for (Event event : events) {
                    state = fold.apply(state, event);
                }
                Loaded<S> after = new Loaded<>(state, version);
                keep(stream, after, snapshot.map(Loaded::version).orElse(0L));
                return after;
            } catch (VersionConflictException e) {
                if (tries == MOST_TRIES) {
                    throw e;
                }
            }
        }
    }

    /** A snapshot that fails is made another time: the events are there. */
    private void keep(String stream, Loaded<S> loaded, long before) {
        Serde<S> known = serde;
        if (known == null || loaded.version() - before < snapshotEvery) {
            return;
        }
        try {
            store.saveSnapshot(stream, new Snapshot(loaded.version(), schema, known.serialize(loaded.state())));
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "no snapshot of stream " + stream + " could be made: " + e.getMessage());
        }
    }
}
