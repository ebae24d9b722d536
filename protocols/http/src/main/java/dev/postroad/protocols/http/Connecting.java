package dev.postroad.protocols.http;

import dev.postroad.engine.runtime.Connections;
import dev.postroad.engine.runtime.Connections.ChannelDetails;
import dev.postroad.engine.runtime.Connections.ConsumerDetails;
import dev.postroad.engine.runtime.Connections.Details;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Who is connected by protocols whose connections last. */
final class Connecting {
    private final Connections connections;

    Connecting(Connections connections) {
        this.connections = connections;
    }

    /** {@code GET /api/v1/connections} */
    void list(Exchange exchange) {
        exchange.answer(
                200,
                Map.of(
                        "connections",
                        connections.list().stream().map(Connecting::json).toList()));
    }

    /** {@code GET /api/v1/connections/{connection}} */
    void describe(Exchange exchange) {
        String name = exchange.path("connection");
        exchange.answer(200, json(connections.find(name).orElseThrow(() -> missing(name))));
    }

    /** {@code DELETE /api/v1/connections/{connection}} */
    void close(Exchange exchange) {
        String name = exchange.path("connection");
        String reason = exchange.query("reason");
        if (!connections.close(name, reason == null || reason.isEmpty() ? "closed by an operator" : reason)) {
            throw missing(name);
        }
        exchange.answerNothing();
    }

    private static Problem missing(String name) {
        return Problem.notFound("there is no connection '" + name + "'; GET /api/v1/connections lists them");
    }

    private static Map<String, @Nullable Object> json(Details details) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("connection", details.name());
        json.put("protocol", details.protocol());
        json.put("client", details.client().toString());
        json.put("server", details.server().toString());
        json.put("encrypted", details.encrypted());
        json.put("user", details.user());
        json.put("mechanism", details.mechanism());
        json.put("vhost", details.vhost());
        json.put("connected", Instant.ofEpochMilli(details.connectedMillis()).toString());
        json.put("state", details.state());
        json.put("limits", details.limits());
        json.put("clientProperties", details.clientProperties());
        json.put("receivedBytes", details.receivedBytes());
        json.put("sentBytes", details.sentBytes());
        json.put("channels", details.channels().stream().map(Connecting::json).toList());
        return json;
    }

    private static Map<String, Object> json(ChannelDetails channel) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("number", channel.number());
        json.put("confirming", channel.confirming());
        json.put("transactional", channel.transactional());
        json.put("prefetch", channel.prefetch());
        json.put("channelPrefetch", channel.channelPrefetch());
        json.put("unsettled", channel.unsettled());
        json.put("unconfirmed", channel.unconfirmed());
        json.put("uncommitted", channel.uncommitted());
        Connections.Counters counters = channel.counters();
        if (counters != null) {
            json.put("published", counters.published());
            json.put("delivered", counters.delivered());
            json.put("acknowledged", counters.acknowledged());
        }
        List<Map<String, Object>> consumers =
                channel.consumers().stream().map(Connecting::json).toList();
        json.put("consumers", consumers);
        return json;
    }

    private static Map<String, Object> json(ConsumerDetails consumer) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("tag", consumer.tag());
        json.put("channel", consumer.queue());
        json.put("acknowledging", consumer.acknowledging());
        json.put("exclusive", consumer.exclusive());
        json.put("prefetch", consumer.prefetch());
        json.put("priority", consumer.priority());
        return json;
    }
}
