package dev.postroad.patterns.breaker;

import dev.postroad.api.Handler;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * Pauses handlers while what they call is out of order, probes it now and then, and lets them go on when it is back. One
 * breaker stands for one thing that is called, and may be around several handlers. Safe for use by many threads.
 *
 * <pre>{@code
 *   CircuitBreaker bank = new CircuitBreaker("bank", BreakerSettings.DEFAULT);
 *   postroad.listen("payments", format, options, bank.around(delivery -> pay(delivery.message().value())));
 * }</pre>
 *
 * <pre>
 *   CLOSED ── too many of the last calls failed ──▶ OPEN ── its time is over ──▶ HALF_OPEN: one call at a time
 *      ▲                                             ▲                              │
 *      │                                             └── a probe failed, twice as long ┤
 *      └──────────────────────────── enough probes succeeded ────────────────────────┘
 * </pre>
 *
 * <p>While it is open, handlers hold what they have been given; no more is taken than the subscription's concurrency and
 * prefetch. A message that failed while the circuit opened, or as a probe, is held too, and keeps its attempts: an outage,
 * however long, makes no flood of dead letters.
 */
public final class CircuitBreaker {
    private static final System.Logger LOG = System.getLogger(CircuitBreaker.class.getName());

    /** Where a breaker stands. */
    public enum State {
        /** Calls go through. */
        CLOSED,
        /** None does. */
        OPEN,
        /** One at a time, to see how it goes. */
        HALF_OPEN
    }

    private final String name;
    private final BreakerSettings settings;
    private final LongSupplier nanoTime;
    private final Gate gate = new Switch();
    private final AtomicInteger held = new AtomicInteger();

    // All guarded by this.
    private final BitSet failed;
    private int calls;
    private int at;
    private State state = State.CLOSED;
    private long era;
    private long openUntil;
    private Duration openFor;
    private boolean probing;
    private int probesSucceeded;
    private long opened;
    private CompletableFuture<Void> change = new CompletableFuture<>();

    /** @param name said in the log */
    public CircuitBreaker(String name, BreakerSettings settings) {
        this(name, settings, System::nanoTime);
    }

    CircuitBreaker(String name, BreakerSettings settings, LongSupplier nanoTime) {
        this.name = name;
        this.settings = settings;
        this.nanoTime = nanoTime;
        this.failed = new BitSet(settings.window());
        this.openFor = settings.openFor();
    }

    /**
     * A handler that is called only while the circuit lets it. It may be called several times for one delivery, and must not
     * settle a delivery before it throws.
     */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        return new Guarded<>(gate, handler, settings.triesPerMessage(), settings.lease(), held);
    }

    /** Where it stands. It turns from open to half open with the first call after its time. */
    public synchronized State state() {
        return state;
    }

    /** How often it has opened, failed probes included. */
    public synchronized long opened() {
        return opened;
    }

    /** Deliveries that are held now. */
    public int held() {
        return held.get();
    }

    Gate gate() {
        return gate;
    }

    private final class Switch implements Gate {
        @Override
        public Entry enter() {
            synchronized (CircuitBreaker.this) {
                long left = openUntil - nanoTime.getAsLong();
                if (state == State.OPEN) {
                    if (left > 0) {
                        return new Entry.Wait(Duration.ofNanos(left), change);
                    }
                    turn(State.HALF_OPEN);
                }
                if (state == State.HALF_OPEN) {
                    if (probing) {
                        return new Entry.Wait(settings.openFor(), change);
                    }
                    probing = true;
                }
                return new Entry.Go(era);
            }
        }

        @Override
        public void succeeded(Entry.Go entry, Duration took) {
            synchronized (CircuitBreaker.this) {
                if (entry.era() != era) {
                    // Begun before it opened or closed: says nothing about how things are now.
                    return;
                }
                if (state == State.CLOSED) {
                    count(false);
                } else {
                    probed(++probesSucceeded >= settings.probes());
                }
            }
        }

        @Override
        public boolean failed(Entry.Go entry, Duration took, Throwable failure) {
            boolean counts = settings.failures().test(failure);
            synchronized (CircuitBreaker.this) {
                if (entry.era() == era) {
                    switch (state) {
                        case CLOSED -> {
                            count(counts);
                            if (counts && tooMany()) {
                                open(failure);
                            }
                        }
                        case HALF_OPEN -> {
                            if (counts) {
                                Duration twice = openFor.multipliedBy(2);
                                openFor = twice.compareTo(settings.maxOpenFor()) < 0 ? twice : settings.maxOpenFor();
                                open(failure);
                            } else {
                                // What was called has answered, and did not like this message: no reason to stay open.
                                probed(++probesSucceeded >= settings.probes());
                            }
                        }
                        case OPEN -> throw new IllegalStateException("a call was let through in an open circuit");
                    }
                }
                return counts && state != State.CLOSED;
            }
        }
    }

    private void count(boolean failure) {
        failed.set(at, failure);
        at = (at + 1) % settings.window();
        calls = Math.min(calls + 1, settings.window());
    }

    private boolean tooMany() {
        return calls >= settings.minCalls() && failed.cardinality() >= settings.failureRate() * calls;
    }

    private void probed(boolean enough) {
        probing = false;
        if (enough) {
            openFor = settings.openFor();
            failed.clear();
            calls = 0;
            at = 0;
            turn(State.CLOSED);
            LOG.log(Level.INFO, "the circuit '" + name + "' is closed again");
        } else {
            changed();
        }
    }

    private void open(Throwable failure) {
        openUntil = nanoTime.getAsLong() + openFor.toNanos();
        opened++;
        turn(State.OPEN);
        LOG.log(
                Level.WARNING,
                "the circuit '" + name + "' is open for " + openFor + ", consumption pauses; the last failure: "
                        + failure);
    }

    private void turn(State to) {
        state = to;
        era++;
        probing = false;
        probesSucceeded = 0;
        changed();
    }

    private void changed() {
        change.complete(null);
        change = new CompletableFuture<>();
    }
}
