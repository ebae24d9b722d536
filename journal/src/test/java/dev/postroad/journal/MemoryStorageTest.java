package dev.postroad.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** A directory in memory keeps what a real one would, up to its capacity. */
class MemoryStorageTest {

    @Test
    void bytes_come_back_and_gaps_read_as_zeros() throws IOException {
        MemoryStorage storage = new MemoryStorage(1 << 20);
        StorageFile file = storage.create("a");
        file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 70_000);
        assertThat(file.size()).isEqualTo(70_003);
        ByteBuffer read = ByteBuffer.allocate(10);
        assertThat(file.read(read, 69_998)).isEqualTo(5);
        assertThat(read.array()).containsExactly(0, 0, 1, 2, 3, 0, 0, 0, 0, 0);
        assertThat(file.read(ByteBuffer.allocate(1), 70_003)).isEqualTo(-1);
        file.truncate(70_001);
        file.allocate(70_003);
        assertThat(file.read(read.clear(), 69_999)).isEqualTo(4);
        assertThat(read.array()).startsWith(0, 1, 0, 0);
    }

    @Test
    void names_can_be_changed_replaced_and_removed() throws IOException {
        MemoryStorage storage = new MemoryStorage(1 << 20);
        storage.create("a").write(ByteBuffer.allocate(100), 0);
        storage.create("b").write(ByteBuffer.allocate(10), 0);
        storage.rename("a", "b");
        assertThat(storage.list()).containsExactly("b");
        assertThat(storage.usableBytes()).isEqualTo((1 << 20) - 100);
        storage.delete("b");
        assertThat(storage.usableBytes()).isEqualTo(1 << 20);
        assertThatThrownBy(() -> storage.open("b")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> storage.delete("b")).isInstanceOf(IOException.class);
    }

    @Test
    void more_than_the_capacity_is_refused_like_a_full_disk() throws IOException {
        MemoryStorage storage = new MemoryStorage(1000);
        StorageFile file = storage.create("a");
        file.allocate(900);
        assertThatThrownBy(() -> file.write(ByteBuffer.allocate(200), 850))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no space left")
                .hasMessageContaining("of 1000");
        file.write(ByteBuffer.allocate(100), 900);
        assertThat(storage.usableBytes()).isZero();
    }
}
