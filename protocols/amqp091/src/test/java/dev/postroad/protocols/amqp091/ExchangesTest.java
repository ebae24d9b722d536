package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Where messages go: each kind of exchange and binding, by RabbitMQ's Java client. */
class ExchangesTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig();
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    private static String exchange(Channel channel, String type, Map<String, Object> arguments) throws Exception {
        String name = "x-" + Topology.unique("");
        channel.exchangeDeclare(name, type, true, false, arguments);
        return name;
    }

    /** A queue that is bound with this key. */
    private static String bound(Channel channel, String exchange, String key) throws Exception {
        String queue = AmqpRig.queue(channel, null);
        channel.queueBind(queue, exchange, key);
        return queue;
    }

    private static void send(
            Channel channel, String exchange, String key, @Nullable Map<String, Object> headers, String text)
            throws Exception {
        channel.confirmSelect();
        channel.basicPublish(
                exchange,
                key,
                new AMQP.BasicProperties.Builder().headers(headers).build(),
                AmqpRig.bytes(text));
        channel.waitForConfirmsOrDie(20_000);
    }

    /** What lies in the queue now. */
    private static List<String> drain(Channel channel, String queue) throws Exception {
        List<String> texts = new ArrayList<>();
        for (GetResponse got = channel.basicGet(queue, true); got != null; got = channel.basicGet(queue, true)) {
            texts.add(new String(got.getBody(), StandardCharsets.UTF_8));
        }
        return texts;
    }

    @Test
    void a_direct_exchange_compares_keys_and_a_fanout_does_not_look_at_them() throws Exception {
        Channel channel = rig.channel();
        String direct = exchange(channel, "direct", Map.of());
        String fanout = exchange(channel, "fanout", Map.of());
        String red = bound(channel, direct, "red");
        channel.queueBind(red, direct, "blue");
        String all = bound(channel, fanout, "ignored");
        send(channel, direct, "red", null, "1");
        send(channel, direct, "blue", null, "2");
        send(channel, direct, "Red", null, "3");
        send(channel, fanout, "red", null, "4");

        assertThat(drain(channel, red)).containsExactly("1", "2");
        assertThat(drain(channel, all)).containsExactly("4");
        channel.queueUnbind(red, direct, "red");
        send(channel, direct, "red", null, "5");
        send(channel, direct, "blue", null, "6");
        assertThat(drain(channel, red)).containsExactly("6");
    }

    @Test
    void words_of_a_topic_are_matched_by_stars_and_hashes() throws Exception {
        Channel channel = rig.channel();
        String topic = exchange(channel, "topic", Map.of());
        String star = bound(channel, topic, "a.*.c");
        String hash = bound(channel, topic, "a.#");
        String both = bound(channel, topic, "#.c");
        channel.queueBind(both, topic, "a.*.c");
        for (String key : List.of("a", "a.b.c", "a.c", "b.c", "a.b.d.c")) {
            send(channel, topic, key, null, key);
        }

        assertThat(drain(channel, star)).containsExactly("a.b.c");
        assertThat(drain(channel, hash)).containsExactly("a", "a.b.c", "a.c", "a.b.d.c");
        assertThat(drain(channel, both)).containsExactly("a.b.c", "a.c", "b.c", "a.b.d.c");
    }

    @Test
    void headers_match_all_or_any_and_those_that_begin_with_x_only_if_said() throws Exception {
        Channel channel = rig.channel();
        String headers = exchange(channel, "headers", Map.of());
        Map<String, String> queues = new HashMap<>();
        for (String match : List.of("all", "any", "all-with-x", "any-with-x")) {
            String queue = AmqpRig.queue(channel, null);
            channel.queueBind(queue, headers, "", Map.of("x-match", match, "kind", "a", "x-size", 5));
            queues.put(match, queue);
        }
        String unsaid = AmqpRig.queue(channel, null);
        channel.queueBind(unsaid, headers, "", Map.of("kind", "a", "other", true));
        send(channel, headers, "", Map.of("kind", "a"), "kind");
        send(channel, headers, "", Map.of("x-size", 5), "size");
        send(channel, headers, "", Map.of("kind", "a", "x-size", 5L, "more", 1), "both");
        send(channel, headers, "", Map.of("kind", "b", "x-size", 6), "neither");
        send(channel, headers, "", Map.of("kind", "a", "other", true), "unsaid");
        send(channel, headers, "", null, "none");

        assertThat(drain(channel, queues.get("all"))).containsExactly("kind", "both", "unsaid");
        assertThat(drain(channel, queues.get("any"))).containsExactly("kind", "both", "unsaid");
        assertThat(drain(channel, queues.get("all-with-x"))).containsExactly("both");
        assertThat(drain(channel, queues.get("any-with-x"))).containsExactly("kind", "size", "both", "unsaid");
        assertThat(drain(channel, unsaid)).containsExactly("unsaid");
    }

    @Test
    void a_consistent_hash_sends_a_key_always_to_the_same_queue_and_shares_by_weight() throws Exception {
        Channel channel = rig.channel();
        String hash = exchange(channel, "x-consistent-hash", Map.of());
        String one = bound(channel, hash, "1");
        String three = bound(channel, hash, "3");
        channel.confirmSelect();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 1000; i++) {
                channel.basicPublish(hash, "key-" + i, null, AmqpRig.bytes("key-" + i));
            }
        }
        channel.waitForConfirmsOrDie(20_000);
        List<String> ones = drain(channel, one);
        List<String> threes = drain(channel, three);

        assertThat(ones.size() + threes.size()).isEqualTo(2000);
        assertThat(ones.size()).isBetween(200, 900);
        assertThat(ones).doesNotContainAnyElementsOf(threes);
        String header = exchange(channel, "x-consistent-hash", Map.of("hash-header", "customer"));
        String left = bound(channel, header, "1");
        String right = bound(channel, header, "1");
        for (int i = 0; i < 20; i++) {
            send(channel, header, "key-" + i, Map.of("customer", "c-1"), "m");
        }
        assertThat(List.of(channel.messageCount(left), channel.messageCount(right)))
                .containsExactlyInAnyOrder(0L, 20L);
    }

    @Test
    void a_delayed_message_is_routed_at_once_and_delivered_when_it_is_due() throws Exception {
        Channel channel = rig.channel();
        String delayed = exchange(channel, "x-delayed-message", Map.of("x-delayed-type", "direct"));
        String queue = bound(channel, delayed, "k");
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, true);
        long before = System.nanoTime();
        send(channel, delayed, "k", Map.of("x-delay", 700), "later");
        send(channel, delayed, "k", null, "now");

        assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo("now");
        assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo("later");
        assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(690_000_000L);
    }

    @Test
    void what_an_exchange_can_not_route_goes_to_its_alternate_and_is_not_returned() throws Exception {
        Channel channel = rig.channel();
        String alternate = exchange(channel, "fanout", Map.of());
        String direct = exchange(channel, "direct", Map.of("alternate-exchange", alternate));
        String known = bound(channel, direct, "known");
        String rest = bound(channel, alternate, "");
        List<String> returned = new ArrayList<>();
        channel.addReturnListener(r -> returned.add(r.getRoutingKey()));
        channel.confirmSelect();
        channel.basicPublish(direct, "known", true, null, AmqpRig.bytes("1"));
        channel.basicPublish(direct, "unknown", true, null, AmqpRig.bytes("2"));
        channel.waitForConfirmsOrDie(20_000);

        assertThat(drain(channel, known)).containsExactly("1");
        GetResponse got = channel.basicGet(rest, true);
        assertThat(got.getBody()).isEqualTo(AmqpRig.bytes("2"));
        assertThat(got.getEnvelope().getRoutingKey()).isEqualTo("unknown");
        assertThat(got.getEnvelope().getExchange()).isEqualTo(direct);
        assertThat(returned).isEmpty();
    }

    @Test
    void exchanges_are_bound_to_exchanges_even_in_a_circle() throws Exception {
        Channel channel = rig.channel();
        String from = exchange(channel, "topic", Map.of());
        String to = exchange(channel, "direct", Map.of());
        String queue = bound(channel, to, "a.b");
        channel.queueBind(queue, from, "a.b");
        channel.exchangeBind(to, from, "a.*");
        channel.exchangeBind(from, to, "a.b");
        send(channel, from, "a.b", null, "1");
        send(channel, from, "a.c", null, "2");

        assertThat(drain(channel, queue)).containsExactly("1");
        channel.exchangeUnbind(to, from, "a.*");
        channel.queueUnbind(queue, from, "a.b");
        send(channel, from, "a.b", null, "3");
        assertThat(drain(channel, queue)).isEmpty();
    }

    @Test
    void nobody_publishes_to_an_internal_exchange_but_other_exchanges() throws Exception {
        Channel channel = rig.channel();
        String internal = "internal-" + Topology.unique("");
        channel.exchangeDeclare(internal, BuiltinExchangeType.FANOUT, true, false, true, null);
        String open = exchange(channel, "fanout", Map.of());
        channel.exchangeBind(internal, open, "");
        String queue = bound(channel, internal, "");
        send(channel, open, "", null, "through");

        assertThat(drain(channel, queue)).containsExactly("through");
        Channel other = rig.channel();
        assertThat(AmqpRig.closed(() -> {
                    other.basicPublish(internal, "", null, AmqpRig.bytes("straight"));
                    return other.queueDeclare();
                }))
                .isEqualTo("403 ACCESS_REFUSED - cannot publish to internal exchange '" + internal + "' in vhost '/'");
        assertThat(drain(channel, queue)).isEmpty();
    }

    @Test
    void an_exchange_that_deletes_itself_goes_with_its_last_binding() throws Exception {
        Channel channel = rig.channel();
        String name = "auto-" + Topology.unique("");
        channel.exchangeDeclare(name, "direct", false, true, null);
        String queue = bound(channel, name, "a");
        channel.queueBind(queue, name, "b");
        channel.queueUnbind(queue, name, "a");
        assertThat(channel.exchangeDeclarePassive(name)).isNotNull();
        channel.queueUnbind(queue, name, "b");

        assertThat(AmqpRig.closed(() -> channel.exchangeDeclarePassive(name)))
                .isEqualTo("404 NOT_FOUND - no exchange '" + name + "' in vhost '/'");
    }

    @Test
    void an_exchange_is_deleted_with_its_bindings_unless_it_must_be_unused() throws Exception {
        Connection connection = rig.connect();
        Channel channel = connection.createChannel();
        String name = exchange(channel, "direct", Map.of());
        bound(channel, name, "k");

        assertThat(AmqpRig.closed(() -> connection.createChannel().exchangeDelete(name, true)))
                .isEqualTo("406 PRECONDITION_FAILED - exchange '" + name + "' in vhost '/' in use");
        channel.exchangeDelete(name);
        channel.exchangeDelete(name);
        channel.exchangeDeclare(name, "fanout", true);
        Channel other = connection.createChannel();
        assertThat(AmqpRig.closed(() -> other.exchangeDeclare(name, "direct", true)))
                .isEqualTo("406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange '" + name
                        + "' in vhost '/': received 'direct' but current is 'fanout'");
    }

    @Test
    void copies_by_cc_go_through_an_exchange_too_and_a_header_that_is_no_list_is_refused() throws Exception {
        Channel channel = rig.channel();
        String direct = exchange(channel, "direct", Map.of());
        String a = bound(channel, direct, "a");
        String b = bound(channel, direct, "b");
        String c = bound(channel, direct, "c");
        send(channel, direct, "a", Map.of("CC", List.of("b", "a"), "BCC", List.of("c")), "m");

        for (String queue : List.of(a, b, c)) {
            assertThat(drain(channel, queue)).containsExactly("m");
        }
        Channel other = rig.channel();
        assertThat(AmqpRig.closed(() -> {
                    other.basicPublish(
                            direct,
                            "a",
                            new AMQP.BasicProperties.Builder()
                                    .headers(Map.of("CC", "b"))
                                    .build(),
                            new byte[0]);
                    return other.queueDeclare();
                }))
                .startsWith("406 PRECONDITION_FAILED");
    }
}
