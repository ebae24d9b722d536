package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.journal.JournalException;
import dev.postroad.journal.Storage;
import dev.postroad.journal.StorageFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The disk itself: what it keeps, loses and refuses. */
class SimulatedDiskTest {
    private final SimulatedDisk disk = new SimulatedDisk();

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String text(SimulatedDisk of, String name) {
        return new String(of.bytes(name), StandardCharsets.US_ASCII);
    }

    @Test
    void a_crash_loses_bytes_that_were_not_synced_and_names_whose_directory_was_not() throws IOException {
        Storage storage = disk.open();
        StorageFile kept = storage.create("kept");
        kept.write(bytes("old"), 0);
        kept.force();
        storage.syncDirectory();
        kept.write(bytes("new"), 0);
        StorageFile lost = storage.create("lost");
        lost.write(bytes("text"), 0);
        lost.force();
        assertThat(text(disk, "kept")).isEqualTo("new");
        SimulatedDisk after = disk.crash(Crash.losingAll());
        assertThat(after.files()).containsExactly("kept");
        assertThat(text(after, "kept")).isEqualTo("old");
        SimulatedDisk all = disk.crash(Crash.keepingAll());
        assertThat(all.files()).containsExactly("kept", "lost");
        assertThat(text(all, "kept")).isEqualTo("new");
        assertThat(text(all, "lost")).isEqualTo("text");
    }

    @Test
    void a_name_kept_without_its_bytes_is_an_empty_file() throws IOException {
        Storage storage = disk.open();
        storage.create("a").write(bytes("text"), 0);
        assertThat(disk.pendingChangesText()).containsExactly("create a", "write #0 @0+4");
        assertThat(text(disk.crash(Crash.keeping(0b01)), "a")).isEmpty();
        assertThat(disk.crash(Crash.keeping(0b10)).files()).isEmpty();
    }

    @Test
    void renames_and_deletions_are_undone_unless_the_directory_was_synced() throws IOException {
        Storage storage = disk.open();
        storage.create("a").force();
        storage.create("b").force();
        storage.syncDirectory();
        storage.rename("a", "c");
        storage.delete("b");
        assertThat(storage.list()).containsExactly("c");
        assertThat(disk.crash(Crash.losingAll()).files()).containsExactly("a", "b");
        assertThat(disk.crash(Crash.keepingFirst(1)).files()).containsExactly("b", "c");
        assertThat(disk.crash(Crash.keeping(0b10)).files()).containsExactly("a");
        storage.syncDirectory();
        assertThat(disk.crash(Crash.losingAll()).files()).containsExactly("c");
    }

    @Test
    void a_write_can_be_torn_at_any_byte() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        file.write(bytes("oooooooo"), 0);
        file.force();
        storage.syncDirectory();
        file.write(bytes("nnnnnnnn"), 0);
        for (int i = 0; i <= 8; i++) {
            assertThat(text(disk.crash(Crash.tearing(0, i)), "a")).isEqualTo("n".repeat(i) + "o".repeat(8 - i));
        }
    }

    @Test
    void random_crashes_tear_zero_garble_and_change_lengths_and_repeat_from_their_seed() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        file.force();
        storage.syncDirectory();
        file.write(ByteBuffer.wrap("x".repeat(2000).getBytes(StandardCharsets.US_ASCII)), 0);
        Set<String> seen = new HashSet<>();
        Set<Integer> lengths = new HashSet<>();
        boolean zeros = false;
        for (int seed = 0; seed < 300; seed++) {
            String once = text(disk.crash(Crash.random(seed)), "a");
            assertThat(text(disk.crash(Crash.random(seed)), "a")).isEqualTo(once);
            seen.add(once);
            lengths.add(once.length());
            zeros |= once.indexOf('\0') >= 0;
        }
        assertThat(seen).hasSizeGreaterThan(30);
        assertThat(lengths).hasSizeGreaterThan(5).contains(0, 2000);
        assertThat(zeros).isTrue();
    }

    @Test
    void few_changes_are_enumerated_with_every_subset() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        file.force();
        storage.syncDirectory();
        file.write(bytes("1"), 0);
        file.write(bytes("2"), 1);
        file.write(bytes("3"), 2);
        Set<String> images = new HashSet<>();
        for (Crash crash : disk.crashes(100, 1)) {
            images.add(text(disk.crash(crash), "a"));
        }
        assertThat(images).contains("", "1", "\0" + "2", "12", "\0\0" + "3", "1\0" + "3", "\0" + "23", "123");
    }

    @Test
    void the_call_chosen_fails_once_or_for_ever_and_the_failure_is_noticed() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        disk.failCall(2, Fault.NO_SPACE, false);
        file.write(bytes("1"), 0);
        assertThat(disk.faultMet()).isFalse();
        assertThatThrownBy(() -> file.write(bytes("2"), 1)).hasMessageContaining("no space left");
        assertThat(disk.faultMet()).isTrue();
        file.write(bytes("2"), 1);
        disk.failCall(1, Fault.SHORT_WRITE, true);
        assertThatThrownBy(() -> file.write(bytes("abcdef"), 2)).hasMessageContaining("only 3 bytes");
        assertThatThrownBy(() -> storage.list()).isInstanceOf(IOException.class);
        disk.heal();
        assertThat(text(disk, "a")).isEqualTo("12abc");
        assertThat(storage.list()).containsExactly("a");
    }

    @Test
    void what_a_failed_sync_dropped_can_be_read_and_is_never_durable_unless_written_again() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        storage.syncDirectory();
        file.write(bytes("text"), 0);
        disk.failCall(1, Fault.FAILED_SYNC, false);
        assertThatThrownBy(file::force).isInstanceOf(IOException.class);
        file.force();
        assertThat(text(disk, "a")).isEqualTo("text");
        assertThat(text(disk.crash(Crash.keepingAll()), "a")).isEmpty();
        file.write(bytes("text"), 0);
        file.force();
        assertThat(text(disk.crash(Crash.losingAll()), "a")).isEqualTo("text");
    }

    @Test
    void one_process_at_a_time_and_a_killed_one_can_do_nothing_more() throws IOException {
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        assertThatThrownBy(disk::open).isInstanceOf(JournalException.class).hasMessageContaining("in use");
        disk.killProcess();
        Storage next = disk.open();
        assertThatThrownBy(() -> file.write(bytes("late"), 0)).hasMessageContaining("is gone");
        assertThatThrownBy(storage::list).hasMessageContaining("is gone");
        assertThat(next.list()).containsExactly("a");
    }

    @Test
    void the_capacity_is_the_bytes_of_all_files() throws IOException {
        disk.capacity(10);
        Storage storage = disk.open();
        StorageFile file = storage.create("a");
        file.allocate(8);
        assertThatThrownBy(() -> file.write(bytes("12345"), 6)).hasMessageContaining("no space");
        assertThat(storage.usableBytes()).isEqualTo(2);
        storage.delete("a");
        assertThat(storage.usableBytes()).isEqualTo(10);
    }

    @Test
    void every_call_is_told_with_its_number_before_it_happens() throws IOException {
        List<String> calls = new ArrayList<>();
        disk.listen(operation -> calls.add(operation.toString()));
        Storage storage = disk.open();
        storage.create("a").write(bytes("xyz"), 5);
        storage.syncDirectory();
        assertThat(calls).containsExactly("1 CREATE a", "2 WRITE a @5+3", "3 SYNC_DIRECTORY ");
        assertThat(disk.calls()).isEqualTo(3);
    }
}
