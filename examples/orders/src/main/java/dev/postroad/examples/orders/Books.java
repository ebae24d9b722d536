package dev.postroad.examples.orders;

import java.util.List;

/**
 * What the services' own records say when all is done.
 *
 * @param wanted orders that were to be placed
 * @param placed orders that checkout was told are stored
 * @param processed orders in the processor's ledger, each once
 * @param lost orders placed and in no ledger of the processor
 * @param invented orders in the processor's ledger that checkout does not know
 * @param outOfOrder orders done after a later one of the same customer, over all services
 * @param failures attempts of the processor that failed
 * @param poison orders that failed until payments were mended
 * @param deadLettered messages found among the dead letters
 * @param redriven dead letters put back
 * @param resent sends that checkout repeated because their outcome was not known
 * @param duplicates repeated deliveries that ledgers recognised, over all services
 * @param subscribers what each service that gets every event has
 */
public record Books(
        long wanted,
        long placed,
        long processed,
        long lost,
        long invented,
        long outOfOrder,
        long failures,
        long poison,
        long deadLettered,
        long redriven,
        long resent,
        long duplicates,
        List<Subscriber> subscribers) {

    public Books {
        subscribers = List.copyOf(subscribers);
    }

    /**
     * A service that gets every event.
     *
     * @param name of it
     * @param received orders in its ledger
     * @param missed orders placed that are not
     */
    public record Subscriber(String name, long received, long missed) {}

    /** Whether every order placed was processed once, in order, and came to every service; and every dead letter was redriven. */
    public boolean balance() {
        return placed == wanted
                && processed == placed
                && lost == 0
                && invented == 0
                && outOfOrder == 0
                && deadLettered == redriven
                && deadLettered >= poison
                && subscribers.stream().allMatch(s -> s.received == placed && s.missed == 0);
    }
}
