package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.impl.Frame;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IncomingTest {
    private static final int FRAME_MAX = 200_000;

    private Socket broker;
    private Socket client;
    private OutputStream toClient;
    private Incoming incoming;

    @BeforeEach
    void connect() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            client = new Socket(listening.getInetAddress(), listening.getLocalPort());
            broker = listening.accept();
        }
        toClient = broker.getOutputStream();
        incoming = new Incoming(client);
        incoming.setFrameMax(FRAME_MAX);
    }

    @AfterEach
    void disconnect() throws IOException {
        client.close();
        broker.close();
    }

    private record Sent(int type, int channel, byte[] payload) {}

    private static byte[] bytes(Sent... frames) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream to = new DataOutputStream(bytes);
        for (Sent frame : frames) {
            to.writeByte(frame.type);
            to.writeShort(frame.channel);
            to.writeInt(frame.payload.length);
            to.write(frame.payload);
            to.writeByte(AMQP.FRAME_END);
        }
        return bytes.toByteArray();
    }

    private static void same(@Nullable Frame read, Sent sent) {
        Frame there = Objects.requireNonNull(read);
        assertThat(there.getType()).isEqualTo(sent.type);
        assertThat(there.getChannel()).isEqualTo(sent.channel);
        assertThat(there.getPayload()).isEqualTo(sent.payload);
    }

    @Test
    void framesOfAllSizesComeAsTheyWereSentHoweverTheyAreDivided() {
        Property.forAll("frames come as they were sent", 30, gen -> {
            List<Sent> frames = gen.list(1, 40, () -> frame(gen));
            byte[] sent = bytes(frames.toArray(Sent[]::new));
            int largest = gen.flip() && sent.length < 10_000 ? 10 : 100_000;
            Generator pieces = gen.fork();
            Thread writer = Thread.startVirtualThread(() -> writeInPieces(sent, largest, pieces));
            for (Sent frame : frames) {
                same(incoming.readFrame(), frame);
            }
            writer.join();
        });
    }

    private static Sent frame(Generator gen) {
        int largest = gen.chance(1, 4) ? FRAME_MAX - 8 : 300;
        return new Sent(AMQP.FRAME_BODY, gen.between(0, 65_535), gen.bytes(0, largest));
    }

    private void writeInPieces(byte[] bytes, int largest, Generator gen) {
        try {
            for (int at = 0; at < bytes.length; ) {
                int count = Math.min(bytes.length - at, gen.between(1, largest));
                toClient.write(bytes, at, count);
                at += count;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatIsThereOfAFrameWaitsThroughTimeoutsForTheRest() throws IOException {
        Sent frame = new Sent(AMQP.FRAME_METHOD, 7, new byte[] {1, 2, 3});
        byte[] sent = bytes(frame);
        incoming.setTimeout(1);
        for (int i = 0; i < sent.length; i++) {
            assertThat(incoming.readFrame()).isNull();
            toClient.write(sent, i, 1);
        }
        incoming.setTimeout(0);
        same(incoming.readFrame(), frame);
    }

    @Test
    void aLengthAboveTheLargestIsRefusedBeforeMemoryIsTaken() throws IOException {
        toClient.write(new byte[] {AMQP.FRAME_BODY, 0, 1, 0x7f, -1, -1, -1});
        assertThatThrownBy(() -> incoming.readFrame())
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("a frame on channel 1 has 2147483647 bytes; it may have up to 199992");
    }

    @Test
    void aNegativeLengthIsRefused() throws IOException {
        toClient.write(new byte[] {AMQP.FRAME_BODY, 0, 1, -1, -1, -1, -1});
        assertThatThrownBy(() -> incoming.readFrame())
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("has 4294967295 bytes");
    }

    @Test
    void whereTheBrokerHasNoLimitOursHolds() throws IOException {
        incoming.setFrameMax(0);
        toClient.write(new byte[] {AMQP.FRAME_BODY, 0, 1, 4, 0, 0, 0});
        assertThatThrownBy(() -> incoming.readFrame())
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("has 67108864 bytes; it may have up to 67108856");
    }

    @Test
    void aFrameWithoutItsEndIsRefused() throws IOException {
        byte[] sent = bytes(new Sent(AMQP.FRAME_METHOD, 3, new byte[] {1}));
        sent[sent.length - 1] = 0;
        toClient.write(sent);
        assertThatThrownBy(() -> incoming.readFrame())
                .isInstanceOf(MalformedFrameException.class)
                .hasMessage("a frame on channel 3 ends with 0 instead of 206");
    }

    @Test
    void theEndOfTheStreamIsToldWhereverItComes() throws IOException {
        byte[] sent = bytes(new Sent(AMQP.FRAME_METHOD, 3, new byte[] {1, 2, 3}));
        for (int length = 0; length < sent.length; length++) {
            toClient.write(sent, 0, length);
            broker.shutdownOutput();
            assertThatThrownBy(() -> incoming.readFrame()).isInstanceOf(EOFException.class);
            disconnect();
            connect();
        }
    }

    @Test
    void aBrokerThatSpeaksAnotherProtocolIsTold() throws IOException {
        toClient.write(new byte[] {'A', 'M', 'Q', 'P', 3, 1, 0, 0});
        assertThatThrownBy(() -> incoming.readFrame())
                .isInstanceOf(MalformedFrameException.class)
                .hasMessageContaining("AMQP protocol version mismatch");
    }
}
