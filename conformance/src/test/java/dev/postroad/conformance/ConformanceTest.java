package dev.postroad.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.conformance.ConformanceReport.Fitness;
import dev.postroad.conformance.ConformanceReport.Outcome;
import dev.postroad.conformance.ConformanceReport.Result;
import dev.postroad.memory.Bug;
import dev.postroad.memory.MemoryBroker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Execution(ExecutionMode.CONCURRENT)
class ConformanceTest {
    private static final Conformance.Options PATIENT = Conformance.Options.DEFAULT.withAtOnce(8);
    private static final Conformance.Options HASTY = PATIENT.withPatience(Duration.ofMillis(1_000));

    private static ConformanceReport run(MemoryBroker broker, Conformance.Options options) {
        return Conformance.run(() -> Postroad.over(broker.connect()), options.withReopen(old -> {
            old.close();
            return Postroad.over(broker.connect());
        }));
    }

    @Test
    void aTransportThatKeepsTheContractPassesEveryCheck() {
        ConformanceReport report = run(MemoryBroker.inRealTime(), PATIENT);
        assertThat(report.results()).as(report.table()).allMatch(result -> result.outcome() == Outcome.PASSED);
        assertThat(report.fitness())
                .as(report.table())
                .allMatch(Fitness::measured)
                .allMatch(Fitness::reached);
        assertThat(report.passed()).isTrue();
        assertThat(report.results()).extracting(Result::need).contains(Need.values());
        assertThat(Conformance.checks()).hasSize(report.results().size()).doesNotHaveDuplicates();
    }

    /** Those of the checks that must catch a bug, by a word of theirs. */
    private static String mustBeCaughtBy(Bug bug) {
        return switch (bug) {
            case LOSES_A_MESSAGE, DUPLICATES_A_MESSAGE -> "lose and double nothing";
            case OVERTAKES_A_FAILED_KEY -> "a failing key waits alone";
            case DELIVERS_A_KEY_TWICE_AT_ONCE -> "one key has one delivery in flight";
            case FORGETS_DEAD_KEYS -> "follow a dead one";
            case REORDERS -> "a key keeps its order";
            case IGNORES_DELAY -> "not delivered before its time";
            case IGNORES_RETRY_DELAY -> "RETRY_DELAY";
            case FORGETS_ATTEMPTS -> "counts one more";
            case DROPS_HEADERS, DROPS_PROPERTIES -> "headers and properties come back";
            case MANGLES_BINARY -> "values of any bytes";
            case INVENTS_KEYS -> "a message without a key";
            case ACKNOWLEDGES_ON_DELIVERY -> "what a closed consumer held";
            case FORGETS_ACKNOWLEDGEMENTS -> "what is acknowledged does not come again";
            case BROADCASTS_QUEUES -> "goes to one of its consumers";
            case GROUPS_COMPETE -> "each group receives every message";
            case IGNORES_PRIORITY -> "PRIORITY";
            case IGNORES_TTL -> "time to live";
            case IGNORES_DEDUP -> "a repetition within the window";
            case IGNORES_FILTER -> "FILTER";
            case IGNORES_MAX_LENGTH -> "MAX_LENGTH";
            case DROPS_DEAD_LETTERS, SILENT_DEAD_LETTERS -> "with reason and origin";
            case NEVER_GIVES_UP -> "the last attempt that fails";
            case COUNTS_WHAT_IS_GIVEN_BACK -> "what is given back untouched";
            case IGNORES_START -> "can be read from";
            case SENDS_BEFORE_COMMIT -> "seen when it commits";
            case FORGETS_TRANSACTED_ACKNOWLEDGEMENTS -> "gone when it commits";
            case STORES_HALF_A_BATCH -> "ATOMIC_BATCH";
            case FORGETS_ON_REOPEN -> "confirmed messages survive";
            case MISCOUNTS -> "counts are what happened";
            case IGNORES_LEASE -> "not settled within its lease";
            case BROWSE_CONSUMES -> "BROWSE";
            case REDRIVES_BACKWARDS -> "in the order they had";
            case FORGETS_THE_FIRST_FAILURE -> "tells when it failed first";
            case FORGETS_EXCEPTIONS -> "tells the exception";
            case PUTS_BACK_ANY -> "chosen dead letters";
            case IGNORES_EDITS -> "edited dead letter";
            case CANCELS_NOTHING -> "can be cancelled";
            case COMPACTS_BACKWARDS -> "COMPACTION";
            case TAKES_ANY_DECLARATION -> "otherwise is refused";
            case TAKES_UNKNOWN_CHANNELS -> "sending to an unknown channel";
            case SETTLES_TWICE -> "settling twice";
            case IGNORES_PREFETCH -> "no more than its prefetch";
            case KEEPS_DELIVERIES_OF_THE_DEAD -> "REDELIVERY";
            case DENIES_WHAT_IT_DOES -> "TRANSACTIONS is impossible";
        };
    }

    @ParameterizedTest
    @EnumSource(Bug.class)
    void everyPlantedBugIsCaughtByTheCheckThatIsForIt(Bug bug) {
        ConformanceReport report = run(MemoryBroker.inRealTime(bug), HASTY.withOnly(mustBeCaughtBy(bug)));
        assertThat(report.results()).as(report.table()).anyMatch(result -> result.outcome() == Outcome.FAILED);
        assertThat(report.passed()).isFalse();
        assertThat(report.table()).contains("DOES NOT CONFORM");
    }

    @ParameterizedTest
    @EnumSource(
            value = Need.class,
            mode = EnumSource.Mode.EXCLUDE,
            // Without these there is hardly a channel to be had.
            names = {"COMPETING_CONSUMERS", "REDELIVERY"})
    void whatIsImpossibleIsShownToBeRefusedAndNeverSkipped(Need need) {
        MemoryBroker broker = MemoryBroker.inRealTime().with(Capability.impossible(need, "no room for it"));
        ConformanceReport report = run(broker, HASTY.withPatience(Duration.ofSeconds(5)));
        assertThat(report.passed()).as(report.table()).isTrue();
        List<Result> about = report.results().stream()
                .filter(result -> result.need() == need)
                .toList();
        assertThat(about).hasSize(1);
        assertThat(about.getFirst().outcome()).isEqualTo(Outcome.IMPOSSIBLE);
        assertThat(about.getFirst().detail()).isEqualTo("no room for it");
        assertThat(report.results())
                .filteredOn(result -> result.outcome() == Outcome.NOT_PROVEN)
                .allMatch(result -> result.detail().contains(need.name()));
    }

    @Test
    void aLimitInTimeIsShownToBeKept() {
        MemoryBroker broker = MemoryBroker.inRealTime();
        for (Need need : List.of(Need.LEASE, Need.DELAY, Need.TTL, Need.DEDUP, Need.RETRY_DELAY)) {
            broker.with(Capability.emulated(need, "a timer").withUpTo(Duration.ofHours(12)));
        }
        ConformanceReport report = run(broker, PATIENT.withOnly("beyond"));
        assertThat(report.results()).hasSize(5).allMatch(result -> result.outcome() == Outcome.PASSED);
    }

    @Test
    void withoutAWayToReopenWhatSurvivesIsNotProven() {
        ConformanceReport report =
                Conformance.run(() -> Postroad.over(MemoryBroker.inRealTime().connect()), PATIENT.withOnly("survive"));
        assertThat(report.results())
                .isNotEmpty()
                .allMatch(result -> result.outcome() == Outcome.NOT_PROVEN)
                .allMatch(result -> result.detail().equals("no way to reopen the connection was given"));
    }

    @Test
    void theReportIsATableForPeopleAndJsonForPrograms() {
        List<String> progress = new ArrayList<>();
        ConformanceReport report = run(
                MemoryBroker.inRealTime().with(Capability.emulated(Need.DEDUP, "a table of ids")),
                PATIENT.withOnly("DEDUP")
                        .withSeed(7)
                        .withListener((result, done, total) -> progress.add(done + "/" + total)));
        assertThat(report.seed()).isEqualTo(7);
        assertThat(progress).hasSize(report.results().size()).last().isEqualTo(progress.size() + "/" + progress.size());
        assertThat(report.table())
                .contains("conformance of test:memory, seed 7")
                .containsPattern("idempotent consumers +100.0 % +20 of 20 +100 % +reached")
                .containsPattern("monitoring +- +0 of 0 +100 % +not measured")
                .containsPattern("DEDUP +emulated +a repetition within the window is confirmed and dropped +passed")
                .contains("0 failed, 0 impossible, 0 not proven: conforms");
        assertThat(report.json())
                .startsWith("{\"transport\":\"test:memory\",\"seed\":7,")
                .contains("\"passed\":true")
                .contains(
                        "{\"criterion\":\"idempotent_consumers\",\"met\":20,\"of\":20,\"threshold\":100,\"reached\":true}")
                .contains("\"need\":\"DEDUP\",\"support\":\"emulated\"");
    }

    @Test
    void aRunLeavesNoChannelsBehind() {
        MemoryBroker broker = MemoryBroker.inRealTime();
        run(broker, PATIENT.withOnly("dead", "stream", "request"));
        try (Postroad postroad = Postroad.over(broker.connect())) {
            assertThat(postroad.administration().channels()).isEmpty();
        }
    }

    @Test
    void theSentencesOfAllChecksDiffer() {
        List<String> sentences = Conformance.checks();
        assertThat(new HashSet<>(sentences)).hasSameSizeAs(sentences);
    }
}
