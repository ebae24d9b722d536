package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.testkit.FreePort;
import java.util.List;
import org.junit.jupiter.api.Test;

class AmqpUrlTest {

    @Test
    void partsAreReadAndDefaultsAreThoseOfTheProtocol() {
        AmqpUrl url = AmqpUrl.parse("amqp://me:p%40ss+1@host/my%2Fhost?queue-type=classic&heartbeat=5");
        assertThat(url.user()).isEqualTo("me");
        assertThat(url.password()).isEqualTo("p@ss+1");
        assertThat(url.port()).isEqualTo(5672);
        assertThat(url.vhost()).isEqualTo("my/host");
        assertThat(url.queueType()).isEqualTo("classic");
        assertThat(url.heartbeatSeconds()).isEqualTo(5);
        assertThat(url.shown()).isEqualTo("amqp://host:5672/my%2Fhost");
        AmqpUrl secure = AmqpUrl.parse("amqps://host");
        assertThat(secure.tls()).isTrue();
        assertThat(secure.port()).isEqualTo(5671);
        assertThat(secure.vhost()).isEqualTo("/");
        assertThat(secure.user()).isEqualTo("guest");
    }

    @Test
    void urlsThatAreNoneAreRefusedWithoutRepeatingPasswords() {
        for (String url : List.of(
                "amqp:x",
                "amqp://",
                "amqp://user:secret@",
                "amqp://user@host",
                "amqp://user:secret@host/a/b",
                "amqp://user:secret@host?colour=red",
                "amqp://user:secret@host?queue-type=stream",
                "amqp://user:secret@host?heartbeat=0",
                "amqp://user:secret@host?heartbeat=soon",
                "amqp://user:secret@host#here")) {
            assertThatThrownBy(() -> AmqpUrl.parse(url))
                    .as(url)
                    .isInstanceOfSatisfying(
                            MessagingException.class,
                            e -> assertThat(e.reason()).isEqualTo(Reason.INVALID))
                    .hasMessageNotContaining("secret")
                    .hasMessageContaining("amqp://USER:PASSWORD@HOST:PORT/VHOST");
        }
    }

    @Test
    void aBrokerThatIsNotThereIsUnreachableAtOnce() {
        String url = "amqp://user:secret@127.0.0.1:" + FreePort.find();
        assertThatThrownBy(() -> new AmqpProvider().open(url))
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE))
                .hasMessageContaining("is the broker running")
                .hasMessageNotContaining("secret");
    }
}
