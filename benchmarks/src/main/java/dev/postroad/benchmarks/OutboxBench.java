package dev.postroad.benchmarks;

import dev.postroad.testkit.PostgresServer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import javax.sql.ConnectionPoolDataSource;
import org.h2.jdbcx.JdbcConnectionPool;
import org.h2.jdbcx.JdbcDataSource;
import org.mariadb.jdbc.MariaDbDataSource;
import org.postgresql.ds.PGConnectionPoolDataSource;

/** {@code ./postroad bench outbox}: how fast relays empty an outbox that is written to, and how large its table gets. */
final class OutboxBench {
    private static final String POSTGRESQL = "postgresql";
    private static final String H2 = "h2";
    private static final int CONNECTIONS = 64;
    private static final String USAGE = """
            Usage: ./postroad bench outbox [OPTIONS]

            Writers record messages of 100 bytes in an outbox, 10 in each transaction, as fast as they can, while relays
            send them to an embedded broker on disk. Tells rows a second, how large the table got, how long rows waited,
            and the processor time of a row. With a million rows and two cores it takes some minutes; run nothing else.

              --rows N           rows to write, 1,000 to 100,000,000 (1,000,000)
              --relays LIST      relays at once, 1 to 16, with commas for one run after the other (1,4)
              --writers N        threads that write, 1 to 8 (4)
              --database NAME    postgresql (Debian's, started for this), h2, or the JDBC URL of one that may be filled
              --dir DIR          where temporary directories go: on the disk to measure (%s)
              --help             this
            """;

    /** A command line that cannot be carried out. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    private int rows = 1_000_000;
    private List<Integer> relays = List.of(1, 4);
    private int writers = 4;
    private String database = POSTGRESQL;
    private Path directory = Path.of(System.getProperty("java.io.tmpdir"));

    private OutboxBench() {}

    /** What {@code ./postroad bench} says of it. */
    static String summary() {
        return "  ./postroad bench outbox [OPTIONS]\n      How fast relays empty an outbox that is written to, and how"
                + " large its table gets.\n";
    }

    /**
     * @param arguments behind {@code bench outbox}
     * @return the exit status
     */
    static int run(List<String> arguments, PrintStream out, PrintStream err) throws InterruptedException {
        if (arguments.contains("--help") || arguments.contains("-h")) {
            out.printf(USAGE, System.getProperty("java.io.tmpdir"));
            return 0;
        }
        try {
            OutboxBench bench = new OutboxBench();
            bench.parse(arguments);
            bench.measure(out, err);
            return 0;
        } catch (Refused e) {
            err.println("postroad bench outbox: " + e.getMessage() + "; see --help");
            return 2;
        } catch (IOException | SQLException | ExecutionException e) {
            err.println("postroad bench outbox: " + e.getMessage());
            return 1;
        }
    }

    private void parse(List<String> arguments) throws Refused {
        for (int i = 0; i < arguments.size(); i += 2) {
            String option = arguments.get(i);
            if (!List.of("--rows", "--relays", "--writers", "--database", "--dir")
                    .contains(option)) {
                throw new Refused("there is no option '" + option + "'");
            }
            if (arguments.indexOf(option) < i) {
                throw new Refused(option + " is given twice");
            }
            if (i + 1 == arguments.size()) {
                throw new Refused(option + " needs a value");
            }
            String value = arguments.get(i + 1);
            switch (option) {
                case "--rows" -> rows = number(option, value, 1_000, 100_000_000);
                case "--relays" -> {
                    relays = new ArrayList<>();
                    for (String each : value.split(",", -1)) {
                        relays.add(number(option, each, 1, 16));
                    }
                }
                case "--writers" -> writers = number(option, value, 1, 8);
                case "--database" -> database = value;
                default -> directory = Path.of(value);
            }
        }
        if (!database.equals(POSTGRESQL) && !database.equals(H2) && !database.startsWith("jdbc:")) {
            throw new Refused("--database is '" + database
                    + "'; it must be postgresql, h2, or a JDBC URL of PostgreSQL, H2 or MariaDB");
        }
    }

    private static int number(String option, String value, int least, int most) throws Refused {
        try {
            int number = Integer.parseInt(value);
            if (number < least || number > most) {
                throw new NumberFormatException("out of bounds");
            }
            return number;
        } catch (NumberFormatException e) {
            throw new Refused(option + " is '" + value + "'; it must be a whole number from "
                    + String.format(Locale.ROOT, "%,d to %,d", least, most));
        }
    }

    private void measure(PrintStream out, PrintStream err)
            throws IOException, SQLException, InterruptedException, ExecutionException {
        try (TemporaryDirectory folder = new TemporaryDirectory(directory);
                PostgresServer postgres = database.equals(POSTGRESQL)
                        ? PostgresServer.start(folder.path().resolve("postgres"))
                        : null) {
            out.println(Machine.find(folder.path()).line());
            String url = postgres != null
                    ? postgres.url()
                    : database.equals(H2) ? "jdbc:h2:file:" + folder.path().resolve("h2") : database;
            try (Connection connection = connections(url).getPooledConnection().getConnection()) {
                out.printf(
                        Locale.ROOT,
                        "%s %s; %,d rows by %d writers%n",
                        connection.getMetaData().getDatabaseProductName(),
                        connection.getMetaData().getDatabaseProductVersion(),
                        rows,
                        writers);
            }
            out.println(OutboxRun.HEADER);
            for (int each : relays) {
                // A pool that takes the connections of any database, but does not see when one is gone.
                JdbcConnectionPool pool = JdbcConnectionPool.create(connections(url));
                pool.setMaxConnections(CONNECTIONS);
                try {
                    out.println(new OutboxRun(pool, folder.path(), postgres, rows, writers, each, err).measure());
                    out.flush();
                } finally {
                    pool.dispose();
                }
            }
        }
    }

    private static ConnectionPoolDataSource connections(String url) throws SQLException {
        if (url.startsWith("jdbc:postgresql:")) {
            PGConnectionPoolDataSource postgres = new PGConnectionPoolDataSource();
            postgres.setUrl(url);
            return postgres;
        }
        if (url.startsWith("jdbc:h2:")) {
            JdbcDataSource h2 = new JdbcDataSource();
            h2.setURL(url);
            return h2;
        }
        return new MariaDbDataSource(url);
    }
}
