package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorIT {
    @TempDir
    Path folder;

    @Test
    void aFlippedBitIsFoundToldAndTheRestSaved() throws Exception {
        Path data = folder.resolve("data");
        byte[] lines = "first\nthe one that is hit\nlast\n".getBytes(StandardCharsets.UTF_8);
        Command.run(lines, "send", "lines", "--data", data.toString(), "--batch", "1");
        Command.Result well = Command.run("doctor", data.toString(), "--format", "json");
        assertThat(well.exitCode()).as(well.err()).isZero();
        assertThat(well.json().path("healthy").booleanValue()).isTrue();

        flip(data, "the one that is hit");

        Command.Result ill = Command.run("doctor", data.toString());
        assertThat(ill.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(ill.text()).contains("damaged", "segment-", "--salvage");

        Path saved = folder.resolve("saved");
        Command.Result salvage = Command.run("doctor", data.toString(), "--salvage", saved.toString());
        assertThat(salvage.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(salvage.text()).contains("all the rest is in " + saved);
        Command.Result again = Command.run("doctor", saved.toString());
        assertThat(again.exitCode()).as(again.text()).isZero();
    }

    @Test
    void aDirectoryThatIsNotThereIsNotFound() {
        Command.Result missing = Command.run("doctor", folder.resolve("nowhere").toString());

        assertThat(missing.exitCode()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(missing.err()).contains("nowhere");
    }

    private static void flip(Path data, String text) throws IOException {
        try (Stream<Path> files = Files.list(data)) {
            for (Path file :
                    (Iterable<Path>) files.filter(each -> each.toString().endsWith(".journal"))::iterator) {
                int at = Files.readString(file, StandardCharsets.ISO_8859_1).indexOf(text);
                if (at >= 0) {
                    try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
                        open.seek(at);
                        open.write(text.charAt(0) ^ 1);
                    }
                    return;
                }
            }
        }
        throw new AssertionError("'" + text + "' is in no segment of " + data);
    }
}
