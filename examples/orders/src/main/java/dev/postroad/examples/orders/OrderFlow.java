package dev.postroad.examples.orders;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * The whole flow on one connection. {@link #runThrough}; or {@link #start}, {@link #awaitPlaced}, {@link #awaitQuiet}, {@link #mendAndRedrive}, {@link
 * #awaitProcessed}, {@link #books}; {@link #progress} at any time.
 */
public final class OrderFlow implements AutoCloseable {
    private static final Duration DEDUP = Duration.ofMinutes(10);
    private static final int HANDLERS = 16;
    private static final long LOOK_MILLIS = 20;

    private final Postroad postroad;
    private final Plan plan;
    private final String orders;
    private final String dead;
    private final String events;
    private final Payments payments;
    private final Checkout checkout;
    private final OrderProcessor processor;
    private final List<Subscriber> subscribers =
            List.of(new Subscriber("inventory"), new Subscriber("billing"), new Subscriber("notification"));
    private final List<Subscription> subscriptions = new ArrayList<>();
    private volatile long deadLettered;
    private volatile long redriven;

    /**
     * What is to happen.
     *
     * @param orders how many are placed, 10 or more
     * @param placing how long that takes
     * @param seed of all that is random: the same seed places the same orders, of which the same fail
     * @param failureRate share of payments that fail, 0.0 to 0.5
     * @param prefix of the channels' names, so that two flows on one broker keep apart
     */
    public record Plan(int orders, Duration placing, long seed, double failureRate, String prefix) {
        /** @throws IllegalArgumentException naming what is out of its bounds */
        public Plan {
            if (orders < 10 || orders > 1_000_000) {
                throw new IllegalArgumentException("orders is " + orders + "; it must be 10 to 1,000,000");
            }
            if (failureRate < 0 || failureRate > 0.5) {
                throw new IllegalArgumentException("failureRate is " + failureRate + "; it must be 0.0 to 0.5");
            }
        }

        int tills() {
            return 4;
        }

        int customers() {
            return Math.max(8, Math.min(60, orders / 20));
        }

        /** Which order of a till is the poisonous one: a third of the way, at all tills but the first. */
        int poisonAt(int till, int own) {
            return till == 0 ? -1 : own / 3 + till;
        }
    }

    /**
     * How far it is.
     *
     * @param placed orders confirmed
     * @param processed orders done
     * @param failures attempts that failed
     * @param duplicates repeated deliveries recognised by the ledgers
     * @param resent sends repeated by checkout
     * @param received orders that each of the services that get every event has
     */
    public record Progress(
            long placed, long processed, long failures, long duplicates, long resent, List<Long> received) {}

    public OrderFlow(Postroad postroad, Plan plan) {
        this.postroad = postroad;
        this.plan = plan;
        this.orders = plan.prefix() + "orders";
        this.dead = orders + ".dead";
        this.events = plan.prefix() + "order-events";
        this.payments = new Payments(plan.seed(), plan.failureRate());
        this.checkout = new Checkout(postroad, plan, orders, events);
        this.processor = new OrderProcessor(payments);
    }

    /** The channels as the flow needs them. */
    public List<Channel> channels() {
        RetryPolicy retry = new RetryPolicy(4, Duration.ofMillis(100), Duration.ofSeconds(1), 2.0, 0.2);
        return List.of(
                Channel.command(orders)
                        .withOrderedByKey(true)
                        .withRetry(retry)
                        .withDedupWindow(DEDUP)
                        .withPrefetch(4 * HANDLERS),
                Channel.event(events).withRetry(retry).withDedupWindow(DEDUP));
    }

    /** Declares the channels, sets the services to work, and opens the shop. */
    public void start() {
        postroad.declare(channels().toArray(Channel[]::new));
        Format<String, Order> format = Format.json(Order.class);
        subscriptions.add(
                postroad.listen(orders, format, ConsumerOptions.DEFAULT.withConcurrency(HANDLERS), processor));
        for (Subscriber subscriber : subscribers) {
            ConsumerOptions group =
                    ConsumerOptions.DEFAULT.withGroup(subscriber.name()).withConcurrency(4);
            subscriptions.add(postroad.listen(events, format, group, subscriber));
        }
        checkout.start();
    }

    /**
     * All of it: starts, and mends and redrives when all is quiet.
     *
     * @param patience for each part
     * @return the books when every order was processed; empty if something was not in time
     */
    public Optional<Books> runThrough(Duration patience) throws InterruptedException {
        start();
        if (!awaitPlaced(patience) || !awaitQuiet(patience)) {
            return Optional.empty();
        }
        mendAndRedrive();
        return awaitProcessed(patience) ? Optional.of(books()) : Optional.empty();
    }

    /** Waits until all orders are placed. @return false if they were not in time */
    public boolean awaitPlaced(Duration patience) throws InterruptedException {
        return checkout.await(patience);
    }

    /** Waits until every order was processed or lies among the dead letters, and every service has every event. */
    public boolean awaitQuiet(Duration patience) throws InterruptedException {
        return await(patience, () -> {
            long placed = checkout.placed();
            return subscribers.stream().allMatch(s -> s.ledger().size() >= placed)
                    && processor.ledger().size() + waitingDead() >= placed;
        });
    }

    /** Waits until every order was processed. */
    public boolean awaitProcessed(Duration patience) throws InterruptedException {
        return await(patience, () -> processor.ledger().size() >= checkout.placed());
    }

    private static boolean await(Duration patience, BooleanSupplier done) throws InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (!done.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
        return true;
    }

    /** Mends what made orders fail, and puts the dead letters back where they came from. Returns how many. */
    public long mendAndRedrive() {
        deadLettered = waitingDead();
        payments.mend();
        redriven = deadLettered == 0 ? 0 : postroad.administration().redrive(dead, null, Long.MAX_VALUE);
        return redriven;
    }

    private long waitingDead() {
        return status(dead).map(Administration.ChannelStatus::ready).orElse(0L);
    }

    /** A channel at a glance; empty while the broker can't be reached. */
    private Optional<Administration.ChannelStatus> status(String channel) {
        try {
            return postroad.administration().channels().stream()
                    .filter(status -> status.channel().name().equals(channel))
                    .findFirst();
        } catch (MessagingException e) {
            return Optional.empty();
        }
    }

    /** How far it is. */
    public Progress progress() {
        long duplicates = processor.ledger().duplicates();
        List<Long> received = new ArrayList<>();
        for (Subscriber subscriber : subscribers) {
            duplicates += subscriber.ledger().duplicates();
            received.add(subscriber.ledger().size());
        }
        return new Progress(
                checkout.placed(),
                processor.ledger().size(),
                processor.failures(),
                duplicates,
                checkout.repeated(),
                received);
    }

    /** From placing an order to its being processed. */
    public Latencies latencies() {
        return processor.latencies();
    }

    /** The names of the services that get every event. */
    public List<String> subscribers() {
        return subscribers.stream().map(Subscriber::name).toList();
    }

    /** The channel of commands; its dead letters lie in the channel of this name and {@code .dead}. */
    public String ordersChannel() {
        return orders;
    }

    /** The channel of events. */
    public String eventsChannel() {
        return events;
    }

    /** The books, from the services' own ledgers. */
    public Books books() {
        Set<String> placed = checkout.ids();
        Set<String> processed = processor.ledger().ids();
        Progress progress = progress();
        long outOfOrder = processor.ledger().outOfOrder()
                + subscribers.stream().mapToLong(s -> s.ledger().outOfOrder()).sum();
        return new Books(
                plan.orders(),
                placed.size(),
                processed.size(),
                missing(placed, processed),
                missing(processed, placed),
                outOfOrder,
                progress.failures(),
                checkout.poison(),
                deadLettered,
                redriven,
                progress.resent(),
                progress.duplicates(),
                subscribers.stream()
                        .map(s -> new Books.Subscriber(
                                s.name(),
                                s.ledger().size(),
                                missing(placed, s.ledger().ids())))
                        .toList());
    }

    private static long missing(Set<String> wanted, Set<String> there) {
        Set<String> rest = new HashSet<>(wanted);
        rest.removeAll(there);
        return rest.size();
    }

    /** Stops the services; the connection stays open. */
    @Override
    public void close() {
        checkout.stop();
        subscriptions.forEach(subscription -> subscription.close(Duration.ofSeconds(5)));
    }
}
