package dev.postroad.transports.http;

import dev.postroad.api.Administration;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.JsonNode;

/** Looking after the channels of a server. */
final class HttpAdministration implements Administration {
    private final Http http;

    HttpAdministration(Http http) {
        this.http = http;
    }

    @Override
    public List<ChannelStatus> channels() {
        List<ChannelStatus> channels = new ArrayList<>();
        http.get("/api/v1/channels").path("channels").forEach(node -> channels.add(status(node)));
        return channels;
    }

    /** What waits behind its key counts as ready: consumers are all it needs. */
    private static ChannelStatus status(JsonNode node) {
        JsonNode counters = node.path("counters");
        boolean stream = node.path("partitions").isArray();
        return new ChannelStatus(
                ChannelJson.read(node),
                node.path("ready").longValue(0)
                        + (stream ? 0 : node.path("parked").longValue(0)),
                node.path("inFlight").longValue(0),
                node.path("delayed").longValue(0),
                node.path("consumers").size(),
                node.path("bytes").longValue(0),
                counters.path("accepted").longValue(0),
                counters.path("acknowledged").longValue(0),
                counters.path("redelivered").longValue(0),
                counters.path("deadLettered").longValue(0));
    }

    @Override
    public List<GroupStatus> groups(String channel) {
        List<GroupStatus> groups = new ArrayList<>();
        http.get(Http.channel(channel) + "/groups").path("groups").forEach(node -> groups.add(group(node, channel)));
        return groups;
    }

    private static GroupStatus group(JsonNode node, String channel) {
        boolean shared = node.path("channel").isString();
        Map<Integer, Long> positions = new TreeMap<>();
        long lag = 0;
        for (JsonNode position : node.path("positions")) {
            if (position.path("channel").stringValue("").equals(channel)) {
                positions.put(
                        position.path("partition").intValue(0),
                        position.path("offset").longValue(0));
                lag += position.path("lag").longValue(0);
            }
        }
        return new GroupStatus(
                node.path("group").stringValue(""),
                shared ? node.path("lag").longValue(0) : lag,
                node.path("inFlight").longValue(0),
                shared ? node.path("consumers").size() : node.path("members").size(),
                shared ? Map.of() : positions);
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, int max) {
        return browse(channel, filter, -1, max);
    }

    @Override
    public List<Browsed> browse(String channel, @Nullable String filter, long after, int max) {
        if (max < 1 || max > 10_000) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 to 10,000");
        }
        JsonNode answer = http.get(Http.channel(channel) + "/messages?max=" + max
                + (after < 0 ? "" : "&after=" + after)
                + (filter == null ? "" : "&filter=" + Http.part(filter)));
        List<Browsed> browsed = new ArrayList<>();
        for (JsonNode node : answer.path("messages")) {
            int partition = node.path("partition").intValue(-1);
            String notBefore = node.path("notBefore").stringValue(null);
            browsed.add(new Browsed(
                    message(node.path("message"), channel),
                    State.valueOf(node.path("state")
                            .stringValue("ready")
                            .toUpperCase(Locale.ROOT)
                            .replace('-', '_')),
                    node.path("attempts").intValue(0),
                    notBefore == null ? null : Instant.parse(notBefore),
                    partition < 0
                            ? Delivery.Origin.QUEUE
                            : new Delivery.Origin(partition, node.path("offset").longValue(-1), null),
                    partition >= 0 && node.path("state").stringValue("").equals("kept")
                            ? -1
                            : node.path("number").longValue(-1)));
        }
        return browsed;
    }

    private static Message<byte[], byte[]> message(JsonNode node, String channel) {
        try (JsonParser json = Http.MAPPER.treeAsTokens(node)) {
            json.nextToken();
            return MessageJson.read(json, channel);
        }
    }

    @Override
    public long purge(String channel) {
        return messages(http.repeatable("DELETE", Http.channel(channel) + "/messages", null));
    }

    @Override
    public void delete(String channel) {
        http.repeatable("DELETE", Http.channel(channel), null);
    }

    @Override
    public long redrive(String deadLetterChannel, @Nullable String filter, long max) {
        Map<String, Object> wish = new LinkedHashMap<>();
        wish.put("max", max);
        if (filter != null) {
            wish.put("filter", filter);
        }
        return messages(http.post(Http.channel(deadLetterChannel) + "/redrive", Http.write(wish), Http.JSON));
    }

    @Override
    public long putBack(String deadLetterChannel, List<Long> numbers) {
        return messages(http.post(
                Http.channel(deadLetterChannel) + "/redrive", Http.write(Map.of("numbers", numbers)), Http.JSON));
    }

    @Override
    public boolean putBack(String deadLetterChannel, long number, Message<byte[], byte[]> edited) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Http.MAPPER.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeArrayPropertyStart("numbers");
            json.writeNumber(number);
            json.writeEndArray();
            json.writeName("message");
            MessageJson.write(
                    json, DeadLetter.of(edited).map(DeadLetter::origin).orElse(deadLetterChannel), edited);
            json.writeEndObject();
        }
        return messages(http.post(Http.channel(deadLetterChannel) + "/redrive", bytes.toByteArray(), Http.JSON)) > 0;
    }

    @Override
    public boolean cancel(String channel, String messageId) {
        try {
            return messages(http.repeatable(
                            "DELETE", Http.channel(channel) + "/messages/" + Http.part(messageId), null))
                    > 0;
        } catch (MessagingException e) {
            // The channel is there, or this fails in turn: so it was the message that is not.
            if (e.reason() == Reason.NOT_FOUND) {
                http.get(Http.channel(channel));
                return false;
            }
            throw e;
        }
    }

    private static long messages(JsonNode answer) {
        return answer.path("messages").longValue(0);
    }
}
