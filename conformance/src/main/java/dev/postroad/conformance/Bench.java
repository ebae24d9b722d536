package dev.postroad.conformance;

import dev.postroad.api.Postroad;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** The connection under test and what a run has in common. */
final class Bench implements AutoCloseable {
    private final Conformance.Options options;
    private final long seed;
    private final Facts facts;
    private final String run;
    private final AtomicInteger channels = new AtomicInteger();
    private volatile Postroad postroad;

    Bench(Postroad postroad, Conformance.Options options, long seed, Facts facts) {
        this.postroad = postroad;
        this.options = options;
        this.seed = seed;
        this.facts = facts;
        // Not from the seed: a second run with the same one must not meet the channels of the first.
        this.run = Long.toString(System.nanoTime() & 0xFFFFFFFFFFL, 36)
                + Integer.toString(System.identityHashCode(this), 36);
    }

    Postroad postroad() {
        return postroad;
    }

    Facts facts() {
        return facts;
    }

    Duration patience() {
        return options.patience();
    }

    boolean reopens() {
        return options.reopen() != null;
    }

    void reopen() {
        if (options.reopen() == null) {
            throw new IllegalStateException("there is no way to reopen");
        }
        postroad = options.reopen().apply(postroad);
    }

    /** For a check, with randomness that depends on nothing but the seed and the check. */
    Probe probe(String sentence) {
        return new Probe(this, new Random(seed ^ sentence.hashCode()));
    }

    String nextName() {
        return "conformance-" + run + "-" + channels.incrementAndGet();
    }

    @Override
    public void close() {
        postroad.close();
    }
}
