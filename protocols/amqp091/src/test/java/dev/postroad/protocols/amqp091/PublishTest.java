package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.LongString;
import com.rabbitmq.client.MessageProperties;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PublishTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig();
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    @Test
    void every_property_and_header_comes_back_as_it_was_sent() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        Map<String, Object> headers = new HashMap<>();
        headers.put("text", "ä");
        headers.put("int", 1);
        headers.put("long", 1L << 40);
        headers.put("short", (short) 3);
        headers.put("byte", (byte) 4);
        headers.put("double", 1.5);
        headers.put("float", 2.5f);
        headers.put("flag", true);
        headers.put("time", new Date(1_700_000_000_000L));
        headers.put("decimal", new BigDecimal("12.34"));
        headers.put("bytes", new byte[] {1, 2});
        headers.put("none", null);
        headers.put("list", List.of("a", 1, List.of(true)));
        headers.put("table", Map.of("inner", Map.of("x", 1)));
        AMQP.BasicProperties all = new AMQP.BasicProperties(
                "application/json",
                "gzip",
                headers,
                2,
                0,
                "c-1",
                "replies",
                "60000",
                "m-1",
                new Date(1_600_000_000_000L),
                "order",
                "guest",
                "shop",
                "cluster");
        AMQP.BasicProperties few =
                new AMQP.BasicProperties.Builder().deliveryMode(1).priority(9).build();
        channel.basicPublish("", queue, all, AmqpRig.bytes("a"));
        channel.basicPublish("", queue, few, new byte[0]);
        channel.basicPublish("", queue, null, AmqpRig.bytes("c"));
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, true);

        Delivery first = AmqpRig.next(deliveries);
        Delivery second = AmqpRig.next(deliveries);
        Delivery third = AmqpRig.next(deliveries);

        assertThat(first.getProperties())
                .usingRecursiveComparison()
                .ignoringFields("headers", "bodySize")
                .isEqualTo(all);
        Map<String, Object> back = plain(first.getProperties().getHeaders());
        assertThat((byte[]) back.remove("bytes")).containsExactly((byte[]) headers.remove("bytes"));
        assertThat(back).isEqualTo(headers);
        assertThat(second.getProperties())
                .usingRecursiveComparison()
                .ignoringFields("bodySize")
                .isEqualTo(few);
        assertThat(second.getBody()).isEmpty();
        assertThat(third.getProperties().getDeliveryMode()).isNull();
    }

    private static Map<String, Object> plain(Map<String, Object> headers) {
        Map<String, Object> result = new HashMap<>();
        headers.forEach((name, value) -> result.put(name, plain(value)));
        return result;
    }

    private static Object plain(Object value) {
        if (value instanceof LongString text) {
            return text.toString();
        }
        if (value instanceof List<?> list) {
            List<Object> result = new ArrayList<>();
            list.forEach(inner -> result.add(plain(inner)));
            return result;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> result = new HashMap<>();
            map.forEach((name, inner) -> result.put(name.toString(), plain(inner)));
            return result;
        }
        return value;
    }

    @Test
    void a_thousand_publishes_are_confirmed_and_delivered_in_order() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        String[] texts = new String[1000];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = "m" + i;
        }
        AmqpRig.publish(channel, queue, texts);
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, true);

        for (String text : texts) {
            assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo(text);
        }
    }

    @Test
    void what_nothing_takes_comes_back_before_its_confirm_if_it_is_mandatory() throws Exception {
        Channel channel = rig.channel();
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch confirmed = new CountDownLatch(3);
        channel.confirmSelect();
        channel.addReturnListener(returned -> seen.add("returned " + returned.getReplyCode() + " "
                + returned.getReplyText() + " " + returned.getExchange() + "/" + returned.getRoutingKey() + " "
                + new String(returned.getBody(), StandardCharsets.UTF_8)));
        channel.addConfirmListener(
                (tag, multiple) -> {
                    seen.add("confirmed " + tag);
                    for (long i = 3 - confirmed.getCount(); i < tag; i++) {
                        confirmed.countDown();
                    }
                },
                (tag, multiple) -> seen.add("refused " + tag));

        channel.basicPublish("", "nowhere", true, MessageProperties.PERSISTENT_BASIC, AmqpRig.bytes("a"));
        channel.basicPublish("amq.direct", "nowhere", true, MessageProperties.BASIC, AmqpRig.bytes("b"));
        channel.basicPublish("amq.direct", "nowhere", false, MessageProperties.BASIC, AmqpRig.bytes("c"));
        assertThat(confirmed.await(20, TimeUnit.SECONDS)).isTrue();

        assertThat(seen).contains("returned 312 NO_ROUTE /nowhere a", "returned 312 NO_ROUTE amq.direct/nowhere b");
        assertThat(seen.indexOf("returned 312 NO_ROUTE amq.direct/nowhere b")).isLessThan(seen.size() - 1);
        assertThat(seen.getLast()).isEqualTo("confirmed 3");
    }

    @Test
    void of_a_batch_the_messages_that_do_not_fit_are_refused_and_the_others_confirmed() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, Map.of("x-max-length", 5, "x-overflow", "reject-publish"));
        List<Long> refused = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch all = new CountDownLatch(1);
        channel.confirmSelect();
        channel.addConfirmListener((tag, multiple) -> {}, (tag, multiple) -> {
            refused.add(tag);
            if (tag == 20) {
                all.countDown();
            }
        });
        for (int i = 1; i <= 20; i++) {
            channel.basicPublish("", queue, null, AmqpRig.bytes("m" + i));
        }

        assertThat(all.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(refused).hasSize(15).startsWith(6L).endsWith(20L);
        assertThat(channel.messageCount(queue)).isEqualTo(5);
    }

    @Test
    void copies_go_to_the_keys_of_cc_and_bcc_and_the_blind_ones_are_not_shown() throws Exception {
        Channel channel = rig.channel();
        String to = AmqpRig.queue(channel, null);
        String cc = AmqpRig.queue(channel, null);
        String bcc = AmqpRig.queue(channel, null);
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .headers(Map.of("CC", List.of(cc, to), "BCC", List.of(bcc)))
                .build();
        channel.basicPublish("", to, properties, AmqpRig.bytes("a"));

        for (String queue : List.of(to, cc, bcc)) {
            Delivery delivery = AmqpRig.next(AmqpRig.consume(channel, queue, true));
            assertThat(delivery.getEnvelope().getRoutingKey()).isEqualTo(to);
            assertThat(delivery.getProperties().getHeaders()).containsOnlyKeys("CC");
        }
    }

    @Test
    void a_reply_goes_straight_to_the_connection_that_asked() throws Exception {
        Channel server = rig.channel();
        String requests = AmqpRig.queue(server, null);
        server.basicConsume(
                requests,
                true,
                (tag, request) -> server.basicPublish(
                        "",
                        request.getProperties().getReplyTo(),
                        new AMQP.BasicProperties.Builder()
                                .correlationId(request.getProperties().getCorrelationId())
                                .build(),
                        AmqpRig.bytes("re: " + AmqpRig.text(request))),
                tag -> {});
        Channel client = rig.channel();
        BlockingQueue<Delivery> replies = AmqpRig.consume(client, "amq.rabbitmq.reply-to", true);
        for (int i = 0; i < 10; i++) {
            client.basicPublish(
                    "",
                    requests,
                    new AMQP.BasicProperties.Builder()
                            .replyTo("amq.rabbitmq.reply-to")
                            .correlationId("c" + i)
                            .build(),
                    AmqpRig.bytes("question " + i));

            Delivery reply = AmqpRig.next(replies);
            assertThat(AmqpRig.text(reply)).isEqualTo("re: question " + i);
            assertThat(reply.getProperties().getCorrelationId()).isEqualTo("c" + i);
        }
        Channel impatient = rig.channel();
        assertThat(AmqpRig.closed(() -> {
                    impatient.basicPublish(
                            "",
                            requests,
                            new AMQP.BasicProperties.Builder()
                                    .replyTo("amq.rabbitmq.reply-to")
                                    .build(),
                            AmqpRig.bytes("x"));
                    return impatient.queueDeclare();
                }))
                .startsWith("406 PRECONDITION_FAILED");
    }

    @Test
    void a_transaction_takes_effect_by_its_commit_alone_across_queues() throws Exception {
        Connection connection = rig.connect();
        Channel channel = connection.createChannel();
        Channel observer = connection.createChannel();
        String in = AmqpRig.queue(channel, null);
        String out = AmqpRig.queue(channel, null);
        AmqpRig.publish(observer, in, "a", "b");
        channel.txSelect();
        long first = channel.basicGet(in, false).getEnvelope().getDeliveryTag();
        channel.basicAck(first, false);
        channel.basicPublish("", out, null, AmqpRig.bytes("result"));

        assertThat(observer.messageCount(out)).isZero();
        channel.txRollback();
        assertThat(observer.messageCount(out)).isZero();
        channel.basicAck(first, false);
        channel.basicPublish("", out, null, AmqpRig.bytes("result"));
        channel.basicPublish("", "nowhere", null, AmqpRig.bytes("dropped"));
        channel.txCommit();

        assertThat(observer.messageCount(out)).isEqualTo(1);
        assertThat(observer.messageCount(in)).isEqualTo(1);
        channel.close();
        assertThat(observer.messageCount(in)).isEqualTo(1);
    }
}
