package dev.postroad.simulation.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Generator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks catch bugs. {@code -Dpostroad.image=name} plants one of them only. */
class BugCatalogueTest {

    @TempDir
    Path folder;

    /** So many of them each time, from a place that the seed says: all would take two minutes. */
    private static final int EACH_TIME = 4;

    private void hunt(List<PlantedBug> bugs) throws Exception {
        List<BugCatalogue.Result> results = new ArrayList<>();
        try (BugPlanter planter = new BugPlanter()) {
            for (PlantedBug bug : bugs) {
                results.add(BugCatalogue.catchIt(planter, bug, folder));
            }
        }
        String table = BugCatalogue.table(results);
        System.out.println(table);
        assertThat(results).as(table).isNotEmpty().noneMatch(result -> result.check() == null);
    }

    @Test
    void planted_bugs_are_caught() throws Exception {
        String only = System.getProperty(Replay.PROPERTY);
        if (only != null) {
            hunt(PlantedBugs.ALL.stream().filter(bug -> bug.name().equals(only)).toList());
            return;
        }
        long seed = Generator.announced("planted bugs").seed();
        List<PlantedBug> chosen = new ArrayList<>();
        for (int i = 0; i < EACH_TIME; i++) {
            chosen.add(PlantedBugs.ALL.get((int) Math.floorMod(seed + i, (long) PlantedBugs.ALL.size())));
        }
        hunt(chosen);
    }

    @Test
    @Tag("soak")
    void every_planted_bug_is_caught() throws Exception {
        hunt(PlantedBugs.ALL);
    }

    @Test
    void every_planted_bug_fits_the_sources_and_compiles() throws Exception {
        try (BugPlanter planter = new BugPlanter()) {
            List<PlantedBug> left = new ArrayList<>(PlantedBugs.ALL);
            while (!left.isEmpty()) {
                Map<String, PlantedBug> oneOfEachFile = new LinkedHashMap<>();
                left.forEach(bug -> oneOfEachFile.putIfAbsent(bug.file(), bug));
                Path classes = folder.resolve("with-" + left.size());
                planter.plant(List.copyOf(oneOfEachFile.values()), classes);
                assertThat(classes).isNotEmptyDirectory();
                left.removeAll(oneOfEachFile.values());
            }
        }
    }

    @Test
    void there_are_twenty_five_and_each_has_a_name_of_its_own() {
        Set<String> names = new HashSet<>();
        PlantedBugs.ALL.forEach(bug -> names.add(bug.name()));
        assertThat(names).hasSameSizeAs(PlantedBugs.ALL).hasSizeGreaterThanOrEqualTo(25);
    }

    @Test
    void a_planted_bug_that_does_not_fit_the_sources_any_more_fails_by_name() throws Exception {
        PlantedBug stale = new PlantedBug(
                "stale", "journal/Journal.java", "no such line", "", "nothing", BugHunt.Check.CRASHES, null);
        try (BugPlanter planter = new BugPlanter()) {
            assertThatThrownBy(() -> planter.plant(stale, folder))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'stale'")
                    .hasMessageContaining("not in journal/Journal.java");
        }
        assertThat(Files.exists(folder.resolve("dev"))).isFalse();
    }

    @Test
    void without_a_planted_bug_nothing_is_caught() {
        long[] left = {150};
        assertThat(BugHunt.run(BugHunt.Check.CRASHES, null, () -> left[0]-- < 0))
                .isNull();
    }
}
