package dev.postroad.engine.runtime;

/**
 * Where a broker takes its time from. Read by whoever runs a turn, and between turns by the broker's own thread; a clock that
 * a test moves must be followed by a command, for a broker that sleeps looks at the clock once a second at most.
 */
public interface BrokerClock {
    /** The machine's own time. */
    BrokerClock SYSTEM = new BrokerClock() {
        @Override
        public long wallMillis() {
            return System.currentTimeMillis();
        }

        @Override
        public long steadyMillis() {
            return System.nanoTime() / 1_000_000;
        }
    };

    /** The time of day, in milliseconds since 1970; it may be set in either direction. */
    long wallMillis();

    /** Milliseconds since any moment, which only grow: what leases and intervals are measured by. */
    long steadyMillis();
}
