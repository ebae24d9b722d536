package dev.postroad.simulation.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks catch bugs. {@code -Dpostroad.image=name} plants one of them only. */
class BugCatalogueTest {

    @TempDir
    Path folder;

    @Test
    void every_planted_bug_is_caught() throws Exception {
        String only = System.getProperty(Replay.PROPERTY);
        List<BugCatalogue.Result> results = new ArrayList<>();
        try (BugPlanter planter = new BugPlanter()) {
            for (PlantedBug bug : PlantedBugs.ALL) {
                if (only == null || only.equals(bug.name())) {
                    results.add(BugCatalogue.catchIt(planter, bug, folder));
                }
            }
        }
        String table = BugCatalogue.table(results);
        System.out.println(table);
        assertThat(results).as(table).isNotEmpty().noneMatch(result -> result.check() == null);
    }

    @Test
    void there_are_twenty_five_and_each_has_a_name_of_its_own() {
        Set<String> names = new HashSet<>();
        PlantedBugs.ALL.forEach(bug -> names.add(bug.name()));
        assertThat(names).hasSameSizeAs(PlantedBugs.ALL).hasSizeGreaterThanOrEqualTo(25);
    }

    @Test
    void a_planted_bug_that_does_not_fit_the_sources_any_more_fails_by_name() throws Exception {
        PlantedBug stale = new PlantedBug("stale", "journal/Journal.java", "no such line", "", "nothing");
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
        long[] left = {400};
        assertThat(BugHunt.run(() -> left[0]-- < 0)).isNull();
    }
}
