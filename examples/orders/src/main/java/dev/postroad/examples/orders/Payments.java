package dev.postroad.examples.orders;

import java.util.Random;

/** The payment provider: answers after a moment, fails now and then, and can't cope with one kind of order at all. */
final class Payments {
    /** What the processor of payments chokes on until it is mended. */
    static final String POISON = "gift card of 0 cents";

    private final Random random;
    private final double failureRate;
    private volatile boolean mended;

    Payments(long seed, double failureRate) {
        this.random = new Random(seed);
        this.failureRate = failureRate;
    }

    /** Charges an order. @throws Declined if that failed; it may succeed another time */
    void charge(Order order) throws Declined {
        if (order.item().equals(POISON) && !mended) {
            throw new Declined("division by zero in the tax of '" + order.item() + "'");
        }
        synchronized (random) {
            if (random.nextDouble() < failureRate) {
                throw new Declined("the payment provider did not answer");
            }
        }
    }

    /** What the team that owns it does once it has seen the dead letters. */
    void mend() {
        mended = true;
    }

    /** A payment that failed. */
    static final class Declined extends Exception {
        private static final long serialVersionUID = 1;

        Declined(String message) {
            super(message);
        }
    }
}
