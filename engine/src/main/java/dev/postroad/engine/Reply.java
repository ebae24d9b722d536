package dev.postroad.engine;

/**
 * Where the outcome of a command goes, once it is as safe as it has to be. Called exactly once, on the thread that runs the
 * engine: it must be quick and must not block or throw.
 *
 * @param <R> type of the result
 */
public interface Reply<R> {
    /** It was done, and what it recorded is on disk where that was asked. */
    void done(R result);

    /** It was refused, or its outcome is unknown because the journal failed. */
    void failed(EngineException cause);

    /**
     * A reply nobody waits for: a settlement whose reply it is goes to disk with the next group, after a second at the latest,
     * and has no sync of its own.
     */
    @SuppressWarnings("unchecked") // it looks at no result
    static <R> Reply<R> ignored() {
        return (Reply<R>) Nobody.NOBODY;
    }

    /** True of {@link #ignored}. */
    static boolean isIgnored(Reply<?> reply) {
        return reply instanceof Nobody;
    }

    /** Nobody waits. */
    enum Nobody implements Reply<Object> {
        /** The only one. */
        NOBODY;

        @Override
        public void done(Object result) {}

        @Override
        public void failed(EngineException cause) {}
    }
}
