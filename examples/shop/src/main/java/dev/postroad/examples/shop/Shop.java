package dev.postroad.examples.shop;

import dev.postroad.api.Channel;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.examples.shop.Order.Zone;
import dev.postroad.patterns.eventstore.JdbcEventStore;
import dev.postroad.patterns.eventstore.Projection;
import dev.postroad.patterns.eventstore.StoredEvent;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxSchema;
import dev.postroad.patterns.outbox.OutboxSettings;
import dev.postroad.patterns.saga.JdbcParticipant;
import dev.postroad.patterns.saga.JdbcSagaStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;

/**
 * The shop's front: asks shippers, takes orders, and looks at what {@link Worker}s make of them. {@link #open}, {@link
 * #stopWorkers} where that is wanted, start workers, {@link #quote}, {@link #takeOrders}, {@link #rebuildSales}, {@link
 * #awaitTheEnd}, {@link #report}.
 */
public final class Shop implements AutoCloseable {
    static final OutboxSettings OUTBOX = OutboxSettings.DEFAULT.withPollInterval(Duration.ofMillis(100));
    static final InboxSettings BILLING = InboxSettings.of("billing");

    private static final int READ_AT_ONCE = 1_000;
    private static final long LOOK_MILLIS = 200;

    private final DataSource database;
    private final Plan plan;
    private final JdbcEventStore store;
    private final Checkout checkout;
    private final Quotes quotes;
    private final Projection status;
    private final Projection sales;
    private final List<Order> orders = new ArrayList<>();

    private Shop(Postroad postroad, DataSource database, Plan plan) throws SQLException {
        this.database = database;
        this.plan = plan;
        this.store = new JdbcEventStore(database);
        this.checkout = new Checkout(database, new History(store), new Outbox<>(Order.FORMAT, OUTBOX), plan);
        for (Channel channel : channels(plan)) {
            postroad.declare(channel);
        }
        createTables(postroad);
        this.quotes = new Quotes(postroad, plan);
        this.status = Projection.open(store, database, OrderStatus.NAME, new OrderStatus());
        this.sales = Projection.open(store, database, Sales.NAME, new Sales());
    }

    /** Makes channels and tables, and opens. The connection and the database must outlive it. */
    public static Shop open(Postroad postroad, DataSource database, Plan plan) throws SQLException {
        return new Shop(postroad, database, plan);
    }

    private static List<Channel> channels(Plan plan) {
        RetryPolicy retry =
                RetryPolicy.DEFAULT.withMaxAttempts(20).withDelays(Duration.ofMillis(50), Duration.ofSeconds(1));
        return List.of(
                Channel.event(plan.events()).withRetry(retry),
                Channel.command(plan.stockCommands()).withOrderedByKey(true).withRetry(retry),
                Channel.command(plan.payments()).withOrderedByKey(true).withRetry(retry),
                Channel.command(plan.shipping()).withOrderedByKey(true).withRetry(retry));
    }

    private void createTables(Postroad postroad) throws SQLException {
        store.create();
        new JdbcSagaStore(database).create();
        new JdbcParticipant(postroad, database).create();
        try (Connection connection = database.getConnection()) {
            OutboxSchema.create(connection, OUTBOX);
            Inbox.create(connection, BILLING);
            try (Statement statement = connection.createStatement()) {
                for (String table : List.of(
                        "shop_order (id varchar(50) primary key, customer varchar(50) not null, cents bigint not null)",
                        "shop_stock (product varchar(50) primary key, on_hand bigint not null)",
                        "shop_reservation (order_id varchar(50) primary key)",
                        // No key keeps these from being written twice: that it does not happen is what is to be seen.
                        "shop_payment (order_id varchar(50) not null, cents bigint not null)",
                        "shop_parcel (order_id varchar(50) not null)",
                        "shop_invoice (order_id varchar(50) not null, cents bigint not null)",
                        "shop_stop (place varchar(100) primary key, order_id varchar(50) not null, done int not null)")) {
                    statement.execute("create table " + table);
                }
            }
        }
        Transactions.run(database, connection -> {
            for (Plan.Product product : plan.products()) {
                Orders.update(
                        connection, "insert into shop_stock (product, on_hand) values (?, ?)", product.name(), (long)
                                plan.stock());
            }
            return true;
        });
    }

    // ── What happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    /** Asks all shippers, makes the orders of it, and tells what came. */
    public List<String> quote() {
        List<Quotes.Quote> answers = quotes.ask();
        Map<Zone, Long> fees = new EnumMap<>(Zone.class);
        answers.forEach(quote -> fees.put(quote.zone(), quote.cents()));
        orders.addAll(plan.orders(fees));
        return Report.quotes(answers);
    }

    /**
     * Has workers that are processes of their own stop dead over one order, twice; before any of them starts. Those that were
     * started otherwise live.
     */
    public void stopWorkers() throws SQLException {
        Stops.arm(database, Plan.unlucky(plan.orders(Map.of())));
    }

    /** Takes all orders, some of them twice, and tells of it. */
    public List<String> takeOrders() throws SQLException {
        int twice = 0;
        int taken = 0;
        for (int i = 0; i < orders.size(); i++) {
            for (int clicks = plan.clicksTwice(i) ? 2 : 1; clicks > 0; clicks--) {
                if (checkout.place(orders.get(i))) {
                    taken++;
                } else {
                    twice++;
                }
            }
        }
        return List.of(
                Text.count(taken) + " orders taken: row, event and outbox record of each in one transaction",
                Text.count(twice) + " customers clicked twice, and ordered once");
    }

    /** Makes the sales anew from all events, beside the table that is read and goes on; then it takes its place. */
    public List<String> rebuildSales() {
        String before = sales.liveTable();
        sales.rebuild();
        return List.of(
                "sales made anew beside the live table while orders come in: " + before + ", now " + sales.liveTable());
    }

    /**
     * How far it is.
     *
     * @param orders all
     * @param ended those that have come to an end, whichever
     * @param parcels sent
     * @param invoices written
     */
    public record Progress(long orders, long ended, long parcels, long invoices) {}

    /**
     * Waits until every order has come to its end, everything shipped has its invoice, and the tables for reading have every
     * event.
     *
     * @param look called now and then
     * @return false if it did not happen in time
     */
    public boolean awaitTheEnd(Duration patience, Consumer<Progress> look) throws SQLException, InterruptedException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Progress progress = progress();
            look.accept(progress);
            if (progress.ended() == progress.orders() && progress.invoices() == progress.parcels() && allShown()) {
                return true;
            }
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private Progress progress() throws SQLException {
        String statuses = status.liveTable();
        return Transactions.run(
                database,
                connection -> new Progress(
                        orders.size(),
                        Orders.number(connection, "select count(*) from " + statuses + " where ended = 1"),
                        Orders.number(connection, "select count(*) from shop_parcel"),
                        Orders.number(connection, "select count(*) from shop_invoice")));
    }

    private boolean allShown() {
        return store.readAll(Math.min(status.position(), sales.position()), 1).isEmpty();
    }

    // ── What came of it ──────────────────────────────────────────────────────────────────────────────────────────────

    /** The sums, from the tables as they are. */
    public Books books() throws SQLException {
        String statuses = status.liveTable();
        String sold = sales.liveTable();
        return Transactions.run(database, connection -> Books.read(connection, statuses, sold, plan));
    }

    /** What came of it, for people: outcomes, products, two stories, and the sums that must balance. */
    public List<String> report() throws SQLException {
        Order unlucky = Plan.unlucky(orders);
        Order returned = orders.stream()
                .filter(order -> order.zone() == Zone.LIGHTHOUSE)
                .findFirst()
                .orElseThrow();
        List<String> lines = new ArrayList<>(Report.outcomes(books()));
        lines.addAll(Report.products(books()));
        lines.addAll(Report.story(unlucky, events(unlucky), Stops.done(database)));
        lines.addAll(Report.story(returned, events(returned), List.of()));
        lines.addAll(Report.sums(books()));
        return lines;
    }

    private List<StoredEvent> events(Order order) {
        return store.read(order.id(), 1, READ_AT_ONCE);
    }

    @Override
    public void close() {
        quotes.close();
    }
}
