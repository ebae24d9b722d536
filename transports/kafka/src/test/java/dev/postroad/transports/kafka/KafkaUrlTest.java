package dev.postroad.transports.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.testkit.FreePort;
import java.util.List;
import org.junit.jupiter.api.Test;

class KafkaUrlTest {

    @Test
    void partsAreReadAndKafkasOwnPropertiesGoToItsClients() {
        KafkaUrl url = KafkaUrl.parse(
                "kafka://me:p%22w@one:9092,two:9093?queue-partitions=6&durable=replicated&kafka.compression.type=zstd");
        assertThat(url.servers()).isEqualTo("one:9092,two:9093");
        assertThat(url.shown()).isEqualTo("kafka://one:9092,two:9093");
        assertThat(url.queuePartitions()).isEqualTo(6);
        assertThat(url.flushed()).isFalse();
        assertThat(url.client(java.util.Map.of()))
                .containsEntry("compression.type", "zstd")
                .containsEntry("security.protocol", "SASL_PLAINTEXT");
        assertThat(String.valueOf(url.properties().get("sasl.jaas.config"))).contains("password=\"p\\\"w\"");
    }

    @Test
    void urlsThatAreNoneAreRefusedWithoutRepeatingPasswords() {
        for (String url : List.of(
                "kafka:x",
                "kafka://",
                "kafka://host",
                "kafka://user@host:9092",
                "kafka://user:secret@host",
                "kafka://user:secret@host:9092/path",
                "kafka://user:secret@host:9092?colour=red",
                "kafka://user:secret@host:9092?queue-partitions=0",
                "kafka://user:secret@host:9092?timeout=soon",
                "kafka://user:secret@host:9092?durable=perhaps")) {
            assertThatThrownBy(() -> KafkaUrl.parse(url))
                    .as(url)
                    .isInstanceOfSatisfying(
                            MessagingException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                    .hasMessageNotContaining("secret");
        }
    }

    @Test
    void whatIsSentAheadIsBoundedByBatchesUnlessItIsCompressed() {
        assertThat(KafkaUrl.parse("kafka://one:9092").sentAhead(65_536)).isEqualTo(524_288);
        assertThat(KafkaUrl.parse("kafka://one:9092?kafka.batch.size=100000").sentAhead(65_536))
                .isEqualTo(800_000);
        assertThat(KafkaUrl.parse("kafka://one:9092?kafka.batch.size=0").sentAhead(65_536))
                .isEqualTo(524_288);
        assertThat(KafkaUrl.parse("kafka://one:9092?kafka.compression.type=lz4").sentAhead(65_536))
                .isGreaterThan(1L << 30);
    }

    @Test
    void aBrokerThatIsNotThereIsUnreachableInTime() {
        assertThatThrownBy(() -> new KafkaProvider().open("kafka://127.0.0.1:" + FreePort.find() + "?timeout=1"))
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE))
                .hasMessageContaining("are they running");
    }

    @Test
    void namesThatKafkaDoesNotAllowGetAnotherOfTheirOwn() {
        assertThat(Topics.name("orders.eu_1-a")).isEqualTo("orders.eu_1-a");
        assertThat(Topics.name("注文/東京")).matches("[a-zA-Z0-9._-]{1,249}").isNotEqualTo(Topics.name("注文-東京"));
        assertThat(Topics.name("..")).isNotEqualTo("..");
        assertThat(Topics.name("x".repeat(255))).hasSizeLessThanOrEqualTo(249);
    }
}
