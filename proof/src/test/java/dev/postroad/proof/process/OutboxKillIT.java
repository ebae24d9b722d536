package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.outbox.OutboxSchema;
import dev.postroad.proof.process.OutboxLife.Role;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.Generator;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Programs that write rows with messages, relay them, and handle them behind an inbox die all the time, each a process of its own,
 * and so does the broker: each committed row has its message once in effect, and each that was rolled back has none.
 */
class OutboxKillIT {
    private static final Duration DRAIN = Duration.ofMinutes(5);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** A step that does not come in this time comes another time. */
    private static final Duration LONGEST_LIFE = Duration.ofSeconds(6);

    private static final int LONGEST_WORK_MILLIS = 300;
    private static final int KILLS_FOR_EACH_OF_THE_BROKER = 25;
    private static final List<Role> AT_ONCE = List.of(Role.PRODUCER, Role.RELAY, Role.RELAY, Role.CONSUMER);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(names = {"H2", "POSTGRESQL"})
    void eachCommittedRowHasItsMessageOnceInEffectThoughAllDie(TestDatabase kind) throws Exception {
        new Trial(kind, folder, 10).run();
    }

    @Tag("soak")
    @ParameterizedTest
    @EnumSource
    void aThousandDeathsAtEachStepOnAllDatabasesTogether(TestDatabase kind) throws Exception {
        Trial trial = new Trial(kind, folder, Integer.getInteger("postroad.outbox.kills", 340));
        trial.run();
        for (Role role : Role.values()) {
            for (String step : steps(kind, role)) {
                assertThat(trial.deaths).containsKeys(trial.death(role, step, false), trial.death(role, step, true));
            }
        }
    }

    /** Only PostgreSQL notifies. */
    private static List<String> steps(TestDatabase kind, Role role) {
        return role.steps().stream()
                .filter(step -> kind == TestDatabase.POSTGRESQL || !step.equals("notify") && !step.equals("listen"))
                .toList();
    }

    /** One step at which a process is to die. */
    private record Fate(String step, boolean afterwards, int time, int millis) {}

    private static final class Trial {
        private final TestDatabase kind;
        private final Path folder;
        private final int kills;
        private final Generator random;
        private final String suffix = TestDatabase.tableName("");
        private final String url;
        private final DataSource database;
        private final int port;
        // All guarded by this.
        private final Map<String, Integer> deaths = new TreeMap<>();
        private final Map<Role, Deque<Fate>> fates = new EnumMap<>(Role.class);
        private int lives;
        private int nextOfTheBroker = KILLS_FOR_EACH_OF_THE_BROKER;

        private volatile ServeBroker.Server broker;
        private final String classPath;
        private final Path archive;

        Trial(TestDatabase kind, Path folder, int kills) throws Exception {
            this.kind = kind;
            this.folder = folder;
            this.kills = kills;
            this.random = Generator.announced("who dies where, on " + kind);
            this.url = kind.url();
            this.database = TestDatabase.at(url);
            this.port = FreePort.find();
            this.broker = startBroker();
            this.classPath = jars(folder);
            this.archive = folder.resolve("classes.jsa");
        }

        /** The class path without folders, whose classes can't be archived. */
        private static String jars(Path folder) throws IOException {
            List<String> entries = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                Path classes = Path.of(entry);
                if (Files.isDirectory(classes)) {
                    Path jar = folder.resolve("classes-" + entries.size() + ".jar");
                    pack(classes, jar);
                    entries.add(jar.toString());
                } else {
                    entries.add(entry);
                }
            }
            return String.join(File.pathSeparator, entries);
        }

        private static void pack(Path classes, Path jar) throws IOException {
            try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                    Stream<Path> files = Files.walk(classes)) {
                for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                    out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                    Files.copy(file, out);
                }
            }
        }

        /** A JVM that starts in a third of the time, since it finds its classes parsed: so many have to start. */
        private ChildProcess.Builder jvm(String... arguments) {
            return ChildProcess.java(OutboxLife.class, arguments)
                    .classPath(classPath)
                    .jvm("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Xlog:disable");
        }

        private void archiveClasses(int life) {
            try (ChildProcess rehearsal = jvm(OutboxLife.REHEARSAL, url, broker.url(), suffix, Integer.toString(life))
                    .jvm("-XX:ArchiveClassesAtExit=" + archive)
                    .start()) {
                assertThat(rehearsal.awaitExit(PATIENCE))
                        .as(() -> "rehearsal: " + rehearsal.tail())
                        .isZero();
            }
        }

        private ServeBroker.Server startBroker() {
            return new ServeBroker(
                            "256m",
                            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                            Map.of(),
                            List.of("--amqp-port", "0"))
                    .start(folder.resolve("broker"), port);
        }

        void run() throws Exception {
            try (Connection connection = database.getConnection();
                    Statement statement = connection.createStatement()) {
                OutboxSchema.create(connection, OutboxLife.outbox(suffix));
                Inbox.create(connection, OutboxLife.inbox(suffix));
                statement.execute("create table business" + suffix + " (id int primary key)");
                statement.execute("create table effects" + suffix + " (id int)");
            }
            try (Postroad postroad = Postroad.connect(broker.url())) {
                postroad.declare(OutboxLife.events());
            }
            archiveClasses(kills + 1);
            long began = System.nanoTime();
            try (ExecutorService slots = Executors.newCachedThreadPool()) {
                List<Future<?>> ends = new ArrayList<>();
                for (Role role : AT_ONCE) {
                    ends.add(slots.submit(() -> {
                        while (live(role)) {
                            killBrokerNowAndThen();
                        }
                        return null;
                    }));
                }
                for (Future<?> end : ends) {
                    end.get();
                }
                drain();
            } finally {
                broker.close();
            }
            List<Integer> committed = ids("business");
            assertThat(committed).isNotEmpty();
            assertThat(ids("effects")).containsExactlyInAnyOrderElementsOf(committed);
            System.out.println(kind + ": " + lives + " lives and their deaths in "
                    + (System.nanoTime() - began) / 1_000_000_000 + " s, " + committed.size()
                    + " committed rows, each once in effect; " + deaths);
        }

        /** @return false if there were enough */
        private boolean live(Role role) {
            int life;
            Fate fate;
            synchronized (this) {
                if (lives == kills) {
                    return false;
                }
                life = lives++;
                fate = nextFate(role);
            }
            String death;
            try (ChildProcess program = jvm(
                            role.name(),
                            url,
                            "http://127.0.0.1:" + port,
                            suffix,
                            Integer.toString(life),
                            fate.step,
                            fate.afterwards ? "after" : "before",
                            Integer.toString(fate.time))
                    .jvm("-Xshare:auto", "-XX:SharedArchiveFile=" + archive)
                    .start()) {
                death = await(program, role, fate);
            }
            synchronized (this) {
                deaths.merge(death, 1, Integer::sum);
            }
            return true;
        }

        private Fate nextFate(Role role) {
            Deque<Fate> left = fates.computeIfAbsent(role, none -> new ArrayDeque<>());
            if (left.isEmpty()) {
                List<Fate> all = new ArrayList<>();
                for (String step : steps(kind, role)) {
                    // Once in a life, as a rule.
                    int times = step.equals("listen") || step.equals("rollback") ? 1 : 4;
                    all.add(new Fate(step, false, random.between(1, times), 0));
                    all.add(new Fate(step, true, random.between(1, times), 0));
                }
                for (int i = 0; i < 3; i++) {
                    all.add(new Fate(DeadlyStep.NONE, false, 1, random.between(0, LONGEST_WORK_MILLIS)));
                }
                left.addAll(random.shuffled(all));
            }
            return left.remove();
        }

        private String await(ChildProcess program, Role role, Fate fate) {
            program.awaitLine("its beginning", OutboxLife.AT_WORK::equals, PATIENCE);
            if (fate.step.equals(DeadlyStep.NONE)) {
                ends(program, Duration.ofMillis(fate.millis));
            } else if (ends(program, LONGEST_LIFE)) {
                assertThat(program.awaitExit())
                        .as(() -> program + " wrote " + program.tail())
                        .isEqualTo(DeadlyStep.DEAD);
                return death(role, fate.step, fate.afterwards);
            }
            program.kill();
            return role + " at any moment";
        }

        private static boolean ends(ChildProcess program, Duration within) {
            long end = System.nanoTime() + within.toNanos();
            while (program.isAlive() && System.nanoTime() < end) {
                LockSupport.parkNanos(5_000_000);
            }
            return !program.isAlive();
        }

        String death(Role role, String step, boolean afterwards) {
            return role + (afterwards ? " after " : " before ") + step;
        }

        private void killBrokerNowAndThen() {
            synchronized (this) {
                if (lives < nextOfTheBroker || lives == kills) {
                    return;
                }
                nextOfTheBroker += KILLS_FOR_EACH_OF_THE_BROKER;
                lives++;
                deaths.merge("BROKER at any moment", 1, Integer::sum);
            }
            broker.kill();
            broker = startBroker();
        }

        /** One life more that writes to its end, and the ends of all that is left. */
        private void drain() throws Exception {
            OutboxLife.write(database, suffix, lives);
            try (Postroad postroad = Postroad.connect(broker.url());
                    OutboxRelay relay = OutboxLife.relay(database, postroad, suffix);
                    Subscription subscription = OutboxLife.listen(postroad, OutboxLife.effect(database, suffix))) {
                Await.until(
                        "an empty outbox and all handled",
                        DRAIN,
                        () -> relay.backlog().messages() == 0
                                && postroad.administration().channels().stream()
                                        .allMatch(
                                                status -> status.ready() + status.inFlight() + status.delayed() == 0));
                assertThat(subscription.counts().deadLettered()).isZero();
            }
        }

        private List<Integer> ids(String table) throws SQLException {
            List<Integer> ids = new ArrayList<>();
            try (Connection connection = database.getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("select id from " + table + suffix)) {
                while (rows.next()) {
                    ids.add(rows.getInt(1));
                }
            }
            return ids;
        }
    }
}
