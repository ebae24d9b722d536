package dev.postroad.cli;

import dev.postroad.api.Postroad;
import dev.postroad.conformance.Check;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.patterns.PatternChecks;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code conformance}: holds a transport to the kit. */
@Command(
        name = "conformance",
        header = "Hold a transport to the conformance kit, and print what it truly guarantees.",
        description = {
            "",
            "Runs every check of the kit, and those of the patterns, on channels of its own, which it deletes again. The exit code is 1 if a check fails.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad conformance --transport embedded:memory",
            "  postroad conformance --transport http://127.0.0.1:8480 --format json",
            "  postroad conformance --transport embedded:/tmp/data --only order --only dedup",
            "  postroad conformance --list"
        })
final class ConformanceCommand implements Callable<Integer> {
    @Option(
            names = "--transport",
            paramLabel = "URL",
            description = "What to connect to; any transport on the class path.")
    private @Nullable String transport;

    @Option(names = "--list", description = "List the checks, and run none.")
    private boolean list;

    @Option(
            names = "--only",
            paramLabel = "WORD",
            description = "Only checks with this word in their sentence or need.")
    private List<String> only = List.of();

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "What randomness begins with. Default: a new one, which is told.")
    private @Nullable Long seed;

    @Option(
            names = "--patience",
            paramLabel = "TIME",
            description = "How long to wait for what must come. Default: 20s.")
    private Duration patience = Duration.ofSeconds(20);

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        PrintStream out = Terminal.out();
        if (list) {
            List<String> sentences = Stream.concat(
                            Conformance.checks().stream(),
                            PatternChecks.all().stream().map(Check::sentence))
                    .toList();
            if (format.json()) {
                Json.print(out, sentences);
            } else {
                sentences.forEach(out::println);
            }
            return ExitCode.OK;
        }
        String url = transport;
        if (url == null) {
            throw new CliException(ExitCode.USAGE, "--transport URL is missing; --list tells the checks");
        }
        Conformance.Options options = Conformance.Options.DEFAULT
                .withPatience(patience)
                .withMore(PatternChecks.all())
                .withOnly(only.toArray(String[]::new))
                .withListener(this::finished);
        if (!url.equals("embedded:memory")) {
            options = options.withReopen(former -> {
                former.close();
                return Postroad.connect(url);
            });
        }
        if (seed != null) {
            options = options.withSeed(seed);
        }
        ConformanceReport report = Conformance.run(() -> Postroad.connect(url), options);
        if (format.json()) {
            out.println(report.json());
        } else {
            out.print(report.table());
        }
        return report.passed() ? ExitCode.OK : ExitCode.FAILED;
    }

    private void finished(ConformanceReport.Result result, int done, int total) {
        if (Terminal.is(Terminal.STDERR)) {
            Terminal.err()
                    .println(String.format(
                            Locale.ROOT, "[%d/%d] %-10s %s", done, total, word(result), result.sentence()));
        }
    }

    private static String word(ConformanceReport.Result result) {
        return result.outcome().name().toLowerCase(Locale.ROOT);
    }
}
