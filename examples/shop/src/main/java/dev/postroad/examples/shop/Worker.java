package dev.postroad.examples.shop;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Handler;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.eventstore.EventSubscription;
import dev.postroad.patterns.eventstore.JdbcEventStore;
import dev.postroad.patterns.eventstore.Projection;
import dev.postroad.patterns.eventstore.StoredEvent;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.saga.JdbcParticipant;
import java.io.IOException;
import java.io.InputStream;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Everything that works behind the shop: relay, saga, stock, payments, shipping, billing, projections. Run as many as wanted, in
 * as many processes: they share the work, and need no leader.
 */
public final class Worker implements AutoCloseable {
    /** Exit code of a worker's process that was stopped dead, as of one that was killed. */
    public static final int STOPPED_DEAD = 137;

    /** Variables of the environment that tell a worker's process what to work on. */
    private static final String BROKER = "SHOP_BROKER";

    private static final String DATABASE = "SHOP_DATABASE";
    private static final String USER = "SHOP_DATABASE_USER";
    private static final String PASSWORD = "SHOP_DATABASE_PASSWORD";
    private static final String PREFIX = "SHOP_PREFIX";
    private static final String PATIENCE = "SHOP_PATIENCE";

    private static final int AT_ONCE = 4;
    private static final Duration LOOK = Duration.ofMillis(100);

    private final OutboxRelay relay;
    private final CheckoutSaga saga;
    private final EventSubscription events;
    private final List<Subscription> subscriptions = new ArrayList<>();
    private final Projection status;
    private final Projection sales;
    private long shown;

    private Worker(Postroad postroad, DataSource database, Plan plan, Clock clock, Stops stops) {
        JdbcEventStore store = new JdbcEventStore(database);
        History history = new History(store);
        Outbox<String, Order> outbox = new Outbox<>(Order.FORMAT, Shop.OUTBOX);
        JdbcParticipant participant = new JdbcParticipant(postroad, database);

        this.relay = OutboxRelay.start(database, postroad, Shop.OUTBOX);
        this.saga = new CheckoutSaga(postroad, database, plan, clock);
        ConsumerOptions several = ConsumerOptions.DEFAULT.withConcurrency(AT_ONCE);
        Map<String, Handler<String, Order>> services = Map.of(
                plan.stockCommands(), participant.around(new Stock(history)),
                plan.payments(), new Payments(participant, history, stops),
                plan.shipping(), new Shipping(participant, history, outbox, plan, stops));
        services.forEach(
                (channel, service) -> subscriptions.add(postroad.listen(channel, Order.FORMAT, several, service)));
        Inbox billing = new Inbox(database, Shop.BILLING);
        subscriptions.add(postroad.listen(
                plan.events(), Order.FORMAT, several.withGroup("billing"), billing.around(new Billing())));

        this.status = Projection.open(store, database, OrderStatus.NAME, new OrderStatus());
        this.sales = Projection.open(store, database, Sales.NAME, new Sales());
        this.events = EventSubscription.start(store, status.position(), LOOK, this::show);
    }

    /** Starts one in this process. Its connection and its database must outlive it. */
    public static Worker start(Postroad postroad, DataSource database, Plan plan, Clock clock) {
        return new Worker(postroad, database, plan, clock, Stops.none(database));
    }

    /** Brings the tables for reading up to the present; an event that is in them already is passed over. */
    private void show(StoredEvent event) {
        if (event.position() > shown) {
            status.catchUp();
            sales.catchUp();
            shown = Math.min(status.position(), sales.position());
        }
    }

    /** Finishes what it has in hand, and takes nothing more. */
    @Override
    public void close() {
        events.close();
        subscriptions.forEach(Subscription::close);
        saga.close();
        relay.close();
    }

    // ── As a process of its own ──────────────────────────────────────────────────────────────────────────────────────

    /** What a worker's process must find in its environment. */
    public static Map<String, String> environment(String broker, ShopDatabase database, Plan plan) {
        return Map.of(
                BROKER, broker,
                DATABASE, database.url(),
                USER, database.user(),
                PASSWORD, database.password(),
                PREFIX, plan.prefix(),
                PATIENCE, plan.patience().toString());
    }

    /** Works until its standard input ends, that is, until whoever started it wants it to or is gone; or stops dead before. */
    public static void main(String[] arguments) throws SQLException, IOException {
        ShopDatabase where = new ShopDatabase(variable(DATABASE), variable(USER), variable(PASSWORD));
        // How many orders there are, and which, is not a worker's business.
        Plan plan = new Plan(20, 0, Duration.parse(variable(PATIENCE)), variable(PREFIX));
        DataSource database = where.open();
        try (Postroad postroad = Postroad.connect(variable(BROKER));
                Worker worker = new Worker(postroad, database, plan, Clock.systemUTC(), Stops.armed(database))) {
            worker.workUntilTheEndOf(System.in);
        }
    }

    private void workUntilTheEndOf(InputStream orders) throws IOException {
        int said;
        do {
            said = orders.read();
        } while (said >= 0);
    }

    private static String variable(String name) {
        String value = System.getenv(name);
        if (value == null) {
            throw new IllegalStateException("the variable " + name + " is not set: workers are started by the shop");
        }
        return value;
    }
}
