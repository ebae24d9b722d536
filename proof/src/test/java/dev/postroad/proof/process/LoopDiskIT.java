package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Cuts are honest: what a plain program has synced is there after each. Otherwise whatever is cut there would be blamed for what
 * the cut has done.
 */
class LoopDiskIT {
    private static final int CUTS = 20;
    private static final long DISK_BYTES = 512 << 20;
    private static final Duration START = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    /**
     * Appends to a file and syncs, until it is killed, and then notes in another how much it has synced. It appends, since that is
     * what makes a sync hardest: it must find blocks, and write down where they are.
     */
    static final class Appender {
        private static final int MOST = 60_000;

        private Appender() {}

        /** Arguments: the file, and the other one. */
        public static void main(String[] arguments) throws IOException {
            Random random = new Random();
            try (FileChannel file = open(arguments[0]);
                    FileChannel note = open(arguments[1])) {
                ByteBuffer synced = ByteBuffer.allocate(Long.BYTES);
                for (long at = 0; true; at = file.size()) {
                    ByteBuffer bytes = pattern(at, 1 + random.nextInt(MOST));
                    while (bytes.hasRemaining()) {
                        file.write(bytes, file.size());
                    }
                    file.force(false);
                    note.write(synced.clear().putLong(file.size()).flip(), 0);
                    if (at == 0) {
                        System.out.println("synced");
                    }
                }
            }
        }

        private static FileChannel open(String path) throws IOException {
            return FileChannel.open(
                    Path.of(path),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
        }

        /** What belongs from there on: no zero, and no two pages alike. */
        static ByteBuffer pattern(long from, int bytes) {
            ByteBuffer pattern = ByteBuffer.allocate(bytes);
            for (long at = from; pattern.hasRemaining(); at++) {
                pattern.put((byte) (1 + Math.floorMod(at * 0x9e3779b97f4a7c15L >>> 13, 255)));
            }
            return pattern.flip();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatAPlainProgramHasSyncedIsThereAfterACut(LoopDisk.Kind kind) throws IOException {
        assumeTrue(kind.missing() == null, "nothing can be cut here");
        Random random = new Random(Generator.announced("cuts of " + kind).seed());
        Path note = folder.resolve("note");
        try (LoopDisk disk = LoopDisk.make(folder, kind, DISK_BYTES)) {
            Path file = disk.folder().resolve("file");
            for (int i = 0; i < CUTS; i++) {
                try (ChildProcess program = ChildProcess.java(Appender.class, file.toString(), note.toString())
                        .jvm("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
                        .start()) {
                    program.awaitLine("that something is synced", "synced"::equals, START);
                    KillExperiment.linger(random.nextInt(100));
                    if (i % 2 == 0) {
                        disk.cutWith(program.pid());
                    } else {
                        program.pause();
                        disk.cut();
                        program.resume();
                    }
                }
                disk.unmount();
                disk.mount();

                int synced = Math.toIntExact(
                        ByteBuffer.wrap(Files.readAllBytes(note)).getLong());
                ByteBuffer found = ByteBuffer.wrap(Files.readAllBytes(file));
                assertThat(found.remaining()).as("cut %d", i).isGreaterThanOrEqualTo(synced);
                assertThat(found.limit(synced).mismatch(Appender.pattern(0, synced)))
                        .as("cut %d, of %d bytes the first that is not what was synced", i, synced)
                        .isEqualTo(-1);
            }
        }
    }
}
