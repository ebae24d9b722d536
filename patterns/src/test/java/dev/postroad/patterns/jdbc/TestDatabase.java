package dev.postroad.patterns.jdbc;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.mariadb.jdbc.MariaDbDataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The databases that the patterns are tested on: real ones, started once for the tests of a JVM and ended with it. */
public enum TestDatabase {
    H2,
    POSTGRESQL,
    MARIADB;

    private static final Map<TestDatabase, Server> SERVERS = new EnumMap<>(TestDatabase.class);
    private static final AtomicInteger NAMES = new AtomicInteger();

    private record Server(int port) {}

    /** A name of a table that no other test has. */
    public static String tableName(String prefix) {
        return prefix + "_" + NAMES.incrementAndGet();
    }

    /** Connections to this database; each call of H2 is a database of its own. */
    public DataSource open() {
        try {
            return switch (this) {
                case H2 -> {
                    JdbcDataSource h2 = new JdbcDataSource();
                    h2.setURL(
                            "jdbc:h2:mem:postroad" + NAMES.incrementAndGet() + ";DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000");
                    yield h2;
                }
                case POSTGRESQL -> {
                    PGSimpleDataSource postgres = new PGSimpleDataSource();
                    postgres.setServerNames(new String[] {"127.0.0.1"});
                    postgres.setPortNumbers(new int[] {server().port()});
                    postgres.setDatabaseName("postgres");
                    postgres.setUser("test");
                    yield postgres;
                }
                case MARIADB ->
                    new MariaDbDataSource(
                            "jdbc:mariadb://127.0.0.1:" + server().port() + "/test?user=test&password=test");
            };
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Where this database is, for other processes too. */
    public String url() {
        return switch (this) {
            case H2 -> "jdbc:h2:tcp://127.0.0.1:" + server().port() + "/mem:test;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=20000";
            case POSTGRESQL -> "jdbc:postgresql://127.0.0.1:" + server().port() + "/postgres?user=test";
            case MARIADB -> "jdbc:mariadb://127.0.0.1:" + server().port() + "/test?user=test&password=test";
        };
    }

    /** Connections to the database at a {@link #url}. */
    public static DataSource at(String url) {
        try {
            if (url.startsWith("jdbc:h2:")) {
                JdbcDataSource h2 = new JdbcDataSource();
                h2.setURL(url);
                return h2;
            }
            if (url.startsWith("jdbc:mariadb:")) {
                return new MariaDbDataSource(url);
            }
            PGSimpleDataSource postgres = new PGSimpleDataSource();
            postgres.setUrl(url);
            return postgres;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Server server() {
        synchronized (SERVERS) {
            return SERVERS.computeIfAbsent(this, database -> {
                try {
                    return switch (database) {
                        case H2 -> startH2();
                        case POSTGRESQL -> startPostgres();
                        case MARIADB -> startMariaDb();
                    };
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    private static Server startH2() throws IOException {
        Path directory = Files.createTempDirectory("postroad-h2");
        int port = FreePort.find();
        ChildProcess server = ChildProcess.java(
                        "org.h2.tools.Server",
                        "-tcp",
                        "-tcpPort",
                        Integer.toString(port),
                        "-ifNotExists",
                        "-baseDir",
                        directory.toString())
                .start();
        endWithThisJvm(server::close, directory);
        server.awaitLine("TCP server running");
        return new Server(port);
    }

    private static Server startPostgres() throws IOException {
        Path directory = Files.createTempDirectory("postroad-postgres");
        PostgresServer server = PostgresServer.start(directory, "fsync=off");
        endWithThisJvm(server::close, directory);
        return new Server(server.port());
    }

    private static Server startMariaDb() throws IOException {
        Path directory = Files.createTempDirectory("postroad-mariadb");
        Path data = directory.resolve("data");
        run(
                "mariadb-install-db",
                "--no-defaults",
                "--user=root",
                "--datadir=" + data,
                "--auth-root-authentication-method=normal",
                "--skip-test-db");
        int port = FreePort.find();
        Path setup = directory.resolve("setup.sql");
        Files.writeString(
                setup,
                "create database test;\ncreate user 'test'@'%' identified by 'test';\n"
                        + "grant all on test.* to 'test'@'%';\n");
        ChildProcess server = ChildProcess.command(
                        "mariadbd",
                        "--no-defaults",
                        "--user=root",
                        "--datadir=" + data,
                        "--socket=" + directory.resolve("socket"),
                        "--pid-file=" + directory.resolve("pid"),
                        "--bind-address=127.0.0.1",
                        "--port=" + port,
                        "--skip-name-resolve",
                        "--innodb-flush-log-at-trx-commit=0",
                        "--init-file=" + setup)
                .start();
        endWithThisJvm(server::close, directory);
        try {
            awaitConnection(
                    new MariaDbDataSource("jdbc:mariadb://127.0.0.1:" + port + "/test?user=test&password=test"),
                    port,
                    server);
        } catch (SQLException e) {
            throw new IOException(e);
        }
        return new Server(port);
    }

    private static void awaitConnection(DataSource database, int port, ChildProcess server) {
        Await.until("a connection to " + server, () -> {
            if (!server.isAlive()) {
                throw new IllegalStateException(server + " ended: " + server.tail());
            }
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getInputStream();
            } catch (IOException e) {
                return false;
            }
            try (Connection connection = database.getConnection();
                    Statement statement = connection.createStatement()) {
                return statement.execute("select 1");
            } catch (SQLException e) {
                return false;
            }
        });
    }

    private static void endWithThisJvm(Runnable end, Path directory) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            end.run();
            try (Stream<Path> files = Files.walk(directory)) {
                files.sorted(java.util.Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            } catch (IOException e) {
                System.err.println("could not delete " + directory + ": " + e);
            }
        }));
    }

    private static void run(String... command) {
        List<String> arguments = List.of(command).subList(1, command.length);
        try (ChildProcess process = ChildProcess.command(command[0], arguments.toArray(String[]::new))
                .directory(Path.of("/"))
                .start()) {
            int status = process.awaitExit(Duration.ofSeconds(60));
            if (status != 0) {
                throw new IllegalStateException(command[0] + " ended with " + status + ": " + process.tail());
            }
        }
    }
}
