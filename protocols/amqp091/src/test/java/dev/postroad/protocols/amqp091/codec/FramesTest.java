package dev.postroad.protocols.amqp091.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.impl.AMQImpl;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class FramesTest {

    @Test
    void frames_are_the_same_wherever_the_bytes_were_split() {
        ByteBuf out = Unpooled.buffer();
        Frames.writeMethod(out, 7, new BasicMethod.Ack(9, true));
        Frames.writeHeader(out, 7, 3, BasicProperties.PERSISTENT);
        Frames.writeHead(out, Frames.BODY, 7, 3);
        out.writeBytes(new byte[] {1, 2, 3}).writeByte(Frames.END);
        Frames.writeHeartbeat(out);
        byte[] bytes = ByteBufUtil.getBytes(out);
        List<String> whole = parse(bytes, bytes.length);

        assertThat(whole).hasSize(4);
        for (int split = 0; split < bytes.length; split++) {
            assertThat(parse(bytes, split)).as("split at %d", split).isEqualTo(whole);
        }
    }

    private static List<String> parse(byte[] bytes, int split) {
        List<String> frames = new ArrayList<>();
        ByteBuf in = Unpooled.buffer();
        for (byte[] part : List.of(Arrays.copyOf(bytes, split), Arrays.copyOfRange(bytes, split, bytes.length))) {
            in.writeBytes(part);
            Frames.parse(in, 4096, (type, channel, buffer, length) -> {
                byte[] payload = new byte[length];
                buffer.readBytes(payload);
                frames.add(type + " " + channel + " " + Arrays.toString(payload));
                return true;
            });
        }
        assertThat(in.isReadable()).isFalse();
        return frames;
    }

    @Test
    void a_frame_larger_than_agreed_is_refused_by_its_head() {
        ByteBuf head = Unpooled.buffer();
        Frames.writeHead(head, Frames.BODY, 1, 4089);

        assertThatThrownBy(() -> Frames.parse(head, 4096, (t, c, b, l) -> true))
                .isInstanceOfSatisfying(
                        MalformedException.class, e -> assertThat(e.code()).isEqualTo(ReplyCode.FRAME_ERROR))
                .hasMessageContaining("4089");
    }

    @Test
    void a_frame_without_its_end_or_of_no_known_type_is_refused() {
        ByteBuf out = Unpooled.buffer();
        Frames.writeHeartbeat(out);
        out.setByte(7, 0);
        ByteBuf unknown =
                Unpooled.buffer().writeByte(5).writeShort(0).writeInt(0).writeByte(Frames.END);

        assertThatThrownBy(() -> Frames.parse(out, 4096, (t, c, b, l) -> true)).isInstanceOf(MalformedException.class);
        assertThatThrownBy(() -> Frames.parse(unknown, 4096, (t, c, b, l) -> true))
                .isInstanceOf(MalformedException.class);
    }

    @Test
    void properties_are_read_and_written_as_the_java_client_does() {
        Property.forAll("properties", 500, random -> {
            BasicProperties properties = properties(random);
            ByteBuf out = Unpooled.buffer();
            out.writeInt(60 << 16).writeLong(42);
            properties.write(out);

            AMQP.BasicProperties theirs = (AMQP.BasicProperties) AMQImpl.readContentHeaderFrom(
                    new DataInputStream(new ByteArrayInputStream(ByteBufUtil.getBytes(out))));
            ByteArrayOutputStream frame = new ByteArrayOutputStream();
            theirs.toFrame(1, 42).writeTo(new DataOutputStream(frame));
            byte[] again = Arrays.copyOfRange(frame.toByteArray(), 7 + 12, frame.size() - 1);
            BasicProperties back =
                    BasicProperties.read(new ArgumentReader().over(Unpooled.wrappedBuffer(again), again.length));

            assertThat(theirs.getBodySize()).isEqualTo(42);
            assertThat(back).usingRecursiveComparison().isEqualTo(properties);
        });
    }

    private static BasicProperties properties(Generator random) {
        return new BasicProperties(
                text(random),
                text(random),
                random.flip() ? null : FieldTableTest.table(random, 0),
                random.flip() ? null : (Integer) random.between(0, 255),
                random.flip() ? null : (Integer) random.between(0, 255),
                text(random),
                text(random),
                text(random),
                text(random),
                random.flip() ? null : (Long) random.between(0, 1L << 40),
                text(random),
                text(random),
                text(random),
                text(random));
    }

    private static String text(Generator random) {
        return random.flip() ? null : random.text(0, 60);
    }
}
