package dev.postroad.cli;

import dev.postroad.api.Postroad;
import dev.postroad.examples.shop.Plan;
import dev.postroad.examples.shop.Shop;
import dev.postroad.examples.shop.Worker;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * {@code demo --full}: the web shop, with a broker, a database and two workers. What it prints follows from the number of orders
 * and the seed alone; what does not (times, processes) is shown on a terminal while it runs, and gone then.
 */
final class ShopDemo {
    private static final int WORKERS = 2;
    /** In which the worst machine starts a worker anew, so that only the payment that is never answered times out. */
    private static final Duration PATIENCE = Duration.ofSeconds(9);

    private static final Duration END = Duration.ofMinutes(2);

    private final DemoScreen screen;
    private final int orders;
    private final long seed;
    private final @Nullable String url;
    private final @Nullable String databaseUrl;
    private final boolean keep;
    private volatile @Nullable BrokerProcess broker;
    private volatile @Nullable ShopWorkers workers;

    /**
     * @param url of the broker; null for one of its own
     * @param databaseUrl of a PostgreSQL; null for H2
     * @param keep whether the directory of its broker stays
     */
    ShopDemo(
            DemoScreen screen,
            int orders,
            long seed,
            @Nullable String url,
            @Nullable String databaseUrl,
            boolean keep) {
        this.screen = screen;
        this.orders = orders;
        this.seed = seed;
        this.url = url;
        this.databaseUrl = databaseUrl;
        this.keep = keep;
    }

    int run() throws IOException, InterruptedException, SQLException {
        try (ShopDemoDatabase database =
                databaseUrl == null ? ShopDemoDatabase.h2() : ShopDemoDatabase.postgresql(databaseUrl)) {
            introduce(database.name());
            DemoFolder folder = DemoFolder.create(keep, this::endAll);
            int exitCode = ExitCode.FAILED;
            try {
                exitCode = url == null ? onOwnBroker(database, folder) : onUrl(url, database, folder);
            } finally {
                if (exitCode != ExitCode.OK) {
                    folder.keep();
                }
                if (folder.kept()) {
                    screen.print("what the broker and the workers wrote is kept in " + folder.path());
                }
            }
            return exitCode;
        }
    }

    private int onOwnBroker(ShopDemoDatabase database, DemoFolder folder)
            throws IOException, InterruptedException, SQLException {
        try (BrokerProcess own = BrokerProcess.start(
                folder.path().resolve("data"), 0, folder.path().resolve("broker.log"))) {
            broker = own;
            String address = "http://" + own.address();
            try (Postroad postroad = Postroad.connect(address)) {
                return trade(postroad, address, database, folder, "");
            }
        }
    }

    private int onUrl(String address, ShopDemoDatabase database, DemoFolder folder)
            throws IOException, InterruptedException, SQLException {
        String prefix = DemoCommand.prefix();
        try (Postroad postroad = Postroad.connect(address)) {
            int exitCode = trade(postroad, address, database, folder, prefix);
            DemoCommand.deleteChannels(postroad, prefix);
            return exitCode;
        }
    }

    private void introduce(String database) {
        screen.print(screen.bold("Postroad demo: a web shop") + "   (" + Units.count(orders) + " orders, seed " + seed
                + ", " + database + ")");
        screen.print("""

                  checkout ── row, event and outbox record in one transaction ──▶ relay ──▶ order-events
                  order-events ─┬─▶ saga ──▶ stock · payments · shipping, undone in reverse where one fails
                                └─▶ billing, once for each order
                  events ──▶ status of orders · sales by product
                """);
    }

    private int trade(Postroad postroad, String address, ShopDemoDatabase database, DemoFolder folder, String prefix)
            throws IOException, InterruptedException, SQLException {
        Plan plan = new Plan(orders, seed, PATIENCE, prefix);
        DataSource connections = database.open();
        // What lies in a process is reached by no other.
        boolean within = address.startsWith("embedded:");
        try (Shop shop = Shop.open(postroad, connections, plan)) {
            if (within) {
                Worker worker = Worker.start(postroad, connections, plan, Clock.systemUTC());
                try {
                    return trade(shop, null);
                } finally {
                    worker.close();
                }
            }
            shop.stopWorkers();
            Path log = folder.path().resolve("workers.log");
            try (ShopWorkers processes =
                    ShopWorkers.start(WORKERS, Worker.environment(address, database.forOthers(), plan), log)) {
                workers = processes;
                return trade(shop, processes);
            }
        }
    }

    private int trade(Shop shop, @Nullable ShopWorkers processes) throws InterruptedException, SQLException {
        draw(new Shop.Progress(orders, 0, 0, 0), processes, "asking shippers");
        print(shop.quote());
        screen.print("");
        print(shop.takeOrders());
        draw(new Shop.Progress(orders, 0, 0, 0), processes, "orders are taken");
        print(shop.rebuildSales());
        boolean ended = shop.awaitTheEnd(END, progress -> {
            if (processes != null) {
                processes.check();
            }
            draw(progress, processes, "working off");
        });
        if (processes != null) {
            screen.print(processes.replaced() + " workers stopped dead in the midst, and others took their place");
        }
        if (!ended) {
            screen.print("not all orders had come to an end after " + Units.time(END));
        }
        print(shop.report());
        boolean balance = ended && shop.books().balance();
        screen.print("");
        screen.print((balance ? screen.green("The books balance.") : screen.red("THE BOOKS DO NOT BALANCE."))
                + (screen.redraws() ? "  " + Units.time(screen.elapsed()) : ""));
        return balance ? ExitCode.OK : ExitCode.FAILED;
    }

    private void print(List<String> lines) {
        lines.forEach(screen::print);
    }

    private void draw(Shop.Progress progress, @Nullable ShopWorkers processes, String phase) {
        screen.draw(List.of(
                "  orders     " + screen.bar(progress.ended(), progress.orders()) + " " + Units.count(progress.ended())
                        + " of " + Units.count(progress.orders()) + " ended",
                "  parcels    " + Units.count(progress.parcels()) + ", " + Units.count(progress.invoices())
                        + " invoices",
                "  workers    "
                        + (processes == null
                                ? "in this process"
                                : "processes " + processes.pids() + ", " + processes.replaced() + " replaced"),
                "  " + phase + ", " + Units.time(screen.elapsed())));
    }

    /** At the end of the process, however it comes. */
    private void endAll() {
        ShopWorkers working = workers;
        if (working != null) {
            working.kill();
        }
        BrokerProcess running = broker;
        if (running != null) {
            running.awaitEnd();
        }
    }
}
