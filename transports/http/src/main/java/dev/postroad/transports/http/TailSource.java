package dev.postroad.transports.http;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** A stream read alone, from a start, as server-sent events; the server remembers nothing. */
final class TailSource extends Source {
    private final Http http;
    private final String path;
    private volatile @Nullable String lastEventId;
    private volatile boolean takingBlocked;

    TailSource(Http http, String channel, ConsumerOptions options, HttpReceiver receiver) {
        super(channel, receiver);
        this.http = http;
        String filter = options.filter();
        this.path = Http.channel(channel) + "/events?from=" + from(options.start())
                + (filter == null ? "" : "&filter=" + Http.part(filter));
    }

    private static String from(ConsumerOptions.@Nullable Start start) {
        return switch (start) {
            case null -> "earliest";
            case ConsumerOptions.Start.Earliest earliest -> "earliest";
            case ConsumerOptions.Start.Latest latest -> "latest";
            case ConsumerOptions.Start.Offset offset -> Long.toString(Math.max(0, offset.offset()));
            case ConsumerOptions.Start.Timestamp at -> Http.part(at.timestamp().toString());
        };
    }

    @Override
    Lines connect() {
        return new Lines(http.stream("GET", path, null, "text/event-stream", lastEventId));
    }

    @Override
    boolean take(byte[] line) throws IOException, InterruptedException {
        String text = line.length < 64 ? new String(line, StandardCharsets.UTF_8) : "";
        if (text.startsWith("id: ")) {
            lastEventId = text.substring("id: ".length());
        } else if (text.startsWith("event: end")) {
            return false;
        } else if (line.length > 6 && line[0] == 'd' && line[4] == ':') {
            data(line);
        } else if (line.length >= 64 && line[0] == 'i' && line[2] == ':') {
            lastEventId = new String(line, 4, line.length - 4, StandardCharsets.UTF_8);
        }
        return true;
    }

    private void data(byte[] line) throws InterruptedException {
        int partition = -1;
        long offset = -1;
        Message<byte[], byte[]> message = null;
        try (JsonParser json = Http.MAPPER.createParser(line, 6, line.length - 6)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return;
            }
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String member = json.currentName();
                json.nextToken();
                switch (member) {
                    case "partition" -> partition = json.getIntValue();
                    case "offset" -> offset = json.getLongValue();
                    case "message" -> message = MessageJson.read(json, channel());
                    default -> json.skipChildren();
                }
            }
        }
        if (message != null) {
            takingBlocked = true;
            receiver()
                    .arrivedBounded(new ReadDelivery(channel(), new Delivery.Origin(partition, offset, null), message));
            takingBlocked = false;
        }
    }

    @Override
    boolean takingBlocked() {
        return takingBlocked;
    }

    @Override
    void broken() {}

    /** Nothing is kept there for who only reads. */
    @Override
    void end() {}
}
