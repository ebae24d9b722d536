package dev.postroad.patterns.saga;

import dev.postroad.patterns.saga.SagaState.Status;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;

/** States in this process's memory, gone with it: for tests, and for trying things out. */
public final class MemorySagaStore implements SagaStore {
    private final ConcurrentMap<Key, SagaState> states = new ConcurrentHashMap<>();

    private record Key(String saga, String id) {}

    /** An empty store. */
    public MemorySagaStore() {}

    @Override
    public Optional<SagaState> find(String saga, String id) {
        return Optional.ofNullable(states.get(new Key(saga, id)));
    }

    @Override
    public boolean insert(SagaState first) {
        return states.putIfAbsent(new Key(first.saga(), first.id()), first) == null;
    }

    @Override
    public boolean update(SagaState next) {
        AtomicBoolean done = new AtomicBoolean();
        states.computeIfPresent(new Key(next.saga(), next.id()), (key, before) -> {
            done.set(before.version() == next.version() - 1);
            return done.get() ? next : before;
        });
        return done.get();
    }

    @Override
    public List<SagaState> stuck(String saga, Instant overdueSince, int max) {
        return states.values().stream()
                .filter(state -> state.saga().equals(saga) && !state.status().ended())
                .filter(state -> state.status() == Status.STUCK
                        || (state.deadline() != null && state.deadline().isBefore(overdueSince)))
                .sorted(Comparator.comparing(SagaState::updated))
                .limit(max)
                .toList();
    }

    @Override
    public int forget(String saga, Instant endedBefore, int max) {
        List<SagaState> old = states.values().stream()
                .filter(state -> state.saga().equals(saga) && state.status().ended())
                .filter(state -> state.updated().isBefore(endedBefore))
                .limit(max)
                .toList();
        old.forEach(state -> states.remove(new Key(state.saga(), state.id()), state));
        return old.size();
    }
}
