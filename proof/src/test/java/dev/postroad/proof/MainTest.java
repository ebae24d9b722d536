package dev.postroad.proof;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.proof.Chapter.Kind;
import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.Goal;
import dev.postroad.testkit.Experiment.Line;
import dev.postroad.testkit.Experiment.NotRun;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Experiment.Plot;
import dev.postroad.testkit.Experiment.Point;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class MainTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int prove(List<Chapter> chapters, String... more) throws IOException {
        List<String> words = new ArrayList<>(List.of("prove", "--out", folder.toString()));
        words.addAll(Arrays.asList(more));
        return Main.run(words, chapters, new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), false);
    }

    private String html() throws IOException {
        return Files.readString(folder.resolve("report.html"));
    }

    private JsonNode json() throws IOException {
        return JsonMapper.shared().readTree(Files.readString(folder.resolve("report.json")));
    }

    @Test
    void aRunWithoutViolationsEndsWithZeroAndBothReports() throws Exception {
        Stub stub = new Stub("kill", () -> Outcome.of(Figure.count("cycles", 45, 45)));

        assertThat(prove(
                        List.of(new Chapter(stub, 1, Kind.MEASURING), Stub.holding("clock", 1)),
                        "--seed",
                        "42",
                        "--minutes",
                        "1"))
                .isZero();

        assertThat(stub.budgets).hasSize(1);
        assertThat(stub.budgets.get(0).seed()).isEqualTo(42);
        assertThat(stub.budgets.get(0).time().toSeconds()).isBetween(29L, 30L);
        assertThat(html()).contains("No promise was found broken", "seed 42", "cycles", "at least 45", "reached");
        assertThat(json().get("seed").longValue()).isEqualTo(42);
        assertThat(json().get("violations").intValue()).isZero();
        assertThat(json().get("experiments")
                        .get(0)
                        .get("figures")
                        .get(0)
                        .get("reached")
                        .booleanValue())
                .isTrue();
        assertThat(out.toString(UTF_8)).contains("report.html: 0 violations");
    }

    @Test
    void whatComputesAndWhatJudgesRunsSideBySideAndIsWrittenInTheBooksOrder() throws Exception {
        CountDownLatch all = new CountDownLatch(3);
        Stub.Doing meet = () -> {
            all.countDown();
            // On a machine with one core they can't meet.
            boolean met = Runtime.getRuntime().availableProcessors() == 1 || all.await(1, TimeUnit.MINUTES);
            return Outcome.of(Figure.count("met", met ? 1 : 0, 1));
        };

        prove(List.of(
                new Chapter(new Stub("kill", meet), 1, Kind.JUDGING),
                new Chapter(new Stub("corruption", meet), 1, Kind.COMPUTING),
                new Chapter(new Stub("fuzzing", meet), 1, Kind.COMPUTING)));

        assertThat(json().get("experiments")
                        .valueStream()
                        .map(each -> each.get("name").stringValue()))
                .containsExactly("kill", "corruption", "fuzzing");
        assertThat(json().get("goalsMissed").intValue()).isZero();
    }

    @Test
    void aViolationIsShownWithHowToSeeItAgainAndFails() throws Exception {
        Chapter broken = Stub.doing("kill", () -> Stub.broken("lost message 17"));

        assertThat(prove(List.of(broken))).isEqualTo(1);

        assertThat(html()).contains("1 violations of promises were found", "lost message 17", "simulate --seed 7");
        assertThat(json().get("experiments")
                        .get(0)
                        .get("violations")
                        .get(0)
                        .get("replay")
                        .stringValue())
                .isEqualTo("./postroad simulate --seed 7");
        assertThat(err.toString(UTF_8)).contains("BROKEN lost message 17", "again: ./postroad simulate --seed 7");
    }

    @Test
    void aMissedGoalIsShownAsMissedAndFailsOnlyWhenStrict() throws Exception {
        List<Chapter> chapters =
                List.of(Stub.doing("restart", () -> Outcome.of(new Figure("restart", 2.5, "s", Goal.atMost(2)))));

        assertThat(prove(chapters)).isZero();
        assertThat(html()).contains("1 goals were missed", "2.50 s", "at most 2 s", ">missed<");
        assertThat(prove(chapters, "--strict")).isEqualTo(1);
    }

    @Test
    void anExperimentThatFailsItselfFailsTheRunAndTheOthersGoOn() throws Exception {
        Chapter failing = Stub.doing("kill", () -> {
            throw new IOException("no disk");
        });

        assertThat(prove(List.of(failing, Stub.holding("clock", 1)))).isEqualTo(1);

        assertThat(html()).contains("java.io.IOException: no disk", "of these nothing is known");
        assertThat(json().get("experiments").get(0).get("verdict").stringValue())
                .isEqualTo("failed");
        assertThat(json().get("experiments").get(1).get("verdict").stringValue())
                .isEqualTo("held");
    }

    @Test
    void whatWasNotRunIsNeverTakenForPassed() throws Exception {
        Chapter cut = Stub.doing(
                "power-cut",
                () -> new Outcome(List.of(), List.of(), List.of(new NotRun("ext4", "needs root")), List.of()));

        assertThat(prove(List.of(cut, Stub.holding("clock", 1)), "--skip", "clock"))
                .isZero();

        assertThat(html()).contains(">not run<", "ext4", "needs root", "2 things were not run", "left out by --skip");
        assertThat(json().get("experiments").get(0).get("verdict").stringValue())
                .isEqualTo("not run");
    }

    @Test
    void allTextIsEscapedAndThePageIsWellFormedWithoutScriptOrOtherFiles() throws Exception {
        String nasty = "<script>alert('x')</script> & \"quoted\" \u0007";
        Plot plot = new Plot(
                nasty,
                nasty,
                nasty,
                List.of(
                        new Line(nasty, List.of(new Point(0, 1), new Point(1, 5), new Point(2, Double.NaN))),
                        new Line("one", List.of(new Point(1, 1))),
                        new Line("none", List.of())));
        Outcome outcome = new Outcome(
                List.of(new Figure(nasty, Double.POSITIVE_INFINITY, nasty, Goal.atLeast(1))),
                List.of(new Experiment.Violation(nasty, nasty)),
                List.of(new NotRun(nasty, nasty)),
                List.of(plot));

        prove(List.of(Stub.doing("kill", () -> outcome)));

        String page = html();
        assertThat(page)
                .doesNotContain("<script", "alert('x')")
                .doesNotContain("src=", "href=\"http", "@import", "url(");
        assertThat(page).contains("prefers-color-scheme: dark", "<svg", "<polyline");
        String xml = page.replace("<!doctype html>", "")
                .replaceAll("<meta ([^>]*)>", "<meta $1/>")
                .replace("&nbsp;", " ");
        assertThat(DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new InputSource(new StringReader(xml)))
                        .getDocumentElement()
                        .getTagName())
                .isEqualTo("html");
        assertThat(json().get("experiments")
                        .get(0)
                        .get("figures")
                        .get(0)
                        .get("value")
                        .isNull())
                .isTrue();
    }

    @Test
    void aWrongCommandEndsWithTwoAndRunsNothing() throws Exception {
        Stub stub = new Stub("kill", () -> Outcome.of());

        assertThat(prove(List.of(new Chapter(stub, 1, Kind.MEASURING)), "--minutes", "-1"))
                .isEqualTo(2);

        assertThat(stub.budgets).isEmpty();
        assertThat(err.toString(UTF_8)).contains("--minutes is '-1'");
    }

    @Test
    void everyExperimentOfTheBookHasANameOfItsOwnAndAQuestion() {
        List<Chapter> all = Experiments.all();

        assertThat(all)
                .extracting(Chapter::name)
                .doesNotHaveDuplicates()
                .allMatch(name -> name.matches("[a-z][a-z0-9-]*"));
        assertThat(all).extracting(chapter -> chapter.experiment().question()).allMatch(text -> text.endsWith("?"));
    }
}
