package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.impl.AMQImpl;
import com.rabbitmq.client.impl.Frame;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DeliveriesTest {
    private static final int CHANNEL = 5;
    private static final int IN_FRONT = 3;

    private record Arrived(long number, boolean redelivered, AMQP.BasicProperties properties, byte[] body) {}

    private record Part(int type, byte[] payload) {}

    private final List<Arrived> arrived = new ArrayList<>();
    private final Deliveries deliveries = new Deliveries(
            (number, redelivered, properties, body) -> arrived.add(new Arrived(number, redelivered, properties, body)));

    private boolean take(Part part) throws IOException {
        byte[] around = new byte[IN_FRONT + part.payload.length + 2];
        Arrays.fill(around, (byte) 0xCE);
        System.arraycopy(part.payload, 0, around, IN_FRONT, part.payload.length);
        return deliveries.take(part.type, around, IN_FRONT, part.payload.length);
    }

    /** As the client writes it. */
    private static Part part(Frame frame) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        frame.writeTo(new DataOutputStream(bytes));
        byte[] whole = bytes.toByteArray();
        return new Part(whole[0], Arrays.copyOfRange(whole, 7, whole.length - 1));
    }

    private static Part method(long number, boolean redelivered) throws IOException {
        return part(new AMQImpl.Basic.Deliver("a tag", number, redelivered, "exchange", "a.key").toFrame(CHANNEL));
    }

    private static Part header(AMQP.BasicProperties properties, long size) throws IOException {
        return part(properties.toFrame(CHANNEL, size));
    }

    private static List<Part> parts(long number, boolean redelivered, SomeMessage message, Generator gen)
            throws IOException {
        List<Part> parts = new ArrayList<>(
                List.of(method(number, redelivered), header(message.properties(), message.body().length)));
        for (int at = 0; at < message.body().length; ) {
            int size = gen.between(1, message.body().length - at);
            parts.add(new Part(AMQP.FRAME_BODY, Arrays.copyOfRange(message.body(), at, at + size)));
            at += size;
        }
        return parts;
    }

    /** One that takes more than 32 bits. */
    private static long number(long place) {
        return place << 33;
    }

    @Test
    void whatIsDeliveredIsWhatTheClientWouldRead() {
        Property.forAll("deliveries are read", 300, gen -> {
            arrived.clear();
            List<SomeMessage> sent = new ArrayList<>();
            for (int i = gen.between(1, 5); i > 0; i--) {
                SomeMessage message = SomeMessage.drawn(new SplittableRandom(gen.nextLong()));
                sent.add(message);
                for (Part part : parts(number(sent.size()), sent.size() % 2 == 0, message, gen)) {
                    assertThat(take(part)).isTrue();
                }
            }
            assertThat(arrived).hasSameSizeAs(sent);
            for (int i = 0; i < sent.size(); i++) {
                assertThat(arrived.get(i).number).isEqualTo(number(i + 1));
                assertThat(arrived.get(i).redelivered).isEqualTo(i % 2 == 1);
                sent.get(i).assertSame(arrived.get(i).properties, arrived.get(i).body);
            }
        });
    }

    @Test
    void whatIsNoDeliveryIsLeftToTheClient() throws IOException {
        assertThat(take(part(new AMQImpl.Basic.CancelOk("a tag").toFrame(CHANNEL))))
                .isFalse();
        assertThat(take(part(new AMQImpl.Channel.Close(404, "gone", 60, 40).toFrame(CHANNEL))))
                .isFalse();
        assertThat(take(header(new AMQP.BasicProperties(), 3))).isFalse();
        assertThat(take(new Part(AMQP.FRAME_BODY, new byte[3]))).isFalse();
        assertThat(take(new Part(AMQP.FRAME_HEARTBEAT, new byte[0]))).isFalse();
        assertThat(arrived).isEmpty();
    }

    @Test
    void anythingElseIsRefusedByOneException() {
        Property.forAll("other bytes are refused", 10_000, gen -> {
            SomeMessage message = SomeMessage.drawn(new SplittableRandom(gen.nextLong()));
            List<Part> parts = parts(1, false, message, gen);
            int changed = gen.between(0, Math.min(1, parts.size() - 1));
            byte[] payload = parts.get(changed).payload.clone();
            if (gen.flip()) {
                payload[gen.between(0, payload.length - 1)] ^= (byte) (1 << gen.between(0, 7));
            } else {
                payload = Arrays.copyOf(payload, gen.between(0, payload.length));
            }
            parts.set(changed, new Part(parts.get(changed).type, payload));
            Deliveries fresh = new Deliveries((number, redelivered, properties, body) -> {});
            try {
                for (Part part : parts) {
                    fresh.take(part.type, part.payload, 0, part.payload.length);
                }
            } catch (MalformedFrameException e) {
                assertThat(e).hasMessageContaining("delivery ");
            }
        });
    }

    @Test
    void tablesThatGoTooDeepAreRefused() throws IOException {
        Object value = "at the bottom";
        for (int i = 0; i < 40; i++) {
            value = List.of(value);
        }
        take(method(9, false));
        Part header = header(
                new AMQP.BasicProperties.Builder()
                        .headers(Map.of("deep", value))
                        .build(),
                3);
        assertThatThrownBy(() -> take(header))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("delivery 9 has tables in tables, more than 32 deep");
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedBeforeMemoryIsTaken() throws IOException {
        take(method(9, false));
        assertThatThrownBy(() -> take(header(new AMQP.BasicProperties(), AmqpUrl.LARGEST_BODY + 1L)))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("delivery 9 of class 60 has a body of 67108865 bytes; it may have up to 67108864");
    }

    @Test
    void moreOfABodyThanWasSaidIsRefused() throws IOException {
        take(method(9, false));
        take(header(new AMQP.BasicProperties(), 3));
        take(new Part(AMQP.FRAME_BODY, new byte[2]));
        assertThatThrownBy(() -> take(new Part(AMQP.FRAME_BODY, new byte[2])))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("delivery 9 has more than the 3 bytes that it was said to have");
        assertThat(arrived).isEmpty();
    }

    @Test
    void aMethodInTheMidstOfADeliveryIsRefused() throws IOException {
        take(method(9, false));
        assertThatThrownBy(() -> take(method(10, false)))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("a method came before the end of delivery 9");
    }

    @Test
    void propertiesThatAmqpDoesNotKnowAreRefused() throws IOException {
        take(method(9, false));
        Part header = header(new AMQP.BasicProperties(), 3);
        header.payload[13] |= 1;
        assertThatThrownBy(() -> take(header))
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("delivery 9 has properties that AMQP 0-9-1 does not know");
    }
}
