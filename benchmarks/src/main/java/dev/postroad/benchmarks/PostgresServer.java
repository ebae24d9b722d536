package dev.postroad.benchmarks;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** PostgreSQL as Debian packages it, with its files in one folder and all settings as they come: commits are forced to disk. */
final class PostgresServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);

    private final ChildProcess process;
    private final int port;

    private PostgresServer(ChildProcess process, int port) {
        this.process = process;
        this.port = port;
    }

    /** @throws IOException if it is not installed, or does not start */
    static PostgresServer start(Path folder) throws IOException {
        Path programs = programs();
        Files.createDirectories(folder);
        boolean root = "root".equals(System.getProperty("user.name"));
        if (root) {
            run(List.of("chown", "postgres", folder.toString()));
            run(List.of("chmod", "a+x", folder.resolveSibling(".").toString()));
        }
        String data = folder.resolve("data").toString();
        run(as(root, programs.resolve("initdb").toString(), "-D", data, "-A", "trust", "-U", "bench"));
        int port = FreePort.find();
        List<String> command = as(
                root,
                programs.resolve("postgres").toString(),
                "-D",
                data,
                "-p",
                Integer.toString(port),
                "-h",
                "127.0.0.1",
                "-k",
                folder.toString());
        PostgresServer server = new PostgresServer(child(command), port);
        try {
            Await.until("PostgreSQL accepts", START, () -> {
                if (!server.process.isAlive()) {
                    throw new IllegalStateException(server.process + " ended: " + server.process.tail());
                }
                try (Connection connection = DriverManager.getConnection(server.url())) {
                    return connection.isValid(1);
                } catch (SQLException e) {
                    return false;
                }
            });
        } catch (AssertionError | IllegalStateException e) {
            server.close();
            throw new IOException("PostgreSQL does not start: " + e.getMessage(), e);
        }
        return server;
    }

    private static Path programs() throws IOException {
        try (Stream<Path> versions = Files.list(Path.of("/usr/lib/postgresql"))) {
            return versions.map(version -> version.resolve("bin"))
                    .filter(programs -> Files.isExecutable(programs.resolve("postgres")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException | java.util.NoSuchElementException e) {
            throw new IOException("PostgreSQL is not installed: apt-get install postgresql, or see --database", e);
        }
    }

    /** It refuses to run as root. */
    private static List<String> as(boolean root, String... command) {
        List<String> all = new ArrayList<>(root ? List.of("runuser", "-u", "postgres", "--") : List.of());
        all.addAll(List.of(command));
        return all;
    }

    private static ChildProcess child(List<String> command) {
        return ChildProcess.command(
                        command.getFirst(), command.subList(1, command.size()).toArray(String[]::new))
                .directory(Path.of("/"))
                .start();
    }

    private static void run(List<String> command) throws IOException {
        try (ChildProcess child = child(command)) {
            int status = child.awaitExit(START);
            if (status != 0) {
                throw new IOException(command.getFirst() + " ended with " + status + ": " + child.tail());
            }
        }
    }

    String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=bench";
    }

    /** Its processes that run now. */
    Stream<ProcessHandle> processes() {
        return ProcessHandle.of(process.pid()).stream()
                .flatMap(main -> Stream.concat(Stream.of(main), main.descendants()));
    }

    @Override
    public void close() {
        process.close();
    }
}
