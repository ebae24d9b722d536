package dev.postroad.protocols.amqp091.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The codec of RabbitMQ's Java client is the oracle: what one writes the other reads, and writes the same again. */
class MethodTest {
    private static final List<Class<?>> METHODS = Arrays.stream(Method.class.getPermittedSubclasses())
            .<Class<?>>flatMap(family -> Stream.of(family.getPermittedSubclasses()))
            .toList();

    @Test
    void every_method_is_read_and_written_as_the_java_client_does() {
        assertThat(METHODS).hasSize(66);
        Property.forAll("methods", 400, random -> {
            Method method = random(random, random.choose(METHODS));
            byte[] bytes = bytes(method);

            byte[] again = payload(AMQImpl.readMethodFrom(new DataInputStream(new ByteArrayInputStream(bytes))));

            assertThat(again).as("%s", method).isEqualTo(bytes);
            assertThat(read(again)).usingRecursiveComparison().isEqualTo(method);
        });
    }

    @Test
    void a_method_cut_short_or_with_bytes_behind_it_is_refused() {
        Property.forAll("cut methods", 400, random -> {
            byte[] bytes = bytes(random(random, random.choose(METHODS)));
            byte[] wrong = Arrays.copyOf(
                    bytes, random.flip() ? bytes.length + random.between(1, 4) : random.between(0, bytes.length - 1));

            assertThatThrownBy(() -> read(wrong)).isInstanceOf(MalformedException.class);
        });
    }

    @Test
    void garbage_is_refused_or_understood_but_breaks_nothing() {
        Property.forAll("garbage", 2000, random -> {
            byte[] bytes = random.bytes(4, 60);
            if (random.flip()) {
                Unpooled.wrappedBuffer(bytes)
                        .setInt(0, random(random, random.choose(METHODS)).id());
            }
            try {
                read(bytes);
            } catch (MalformedException expected) {
                assertThat(expected.code().endsConnection()).isTrue();
            }
        });
    }

    private static Method read(byte[] bytes) {
        return Method.read(new ArgumentReader().over(Unpooled.wrappedBuffer(bytes), bytes.length));
    }

    private static byte[] bytes(Method method) {
        ByteBuf out = Unpooled.buffer();
        method.write(out);
        return ByteBufUtil.getBytes(out);
    }

    private static byte[] payload(com.rabbitmq.client.impl.Method method) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        method.toFrame(1).writeTo(new DataOutputStream(out));
        byte[] frame = out.toByteArray();
        return Arrays.copyOfRange(frame, 7, frame.length - 1);
    }

    private static Method random(Generator random, Class<?> type) throws ReflectiveOperationException {
        RecordComponent[] components = type.getRecordComponents();
        Object[] arguments = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            arguments[i] = value(random, components[i]);
        }
        return (Method) type.getDeclaredConstructor(types).newInstance(arguments);
    }

    private static Object value(Generator random, RecordComponent component) {
        Class<?> type = component.getType();
        if (type == int.class) {
            return random.between(0, component.getName().startsWith("version") ? 255 : 65_535);
        }
        if (type == long.class) {
            return random.between(0, component.getName().equals("deliveryTag") ? Long.MAX_VALUE : 0x7FFF_FFFFL);
        }
        if (type == boolean.class) {
            return random.flip();
        }
        if (type == String.class) {
            return random.text(0, 60);
        }
        if (type == byte[].class) {
            return random.utf8(0, 100);
        }
        // One entry at most: the client forgets their order.
        Map<String, Object> table = new HashMap<>();
        if (random.flip()) {
            table.put(random.word(1, 9), random.nextLong());
        }
        return table;
    }
}
