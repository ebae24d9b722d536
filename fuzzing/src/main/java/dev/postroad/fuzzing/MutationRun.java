package dev.postroad.fuzzing;

import dev.postroad.testkit.Generator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Gives one target its corpus and then mutated inputs, in this JVM, on the caller's thread. What it found is made as small as
 * it gets, and told once for each kind.
 */
final class MutationRun {
    private static final int MOST_FINDINGS = 5;
    private static final int SHRINKING_STEPS = 2_000;
    private static final long MOST_SHRINKING_NANOS = 2_000_000_000;
    private static final int LOOK_AT_PLACE_EVERY = 16;
    private static final int WARM_UP = 500;
    private static final long MOST_WARM_UP_NANOS = 300_000_000;

    private final Target target;
    private final Trial trial = new Trial();
    private final Map<String, Finding> findings = new LinkedHashMap<>();
    private @Nullable Mutator mutator;
    private final AtomicLong executions = new AtomicLong();
    private volatile byte[] current = new byte[0];
    private volatile long currentSince = System.nanoTime();
    private volatile boolean running;

    MutationRun(Target target) {
        this.target = target;
    }

    Target target() {
        return target;
    }

    /** Every input of the corpus, once the code is warm. */
    void replay(List<byte[]> corpus) {
        Generator gen = Generator.of(1);
        Trial cold = new Trial();
        long end = System.nanoTime() + MOST_WARM_UP_NANOS;
        for (int i = 0; i < WARM_UP && System.nanoTime() < end; i++) {
            cold.run(target, target.sample().apply(gen));
        }
        for (byte[] input : corpus) {
            give(input);
        }
        running = false;
    }

    /** Mutated inputs until so many executions are done or it is enough. */
    void run(long most, List<byte[]> corpus, long seed, BooleanSupplier enough) {
        begin(corpus, seed);
        goOn(most, enough);
    }

    /** Before the first mutated input: what they are made of. */
    void begin(List<byte[]> corpus, long seed) {
        mutator = new Mutator(target, corpus, Generator.of(seed));
    }

    /** Further mutated inputs until so many executions are done in all, mutated or not, or it is enough. */
    void goOn(long most, BooleanSupplier enough) {
        Mutator from = Objects.requireNonNull(mutator, "nothing has begun");
        while (executions.get() < most) {
            if ((executions.get() & 63) == 0 && (enough.getAsBoolean() || isFull())) {
                break;
            }
            byte[] input = from.next();
            give(input);
            if (executions.get() % LOOK_AT_PLACE_EVERY == 0) {
                from.reached(trial.place(), input);
            }
        }
        running = false;
    }

    /** It has found so much that more would tell nothing new. */
    boolean isFull() {
        return findings.size() >= MOST_FINDINGS;
    }

    /** The inputs that others start from, so far: those that got somewhere new are among them. */
    List<byte[]> pool() {
        Mutator from = mutator;
        return from == null ? List.of() : from.pool();
    }

    private void give(byte[] input) {
        current = input;
        running = true;
        currentSince = System.nanoTime();
        Finding found = trial.run(target, input);
        executions.incrementAndGet();
        if (found != null && !findings.containsKey(found.kind())) {
            findings.put(found.kind(), shrunk(found));
        }
    }

    /** Cuts pieces out for as long as the same is found. */
    private Finding shrunk(Finding found) {
        Finding best = found;
        int steps = 0;
        long end = System.nanoTime() + MOST_SHRINKING_NANOS;
        for (int piece = Math.max(1, best.input().length / 2); piece >= 1 && steps < SHRINKING_STEPS; piece /= 2) {
            int at = 0;
            while (at < best.input().length && steps++ < SHRINKING_STEPS && System.nanoTime() < end) {
                Finding smaller = trial.run(target, without(best.input(), at, piece));
                if (smaller != null && smaller.kind().equals(found.kind())) {
                    best = smaller;
                } else {
                    at += piece;
                }
            }
        }
        return best;
    }

    private static byte[] without(byte[] input, int at, int piece) {
        int end = Math.min(input.length, at + piece);
        byte[] rest = Arrays.copyOf(input, input.length - (end - at));
        System.arraycopy(input, end, rest, at, input.length - end);
        return rest;
    }

    /** From any thread. */
    long executions() {
        return executions.get();
    }

    /** The input that has been running for so long, if one has. From any thread. */
    byte @Nullable [] runningLongerThan(long nanos) {
        byte[] input = current;
        return running && System.nanoTime() - currentSince > nanos ? input : null;
    }

    List<Finding> findings() {
        return new ArrayList<>(findings.values());
    }

    long slowestNanos() {
        return trial.slowestNanos();
    }

    long mostBytes() {
        return trial.mostBytes();
    }
}
