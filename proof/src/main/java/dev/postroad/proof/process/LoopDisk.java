package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A file system of its own in a file, whose power can be cut: what was not synced is gone then. */
final class LoopDisk implements AutoCloseable {
    private static final Duration BUSY = Duration.ofSeconds(30);
    /** The ioctl that forces a file system down, with its flag for "without flushing the log"; before it, who is to die first. */
    private static final String CUT =
            "my $folder; sysopen($folder, shift, 0) or die \"open: $!\\n\"; my $flag = pack('L', 2);"
                    + " !@ARGV or kill('KILL', @ARGV) or die \"kill: $!\\n\";"
                    + " ioctl($folder, 0x8004587D, $flag) or die \"ioctl: $!\\n\";";

    /** A kind of file system that can be cut. */
    enum Kind {
        EXT4,
        XFS;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Why it can't be used here; null if it can. */
        @Nullable
        String missing() throws IOException {
            String missing = Machine.missingForMounts("mkfs." + word(), "mount", "umount", "perl");
            if (missing != null) {
                return missing;
            }
            if (Machine.run("losetup", "-f").exit() != 0) {
                return "there is no free loop device";
            }
            return null;
        }
    }

    private final Path image;
    private final Path mount;
    private boolean mounted;

    private LoopDisk(Path image, Path mount) {
        this.image = image;
        this.mount = mount;
    }

    /** Makes one and mounts it. */
    static LoopDisk make(Path folder, Kind kind, long bytes) throws IOException {
        Path image = folder.resolve(kind.word() + ".image");
        Path mount = Files.createDirectory(folder.resolve(kind.word()));
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(bytes);
        }
        Machine.must("mkfs." + kind.word(), "-q", kind == Kind.EXT4 ? "-F" : "-f", image.toString());
        LoopDisk disk = new LoopDisk(image, mount);
        disk.mount();
        return disk;
    }

    Path folder() {
        return mount;
    }

    /**
     * The power goes, for the disk and a process that writes to it at once: of what this process is in the middle of some gets
     * to the disk and some does not, and nobody hears how it ended.
     */
    void cutWith(long pid) throws IOException {
        Machine.must("perl", "-e", CUT, mount.toString(), Long.toString(pid));
    }

    /**
     * The disk alone is gone: nothing more gets there, all calls fail. Its users must be killed before the next mount.
     *
     * <p>They must stand still meanwhile. A sync under which a file system is forced down may answer that it was done where it
     * was not, if it had to find blocks for what it was to write: on ext4 and xfs, for up to one cut in ten of a program that appends.
     * No power cut lets anybody hear such an answer.
     */
    void cut() throws IOException {
        Machine.must("perl", "-e", CUT, mount.toString());
    }

    /** After a cut, or a clean unmount. */
    void mount() throws IOException {
        Machine.must("mount", "-o", "loop", image.toString(), mount.toString());
        mounted = true;
    }

    /** Waits for users that are about to be gone. */
    void unmount() {
        Await.value(
                mount + " is unmounted",
                BUSY,
                () -> Machine.run("umount", mount.toString()),
                ran -> ran.exit() == 0 || ran.output().contains("not mounted"));
        mounted = false;
    }

    @Override
    public void close() throws IOException {
        if (mounted) {
            unmount();
        }
        Files.deleteIfExists(mount);
        Files.deleteIfExists(image);
    }
}
