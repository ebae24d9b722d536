package dev.postroad.examples.orders;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The shop: places orders at a steady pace. An order counts as placed when both its command and its event are confirmed; until
 * then each is repeated with the same id, which follows from the order's. That takes no transaction, so it holds on every
 * transport; a shop that may die in between repeats on its next start what its own records don't call placed.
 */
final class Checkout {
    private static final String[] ITEMS = {"three books", "a lamp", "a chair", "six cups", "a kettle"};
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long FIRST_PAUSE_MILLIS = 20;
    private static final long LONGEST_PAUSE_MILLIS = 500;

    private final MessageProducer<String, Order> producer;
    private final OrderFlow.Plan plan;
    private final String orders;
    private final String events;
    private final Set<String> placed = ConcurrentHashMap.newKeySet();
    private final AtomicLong repeated = new AtomicLong();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger poison = new AtomicInteger();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final List<Thread> tills = new ArrayList<>();

    Checkout(Postroad postroad, OrderFlow.Plan plan, String orders, String events) {
        this.producer = postroad.producer(Format.json(Order.class));
        this.plan = plan;
        this.orders = orders;
        this.events = events;
    }

    /** Opens the tills. Each has its own customers, so that a customer's orders are placed one after the other. */
    void start() {
        for (int till = 0; till < plan.tills(); till++) {
            int number = till;
            tills.add(Thread.ofVirtual().name("till-" + number).start(() -> work(number)));
        }
    }

    private void work(int till) {
        Random random = new Random(plan.seed() * 31 + till);
        int[] numbers = new int[plan.customers()];
        int own = plan.orders() / plan.tills() + (till < plan.orders() % plan.tills() ? 1 : 0);
        int customers = (plan.customers() - till + plan.tills() - 1) / plan.tills();
        long interval = plan.placing().toNanos() / Math.max(1, own);
        long start = System.nanoTime();
        for (int i = 0; i < own && !stopped.get(); i++) {
            long early = start + i * interval - System.nanoTime();
            if (early > 0) {
                LockSupport.parkNanos(early);
            }
            int customer = random.nextInt(customers) * plan.tills() + till;
            place(order(random, customer, ++numbers[customer], i == plan.poisonAt(till, own)));
        }
    }

    private Order order(Random random, int customer, int number, boolean poisonous) {
        if (poisonous) {
            poison.incrementAndGet();
        }
        String id = "order-" + (1_000 + begun.incrementAndGet());
        String item = poisonous ? Payments.POISON : ITEMS[random.nextInt(ITEMS.length)];
        long cents = poisonous ? 0 : 100 + random.nextInt(20_000);
        return new Order(id, "customer-" + customer, number, item, cents, Instant.now());
    }

    private void place(Order order) {
        Message<String, Order> created = Message.of(order.customer(), order);
        Message<String, Order> command =
                created.withId(order.id()).withType("ProcessOrder").withCorrelationId(order.id());
        Message<String, Order> event =
                created.withId(order.id() + "/created").withType("OrderCreated").withCorrelationId(order.id());
        if (confirmed(orders, command) && confirmed(events, event)) {
            placed.add(order.id());
        }
    }

    /** Sends until that is confirmed. @return false if the shop closed before */
    private boolean confirmed(String channel, Message<String, Order> message) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        long pause = FIRST_PAUSE_MILLIS;
        while (!stopped.get()) {
            try {
                producer.send(channel, message);
                return true;
            } catch (MessagingException e) {
                // Whether it was stored is not known if the broker died: the id makes the repetition harmless.
                if (System.nanoTime() - end > 0) {
                    throw e;
                }
                repeated.incrementAndGet();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pause));
            pause = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
        }
        return false;
    }

    /** Waits until all orders are placed. @return false if they were not in time */
    boolean await(Duration patience) throws InterruptedException {
        for (Thread till : tills) {
            if (!till.join(patience)) {
                return false;
            }
        }
        return true;
    }

    void stop() {
        stopped.set(true);
    }

    long placed() {
        return placed.size();
    }

    Set<String> ids() {
        return Set.copyOf(placed);
    }

    /** Orders that have no chance until payments are mended. */
    long poison() {
        return poison.get();
    }

    /** Sends repeated because their outcome was not known. */
    long repeated() {
        return repeated.get();
    }
}
