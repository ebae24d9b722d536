package dev.postroad.benchmarks;

import dev.postroad.api.Channel;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.outbox.OutboxSchema;
import dev.postroad.patterns.outbox.OutboxSettings;
import dev.postroad.testkit.PostgresServer;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** One run of {@link OutboxBench}: some writers, some relays, from the first row written to the last one relayed. */
final class OutboxRun {
    static final String HEADER =
            "relays | written/s | relayed/s | most waiting | longest wait | table at most | table in the"
                    + " end | CPU us/row here | in the database";

    private static final String CHANNEL = "events";
    private static final int EACH_TRANSACTION = 10;
    private static final int KEYS = 10_000;
    private static final long SAMPLE_MILLIS = 250;
    private static final int SAMPLES_EACH_LINE = 20;

    private final DataSource database;
    private final Path folder;
    private final @Nullable PostgresServer postgres;
    private final int rows;
    private final int writers;
    private final int relays;
    private final PrintStream progress;
    private final OutboxSettings settings;
    private final AtomicLong recorded = new AtomicLong();
    private final AtomicLong next = new AtomicLong();

    OutboxRun(
            DataSource database,
            Path folder,
            @Nullable PostgresServer postgres,
            int rows,
            int writers,
            int relays,
            PrintStream progress) {
        this.database = database;
        this.folder = folder;
        this.postgres = postgres;
        this.rows = rows;
        this.writers = writers;
        this.relays = relays;
        this.progress = progress;
        this.settings = OutboxSettings.DEFAULT.withTable("bench_outbox_" + relays);
    }

    /** Rows that were recorded by a moment. */
    private record Sample(long nanos, long recorded) {}

    String measure() throws SQLException, InterruptedException, ExecutionException {
        try (Connection connection = database.getConnection()) {
            OutboxSchema.create(connection, settings);
        }
        List<OutboxRelay> running = new ArrayList<>();
        try (Postroad postroad = Postroad.connect("embedded:" + folder.resolve("broker-" + relays));
                ExecutorService threads = Executors.newFixedThreadPool(writers)) {
            postroad.declare(Channel.command(CHANNEL));
            long cpu = cpuMicros(ProcessHandle.current());
            long databaseCpu = databaseCpuMicros();
            long began = System.nanoTime();
            for (int i = 0; i < relays; i++) {
                running.add(OutboxRelay.start(database, postroad, settings));
            }
            List<Future<?>> writing = new ArrayList<>();
            for (int i = 0; i < writers; i++) {
                writing.add(threads.submit(() -> {
                    write();
                    return null;
                }));
            }
            Waits waits = watch(running, writing, began);
            for (Future<?> each : writing) {
                each.get();
            }
            double seconds = (waits.endNanos - began) / 1e9;
            String line = String.format(
                    Locale.ROOT,
                    "%6d | %,9.0f | %,9.0f | %,12d | %,9.1f s | %9.1f MiB | %13.1f MiB | %15.1f | %15s",
                    relays,
                    rows / ((waits.writtenNanos - began) / 1e9),
                    rows / seconds,
                    waits.mostWaiting,
                    waits.longestNanos / 1e9,
                    waits.largestTable / 1048576.0,
                    size() / 1048576.0,
                    (cpuMicros(ProcessHandle.current()) - cpu) / (double) rows,
                    postgres == null
                            ? "-"
                            : String.format(Locale.ROOT, "%.1f", (databaseCpuMicros() - databaseCpu) / (double) rows));
            running.forEach(OutboxRelay::close);
            running.clear();
            long arrived = postroad.administration().channels().stream()
                    .filter(status -> status.channel().name().equals(CHANNEL))
                    .mapToLong(status -> status.ready())
                    .sum();
            if (arrived != rows) {
                throw new IllegalStateException(rows + " rows were recorded, and " + arrived + " messages arrived");
            }
            return line;
        } finally {
            running.forEach(OutboxRelay::close);
        }
    }

    private void write() throws SQLException {
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        String value = "x".repeat(100);
        for (long first = next.getAndAdd(EACH_TRANSACTION); first < rows; first = next.getAndAdd(EACH_TRANSACTION)) {
            List<Message<String, String>> messages = new ArrayList<>(EACH_TRANSACTION);
            for (long i = first; i < Math.min(rows, first + EACH_TRANSACTION); i++) {
                messages.add(Message.of("key-" + i % KEYS, value));
            }
            Transactions.run(database, connection -> outbox.record(connection, CHANNEL, messages));
            recorded.addAndGet(messages.size());
        }
    }

    /** What showed while it ran. */
    private static final class Waits {
        private long mostWaiting;
        private long longestNanos;
        private long largestTable;
        private long writtenNanos;
        private long endNanos;
    }

    private Waits watch(List<OutboxRelay> running, List<Future<?>> writing, long began)
            throws SQLException, InterruptedException {
        Waits waits = new Waits();
        Deque<Sample> samples = new ArrayDeque<>();
        for (int count = 1; waits.endNanos == 0; count++) {
            TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
            long now = System.nanoTime();
            long written = recorded.get();
            long relayed = running.stream().mapToLong(OutboxRelay::relayed).sum();
            samples.add(new Sample(now, written));
            while (!samples.isEmpty() && samples.getFirst().recorded <= relayed) {
                samples.removeFirst();
            }
            // The oldest that waits was recorded before this sample, and after the one before it.
            long age = samples.isEmpty() ? 0 : now - samples.getFirst().nanos + SAMPLE_MILLIS * 1_000_000;
            long table = size();
            waits.mostWaiting = Math.max(waits.mostWaiting, written - relayed);
            waits.longestNanos = Math.max(waits.longestNanos, age);
            waits.largestTable = Math.max(waits.largestTable, table);
            if (waits.writtenNanos == 0 && writing.stream().allMatch(Future::isDone)) {
                waits.writtenNanos = now;
            }
            if (waits.writtenNanos != 0 && (relayed >= rows || written < rows)) {
                waits.endNanos = now;
            }
            if (count % SAMPLES_EACH_LINE == 0) {
                progress.printf(
                        Locale.ROOT,
                        "relays %d, %.0f s: %,d written, %,d relayed, the table has %.1f MiB, the oldest row waits for %.1f s%n",
                        relays,
                        (now - began) / 1e9,
                        written,
                        relayed,
                        table / 1048576.0,
                        age / 1e9);
            }
        }
        return waits;
    }

    private long size() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        switch (Dialect.of(connection)) {
                            case POSTGRESQL -> "select pg_total_relation_size('" + settings.table() + "')";
                            case H2 -> "call disk_space_used('" + settings.table() + "')";
                            case MYSQL ->
                                "select data_length + index_length from information_schema.tables where table_name = '"
                                        + settings.table() + "'";
                        })) {
            return row.next() ? row.getLong(1) : 0;
        }
    }

    private long databaseCpuMicros() {
        return postgres == null
                ? 0
                : postgres.processes().mapToLong(OutboxRun::cpuMicros).sum();
    }

    private static long cpuMicros(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1_000;
    }
}
