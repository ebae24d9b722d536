package dev.postroad.engine.routing;

import dev.postroad.testkit.Generator;
import java.util.Random;

/** What the random tests of rules and patterns share. */
final class Seeds {
    private Seeds() {}

    static Random random(String test) {
        return new Random(Generator.announced(test).seed());
    }

    @SafeVarargs
    static <T> T oneOf(Random random, T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
