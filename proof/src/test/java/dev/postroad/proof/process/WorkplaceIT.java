package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkplaceIT {
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @TempDir
    private Path parent;

    /** Makes a workplace with a file system and a process in it, and waits for its end. */
    static final class Owner {
        private Owner() {}

        public static void main(String[] arguments) throws IOException, InterruptedException {
            Workplace place = Workplace.make(Path.of(arguments[0]), "owned");
            // Whoever makes another looks at those there are, and must not let go of this one.
            Workplace.make(Path.of(arguments[0]), "another").close();
            Path disk = Files.createDirectory(place.at("disk"));
            Machine.must("mount", "-t", "tmpfs", "-o", "size=1m", "postroad-proof", disk.toString());
            Path file = Files.writeString(disk.resolve("file"), "in use");
            // Into no pipe: it would end by itself with its reader.
            Process user = new ProcessBuilder("tail", "-f", file.toString())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            System.out.println("ready " + user.pid() + " " + place.folder());
            Thread.currentThread().join();
        }
    }

    @BeforeEach
    void mountingIsPossible() {
        assumeTrue(Machine.missingForMounts("mount", "umount", "tail") == null, "nothing can be mounted here");
    }

    private List<Path> places() throws IOException {
        try (Stream<Path> all = Files.list(parent)) {
            return all.toList();
        }
    }

    private static String[] ready(ChildProcess owner) {
        return owner.awaitLine("the ready line", line -> line.startsWith("ready "), PATIENCE)
                .split(" ");
    }

    private static boolean isAlive(String[] ready) {
        return ProcessHandle.of(Long.parseLong(ready[1]))
                .map(ProcessHandle::isAlive)
                .orElse(false);
    }

    @Test
    void what_a_killed_owner_has_left_is_cleared_away_by_the_next() throws IOException {
        ChildProcess owner = ChildProcess.java(Owner.class, parent.toString()).start();
        String[] ready = ready(owner);
        // By its handle: the one that started it would end its children, too.
        ProcessHandle.of(owner.pid()).orElseThrow().destroyForcibly();
        Await.until("the owner is gone", PATIENCE, () -> !owner.isAlive());
        assertThat(isAlive(ready)).isTrue();
        assertThat(Workplace.mountedIn(parent)).hasSize(1);

        try (Workplace next = Workplace.make(parent, "next")) {
            assertThat(places()).containsExactly(next.folder());
        }

        // It counts as alive until the system has taken note of its end.
        Await.until("the process is gone", PATIENCE, () -> !isAlive(ready));
        assertThat(Workplace.mountedIn(parent)).isEmpty();
    }

    @Test
    void one_that_is_asked_to_end_leaves_nothing() throws IOException {
        try (ChildProcess owner =
                ChildProcess.java(Owner.class, parent.toString()).start()) {
            String[] ready = ready(owner);
            ProcessHandle.of(owner.pid()).orElseThrow().destroy();
            owner.awaitExit(PATIENCE);

            Await.until("the process is gone", PATIENCE, () -> !isAlive(ready));
        }

        assertThat(Workplace.mountedIn(parent)).isEmpty();
        assertThat(places()).isEmpty();
    }

    @Test
    void a_workplace_whose_owner_is_at_work_stays() throws IOException {
        try (ChildProcess owner =
                ChildProcess.java(Owner.class, parent.toString()).start()) {
            String[] ready = ready(owner);
            try (Workplace mine = Workplace.make(parent, "mine");
                    Workplace second = Workplace.make(parent, "second")) {
                assertThat(places()).hasSize(3).contains(mine.folder(), second.folder(), Path.of(ready[2]));
                assertThat(isAlive(ready)).isTrue();
            }
            ProcessHandle.of(owner.pid()).orElseThrow().destroy();
            owner.awaitExit(PATIENCE);
        }
    }
}
