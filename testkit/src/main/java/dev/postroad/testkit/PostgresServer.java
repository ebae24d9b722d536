package dev.postroad.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * PostgreSQL as Debian packages it, as a process of its own on the loopback address, with its files in one folder and all
 * settings as they come: commits are forced to disk.
 */
public final class PostgresServer implements AutoCloseable {
    private static final Path INSTALLED = Path.of("/usr/lib/postgresql");
    private static final String USER = "test";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** It refuses to run as root. */
    private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

    private final ChildProcess server;
    private final int port;

    private PostgresServer(ChildProcess server, int port) {
        this.server = server;
        this.port = port;
    }

    /**
     * Makes an empty database, starts its server, and returns when it accepts connections.
     *
     * @param folder made where it is not there, and empty; root gives it to the user {@code postgres}, and lets everybody
     *     through the folder above it
     * @param settings of the server, as {@code fsync=off}
     * @throws IOException if PostgreSQL is not installed or does not start, or the folder cannot be made
     */
    public static PostgresServer start(Path folder, String... settings) throws IOException {
        Path programs = programs();
        Path data = folder.resolve("data");
        Files.createDirectories(folder);
        if (ROOT) {
            run(List.of("chown", "postgres", folder.toString()));
            run(List.of(
                    "chmod",
                    "a+x",
                    folder.toAbsolutePath().resolve("..").normalize().toString()));
        }
        run(as(programs.resolve("initdb"), "-D", data.toString(), "-A", "trust", "-U", USER, "--no-sync"));
        int port = FreePort.find();
        List<String> command = as(
                programs.resolve("postgres"),
                "-D",
                data.toString(),
                "-p",
                Integer.toString(port),
                "-h",
                "127.0.0.1",
                "-k",
                folder.toString(),
                "-c",
                "lc_messages=C");
        for (String setting : settings) {
            command.addAll(List.of("-c", setting));
        }
        PostgresServer postgres = new PostgresServer(child(command), port);
        try {
            Await.until("PostgreSQL accepts connections", PATIENCE, postgres::accepts);
        } catch (AssertionError e) {
            postgres.close();
            throw new IOException("PostgreSQL does not start: " + e.getMessage(), e);
        }
        return postgres;
    }

    private boolean accepts() {
        if (!server.isAlive()) {
            throw new AssertionError("PostgreSQL ended: " + server.tail());
        }
        // On stderr, in the language it was told.
        return server.tail().stream().anyMatch(line -> line.contains("ready to accept connections"));
    }

    private static Path programs() throws IOException {
        if (Files.isDirectory(INSTALLED)) {
            try (Stream<Path> versions = Files.list(INSTALLED)) {
                Optional<Path> programs = versions.map(version -> version.resolve("bin"))
                        .filter(folder -> Files.isExecutable(folder.resolve("postgres")))
                        .findFirst();
                if (programs.isPresent()) {
                    return programs.get();
                }
            }
        }
        throw new IOException(
                "PostgreSQL is not installed: nothing in " + INSTALLED + ". Run apt-get install postgresql");
    }

    private static List<String> as(Path program, String... arguments) {
        List<String> all = new ArrayList<>(ROOT ? List.of("runuser", "-u", "postgres", "--") : List.of());
        all.add(program.toString());
        all.addAll(List.of(arguments));
        return all;
    }

    private static ChildProcess child(List<String> command) {
        return ChildProcess.command(
                        command.getFirst(), command.subList(1, command.size()).toArray(String[]::new))
                .directory(Path.of("/"))
                .start();
    }

    private static void run(List<String> command) {
        try (ChildProcess child = child(command)) {
            int status = child.awaitExit(PATIENCE);
            if (status != 0) {
                throw new IllegalStateException(
                        String.join(" ", command) + " ended with " + status + ": " + child.tail());
            }
        }
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** What a JDBC driver takes, with the user, who needs no password. */
    public String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=" + USER;
    }

    /** Its processes that run now. */
    public Stream<ProcessHandle> processes() {
        return ProcessHandle.of(server.pid()).stream()
                .flatMap(main -> Stream.concat(Stream.of(main), main.descendants()));
    }

    @Override
    public void close() {
        server.close();
    }
}
