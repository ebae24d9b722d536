package dev.postroad.cli;

import dev.postroad.cli.doctor.Doctor;
import dev.postroad.cli.doctor.Findings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code doctor}: inspects, verifies and salvages a data directory. */
@Command(
        name = "doctor",
        header = "Inspect and verify a data directory, and save what can be saved of a damaged one.",
        description = {
            "",
            "Reads every byte and changes nothing. The exit code is 1 if something that had been stored is lost. With"
                    + " --salvage a clean copy of all that can be read goes to another directory, which a server then starts"
                    + " on; the exit code tells the state of the original all the same.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad doctor ./data",
            "  postroad doctor ./data --format json",
            "  postroad doctor ./data --salvage ./rescued && postroad serve --data ./rescued"
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int MOST_SEGMENTS = 20;

    @Parameters(paramLabel = "DIR", description = "The data directory.")
    private Path directory = Path.of("");

    @Option(names = "--salvage", paramLabel = "OUT", description = "Copy what can be read to this empty directory.")
    private @Nullable Path salvage;

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        if (!Files.isDirectory(directory)) {
            throw new CliException(ExitCode.NOT_FOUND, "there is no directory '" + directory + "'");
        }
        Findings findings;
        try {
            findings = salvage == null ? Doctor.examine(directory) : Doctor.salvage(directory, salvage);
        } catch (IOException e) {
            throw new CliException(ExitCode.FAILED, String.valueOf(e.getMessage()), e);
        }
        if (format.json()) {
            Json.print(Terminal.out(), findings);
        } else {
            print(Terminal.out(), findings);
        }
        return findings.healthy() ? ExitCode.OK : ExitCode.FAILED;
    }

    private void print(PrintStream out, Findings findings) {
        out.println("data directory  " + findings.directory());
        out.println("journal         " + Units.count(findings.records()) + " records in "
                + Units.count(findings.batches()) + " batches, "
                + findings.segments().size() + " segments of " + Units.bytes(findings.segmentBytes()));
        out.println("last close      "
                + (findings.closedCleanly() ? "in good order" : "by a crash or kill, or it is in use"));
        if (findings.tornBytes() > 0) {
            out.println("torn tail       " + Units.bytes(findings.tornBytes())
                    + " of a last write that was never confirmed; the next start cuts it");
        }
        findings.foreignFiles().forEach(file -> out.println("foreign file    " + Units.oneLine(file)));
        printFiles(out, findings);
        out.println();
        if (findings.damage().isEmpty()) {
            out.println(coloured("32", "healthy") + ": every stored byte can be read");
            return;
        }
        Table damage = new Table("damage", "file", ">offset", ">bytes", "lost", "what");
        findings.damage()
                .forEach(d -> damage.row(d.kind(), d.file(), d.offset(), d.bytes(), d.lost() ? "yes" : "no", d.what()));
        damage.print(out);
        out.println();
        if (findings.healthy()) {
            out.println(coloured("33", "mended")
                    + ": there is damage, and a second copy of all that is affected; nothing is lost");
            return;
        }
        out.println(coloured("31", "damaged") + ": some of what had been stored is lost"
                + (salvage == null
                        ? "; a server refuses to start on it. Save the rest with\n  postroad doctor " + directory
                                + " --salvage OUT"
                        : "; all the rest is in " + salvage + ", which a server starts on"));
    }

    private static void printFiles(PrintStream out, Findings findings) {
        Table files = new Table("file", ">used", ">batches", ">records");
        findings.checkpoints()
                .forEach(c -> files.row(
                        c.file(), Units.bytes(c.bytes()), "", "taken " + Instant.ofEpochMilli(c.timeMillis())));
        findings.segments().stream()
                .skip(Math.max(0, findings.segments().size() - MOST_SEGMENTS))
                .forEach(s -> files.row(
                        s.file(), Units.bytes(s.usedBytes()), Units.count(s.batches()), Units.count(s.records())));
        if (!files.isEmpty()) {
            out.println();
            files.print(out);
        }
        int left = findings.segments().size() - MOST_SEGMENTS;
        if (left > 0) {
            out.println("and " + left + " older segments; --format json has all");
        }
    }

    private static String coloured(String colour, String text) {
        return Terminal.colours(Terminal.STDOUT) ? "\033[" + colour + "m" + text + "\033[0m" : text;
    }
}
