package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.testkit.Generator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ErrorsTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig(AmqpSettings.DEFAULT.withSizes(128 * 1024, 1 << 20, 1000));
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    @Test
    void an_error_of_a_channel_closes_that_channel_alone() throws Exception {
        Connection connection = rig.connect();
        Channel wrong = connection.createChannel();
        Channel other = connection.createChannel();

        assertThat(AmqpRig.closed(() -> wrong.queueDeclarePassive("nowhere")))
                .isEqualTo("404 NOT_FOUND - no queue 'nowhere' in vhost '/'");

        assertThat(wrong.isOpen()).isFalse();
        assertThat(other.queueDeclare().getQueue()).startsWith("amq.gen-");
        assertThat(connection.createChannel(wrong.getChannelNumber())).isNotNull();
    }

    @Test
    void errors_have_the_codes_of_the_specification() throws Exception {
        String queue = AmqpRig.queue(rig.channel(), null);

        assertThat(refused(c -> c.basicPublish("no-such", "k", null, new byte[0])))
                .isEqualTo("404 NOT_FOUND - no exchange 'no-such' in vhost '/'");
        assertThat(refused(c -> c.basicAck(7, false))).isEqualTo("406 PRECONDITION_FAILED - unknown delivery tag 7");
        assertThat(refused(c -> c.queueBind(queue, "", "k")))
                .startsWith("403 ACCESS_REFUSED - operation not permitted");
        assertThat(refused(c -> c.queueBind("no-such", "amq.topic", "k")))
                .isEqualTo("404 NOT_FOUND - no queue 'no-such' in vhost '/'");
        assertThat(refused(c -> c.queueBind(queue, "no-such", "k")))
                .isEqualTo("404 NOT_FOUND - no exchange 'no-such' in vhost '/'");
        assertThat(refused(c -> c.queueDeclare("amq.mine", false, false, false, null)))
                .isEqualTo("403 ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'");
        assertThat(refused(c -> c.exchangeDeclare("x", "no-such-type"))).startsWith("503 COMMAND_INVALID");
        assertThat(refused(c -> c.queueDeclare(queue, false, false, false, null)))
                .startsWith("406 PRECONDITION_FAILED");
        assertThat(refused(c -> c.queueDeclare("other", true, false, false, Map.of("x-no-such", 1))))
                .startsWith("406 PRECONDITION_FAILED")
                .contains("x-no-such");
        assertThat(refused(c -> c.basicPublish("", queue, false, true, null, new byte[0])))
                .isEqualTo("540 NOT_IMPLEMENTED - immediate=true");
        assertThat(refused(c -> c.basicQos(100, 1, false))).isEqualTo("540 NOT_IMPLEMENTED - prefetch_size!=0 (100)");
        assertThat(refused(c -> c.basicRecover(false))).startsWith("540 NOT_IMPLEMENTED");
        assertThat(refused(c -> c.txCommit())).isEqualTo("406 PRECONDITION_FAILED - channel is not transactional");
        assertThat(refused(c -> {
                    c.confirmSelect();
                    c.txSelect();
                }))
                .isEqualTo("406 PRECONDITION_FAILED - cannot switch from confirm to tx mode");
        assertThat(refused(c -> {
                    c.basicConsume(queue, true, "t", (tag, d) -> {}, tag -> {});
                    c.basicConsume(queue, true, "t", (tag, d) -> {}, tag -> {});
                }))
                .isEqualTo("530 NOT_ALLOWED - attempt to reuse consumer tag 't'");
        assertThat(refused(c -> c.basicPublish(
                        "",
                        queue,
                        new AMQP.BasicProperties.Builder().userId("root").build(),
                        new byte[0])))
                .isEqualTo(
                        "406 PRECONDITION_FAILED - user_id property set to 'root' but authenticated user was 'guest'");
        assertThat(refused(c -> c.basicPublish(
                        "",
                        queue,
                        new AMQP.BasicProperties.Builder().expiration("soon").build(),
                        new byte[0])))
                .startsWith("406 PRECONDITION_FAILED - invalid expiration 'soon'");
        assertThat(refused(c -> c.basicPublish("", queue, null, new byte[(1 << 20) + 1])))
                .isEqualTo("406 PRECONDITION_FAILED - message size 1048577 is larger than configured max size 1048576");
        assertThat(refused(c -> c.basicPublish(
                        "",
                        queue,
                        new AMQP.BasicProperties.Builder()
                                .headers(Map.of("postroad-amqp-user-id", "root"))
                                .build(),
                        new byte[0])))
                .contains("reserved");
    }

    private interface Doing {
        void with(Channel channel) throws Exception;
    }

    private static String refused(Doing doing) throws Exception {
        Connection connection = rig.connect();
        Channel channel = connection.createChannel();
        CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
        channel.addShutdownListener(end::complete);
        try {
            doing.with(channel);
        } catch (IOException e) {
            assertThat(e.getCause()).isInstanceOf(ShutdownSignalException.class);
        }
        String reason = AmqpRig.reason(end.get(20, TimeUnit.SECONDS));
        connection.abort();
        return reason;
    }

    @Test
    void garbage_on_one_connection_leaves_another_at_peace() throws Exception {
        Channel steady = rig.channel();
        String queue = AmqpRig.queue(steady, null);
        Generator random = Generator.announced("garbage");
        for (int i = 0; i < 30; i++) {
            try (Socket socket = new Socket(
                    InetAddress.getLoopbackAddress(), rig.server.address().getPort())) {
                socket.setSoTimeout(20_000);
                ByteBuf out = Unpooled.buffer();
                out.writeBytes(new byte[] {'A', 'M', 'Q', 'P', 0, 0, 9, 1}).writeBytes(random.bytes(8, 2000));
                byte[] bytes = new byte[out.readableBytes()];
                out.readBytes(bytes);
                socket.getOutputStream().write(bytes);
                socket.shutdownOutput();
                socket.getInputStream().readAllBytes();
            } catch (java.net.SocketException reset) {
                assertThat(reset).isNotNull();
            }
            AmqpRig.publish(steady, queue, "m" + i);
        }
        assertThat(steady.messageCount(queue)).isEqualTo(30);
    }
}
