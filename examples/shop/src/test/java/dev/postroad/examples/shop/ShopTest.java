package dev.postroad.examples.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.integrations.junit.Fault;
import dev.postroad.integrations.junit.Faults;
import dev.postroad.integrations.junit.TestBroker;
import dev.postroad.patterns.jdbc.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

class ShopTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Plan PLAN = new Plan(40, 7, Duration.ofMinutes(30), "");

    @Test
    void itsBooksBalanceWhateverHappensToItsMessages() throws Exception {
        Faults faults = Faults.of(
                11,
                Fault.DUPLICATE,
                Fault.REORDER,
                Fault.DELAY,
                Fault.LEASE_LOSS,
                Fault.CRASH_BEFORE_SETTLE,
                Fault.CRASH_AFTER_SETTLE);

        assertThat(run(h2("faults"), faults)).isEqualTo(expected());
    }

    @Test
    void itPrintsTheSameOnPostgresql() throws Exception {
        PGSimpleDataSource server = (PGSimpleDataSource) TestDatabase.POSTGRESQL.open();
        try (Connection connection = server.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("create schema shop");
        }
        ShopDatabase database =
                new ShopDatabase(Objects.requireNonNull(server.getURL()), "test", "").withSchema("shop");

        assertThat(run(database, Faults.none())).isEqualTo(expected());
    }

    @Test
    void anotherSeedHasOtherOrdersAndOtherSums() {
        assertThat(PLAN.orders(Map.of())).isEqualTo(PLAN.orders(Map.of()));
        assertThat(new Plan(40, 8, PATIENCE, "").orders(Map.of())).isNotEqualTo(PLAN.orders(Map.of()));
    }

    @Test
    void booksTellWhatDoesNotBalance() {
        Books.Outcome shipped = new Books.Outcome(1, 500);
        Books.Goods goods = new Books.Goods("lamp", 10, 9, 1, 500);
        Books right = books(shipped, goods, 500, 0);

        assertThat(right.balance()).isTrue();
        assertThat(books(shipped, goods, 600, 0).balance()).as("money").isFalse();
        assertThat(books(shipped, goods, 500, 1).balance()).as("twice").isFalse();
        assertThat(books(new Books.Outcome(0, 0), goods, 500, 0).balance())
                .as("lost")
                .isFalse();
        assertThat(books(shipped, new Books.Goods("lamp", 10, 8, 1, 500), 500, 0)
                        .balance())
                .as("goods")
                .isFalse();
        assertThat(Report.sums(books(shipped, goods, 600, 0)))
                .contains(
                        "  money   6.00 taken - 0.00 given back = 5.00 invoiced = 5.00 in the sales   DOES NOT BALANCE");
    }

    @Test
    void aDatabaseIsNamedAsPostgresqlNamesIt() {
        assertThat(ShopDatabase.postgresql("postgresql://me:s%40y@db.example:5433/shop?sslmode=require"))
                .isEqualTo(new ShopDatabase("jdbc:postgresql://db.example:5433/shop?sslmode=require", "me", "s@y"));
        assertThatThrownBy(() -> ShopDatabase.postgresql("mysql://db.example/shop"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
    }

    private static Books books(Books.Outcome shipped, Books.Goods goods, long taken, long twice) {
        return new Books(1, Map.of("shipped", shipped), taken, 0, 1, 500, 1, twice, List.of(goods));
    }

    private static ShopDatabase h2(String name) {
        return new ShopDatabase("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000", "shop", "shop");
    }

    /** All that the shop prints. */
    private static String run(ShopDatabase where, Faults faults) throws Exception {
        DataSource database = where.open();
        List<String> printed = new ArrayList<>();
        try (TestBroker broker = TestBroker.start();
                Shop shop = Shop.open(broker.postroad(), database, PLAN)) {
            Worker worker = Worker.start(broker.postroad(), database, PLAN, broker.clock());
            try {
                printed.addAll(shop.quote());
                // Not before: a question that is held back on a clock that stands still has no answer in time.
                broker.faults(faults);
                printed.addAll(shop.takeOrders());
                printed.addAll(shop.rebuildSales());
                boolean ended = shop.awaitTheEnd(PATIENCE, progress -> broker.settle());
                printed.addAll(shop.report());
                assertThat(ended).as(String.join("\n", printed)).isTrue();
                assertThat(shop.books().balance())
                        .as(String.join("\n", printed))
                        .isTrue();
            } finally {
                worker.close();
            }
        }
        return String.join("\n", printed);
    }

    /** What the page of examples shows, but for the workers that stop dead: here they live. */
    private static String expected() throws IOException {
        String page =
                Files.readString(Path.of(System.getProperty("basedir", "")).resolve("../../docs/examples.md"));
        String shown = page.substring(page.indexOf("  PARCEL TO"), page.indexOf("\n\nThe books balance."));
        return shown.lines()
                .filter(line -> !line.contains("stopped dead"))
                .collect(Collectors.joining("\n"))
                .replaceFirst("\n\n", "\n");
    }
}
