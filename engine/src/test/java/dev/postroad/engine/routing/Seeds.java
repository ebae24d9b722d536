package dev.postroad.engine.routing;

import java.util.Random;

/** Random tests print their seed; {@code -Dpostroad.seed=N} repeats a run. */
final class Seeds {
    private Seeds() {}

    static Random random(String test) {
        long seed = Long.getLong("postroad.seed", System.nanoTime());
        System.out.println(test + ": -Dpostroad.seed=" + seed);
        return new Random(seed);
    }

    @SafeVarargs
    static <T> T oneOf(Random random, T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
