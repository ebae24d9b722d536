package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class OutgoingTest {
    private static final int CHANNEL = 7;
    private static final int FRAME_MAX = 4096;

    private final Outgoing outgoing = new Outgoing(CHANNEL, FRAME_MAX, () -> null);

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

    private static void assertSame(AMQCommand command, SomeMessage sent) {
        AMQP.Basic.Publish publish = (AMQP.Basic.Publish) command.getMethod();
        assertThat(publish.getExchange()).isEqualTo(sent.exchange());
        assertThat(publish.getRoutingKey()).isEqualTo(sent.key());
        assertThat(publish.getMandatory()).isTrue();
        sent.assertSame((AMQP.BasicProperties) command.getContentHeader(), command.getContentBody());
    }

    @Test
    void theClientReadsWhatWasAdded() {
        Property.forAll("the client reads what was added", 300, gen -> {
            RandomGenerator random = new SplittableRandom(gen.nextLong());
            Outgoing some = new Outgoing(CHANNEL, FRAME_MAX, () -> null);
            List<SomeMessage> sent = new ArrayList<>();
            while (!some.isFull() && sent.size() < 20) {
                SomeMessage message = SomeMessage.drawn(random);
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

    private static SomeMessage with(AMQP.BasicProperties.Builder properties) {
        return new SomeMessage("", "queue", properties.messageId("m1").build(), new byte[] {1});
    }

    @Test
    void headersBeyondAFrameAreRefusedAndTheOthersGo() throws IOException {
        SomeMessage small = with(new AMQP.BasicProperties.Builder());
        SomeMessage wide = with(new AMQP.BasicProperties.Builder().headers(Map.of("wide", "x".repeat(FRAME_MAX))));
        SomeMessage longKey = new SomeMessage("", "k".repeat(256), small.properties(), small.body());
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
