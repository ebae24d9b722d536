package dev.postroad.simulation.broker;

import java.util.ArrayList;

/**
 * Changes of the model that the broker has not promised to keep, each with its opposite, in batches. After a crash the broker
 * must be where the model was after one of these batches, the last one or an earlier one: so the model goes back, batch by
 * batch, until they agree.
 */
final class History {
    private static final Runnable BATCH = () -> {};

    private final ArrayList<Runnable> changes = new ArrayList<>();

    /** What is changed from here on is there whole or not at all. */
    void batch() {
        if (!changes.isEmpty() && changes.getLast() != BATCH) {
            changes.add(BATCH);
        }
    }

    void changed(Runnable undo) {
        changes.add(undo);
    }

    /** Everything up to now is promised. */
    void forget() {
        changes.clear();
    }

    /** Everything up to the first so many changes is promised. */
    void forget(int size) {
        changes.subList(0, size).clear();
    }

    boolean isEmpty() {
        return changes.isEmpty();
    }

    int size() {
        return changes.size();
    }

    void undoTo(int size) {
        while (changes.size() > size) {
            changes.removeLast().run();
        }
    }

    /** Takes back the last batch. False if there is none left. */
    boolean undoBatch() {
        while (!changes.isEmpty() && changes.getLast() == BATCH) {
            changes.removeLast();
        }
        if (changes.isEmpty()) {
            return false;
        }
        while (!changes.isEmpty() && changes.getLast() != BATCH) {
            changes.removeLast().run();
        }
        return true;
    }
}
