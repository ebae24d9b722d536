package dev.postroad.integrations.junit.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.integrations.junit.Fault;
import dev.postroad.integrations.junit.Faults;
import dev.postroad.integrations.junit.Trial;
import dev.postroad.integrations.junit.Trial.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MessagingBugsTest {
    private static final int SEEDS = 50;

    static List<Bug> bugs() {
        return Catalogue.ALL;
    }

    @ParameterizedTest
    @MethodSource("bugs")
    void the_kit_finds_it_finds_it_again_by_its_seed_and_finds_nothing_where_it_is_mended(Bug bug) {
        Fault[] faults = bug.faults().toArray(Fault[]::new);
        Failure found = Trial.search(broker -> bug.program().run(new Program(broker), false), SEEDS, faults)
                .orElseThrow(() -> new AssertionError(bug + " was not found with " + SEEDS + " seeds"));
        assertThat(found.error()).isInstanceOf(AssertionError.class);
        assertThat(Trial.once(broker -> bug.program().run(new Program(broker), false), Faults.of(found.seed(), faults)))
                .as("again with seed " + found.seed())
                .hasValueSatisfying(again -> assertThat(again.error()).isInstanceOf(AssertionError.class));
        for (long seed : new long[] {found.seed(), 101, 102}) {
            Trial.once(broker -> bug.program().run(new Program(broker), true), Faults.of(seed, faults))
                    .ifPresent(failure -> {
                        throw new AssertionError(
                                bug + ", mended, with seed " + seed + ": " + failure.error() + "\n" + failure.story(),
                                failure.error());
                    });
        }
    }

    @Test
    void the_page_has_them_all() throws IOException {
        String page =
                Files.readString(Path.of(System.getProperty("basedir", "")).resolve("../../docs/messaging-bugs.md"));
        assertThat(Catalogue.ALL).hasSize(20).allSatisfy(bug -> {
            assertThat(page).contains("**" + bug.name() + "**");
            bug.faults().forEach(fault -> assertThat(page).contains("`" + fault + "`"));
        });
    }
}
