package dev.postroad.simulation.broker;

import java.util.List;

/** Random choices of one step: they depend on the seed of the run and the number of the step, and on nothing else. */
final class Dice {
    private long state;

    Dice(long seed, long step) {
        state = mix(seed ^ mix(step + 0x632BE59BD9B4E019L));
    }

    long next() {
        state += 0x9E3779B97F4A7C15L;
        return mix(state);
    }

    private static long mix(long bits) {
        long z = (bits ^ (bits >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** 0 to n - 1. */
    int below(int n) {
        return (int) ((next() >>> 33) % n);
    }

    /** Both ends included. */
    int between(int low, int high) {
        return low + below(high - low + 1);
    }

    boolean chance(int times, int outOf) {
        return below(outOf) < times;
    }

    <T> T pick(List<T> from) {
        return from.get(below(from.size()));
    }

    @SafeVarargs
    final <T> T choose(T... from) {
        return from[below(from.length)];
    }
}
