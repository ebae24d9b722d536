package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.runtime.Connections.ChannelDetails;
import dev.postroad.engine.runtime.Connections.ConsumerDetails;
import dev.postroad.engine.runtime.Connections.Counters;
import dev.postroad.engine.runtime.Connections.Details;
import dev.postroad.protocols.amqp091.Declarations;
import dev.postroad.protocols.amqp091.Declarations.Bound;
import dev.postroad.protocols.amqp091.VirtualHost;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Everything there is at one moment, with RabbitMQ's names for it. */
final class Snapshot {
    private final EngineStatus status;
    private final List<Details> connections;
    private final String node;
    private final Rates.Rate rates;
    private final Rates.Rate connectionRates;

    Snapshot(EngineStatus status, List<Details> connections, String node, Rates messageRates, Rates connectionRates) {
        this.status = status;
        this.connections = connections;
        this.node = node;
        this.rates = messageRates.observe(counters(status));
        this.connectionRates = connections.isEmpty() ? rates : connectionRates.observe(counters(connections));
    }

    private static Map<String, Long> counters(EngineStatus status) {
        Map<String, Long> values = new HashMap<>();
        for (EngineStatus.Queue queue : status.queues()) {
            String name = queue.definition().name();
            count(values, name, queue.counters());
            values.put(name + "/messages", queue.ready() + waiting(queue) + queue.inFlight());
            values.put(name + "/messages_ready", queue.ready() + waiting(queue));
            values.put(name + "/messages_unacknowledged", queue.inFlight());
        }
        for (EngineStatus.Stream stream : status.streams()) {
            count(values, stream.definition().name(), stream.counters());
        }
        Map<String, Long> totals = new HashMap<>();
        values.forEach(
                (name, value) -> totals.merge("/" + name.substring(name.lastIndexOf('/') + 1), value, Long::sum));
        values.putAll(totals);
        return values;
    }

    private static Map<String, Long> counters(List<Details> connections) {
        Map<String, Long> values = new HashMap<>();
        for (Details connection : connections) {
            values.put(connection.name() + "/recv_oct", connection.receivedBytes());
            values.put(connection.name() + "/send_oct", connection.sentBytes());
        }
        return values;
    }

    private static void count(Map<String, Long> values, String name, EngineStatus.Counters counters) {
        counts(counters).forEach((count, value) -> values.put(name + "/" + count, value));
    }

    private static Map<String, Long> counts(EngineStatus.Counters counters) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("publish", counters.accepted());
        counts.put("deliver", counters.delivered());
        counts.put("deliver_get", counters.delivered());
        counts.put("redeliver", counters.redelivered());
        counts.put("ack", counters.acknowledged());
        return counts;
    }

    /** Messages that wait for their time or behind their key are ready in RabbitMQ's words: not delivered yet. */
    private static long waiting(EngineStatus.Queue queue) {
        return queue.delayed() + queue.parked();
    }

    EngineStatus status() {
        return status;
    }

    List<Details> connections() {
        return connections;
    }

    private void rated(Map<String, @Nullable Object> json, String of, String name, long value) {
        rated(json, rates, of, name, value);
    }

    private static void rated(
            Map<String, @Nullable Object> json, Rates.Rate rates, String of, String name, long value) {
        json.put(name, value);
        json.put(name + "_details", Map.of("rate", rates.of(of + "/" + name, value)));
    }

    private Map<String, @Nullable Object> messageStats(String of, EngineStatus.Counters counters) {
        Map<String, @Nullable Object> stats = new LinkedHashMap<>();
        counts(counters).forEach((name, value) -> rated(stats, of, name, value));
        return stats;
    }

    // ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────────────

    List<Map<String, @Nullable Object>> queues(@Nullable String vhost) {
        List<Map<String, @Nullable Object>> queues = new ArrayList<>();
        for (EngineStatus.Queue queue : status.queues()) {
            if (isOf(vhost, queue.definition().name())) {
                queues.add(queue(queue));
            }
        }
        for (EngineStatus.Stream stream : status.streams()) {
            if (isOf(vhost, stream.definition().name())) {
                queues.add(stream(stream));
            }
        }
        queues.sort(Comparator.comparing(queue -> String.valueOf(queue.get("name"))));
        return queues;
    }

    private static boolean isOf(@Nullable String vhost, String engineName) {
        return vhost == null || VirtualHost.named(vhost).has(engineName);
    }

    /** One queue with its consumers. */
    Map<String, @Nullable Object> queue(String vhost, String name) {
        for (Map<String, @Nullable Object> queue : queues(vhost)) {
            if (name.equals(queue.get("name"))) {
                queue.put(
                        "consumer_details",
                        consumers(vhost).stream()
                                .filter(consumer ->
                                        consumer.get("queue") instanceof Map<?, ?> of && name.equals(of.get("name")))
                                .toList());
                return queue;
            }
        }
        throw ApiProblem.notFound();
    }

    private Map<String, @Nullable Object> queue(EngineStatus.Queue queue) {
        String name = queue.definition().name();
        Map<String, @Nullable Object> json = declared(Declarations.of(queue.definition()), "classic");
        PolicyObjects.add(json, status.policies(), queue.definition());
        long ready = queue.ready() + waiting(queue);
        json.put("consumers", queue.consumers().size());
        rated(json, name, "messages", ready + queue.inFlight());
        rated(json, name, "messages_ready", ready);
        rated(json, name, "messages_unacknowledged", queue.inFlight());
        json.put("message_bytes", queue.bytes());
        json.put("message_stats", messageStats(name, queue.counters()));
        json.put("head_message_timestamp", queue.oldestMillis() == 0 ? null : (Long) (queue.oldestMillis() / 1000));
        json.put("exclusive_consumer_tag", null);
        json.put("single_active_consumer_tag", activeConsumer(queue));
        return json;
    }

    private @Nullable String activeConsumer(EngineStatus.Queue queue) {
        if (!queue.definition().singleActiveConsumer()) {
            return null;
        }
        for (EngineStatus.Consumer consumer : queue.consumers()) {
            if (consumer.active()) {
                return consumer.name();
            }
        }
        return null;
    }

    private Map<String, @Nullable Object> stream(EngineStatus.Stream stream) {
        StreamDefinition definition = stream.definition();
        Map<String, @Nullable Object> json = declared(Declarations.of(definition), "stream");
        PolicyObjects.add(json, status.policies(), definition);
        long messages = 0;
        long bytes = 0;
        for (EngineStatus.Partition partition : stream.partitions()) {
            messages += partition.messages();
            bytes += partition.bytes();
        }
        json.put("consumers", 0);
        json.put("messages", messages);
        json.put("messages_ready", messages);
        json.put("messages_unacknowledged", 0);
        json.put("message_bytes", bytes);
        json.put("message_stats", messageStats(definition.name(), stream.counters()));
        return json;
    }

    private Map<String, @Nullable Object> declared(Declarations.Queue queue, String usual) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", queue.name());
        json.put("vhost", queue.vhost());
        json.put("type", queue.arguments().getOrDefault("x-queue-type", usual));
        json.put("durable", queue.durable());
        json.put("auto_delete", queue.autoDelete());
        json.put("exclusive", queue.exclusive());
        json.put("arguments", queue.arguments());
        json.put("node", node);
        json.put("state", "running");
        return json;
    }

    // ── Exchanges and bindings ───────────────────────────────────────────────────────────────────────────────────────

    List<Map<String, @Nullable Object>> exchanges(List<String> vhosts) {
        List<Map<String, @Nullable Object>> exchanges = new ArrayList<>();
        for (String vhost : vhosts) {
            Map<String, Declarations.Exchange> known = new TreeMap<>();
            known.put("", new Declarations.Exchange(vhost, "", "direct", true, false, false, Map.of()));
            for (TopicDefinition topic : Declarations.predeclared(vhost)) {
                add(known, topic);
            }
            for (TopicDefinition topic : status.topics()) {
                if (VirtualHost.named(vhost).has(topic.name())) {
                    add(known, topic);
                }
            }
            for (Declarations.Exchange exchange : known.values()) {
                Map<String, @Nullable Object> json = json(exchange);
                if (!exchange.name().isEmpty()) {
                    PolicyObjects.add(json, status.policies(), Declarations.toDefinition(exchange));
                }
                exchanges.add(json);
            }
        }
        return exchanges;
    }

    private static void add(Map<String, Declarations.Exchange> known, TopicDefinition topic) {
        Declarations.Exchange exchange = Declarations.of(topic);
        known.put(exchange.name(), exchange);
    }

    Map<String, @Nullable Object> exchange(String vhost, String name) {
        return exchanges(List.of(vhost)).stream()
                .filter(exchange -> name.equals(exchange.get("name")))
                .findFirst()
                .orElseThrow(ApiProblem::notFound);
    }

    private static Map<String, @Nullable Object> json(Declarations.Exchange exchange) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", exchange.name());
        json.put("vhost", exchange.vhost());
        json.put("type", exchange.type());
        json.put("durable", exchange.durable());
        json.put("auto_delete", exchange.autoDelete());
        json.put("internal", exchange.internal());
        json.put("arguments", exchange.arguments());
        return json;
    }

    /** The bindings of a virtual host, with those that every queue has to the exchange without a name. */
    List<Bound> bindings(String vhost) {
        VirtualHost host = VirtualHost.named(vhost);
        List<Bound> bindings = new ArrayList<>();
        for (Map<String, @Nullable Object> queue : queues(vhost)) {
            String name = String.valueOf(queue.get("name"));
            bindings.add(new Bound(vhost, "", name, false, name, Map.of()));
        }
        for (Binding binding : status.bindings()) {
            if (host.has(binding.topic())) {
                bindings.add(Declarations.of(binding));
            }
        }
        return bindings;
    }

    static Map<String, @Nullable Object> json(Bound binding) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("source", binding.source());
        json.put("vhost", binding.vhost());
        json.put("destination", binding.destination());
        json.put("destination_type", binding.toExchange() ? "exchange" : "queue");
        json.put("routing_key", binding.routingKey());
        json.put("arguments", binding.arguments());
        json.put("properties_key", propertiesKey(binding));
        return json;
    }

    /** What tells bindings between the same two apart, in a path. */
    static String propertiesKey(Bound binding) {
        String key = URLEncoder.encode(binding.routingKey(), StandardCharsets.UTF_8);
        if (binding.arguments().isEmpty()) {
            return key.isEmpty() ? "~" : key;
        }
        int hash = new TreeMap<>(binding.arguments()).toString().hashCode();
        byte[] bytes = {(byte) (hash >> 24), (byte) (hash >> 16), (byte) (hash >> 8), (byte) hash};
        return key + "~" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    // ── Connections ──────────────────────────────────────────────────────────────────────────────────────────────────

    Map<String, @Nullable Object> connection(Details c) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", c.name());
        json.put("type", "network");
        json.put("node", node);
        json.put("state", c.state());
        json.put("protocol", c.protocol());
        json.put("user", c.user());
        json.put("auth_mechanism", c.mechanism());
        json.put("vhost", c.vhost());
        json.put("connected_at", c.connectedMillis());
        json.put("host", c.server().host());
        json.put("port", c.server().port());
        json.put("peer_host", c.client().host());
        json.put("peer_port", c.client().port());
        json.put("ssl", c.encrypted());
        json.put("channels", c.channels().size());
        json.put("channel_max", c.limits().getOrDefault("channel_max", 0L));
        json.put("frame_max", c.limits().getOrDefault("frame_max", 0L));
        json.put("timeout", c.limits().getOrDefault("heartbeat", 0L));
        json.put("client_properties", c.clientProperties());
        rated(json, connectionRates, c.name(), "recv_oct", c.receivedBytes());
        rated(json, connectionRates, c.name(), "send_oct", c.sentBytes());
        return json;
    }

    List<Map<String, @Nullable Object>> channels(@Nullable String vhost, @Nullable String connection) {
        List<Map<String, @Nullable Object>> channels = new ArrayList<>();
        for (Details c : connections) {
            if ((vhost == null || vhost.equals(c.vhost())) && (connection == null || connection.equals(c.name()))) {
                c.channels().forEach(channel -> channels.add(channel(c, channel)));
            }
        }
        return channels;
    }

    private Map<String, @Nullable Object> channel(Details c, ChannelDetails channel) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", c.name() + " (" + channel.number() + ")");
        json.put("number", channel.number());
        json.put("node", node);
        json.put("vhost", c.vhost());
        json.put("user", c.user());
        json.put("state", c.state());
        json.put("confirm", channel.confirming());
        json.put("transactional", channel.transactional());
        json.put("prefetch_count", channel.prefetch());
        json.put("global_prefetch_count", channel.channelPrefetch());
        json.put("consumer_count", channel.consumers().size());
        json.put("messages_unacknowledged", channel.unsettled());
        json.put("messages_unconfirmed", channel.unconfirmed());
        json.put("messages_uncommitted", channel.uncommitted());
        json.put("connection_details", peer(c));
        Counters counters = channel.counters();
        if (counters != null) {
            json.put("message_stats", stats(counters));
        }
        return json;
    }

    private static Map<String, @Nullable Object> stats(Counters counters) {
        Map<String, @Nullable Object> stats = new LinkedHashMap<>();
        stats.put("publish", counters.published());
        stats.put("confirm", counters.confirmed());
        stats.put("return_unroutable", counters.returned());
        stats.put("deliver", counters.delivered() - counters.deliveredUnacknowledged());
        stats.put("deliver_no_ack", counters.deliveredUnacknowledged());
        stats.put("get", counters.got());
        stats.put("deliver_get", counters.delivered() + counters.got());
        stats.put("redeliver", counters.redelivered());
        stats.put("ack", counters.acknowledged());
        return stats;
    }

    private static Map<String, @Nullable Object> peer(Details c) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", c.name());
        json.put("peer_host", c.client().host());
        json.put("peer_port", c.client().port());
        return json;
    }

    List<Map<String, @Nullable Object>> consumers(@Nullable String vhost) {
        Map<Long, Boolean> active = new HashMap<>();
        for (EngineStatus.Queue queue : status.queues()) {
            queue.consumers().forEach(consumer -> active.put(consumer.id(), consumer.active()));
        }
        List<Map<String, @Nullable Object>> consumers = new ArrayList<>();
        for (Details c : connections) {
            if (vhost == null || vhost.equals(c.vhost())) {
                for (ChannelDetails channel : c.channels()) {
                    channel.consumers()
                            .forEach(consumer -> consumers.add(
                                    consumer(c, channel, consumer, active.getOrDefault(consumer.id(), true))));
                }
            }
        }
        return consumers;
    }

    private Map<String, @Nullable Object> consumer(
            Details c, ChannelDetails channel, ConsumerDetails consumer, boolean active) {
        VirtualHost host = VirtualHost.of(consumer.queue());
        Map<String, @Nullable Object> of = peer(c);
        of.put("connection_name", c.name());
        of.put("name", c.name() + " (" + channel.number() + ")");
        of.put("number", channel.number());
        of.put("node", node);
        of.put("user", c.user());
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("consumer_tag", consumer.tag());
        json.put("queue", Map.of("name", host.local(consumer.queue()), "vhost", host.name()));
        json.put("channel_details", of);
        json.put("ack_required", consumer.acknowledging());
        json.put("exclusive", consumer.exclusive());
        json.put("prefetch_count", consumer.prefetch());
        json.put("active", active);
        json.put("activity_status", active ? "up" : "waiting");
        json.put("arguments", consumer.arguments());
        return json;
    }

    // ── Totals ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Messages of all queues, or of those of a virtual host. */
    Map<String, @Nullable Object> messageTotals(@Nullable String vhost) {
        long ready = 0;
        long unacknowledged = 0;
        for (EngineStatus.Queue queue : status.queues()) {
            if (isOf(vhost, queue.definition().name())) {
                ready += queue.ready() + waiting(queue);
                unacknowledged += queue.inFlight();
            }
        }
        Map<String, @Nullable Object> totals = new LinkedHashMap<>();
        if (vhost == null) {
            rated(totals, "", "messages", ready + unacknowledged);
            rated(totals, "", "messages_ready", ready);
            rated(totals, "", "messages_unacknowledged", unacknowledged);
        } else {
            totals.put("messages", ready + unacknowledged);
            totals.put("messages_ready", ready);
            totals.put("messages_unacknowledged", unacknowledged);
        }
        return totals;
    }

    Map<String, @Nullable Object> messageStats() {
        Map<String, Long> totals = new LinkedHashMap<>();
        for (EngineStatus.Queue queue : status.queues()) {
            counts(queue.counters()).forEach((name, value) -> totals.merge(name, value, Long::sum));
        }
        for (EngineStatus.Stream stream : status.streams()) {
            counts(stream.counters()).forEach((name, value) -> totals.merge(name, value, Long::sum));
        }
        Map<String, @Nullable Object> stats = new LinkedHashMap<>();
        totals.forEach((name, value) -> rated(stats, "", name, value));
        return stats;
    }
}
