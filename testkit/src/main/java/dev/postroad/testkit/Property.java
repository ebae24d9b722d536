package dev.postroad.testkit;

import org.jspecify.annotations.Nullable;

/**
 * Checks that something holds for many random cases, each with a {@link Generator} of its own seed.
 *
 * <pre>{@code
 * Property.forAll("what is encoded decodes to the same", 500, gen -> {
 *     byte[] body = gen.bytes(0, 10_000);
 *     assertThat(decode(encode(body))).isEqualTo(body);
 * });
 * }</pre>
 *
 * <p>The first failing case ends the run with an {@link AssertionError} that names the seed of that very case. Given
 * back as {@code -Dpostroad.seed=…}, the property runs this one case and no other; kept in the code with
 * {@link #replay}, it stays a regression test. {@code -Dpostroad.runs=…} overrides how many cases are run.
 */
public final class Property {
    /** Overrides the number of cases of every property that is run. */
    public static final String RUNS_PROPERTY = "postroad.runs";

    private Property() {}

    /** What must hold; it fails by throwing anything. */
    @FunctionalInterface
    public interface Check {
        void run(Generator gen) throws Exception;
    }

    /**
     * Runs {@code check} on {@code runs} cases whose seeds come from {@code name}, or from {@value Generator#SEED_PROPERTY}.
     *
     * @throws AssertionError if a case fails; its cause is what the check threw
     */
    public static void forAll(String name, int runs, Check check) {
        Long given = Generator.givenSeed();
        if (given != null) {
            System.out.println(name + ": one case, seed " + given);
            runCase(name, "replayed", given, check);
            return;
        }
        int cases = Integer.getInteger(RUNS_PROPERTY, runs);
        if (cases < 1) {
            throw new IllegalArgumentException("a property needs at least one case, not " + cases);
        }
        long seed = Generator.seedOf(name);
        for (int i = 0; i < cases; i++) {
            runCase(name, (i + 1) + " of " + cases, Generator.seedOfCase(seed, i), check);
        }
    }

    /**
     * Runs {@code check} on the one case of {@code seed}: a failure found once, kept as a regression test.
     *
     * @throws AssertionError if the case fails; its cause is what the check threw
     */
    public static void replay(String name, long seed, Check check) {
        runCase(name, "replayed", seed, check);
    }

    private static void runCase(String name, String which, long seed, Check check) {
        Throwable failure = failureOf(check, Generator.of(seed));
        if (failure == null) {
            return;
        }
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        throw new AssertionError(
                "not true: " + name + "\n  case " + which + ", seed " + seed + ", again with -D"
                        + Generator.SEED_PROPERTY + "=" + seed + "\n  " + failure,
                failure);
    }

    /** All that a check throws is its failure, an overflowing stack included: each needs its seed told. */
    private static @Nullable Throwable failureOf(Check check, Generator gen) {
        try {
            check.run(gen);
            return null;
        } catch (Throwable e) {
            return e;
        }
    }
}
