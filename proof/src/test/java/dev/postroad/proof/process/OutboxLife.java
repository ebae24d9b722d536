package dev.postroad.proof.process;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.outbox.OutboxSettings;
import dev.postroad.testkit.Await;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One of the programs around an outbox, as a process that dies: at a {@link DeadlyStep}, or when it is killed.
 *
 * <p>Arguments: the role, the URLs of the database and the broker, the suffix of the tables, the number of this life, and the
 * step, {@code before} or {@code after}, and which time.
 */
final class OutboxLife {
    /** Said when the work begins. */
    static final String AT_WORK = "at work";

    /** In place of a role. */
    static final String REHEARSAL = "rehearsal";

    static final String EVENTS = "events";
    private static final int ROWS_OF_A_LIFE = 30;

    /** What a process does, and the steps of it. */
    enum Role {
        PRODUCER("business row", "record", "notify", "commit", "rollback"),
        RELAY("listen", "backlog", "lock lanes", "read batch", "send", "delete sent", "commit"),
        CONSUMER("receive", "remember", "work", "commit", "acknowledge", "forget");

        private final List<String> steps;

        Role(String... steps) {
            this.steps = List.of(steps);
        }

        List<String> steps() {
            return steps;
        }
    }

    private OutboxLife() {}

    static Channel events() {
        Channel channel = Channel.command(EVENTS);
        return channel.withRetry(
                channel.retry().withMaxAttempts(100_000).withDelays(Duration.ofMillis(1), Duration.ofMillis(5)));
    }

    /** Small batches: many steps. */
    static OutboxSettings outbox(String suffix) {
        return OutboxSettings.DEFAULT
                .withTable("outbox" + suffix)
                .withBatch(7, 1 << 20)
                .withPollInterval(Duration.ofMillis(20))
                .withMaxBackoff(Duration.ofMillis(200))
                .withAlarmAge(Duration.ofMillis(100));
    }

    static InboxSettings inbox(String suffix) {
        return InboxSettings.of("test").withTable("inbox" + suffix).withCleanupInterval(Duration.ofMillis(50));
    }

    static Handler<String, String> effect(DataSource database, String suffix) {
        return new Inbox(database, inbox(suffix)).around((delivery, connection) -> {
            try (PreparedStatement insert =
                    connection.prepareStatement("insert into effects" + suffix + " (id) values (?)")) {
                insert.setInt(
                        1, Integer.parseInt(String.valueOf(delivery.message().value())));
                insert.executeUpdate();
            }
        });
    }

    static OutboxRelay relay(DataSource database, Postroad postroad, String suffix) {
        return OutboxRelay.start(database, postroad, outbox(suffix), alarm -> {});
    }

    static Subscription listen(Postroad postroad, Handler<String, String> handler) {
        return postroad.listen(EVENTS, Format.strings(), ConsumerOptions.DEFAULT.withConcurrency(3), handler);
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals(REHEARSAL)) {
            rehearse(args[1], args[2], args[3], Integer.parseInt(args[4]));
            return;
        }
        Role role = Role.valueOf(args[0]);
        String suffix = args[3];
        DeadlyStep step = new DeadlyStep(args[5], args[6].equals("after"), Integer.parseInt(args[7]));
        DataSource database = step.on(TestDatabase.at(args[1]));
        if (role == Role.PRODUCER) {
            System.out.println(AT_WORK);
            write(database, suffix, Integer.parseInt(args[4]));
            new CountDownLatch(1).await();
        }
        try (Postroad postroad = Postroad.over(step.on(Postroad.connect(args[2]).transport()))) {
            if (role == Role.RELAY) {
                System.out.println(AT_WORK);
                OutboxRelay relay = relay(database, postroad, suffix);
                new CountDownLatch(1).await();
                relay.close();
            }
            System.out.println(AT_WORK);
            AtomicReference<@Nullable Subscription> subscription = new AtomicReference<>();
            Await.until("a broker that is not just being killed", Duration.ofSeconds(30), () -> {
                try {
                    subscription.set(listen(postroad, effect(database, suffix)));
                    return true;
                } catch (MessagingException e) {
                    return false;
                }
            });
            new CountDownLatch(1).await();
        }
    }

    /** All roles at once and nobody dies, for the classes that it takes. */
    private static void rehearse(String url, String brokerUrl, String suffix, int life) throws SQLException {
        DeadlyStep nowhere = new DeadlyStep(DeadlyStep.NONE, false, 1);
        DataSource database = nowhere.on(TestDatabase.at(url));
        try (Postroad postroad =
                        Postroad.over(nowhere.on(Postroad.connect(brokerUrl).transport()));
                OutboxRelay relay = relay(database, postroad, suffix);
                Subscription subscription = listen(postroad, effect(database, suffix))) {
            write(database, suffix, life);
            Await.until(
                    "some are handled",
                    () -> subscription.counts().acknowledged() > 0
                            && relay.backlog().messages() == 0);
        }
    }

    static void write(DataSource database, String suffix, int life) throws SQLException {
        Random random = new Random(life);
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), outbox(suffix));
        for (int i = 0; i < ROWS_OF_A_LIFE; i++) {
            int id = life * ROWS_OF_A_LIFE + i;
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                try (Statement insert = connection.createStatement()) {
                    insert.execute("insert into business" + suffix + " (id) values (" + id + ")");
                }
                outbox.record(connection, EVENTS, Message.of("key-" + id % 5, Integer.toString(id)));
                if (random.nextInt(3) == 0) {
                    connection.rollback();
                } else {
                    connection.commit();
                }
            }
        }
    }
}
