package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.AuthenticationFailureException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import com.rabbitmq.client.impl.CredentialsProvider;
import com.rabbitmq.client.impl.CredentialsRefreshService;
import dev.postroad.protocols.amqp091.codec.ConnectionMethod;
import dev.postroad.protocols.amqp091.codec.Frames;
import dev.postroad.testkit.Await;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ConnectionTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig(AmqpSettings.DEFAULT
                .withTimes(Duration.ofSeconds(60), Duration.ofMillis(1500))
                .withConnections(1000, 100)
                .withVirtualHosts(List.of("/", "billing")));
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    private static Socket socket() throws IOException {
        Socket socket = new Socket(
                InetAddress.getLoopbackAddress(), rig.server.address().getPort());
        socket.setSoTimeout(20_000);
        return socket;
    }

    @Test
    void the_server_says_what_it_is_and_what_it_can() throws Exception {
        Map<String, Object> properties = rig.connect().getServerProperties();

        assertThat(properties.get("product")).hasToString("Postroad");
        assertThat(((Map<?, ?>) properties.get("capabilities"))
                        .keySet().stream().map(Object::toString))
                .containsExactlyInAnyOrder(
                        "publisher_confirms",
                        "exchange_exchange_bindings",
                        "basic.nack",
                        "consumer_cancel_notify",
                        "connection.blocked",
                        "consumer_priorities",
                        "authentication_failure_close",
                        "per_consumer_qos",
                        "direct_reply_to");
    }

    @Test
    void another_protocol_is_answered_with_ours_and_closed() throws Exception {
        for (String other : List.of("AMQP\0\1\0\0", "GET / HTTP/1.1\r\n\r\n", "AMQP\1\1\0\11")) {
            try (Socket socket = socket()) {
                socket.getOutputStream().write(other.getBytes(StandardCharsets.ISO_8859_1));

                assertThat(socket.getInputStream().readNBytes(9)).containsExactly('A', 'M', 'Q', 'P', 0, 0, 9, 1);
            }
        }
    }

    @Test
    void a_wrong_password_is_refused_with_403() {
        ConnectionFactory factory = rig.factory();
        factory.setPassword("wrong");

        assertThatThrownBy(factory::newConnection)
                .isInstanceOf(AuthenticationFailureException.class)
                .hasMessageContaining("ACCESS_REFUSED");
    }

    @Test
    void a_virtual_host_that_is_not_there_is_refused_with_530() {
        ConnectionFactory factory = rig.factory();
        factory.setVirtualHost("nowhere");

        assertThatThrownBy(factory::newConnection).hasStackTraceContaining("vhost nowhere not found");
    }

    @Test
    void virtual_hosts_have_names_of_their_own() throws Exception {
        ConnectionFactory factory = rig.factory();
        factory.setVirtualHost("billing");
        try (Connection other = factory.newConnection();
                Channel billing = other.createChannel()) {
            Channel here = rig.channel();
            here.queueDeclare("orders", true, false, false, null);
            billing.queueDeclare("orders", false, true, true, null);
            AmqpRig.publish(here, "orders", "for the default host");
            billing.queueBind("orders", "amq.fanout", "");
            billing.basicPublish("amq.fanout", "k", null, AmqpRig.bytes("for billing"));

            BlockingQueue<Delivery> deliveries = AmqpRig.consume(billing, "orders", true);
            Delivery delivery = AmqpRig.next(deliveries);
            assertThat(AmqpRig.text(delivery)).isEqualTo("for billing");
            assertThat(delivery.getEnvelope().getExchange()).isEqualTo("amq.fanout");
            assertThat(here.messageCount("orders")).isEqualTo(1);
        }
    }

    @Test
    void limits_are_negotiated_and_the_smaller_ones_hold() throws Exception {
        ConnectionFactory factory = rig.factory();
        factory.setRequestedChannelMax(7);
        factory.setRequestedFrameMax(8192);
        factory.setRequestedHeartbeat(3);
        try (Connection connection = factory.newConnection()) {
            assertThat(connection.getChannelMax()).isEqualTo(7);
            assertThat(connection.getFrameMax()).isEqualTo(8192);
            assertThat(connection.getHeartbeat()).isEqualTo(3);
            Channel channel = connection.createChannel();
            String queue = channel.queueDeclare().getQueue();
            byte[] body = new byte[100_000];
            Arrays.fill(body, (byte) 7);
            channel.basicPublish("", queue, null, body);

            assertThat(AmqpRig.next(AmqpRig.consume(channel, queue, true)).getBody())
                    .isEqualTo(body);
        }
    }

    @Test
    void a_connection_that_does_not_get_on_with_its_handshake_is_closed() throws Exception {
        try (Socket silent = socket();
                Socket slow = socket()) {
            slow.getOutputStream().write("AMQP\0\0\11\1".getBytes(StandardCharsets.ISO_8859_1));

            assertThat(silent.getInputStream().read()).isEqualTo(-1);
            assertThat(slow.getInputStream().readAllBytes()).isNotEmpty();
        }
    }

    @Test
    void methods_before_the_connection_is_open_close_it() throws Exception {
        ByteBuf out = Unpooled.buffer();
        out.writeLong(Frames.PROTOCOL_HEADER);
        out.setBytes(0, new byte[] {'A', 'M', 'Q', 'P', 0, 0, 9, 1});
        Frames.writeMethod(out, 0, new ConnectionMethod.Open("/", "", false));
        try (Socket socket = socket()) {
            socket.getOutputStream().write(ByteBufUtil.getBytes(out));

            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1))
                    .contains("COMMAND_INVALID");
        }
    }

    @Test
    void a_peer_that_falls_silent_is_noticed_and_its_deliveries_go_back_at_once() throws Exception {
        Channel steady = rig.channel();
        String queue = AmqpRig.queue(steady, null);
        AmqpRig.publish(steady, queue, "a");
        ConnectionFactory factory = rig.factory();
        factory.setRequestedHeartbeat(1);
        CompletableFuture<Socket> raw = new CompletableFuture<>();
        factory.setSocketConfigurator(raw::complete);
        try (FrozenProxy proxy = new FrozenProxy(rig.server.address().getPort())) {
            factory.setPort(proxy.port());
            Connection doomed = factory.newConnection();
            AmqpRig.next(AmqpRig.consume(doomed.createChannel(), queue, false));
            proxy.freeze();

            Delivery again = AmqpRig.next(AmqpRig.consume(steady, queue, true));
            assertThat(AmqpRig.text(again)).isEqualTo("a");
            assertThat(again.getEnvelope().isRedeliver()).isTrue();
            doomed.abort(1_000);
        }
    }

    @Test
    void an_idle_connection_lives_on_heartbeats() throws Exception {
        ConnectionFactory factory = rig.factory();
        factory.setRequestedHeartbeat(1);
        try (Connection connection = factory.newConnection()) {
            CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
            connection.addShutdownListener(end::complete);

            assertThatThrownBy(() -> end.get(3, TimeUnit.SECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            assertThat(connection.isOpen()).isTrue();
        }
    }

    @Test
    void other_credentials_for_the_same_user_are_taken_and_wrong_ones_end_the_connection() throws Exception {
        AtomicReference<String> password = new AtomicReference<>("guest");
        AtomicReference<Callable<Boolean>> renewal = new AtomicReference<>();
        ConnectionFactory factory = rig.factory();
        factory.setCredentialsProvider(new CredentialsProvider() {
            @Override
            public String getUsername() {
                return "guest";
            }

            @Override
            public String getPassword() {
                return password.get();
            }

            @Override
            public Duration getTimeBeforeExpiration() {
                return Duration.ofDays(1);
            }
        });
        factory.setCredentialsRefreshService(new CredentialsRefreshService() {
            @Override
            public String register(CredentialsProvider provider, Callable<Boolean> refresh) {
                renewal.set(refresh);
                return "1";
            }

            @Override
            public void unregister(CredentialsProvider provider, String id) {}

            @Override
            public boolean isApproachingExpiration(Duration left) {
                return false;
            }
        });
        Connection connection = factory.newConnection();

        assertThat(renewal.get().call()).isTrue();
        assertThat(connection.isOpen()).isTrue();
        password.set("wrong");
        CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
        connection.addShutdownListener(end::complete);
        renewal.get().call();
        assertThat(AmqpRig.reason(end.get(20, TimeUnit.SECONDS)))
                .startsWith("530 NOT_ALLOWED - New secret was refused");
    }

    @Test
    void more_channels_than_agreed_are_refused() throws Exception {
        ConnectionFactory factory = rig.factory();
        factory.setRequestedChannelMax(3);
        try (Connection connection = factory.newConnection()) {
            for (int i = 0; i < 3; i++) {
                assertThat(connection.createChannel()).isNotNull();
            }
            assertThat(connection.createChannel()).isNull();
        }
    }

    @Test
    void closing_the_server_tells_connections_that_it_was_forced() throws Exception {
        AmqpRig own = new AmqpRig();
        CompletableFuture<ShutdownSignalException> end = new CompletableFuture<>();
        own.connect().addShutdownListener(end::complete);

        own.server.close();

        assertThat(AmqpRig.reason(end.get(20, TimeUnit.SECONDS))).startsWith("320 CONNECTION_FORCED");
        own.close();
    }

    @Test
    void exclusive_queues_go_with_their_connection() throws Exception {
        Connection owner = rig.connect();
        String queue = owner.createChannel().queueDeclare().getQueue();
        Channel other = rig.channel();

        assertThat(AmqpRig.closed(() -> other.queueDeclarePassive(queue))).startsWith("405 RESOURCE_LOCKED");
        owner.close();

        Await.until("the queue is gone", () -> rig.broker.definition(queue) == null);
    }
}
