package dev.postroad.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.proof.ProveOptions.BadOptionException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProveOptionsTest {
    private static final List<Chapter> ALL = List.of(
            Stub.holding("kill", 2),
            Stub.holding("fuzzing", 3),
            Stub.holding("peers", 4).aboutPeers());

    private static ProveOptions parse(String... words) throws BadOptionException {
        return ProveOptions.parse(List.of(words), ALL, "proof-now");
    }

    @Test
    void withoutOptionsEverythingOfOursRunsForAQuarterOfAnHour() throws Exception {
        ProveOptions options = parse();

        assertThat(options.time()).isEqualTo(Duration.ofMinutes(15));
        assertThat(options.chapters()).extracting(Chapter::name).containsExactly("kill", "fuzzing");
        assertThat(options.left()).extracting(ProveOptions.Left::name).containsExactly("peers");
        assertThat(options.seed()).isNull();
        assertThat(options.directory()).isEqualTo(Path.of("proof-now"));
        assertThat(options.strict()).isFalse();
    }

    @Test
    void allOptionsAreTaken() throws Exception {
        ProveOptions options = parse(
                "--minutes",
                "0.5",
                "--only",
                "fuzzing,peers",
                "--skip",
                "fuzzing",
                "--seed",
                "0x10",
                "--out",
                "there",
                "--strict");

        assertThat(options.time()).isEqualTo(Duration.ofSeconds(30));
        assertThat(options.chapters()).extracting(Chapter::name).containsExactly("peers");
        assertThat(options.left())
                .containsExactly(
                        new ProveOptions.Left("kill", "not among --only"),
                        new ProveOptions.Left("fuzzing", "left out by --skip"));
        assertThat(options.seed()).isEqualTo(16);
        assertThat(options.directory()).isEqualTo(Path.of("there"));
        assertThat(options.strict()).isTrue();
    }

    @Test
    void peersRunWhenAskedFor() throws Exception {
        assertThat(parse("--peers").chapters()).extracting(Chapter::name).containsExactly("kill", "fuzzing", "peers");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
                    --minutes 0          | --minutes is '0'; it must be a number from 0.1
                    --minutes ten        | --minutes is 'ten'
                    --minutes NaN        | --minutes is 'NaN'
                    --minutes            | --minutes needs a value
                    --only killing       | --only names 'killing', which there is not; there are kill, fuzzing, peers
                    --only kill --skip kill | leave nothing to run
                    --seed 1 --seed 2    | --seed is given twice
                    --seed many          | --seed is 'many'
                    --fast               | '--fast' is not known
                    """)
    void whatCannotBeFollowedIsRefusedByName(String words, String message) {
        assertThatThrownBy(() -> parse(words.split(" "))).hasMessageContaining(message);
    }

    @Test
    void helpNamesEveryOptionAndEveryExperiment() {
        assertThat(ProveOptions.usage(ALL))
                .contains("--minutes", "--only", "--skip", "--peers", "--seed", "--out", "--strict", "--list")
                .contains("kill", "Does fuzzing hold?");
    }
}
