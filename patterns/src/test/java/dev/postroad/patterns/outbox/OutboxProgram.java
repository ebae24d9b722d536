package dev.postroad.patterns.outbox;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.inbox.TransactionalHandler;
import dev.postroad.patterns.jdbc.FaultyDatabase;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.Await;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;

/**
 * A program with all parts of the pattern: it writes rows with their messages, relays them, and handles them behind an inbox.
 * Its process dies at a step of its work with the database, before or after it takes effect, or at any moment. Without a step
 * it writes nothing, works off what is left, and ends.
 *
 * <p>Arguments: the database's URL, the broker's directory, the suffix of the tables, the number of this life, the seed, and the
 * step; 0 for any moment, -1 for none.
 */
final class OutboxProgram {
    static final Channel EVENTS = Channel.command("events")
            .withRetry(Channel.command("events")
                    .retry()
                    .withMaxAttempts(100_000)
                    .withDelays(Duration.ofMillis(1), Duration.ofMillis(5)));
    static final int ROWS_EACH_LIFE = 40;
    private static final int LONGEST_LIFE_MILLIS = 400;

    private OutboxProgram() {}

    static OutboxSettings settings(String suffix) {
        return OutboxSettings.DEFAULT
                .withTable("outbox" + suffix)
                .withBatch(7, 1 << 20)
                .withPollInterval(Duration.ofMillis(20));
    }

    static InboxSettings inbox(String suffix) {
        return InboxSettings.of("test").withTable("inbox" + suffix);
    }

    public static void main(String[] args) throws Exception {
        String suffix = args[2];
        int life = Integer.parseInt(args[3]);
        Random random = new Random(Long.parseLong(args[4]));
        int step = Integer.parseInt(args[5]);
        DataSource real = TestDatabase.at(args[0]);
        DataSource database = step > 0 ? FaultyDatabase.deadly(real, step, random.nextBoolean()) : real;
        Inbox inbox = new Inbox(database, inbox(suffix));
        TransactionalHandler<String, String> effect = (delivery, connection) -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("insert into effects" + suffix + " (id) values (?)")) {
                insert.setInt(
                        1, Integer.parseInt(String.valueOf(delivery.message().value())));
                insert.executeUpdate();
            }
        };
        try (Postroad postroad = Postroad.connect("embedded:" + args[1])) {
            postroad.declare(EVENTS);
            if (step == 0) {
                int millis = random.nextInt(LONGEST_LIFE_MILLIS);
                Thread.ofPlatform().daemon().start(() -> dieAfter(millis));
            }
            try (OutboxRelay relay = OutboxRelay.start(database, postroad, settings(suffix));
                    var subscription = postroad.listen(
                            "events",
                            Format.strings(),
                            ConsumerOptions.DEFAULT.withConcurrency(3),
                            inbox.around(effect))) {
                if (step >= 0) {
                    write(database, suffix, life, random);
                    // The relay looks at the database for ever: the step comes.
                    Await.until("death", Duration.ofSeconds(60), () -> false);
                }
                Await.until(
                        "an empty outbox and all handled",
                        Duration.ofSeconds(60),
                        () -> relay.backlog().messages() == 0 && settled(postroad));
                System.out.println("through, all " + subscription.counts());
            }
        }
    }

    private static boolean settled(Postroad postroad) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals("events"))
                .allMatch(status -> status.ready() + status.inFlight() + status.delayed() == 0);
    }

    private static void write(DataSource database, String suffix, int life, Random random) throws SQLException {
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings(suffix));
        AtomicInteger next = new AtomicInteger(life * ROWS_EACH_LIFE);
        for (int i = 0; i < ROWS_EACH_LIFE; i++) {
            int id = next.getAndIncrement();
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                try (Statement insert = connection.createStatement()) {
                    insert.execute("insert into business" + suffix + " (id) values (" + id + ")");
                }
                outbox.record(connection, "events", Message.of("key-" + id % 5, Integer.toString(id)));
                if (random.nextInt(5) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                }
            }
        }
    }

    private static void dieAfter(int millis) {
        long end = System.nanoTime() + Duration.ofMillis(millis).toNanos();
        while (System.nanoTime() < end) {
            java.util.concurrent.locks.LockSupport.parkNanos(end - System.nanoTime());
        }
        Runtime.getRuntime().halt(FaultyDatabase.DEAD);
    }
}
