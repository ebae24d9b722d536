package dev.postroad.patterns.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Postroad;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.jdbc.FaultyDatabase;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Generator;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A process with an outbox, a relay and an inbox dies again and again: each committed row has its message once in effect, and
 * each that was rolled back has none.
 */
class OutboxKillTest {
    /** A life has about 40 rows of 4 steps each, and 4 of each batch, and 3 of each effect. */
    private static final int STEPS = 300;

    @ParameterizedTest
    @EnumSource
    void killed_at_its_steps_each_committed_row_has_its_message_once_in_effect(TestDatabase kind, @TempDir Path folder)
            throws Exception {
        killed(kind, folder, 2);
    }

    @Tag("soak")
    @ParameterizedTest
    @EnumSource
    void killed_a_thousand_times_on_all_databases_together(TestDatabase kind, @TempDir Path folder) throws Exception {
        killed(kind, folder, Integer.getInteger("postroad.outbox.kills", 334));
    }

    private static void killed(TestDatabase kind, Path folder, int kills) throws Exception {
        Generator random = Generator.announced("where the outbox on " + kind + " is killed");
        String url = kind.url(folder.resolve("database"));
        DataSource database = TestDatabase.at(url);
        String suffix = TestDatabase.tableName("");
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            OutboxSchema.create(connection, OutboxProgram.settings(suffix));
            Inbox.create(connection, OutboxProgram.inbox(suffix));
            statement.execute("create table business" + suffix + " (id int primary key)");
            statement.execute("create table effects" + suffix + " (id int)");
        }
        try (Postroad postroad = Postroad.connect("embedded:" + folder.resolve("broker"))) {
            postroad.declare(OutboxProgram.EVENTS);
        }
        int steps = 0;
        for (int life = 0; life < kills; life++) {
            int step = random.chance(3, 4) ? (int) random.uniform(1, STEPS) : 0;
            steps += step > 0 ? 1 : 0;
            assertThat(live(url, folder, suffix, life, (int) random.uniform(0, 1 << 30), step))
                    .isEqualTo(FaultyDatabase.DEAD);
        }
        assertThat(live(url, folder, suffix, kills, 0, -1)).isZero();
        List<Integer> committed = ids(database, "business" + suffix);
        assertThat(committed).isNotEmpty();
        assertThat(ids(database, "effects" + suffix)).containsExactlyInAnyOrderElementsOf(committed);
        assertThat(ids(database, "outbox" + suffix)).isEmpty();
        System.out.println(kind + ": " + kills + " kills, " + steps + " of them at a step of the database, "
                + committed.size() + " committed rows, each once in effect");
    }

    /** How it ended. */
    private static int live(String url, Path folder, String suffix, int life, int seed, int step) {
        try (ChildProcess program = ChildProcess.java(
                        OutboxProgram.class,
                        url,
                        folder.resolve("broker").toString(),
                        suffix,
                        Integer.toString(life),
                        Integer.toString(seed),
                        Integer.toString(step))
                .jvm("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")
                .start()) {
            int status = program.awaitExit(Duration.ofSeconds(90));
            if (status != 0 && status != FaultyDatabase.DEAD) {
                throw new AssertionError("life " + life + " ended with " + status + ": " + program.tail());
            }
            return status;
        }
    }

    private static List<Integer> ids(DataSource database, String table) throws SQLException {
        List<Integer> ids = new ArrayList<>();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select * from " + table)) {
            while (rows.next()) {
                ids.add(rows.getInt(1));
            }
        }
        return ids;
    }
}
