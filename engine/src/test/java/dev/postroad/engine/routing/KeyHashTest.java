package dev.postroad.engine.routing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyHashTest {
    /** Values that Kafka publishes for its own hash. */
    @ParameterizedTest
    @CsvSource({
        "21, -973932308",
        "foobar, -790332482",
        "a-little-bit-long-string, -985981536",
        "a-little-bit-longer-string, -1486304829",
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8, -58897971",
        "abc, 479470107",
    })
    void hashesAsKafkaDoes(String key, int hash) {
        assertThat(KeyHash.murmur2(key.getBytes(UTF_8))).isEqualTo(hash);
    }

    @Test
    void agreesWithThePlainDescriptionOfMurmur2() {
        Random random = Seeds.random("murmur2");
        for (int i = 0; i < 100_000; i++) {
            byte[] key = new byte[random.nextInt(40)];
            random.nextBytes(key);
            assertThat(KeyHash.murmur2(key)).isEqualTo(described(key));
        }
    }

    /** Written from the description: mix words of four bytes, then the rest, then stir. */
    private static int described(byte[] key) {
        int m = 0x5bd1e995;
        int h = 0x9747b28c ^ key.length;
        ByteBuffer in = ByteBuffer.wrap(key).order(ByteOrder.LITTLE_ENDIAN);
        while (in.remaining() >= 4) {
            int k = in.getInt();
            k *= m;
            k ^= k >>> 24;
            k *= m;
            h *= m;
            h ^= k;
        }
        if (in.hasRemaining()) {
            byte[] rest = new byte[4];
            in.get(rest, 0, in.remaining());
            h ^= ByteBuffer.wrap(rest).order(ByteOrder.LITTLE_ENDIAN).getInt();
            h *= m;
        }
        h ^= h >>> 13;
        h *= m;
        h ^= h >>> 15;
        return h;
    }

    @Test
    void everyKeyHasOnePartitionWithinBounds() {
        Random random = Seeds.random("partition");
        for (int i = 0; i < 100_000; i++) {
            byte[] key = new byte[random.nextInt(20)];
            random.nextBytes(key);
            int partitions = 1 + random.nextInt(1_000);
            assertThat(KeyHash.partition(key, partitions))
                    .isBetween(0, partitions - 1)
                    .isEqualTo((described(key) & 0x7fffffff) % partitions);
        }
    }

    @Test
    void spreadsKeysEvenly() {
        int[] counts = new int[16];
        for (int i = 0; i < 160_000; i++) {
            counts[KeyHash.partition(("customer-" + i).getBytes(UTF_8), 16)]++;
        }
        assertThat(counts).satisfies(all -> {
            for (int count : all) {
                assertThat(count).isBetween(9_500, 10_500);
            }
        });
    }

    @Test
    void refusesToDivideIntoNoPartitions() {
        assertThatThrownBy(() -> KeyHash.partition(new byte[1], 0)).hasMessageContaining("is 0; it must be 1 or more");
    }
}
