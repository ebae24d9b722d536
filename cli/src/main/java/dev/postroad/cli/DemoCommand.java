package dev.postroad.cli;

import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Administration.GroupStatus;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.examples.orders.Books;
import dev.postroad.examples.orders.OrderFlow;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}: an order flow through a crash of the broker, or a whole web shop; and the books at the end. */
@Command(
        name = "demo",
        header = "Watch a durable broker carry orders through a crash.",
        description = {
            "",
            "A shop places orders. A processor works on them in order per customer; payments fail now and then and are"
                    + " repeated; some orders fail for good and become dead letters, with what the same customer ordered after."
                    + " Three services get every event. Midway the broker's process is killed with SIGKILL and started again on"
                    + " its data. Then the fault is mended, the dead letters are put back, and the books are made from what"
                    + " each service recorded. The exit code is 0 only if they balance.",
            "",
            "With --full a whole web shop: checkout with an outbox in a database, a saga over stock, payments and shipping"
                    + " whose steps are undone where one fails or does not answer, invoices, tables for reading made from"
                    + " events. Two of its workers stop dead at the worst moments. The same seed prints the same.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad demo",
            "  postroad demo --orders 10000 --seconds 40",
            "  postroad demo --seed 42 --keep",
            "  postroad demo --url http://127.0.0.1:8480        on a running server, which is not killed",
            "  postroad demo --full",
            "  postroad demo --full --database postgresql://shop:secret@127.0.0.1/shop"
        })
final class DemoCommand implements Callable<Integer> {
    private static final Duration LOOK = Duration.ofMillis(200);
    private static final Duration LINE = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final double FAILURE_RATE = 0.04;
    private static final long DOWN_MILLIS = 300;

    private static final int ORDERS = 3_000;
    private static final int ORDERS_OF_THE_SHOP = 60;
    private static final int SECONDS = 20;

    @Option(names = "--full", description = "The whole web shop, in place of the order flow.")
    private boolean full;

    @Option(
            names = "--orders",
            paramLabel = "N",
            description =
                    "Orders to place, 10 to 1,000,000; with --full, 20 to 10,000. Default: 3,000; with --full, 60.")
    private @Nullable Integer chosenOrders;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            description = "How long placing them takes, 1 to 3,600. Default: 20. Not with --full.")
    private @Nullable Integer chosenSeconds;

    @Option(
            names = "--database",
            paramLabel = "URL",
            description =
                    "With --full: a PostgreSQL for the shop's rows, in place of H2 in this process; they lie in a schema"
                            + " of the demo's own, which is dropped at the end. postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    private @Nullable String database;

    private int orders = ORDERS;
    private int seconds = SECONDS;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "What randomness begins with. Default: a new one, which is told.")
    private @Nullable Long seed;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description =
                    "Run on this broker, any transport's URL, in place of one of its own. It is not killed, and the"
                            + " demo's channels are deleted at the end.")
    private @Nullable String url;

    @Option(names = "--keep", description = "Keep the data directory at the end, and tell where it is.")
    private boolean keep;

    private final DemoScreen screen = new DemoScreen();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile String phase = "";
    private volatile @Nullable BrokerProcess broker;
    private volatile @Nullable Duration recovery;
    private volatile @Nullable Duration firstAfter;

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException {
        if (full) {
            return shop();
        }
        if (database != null) {
            throw new CliException(ExitCode.USAGE, "--database is for --full: the order flow has no database");
        }
        orders = chosenOrders == null ? ORDERS : chosenOrders;
        seconds = chosenSeconds == null ? SECONDS : chosenSeconds;
        if (seconds < 1 || seconds > 3_600) {
            throw new CliException(ExitCode.USAGE, "--seconds is " + seconds + "; it must be 1 to 3,600");
        }
        if (orders < 10 || orders > 1_000_000) {
            throw new CliException(ExitCode.USAGE, "--orders is " + orders + "; it must be 10 to 1,000,000");
        }
        prepare();
        return url == null ? onOwnBroker(chosenSeed()) : onUrl(url, chosenSeed());
    }

    private int shop() throws IOException, InterruptedException, SQLException {
        orders = chosenOrders == null ? ORDERS_OF_THE_SHOP : chosenOrders;
        if (orders < 20 || orders > 10_000) {
            throw new CliException(ExitCode.USAGE, "--orders is " + orders + "; with --full it must be 20 to 10,000");
        }
        if (chosenSeconds != null) {
            throw new CliException(
                    ExitCode.USAGE, "--seconds is not for --full, whose orders come as fast as the shop takes them");
        }
        prepare();
        return new ShopDemo(screen, orders, chosenSeed(), url, database, keep).run();
    }

    private void prepare() {
        if (url != null && keep) {
            throw new CliException(
                    ExitCode.USAGE, "--keep is about a directory of the demo's own, and with --url there is none");
        }
        if (System.getenv("POSTROAD_LOG_LEVEL") == null) {
            System.setProperty("POSTROAD_LOG_LEVEL", "OFF");
        }
    }

    private long chosenSeed() {
        return seed != null ? seed : new SecureRandom().nextInt(1_000_000);
    }

    private OrderFlow.Plan plan(long chosen, String prefix) {
        return new OrderFlow.Plan(orders, Duration.ofSeconds(seconds), chosen, FAILURE_RATE, prefix);
    }

    private int onOwnBroker(long chosen) throws IOException, InterruptedException {
        DemoFolder folder = DemoFolder.create(keep, this::endBroker);
        Path data = folder.path().resolve("data");
        Path log = folder.path().resolve("broker.log");
        introduce(chosen);
        BrokerProcess first = BrokerProcess.start(data, 0, log);
        broker = first;
        screen.event("broker started: process " + first.pid() + ", http=" + first.address() + ", data=" + data);
        int exitCode = ExitCode.FAILED;
        try (Postroad postroad = Postroad.connect("http://" + first.address())) {
            exitCode = run(postroad, plan(chosen, ""), flow -> {
                awaitShare(flow, 0.45);
                crash(flow, data, log);
            });
        } finally {
            BrokerProcess last = broker;
            if (last != null) {
                last.close();
            }
            if (exitCode != ExitCode.OK) {
                folder.keep();
            }
            if (folder.kept()) {
                screen.print("data and log are kept in " + folder.path() + ": postroad doctor " + data);
            }
        }
        return exitCode;
    }

    private int onUrl(String broker, long chosen) throws IOException, InterruptedException {
        introduce(chosen);
        String prefix = prefix();
        try (Postroad postroad = Postroad.connect(broker)) {
            screen.event("connected to " + postroad.transport().url() + ", which is not ours to kill");
            int exitCode = run(postroad, plan(chosen, prefix), flow -> {});
            deleteChannels(postroad, prefix);
            return exitCode;
        }
    }

    /** Of channels on a broker that has others too. */
    static String prefix() {
        return "demo-" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX) + ".";
    }

    static void deleteChannels(Postroad postroad, String prefix) {
        for (ChannelStatus status : postroad.administration().channels()) {
            if (status.channel().name().startsWith(prefix)) {
                postroad.administration().delete(status.channel().name());
            }
        }
    }

    private void introduce(long chosen) {
        screen.print(screen.bold("Postroad demo: an order flow through a crash") + "   (seed " + chosen + ")");
        screen.print("""

                  checkout ──┬──▶ orders, in order per customer ──▶ processor ──▶ payments
                             │        └─ given up after 4 attempts ──▶ orders.dead
                             └──▶ order-events ──▶ inventory · billing · notification
                """);
    }

    /** What happens in the middle. */
    private interface Middle {
        void happen(OrderFlow flow) throws IOException, InterruptedException;
    }

    private int run(Postroad postroad, OrderFlow.Plan plan, Middle middle) throws IOException, InterruptedException {
        try (OrderFlow flow = new OrderFlow(postroad, plan)) {
            Thread show = Thread.ofVirtual().unstarted(() -> show(postroad, flow));
            try {
                flow.start();
                screen.event("the shop is open: " + Units.count(orders) + " orders in " + seconds + " s");
                phase = "placing orders";
                show.start();
                middle.happen(flow);
                flow.awaitPlaced(PATIENCE.plusSeconds(seconds));
                screen.event(Units.count(flow.progress().placed()) + " orders placed; the shop is closed");
                phase = "working off";
                boolean quiet = flow.awaitQuiet(PATIENCE);
                screen.event(quiet ? "all is worked off that can be" : "still not all is worked off; going on without");
                phase = "redriving";
                long back = flow.mendAndRedrive();
                screen.event(
                        "payments are mended; " + Units.count(back) + " dead letters put back, in order per customer");
                flow.awaitProcessed(PATIENCE);
                phase = "done";
            } finally {
                over.set(true);
                show.join();
            }
            screen.draw(List.of());
            Books books = flow.books();
            print(books, flow);
            return books.balance() ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private void awaitShare(OrderFlow flow, double share) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.plusSeconds(seconds).toNanos();
        while (flow.progress().placed() < orders * share && System.nanoTime() - end < 0) {
            Thread.sleep(5);
        }
    }

    private void crash(OrderFlow flow, Path data, Path log) throws IOException, InterruptedException {
        BrokerProcess doomed = broker;
        if (doomed == null) {
            return;
        }
        int port = doomed.port();
        phase = "broker is dead";
        long killed = System.nanoTime();
        doomed.kill();
        broker = null;
        screen.event(screen.red("broker killed") + " (SIGKILL), process " + doomed.pid() + ", with "
                + Units.count(flow.progress().placed()) + " orders confirmed");
        Thread.sleep(DOWN_MILLIS);
        long before = flow.progress().processed();
        phase = "broker recovers";
        BrokerProcess again = BrokerProcess.start(data, port, log);
        broker = again;
        recovery = again.started();
        phase = "placing orders";
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (flow.progress().processed() <= before && System.nanoTime() - end < 0) {
            Thread.sleep(2);
        }
        firstAfter = Duration.ofNanos(System.nanoTime() - killed);
        screen.event(screen.green("broker is back") + ": process " + again.pid() + " accepted after "
                + Units.time(again.started()) + "; first order processed " + Units.time(firstAfter)
                + " after the kill");
    }

    // ── What is shown
    // ─────────────────────────────────────────────────────────────────────────────────────────────────

    private void show(Postroad postroad, OrderFlow flow) {
        long last = System.nanoTime();
        long lastLine = last;
        OrderFlow.Progress before = flow.progress();
        double placing = 0;
        double processing = 0;
        while (!over.get()) {
            try {
                Thread.sleep(LOOK.toMillis());
            } catch (InterruptedException e) {
                return;
            }
            OrderFlow.Progress now = flow.progress();
            long time = System.nanoTime();
            double passed = (time - last) / 1e9;
            placing = smooth(placing, (now.placed() - before.placed()) / passed);
            processing = smooth(processing, (now.processed() - before.processed()) / passed);
            before = now;
            last = time;
            if (screen.redraws()) {
                screen.draw(lines(postroad, flow, now, placing, processing));
            } else if (time - lastLine >= LINE.toNanos()) {
                lastLine = time;
                screen.event("placed " + Units.count(now.placed()) + " (" + Math.round(placing) + "/s), processed "
                        + Units.count(now.processed()) + " (" + Math.round(processing) + "/s), p50 "
                        + Units.time(flow.latencies().percentile(0.5)) + ", p99 "
                        + Units.time(flow.latencies().percentile(0.99)) + ", failed attempts "
                        + Units.count(now.failures())
                        + "; " + phase);
            }
        }
    }

    private static double smooth(double former, double present) {
        return former * 0.7 + present * 0.3;
    }

    private List<String> lines(
            Postroad postroad, OrderFlow flow, OrderFlow.Progress now, double placing, double processing) {
        Map<String, ChannelStatus> channels = channels(postroad);
        BrokerProcess running = broker;
        List<String> lines = new ArrayList<>();
        lines.add(row("broker", url != null ? url : running == null ? "DOWN" : "process " + running.pid(), phase));
        lines.add(row(
                "placed",
                screen.bar(now.placed(), orders) + " " + Units.count(now.placed()) + " of " + Units.count(orders),
                Math.round(placing) + "/s"));
        lines.add(row(
                "processed",
                screen.bar(now.processed(), orders) + " " + Units.count(now.processed()),
                Math.round(processing) + "/s"));
        lines.add(row(
                "",
                "p50 " + Units.time(flow.latencies().percentile(0.5)) + "   p99 "
                        + Units.time(flow.latencies().percentile(0.99)) + "   failed attempts "
                        + Units.count(now.failures()) + "   repeated sends " + Units.count(now.resent()),
                ""));
        lines.add(row("orders", depth(channels.get(flow.ordersChannel())), ""));
        ChannelStatus dead = channels.get(flow.ordersChannel() + ".dead");
        lines.add(row("orders.dead", dead == null ? "-" : Units.count(dead.ready()) + " dead letters", ""));
        Map<String, Long> lags = lags(postroad, flow);
        List<String> services = flow.subscribers();
        for (int i = 0; i < services.size(); i++) {
            Long lag = lags.get(services.get(i));
            lines.add(row(
                    services.get(i),
                    screen.bar(now.received().get(i), orders) + " "
                            + Units.count(now.received().get(i)),
                    "lag " + (lag == null ? "?" : Units.count(lag))));
        }
        return lines;
    }

    private static String row(String name, String middle, String end) {
        String left = "  " + name + " ".repeat(Math.max(1, 14 - name.length())) + middle;
        return (left + " ".repeat(Math.max(2, 60 - Table.width(left))) + end).stripTrailing();
    }

    private static String depth(@Nullable ChannelStatus status) {
        return status == null
                ? "-"
                : "ready " + status.ready() + "   in flight " + status.inFlight() + "   waiting for a retry "
                        + status.delayed();
    }

    private static Map<String, ChannelStatus> channels(Postroad postroad) {
        try {
            return postroad.administration().channels().stream()
                    .collect(Collectors.toMap(status -> status.channel().name(), Function.identity()));
        } catch (MessagingException e) {
            return Map.of();
        }
    }

    private static Map<String, Long> lags(Postroad postroad, OrderFlow flow) {
        try {
            return postroad.administration().groups(flow.eventsChannel()).stream()
                    .collect(Collectors.toMap(GroupStatus::group, GroupStatus::lag));
        } catch (MessagingException e) {
            return Map.of();
        }
    }

    private void print(Books books, OrderFlow flow) {
        screen.print("");
        screen.print(screen.bold("The books, from what each service recorded"));
        line(
                "orders placed",
                Units.count(books.placed()),
                "confirmed to checkout: on disk; " + books.resent() + " sends repeated");
        line(
                "processed exactly once",
                Units.count(books.processed()),
                "p50 " + Units.time(flow.latencies().percentile(0.5)) + ", p99 "
                        + Units.time(flow.latencies().percentile(0.99))
                        + " from checkout to done, crash and backoff included");
        line(
                "attempts retried",
                Units.count(books.failures()),
                "payments that failed, " + books.poison() + " orders again and again");
        line(
                "dead-lettered",
                Units.count(books.deadLettered()),
                "these orders and what their customers ordered after them");
        line("redriven", Units.count(books.redriven()), "put back in order, and processed");
        books.subscribers()
                .forEach(s -> line(
                        s.name(), Units.count(s.received()), s.missed() == 0 ? "every event" : s.missed() + " missed"));
        line(
                "duplicates suppressed",
                Units.count(books.duplicates()),
                "deliveries repeated by the crash, recognised by their ids");
        line("lost", Units.count(books.lost()), "");
        line("out of order", Units.count(books.outOfOrder()), "");
        Duration took = recovery;
        Duration first = firstAfter;
        if (took != null && first != null) {
            line(
                    "recovery time",
                    Units.time(took),
                    "from start to accepting; first order processed " + Units.time(first) + " after the kill");
        }
        screen.print("");
        screen.print((books.balance() ? screen.green("The books balance.") : screen.red("THE BOOKS DO NOT BALANCE."))
                + "  " + Units.time(screen.elapsed()));
    }

    private void line(String what, String value, String note) {
        screen.print("  " + what + " ".repeat(Math.max(1, 24 - what.length()))
                + " ".repeat(Math.max(0, 8 - value.length())) + value + (note.isEmpty() ? "" : "   " + note));
    }

    /** At the end of the process, however it comes. */
    private void endBroker() {
        BrokerProcess running = broker;
        if (running != null) {
            running.awaitEnd();
        }
    }
}
