package dev.postroad.protocols.http;

import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ChannelSettings;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/**
 * What the HTTP interface makes of bytes from the network, each decoder as a function of them. It is in their package so that
 * they need not be public for the sake of fuzzing. What is refused is a problem that clients are told: see {@link #refuses}.
 * For any thread.
 */
public final class HttpDecoders {
    private static final long NOW = 1_700_000_000_000L;

    private static final Router ROUTER = router();

    private HttpDecoders() {}

    private static Router router() {
        Router router = new Router();
        router.add("GET", "/api/v1/channels/{channel}", exchange -> {});
        router.add("GET", "/api/v1/channels/{channel}/messages", exchange -> {}, "max", "filter", "group");
        return router;
    }

    /** Whether that is how this interface refuses what it is given. */
    public static boolean refuses(Throwable thrown) {
        return thrown instanceof Problem problem && problem.status() >= 400 && problem.status() < 500;
    }

    /** A message as JSON; written and read again. */
    public static void message(byte[] body) {
        EngineMessage message = MessageJson.read("", Json.readObject(body, 0, body.length, "the message"), NOW);
        byte[] once = write(message);
        byte[] again = write(MessageJson.read("", Json.readObject(once, 0, once.length, "the message"), NOW));
        if (!Arrays.equals(once, again)) {
            throw new AssertionError("a message is not what it was once it was written and read again: "
                    + new String(once, StandardCharsets.UTF_8));
        }
    }

    private static byte[] write(EngineMessage message) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.MAPPER.createGenerator(out)) {
            MessageJson.write(json, message);
        }
        return out.toByteArray();
    }

    /** A CloudEvent in structured mode. */
    public static void event(byte[] body) {
        write(CloudEvents.read("", Json.readObject(body, 0, body.length, "the event"), NOW));
    }

    /** The settings of a channel as JSON; written and read again. */
    public static void channel(byte[] body) {
        ChannelDeclaration channel = channel(Declaring.plain(Json.readObject(body, 0, body.length, "the body")));
        ChannelDeclaration again = channel(ChannelSettings.toMap(channel));
        if (!channel.equals(again)) {
            throw new AssertionError("read again, " + channel + " is " + again);
        }
    }

    private static ChannelDeclaration channel(Map<String, ?> settings) {
        List<String> problems = new ArrayList<>();
        ChannelDeclaration channel =
                ChannelSettings.fromMap("channel", settings, (path, what) -> problems.add(path + ": " + what));
        if (channel == null || !problems.isEmpty()) {
            throw Problem.invalid(String.join("; ", problems));
        }
        // What can be declared has a definition, and comes out of it again.
        ChannelDeclaration decoded = ChannelDeclaration.decode(channel.toDefinition())
                .orElseThrow(() -> new AssertionError(channel + " has no definition of its own"));
        if (!channel.equals(decoded)) {
            throw new AssertionError("as a definition, " + channel + " is " + decoded);
        }
        return channel;
    }

    /** The name of a delivery. */
    public static void delivery(String text) {
        DeliveryId id = DeliveryId.parse(text);
        if (!id.equals(DeliveryId.parse(id.toString()))) {
            throw new AssertionError(text + " is read as " + id + " and then as something else");
        }
    }

    /** A path and a query, one behind the other with a question mark between them. */
    public static void path(String text) {
        int question = text.indexOf('?');
        String path = question < 0 ? text : text.substring(0, question);
        ROUTER.match("GET", "/api/v1/channels/" + path, question < 0 ? null : text.substring(question + 1));
    }

    /** A name of a delivery. */
    public static String exampleDelivery(int instance, long consumer, long number, int nonce) {
        return new DeliveryId(instance, consumer, number, nonce).toString();
    }
}
