package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.LongString;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.AMQCommand;
import com.rabbitmq.client.impl.Frame;
import dev.postroad.api.MessagingException;
import dev.postroad.testkit.Property;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OutgoingTest {
    private static final int CHANNEL = 7;
    private static final int FRAME_MAX = 4096;

    private final Outgoing outgoing = new Outgoing(CHANNEL, FRAME_MAX, () -> null);

    private record Sent(String exchange, String key, AMQP.BasicProperties properties, byte[] body) {
        void addTo(Outgoing outgoing) {
            outgoing.add(exchange, key, properties, body);
        }
    }

    /** What the client itself makes of the frames. */
    private static List<AMQCommand> read(Outgoing outgoing) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        outgoing.writeTo(new DataOutputStream(bytes));
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
        List<AMQCommand> commands = new ArrayList<>();
        AMQCommand command = new AMQCommand();
        while (in.available() > 0) {
            Frame frame = Frame.readFrom(in, () -> FRAME_MAX);
            assertThat(frame.getChannel()).isEqualTo(CHANNEL);
            assertThat(frame.size()).isLessThanOrEqualTo(FRAME_MAX);
            if (command.handleFrame(frame)) {
                commands.add(command);
                command = new AMQCommand();
            }
        }
        return commands;
    }

    private static void assertSame(AMQCommand command, Sent sent) {
        AMQP.Basic.Publish publish = (AMQP.Basic.Publish) command.getMethod();
        assertThat(publish.getExchange()).isEqualTo(sent.exchange);
        assertThat(publish.getRoutingKey()).isEqualTo(sent.key);
        assertThat(publish.getMandatory()).isTrue();
        AMQP.BasicProperties read = (AMQP.BasicProperties) command.getContentHeader();
        assertThat(read.builder().headers(null).build())
                .isEqualTo(sent.properties.builder().headers(null).build());
        assertThat(readable(read.getHeaders())).isEqualTo(readable(sent.properties.getHeaders()));
        assertThat(command.getContentBody()).isEqualTo(sent.body);
    }

    /** With texts as texts, and bytes that can be compared. */
    private static @Nullable Object readable(@Nullable Object value) {
        return switch (value) {
            case LongString text -> text.toString();
            case byte[] bytes -> java.util.HexFormat.of().formatHex(bytes);
            case Map<?, ?> map -> {
                Map<Object, @Nullable Object> readable = new LinkedHashMap<>();
                map.forEach((name, each) -> readable.put(name, readable(each)));
                yield readable;
            }
            case List<?> list -> list.stream().map(OutgoingTest::readable).toList();
            case null, default -> value;
        };
    }

    private static @Nullable String text(RandomGenerator random, int most) {
        if (random.nextBoolean()) {
            return null;
        }
        int[] points = random.ints(random.nextInt(most), 1, random.nextBoolean() ? 0x7F : 0xD000)
                .toArray();
        return new String(points, 0, points.length);
    }

    private static Object value(RandomGenerator random, int depth) {
        return switch (random.nextInt(depth == 0 ? 8 : 10)) {
            case 0 -> String.valueOf(text(random, 300));
            case 1 -> random.nextLong();
            case 2 -> random.nextInt();
            case 3 -> random.nextBoolean();
            case 4 -> new byte[random.nextInt(50)];
            case 5 -> new Date(random.nextInt() * 1000L);
            case 6 -> new BigDecimal("12.5");
            case 7 -> random.nextDouble();
            case 8 -> List.of(value(random, depth - 1), value(random, depth - 1));
            default -> Map.of("a", value(random, depth - 1));
        };
    }

    private static Sent message(RandomGenerator random) {
        Map<String, Object> headers = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            headers.put("h" + i, value(random, 2));
        }
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .contentType(text(random, 80))
                .contentEncoding(text(random, 80))
                .headers(random.nextInt(5) == 0 ? null : headers)
                .deliveryMode(random.nextBoolean() ? 2 : null)
                .priority(random.nextBoolean() ? random.nextInt(10) : null)
                .correlationId(text(random, 80))
                .replyTo(text(random, 80))
                .expiration(text(random, 80))
                .messageId(text(random, 80))
                .timestamp(random.nextBoolean() ? new Date(random.nextInt() * 1000L) : null)
                .type(text(random, 80))
                .userId(text(random, 80))
                .appId(text(random, 80))
                .clusterId(text(random, 80))
                .build();
        byte[] body = new byte[random.nextInt(random.nextInt(4) == 0 ? 40_000 : 300)];
        random.nextBytes(body);
        return new Sent(random.nextInt(4) == 0 ? "exchange" : "", "queue-" + random.nextInt(2), properties, body);
    }

    @Test
    void theClientReadsWhatWasAdded() {
        Property.forAll("the client reads what was added", 300, gen -> {
            RandomGenerator random = new SplittableRandom(gen.nextLong());
            Outgoing some = new Outgoing(CHANNEL, FRAME_MAX, () -> null);
            List<Sent> sent = new ArrayList<>();
            while (!some.isFull() && sent.size() < 20) {
                Sent message = message(random);
                sent.add(message);
                message.addTo(some);
            }
            List<AMQCommand> read = read(some);
            assertThat(read).hasSameSizeAs(sent);
            for (int i = 0; i < sent.size(); i++) {
                assertSame(read.get(i), sent.get(i));
            }
        });
    }

    private static Sent with(AMQP.BasicProperties.Builder properties) {
        return new Sent("", "queue", properties.messageId("m1").build(), new byte[] {1});
    }

    @Test
    void headersBeyondAFrameAreRefusedAndTheOthersGo() throws IOException {
        Sent small = with(new AMQP.BasicProperties.Builder());
        Sent wide = with(new AMQP.BasicProperties.Builder().headers(Map.of("wide", "x".repeat(FRAME_MAX))));
        Sent longKey = new Sent("", "k".repeat(256), small.properties, small.body);
        small.addTo(outgoing);
        assertThatThrownBy(() -> wide.addTo(outgoing))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("m1")
                .hasMessageContaining("frame_max");
        assertThatThrownBy(() -> longKey.addTo(outgoing))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("routing key");
        small.addTo(outgoing);
        List<AMQCommand> read = read(outgoing);
        assertThat(read).hasSize(2);
        assertSame(read.get(0), small);
        assertSame(read.get(1), small);
    }

    @Test
    void nothingIsWrittenOnAChannelThatIsClosed() {
        ShutdownSignalException end = new ShutdownSignalException(false, false, null, null);
        Outgoing late = new Outgoing(CHANNEL, FRAME_MAX, () -> end);
        with(new AMQP.BasicProperties.Builder()).addTo(late);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThatThrownBy(() -> late.writeTo(new DataOutputStream(bytes))).isInstanceOf(AlreadyClosedException.class);
        assertThat(bytes.size()).isZero();
    }
}
