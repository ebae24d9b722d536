package dev.postroad.integrations.junit;

/**
 * What can go wrong between a program and its broker, all of it within what every broker may do. Whether it does, for a
 * message, is a matter of the seed: see {@link Faults}.
 */
public enum Fault {
    /** A producer that had no answer sends the message again, with the same id. A channel with a dedup window drops it. */
    DUPLICATE(0.2),
    /** Messages change places: any of a queue, those of different keys where order per key is kept. */
    REORDER(0.3),
    /** A message of a queue without order per key comes up to a minute late. */
    DELAY(0.2),
    /** A message that nobody can read (0xFF 0xFE and more) comes before this one. */
    POISON(0.1),
    /** The program dies before it sends: {@link SimulatedCrash} from the producer, nothing is stored. */
    CRASH_BEFORE_SEND(0.1),
    /** The program dies when it has sent: {@link SimulatedCrash} from the producer, the message is stored. */
    CRASH_AFTER_SEND(0.1),
    /** The program dies before a delivery is settled: the message comes again. */
    CRASH_BEFORE_SETTLE(0.2),
    /** The program dies when a delivery has been settled, before it knows. */
    CRASH_AFTER_SETTLE(0.2),
    /** A delivery's lease runs out while its handler works: the message is delivered a second time meanwhile. */
    LEASE_LOSS(0.2),
    /** The broker is closed and opened again, twice in a test at most: unsettled deliveries come again. */
    RESTART(0.03);

    private final double defaultRate;

    Fault(double defaultRate) {
        this.defaultRate = defaultRate;
    }

    /** How many messages it strikes where nothing else is said: 0 to 1. */
    public double defaultRate() {
        return defaultRate;
    }
}
