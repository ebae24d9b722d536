package dev.postroad.server;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ChannelSettings;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.patterns.settings.PatternSettings;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.protocols.http.HttpSettings;
import dev.postroad.security.TlsSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Settings as the keys and values of {@code postroad.yaml}, so that people see what takes effect and where to change it. */
public final class EffectiveConfig {
    private static final int OVERHEAD = 64 * 1024;

    private EffectiveConfig() {}

    /** All keys with their values, defaults included: texts, numbers, booleans, null, lists and maps. */
    public static Map<String, @Nullable Object> of(ServerSettings settings) {
        return of(settings, Map.of());
    }

    /** As the other, with the patterns of channels, by their names: {@link ConfigFile#patterns}. */
    public static Map<String, @Nullable Object> of(ServerSettings settings, Map<String, PatternSettings> patterns) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>();
        all.put("server", server(settings));
        Map<String, @Nullable Object> channels = new LinkedHashMap<>();
        for (ChannelDeclaration channel : settings.channels()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>(ChannelSettings.toMap(channel));
            PatternSettings ofChannel = patterns.get(channel.name());
            if (ofChannel != null) {
                map.put("patterns", PatternSection.toMap(ofChannel));
            }
            channels.put(channel.name(), map);
        }
        all.put("channels", channels);
        Map<String, @Nullable Object> topics = new LinkedHashMap<>();
        settings.topics().forEach(topic -> topics.put(topic.name(), topic(topic, settings.bindings())));
        all.put("topics", topics);
        return all;
    }

    private static Map<String, @Nullable Object> server(ServerSettings settings) {
        HttpSettings http = settings.http();
        EngineSettings engine = settings.engine();
        Map<String, @Nullable Object> memory = new LinkedHashMap<>();
        memory.put("cache", engine.cacheBytes());
        memory.put("indexes", engine.indexBytes());
        Map<String, @Nullable Object> limits = new LinkedHashMap<>();
        limits.put("connections", http.maxConnections());
        limits.put("waiting", http.maxWaiting());
        limits.put("body", http.maxBodyBytes());
        limits.put("batch-body", http.maxBatchBytes());
        limits.put("batch-messages", http.maxBatchMessages());
        limits.put("buffered-bodies", http.maxBufferedBytes());
        limits.put("pending-requests", http.maxPendingRequests());
        limits.put("message", engine.maxMessageBytes() - OVERHEAD);
        limits.put("channels", engine.maxChannels());
        limits.put("consumers-per-channel", engine.maxConsumersPerQueue());
        limits.put("unsettled-per-consumer", engine.maxUnsettledPerConsumer());
        Map<String, @Nullable Object> server = new LinkedHashMap<>();
        server.put("data", settings.data() == null ? "memory" : settings.data().toString());
        server.put("memory-bytes", settings.memoryBytes());
        server.put("bind", http.host());
        server.put("http-port", http.port());
        server.put("insecure", settings.insecure());
        Path users = settings.access().users();
        server.put("users", users == null ? null : users.toString());
        TlsSettings tls = settings.access().tls();
        server.put("tls", tls == null ? Map.of() : tls(tls));
        server.put("on-damage", word(engine.journal().onDamage()));
        server.put("disk-low-water", engine.journal().lowWaterBytes());
        server.put("drain", Quantity.time(settings.drain().toMillis()));
        server.put("memory", memory);
        server.put("limits", limits);
        server.put("amqp", amqp(settings.amqp()));
        return server;
    }

    private static Map<String, @Nullable Object> amqp(@Nullable AmqpSettings amqp) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("enabled", amqp != null);
        if (amqp != null) {
            map.put("port", amqp.port());
            map.put("event-loops", amqp.eventLoops());
            map.put("connections", amqp.maxConnections());
            map.put("channels", amqp.maxChannels());
            map.put("frame", amqp.maxFrameBytes());
            map.put("message", amqp.maxMessageBytes());
            map.put("unacknowledged", amqp.maxUnacknowledged());
            map.put("heartbeat", Quantity.time(amqp.heartbeat().toMillis()));
            map.put("handshake", Quantity.time(amqp.handshake().toMillis()));
            map.put("virtual-hosts", amqp.virtualHosts());
        }
        return map;
    }

    /** Passwords are shown as a variable that would hold them: what is printed must not be a secret. */
    private static Map<String, @Nullable Object> tls(TlsSettings tls) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("certificate", tls.certificate().toString());
        map.put("key", tls.key() == null ? null : tls.key().toString());
        map.put("password", tls.password() == null ? null : "${POSTROAD_TLS_PASSWORD}");
        map.put("client-certificates", word(tls.clients()));
        map.put("trusted", tls.trusted() == null ? null : tls.trusted().toString());
        map.put("trusted-password", tls.trustedPassword() == null ? null : "${POSTROAD_TLS_TRUSTED_PASSWORD}");
        return map;
    }

    private static Map<String, @Nullable Object> topic(TopicDefinition topic, List<Binding> bindings) {
        List<Map<String, @Nullable Object>> list = new ArrayList<>();
        for (Binding binding : bindings) {
            if (binding.topic().equals(topic.name())) {
                list.add(binding(topic.routing(), binding));
            }
        }
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("routing", word(topic.routing()));
        map.put("alternate", topic.alternate());
        map.put("autoDelete", topic.autoDelete());
        map.put("bindings", list);
        return map;
    }

    private static Map<String, @Nullable Object> binding(TopicDefinition.Routing routing, Binding binding) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put(binding.toTopic() ? "topic" : "destination", binding.destination());
        switch (routing) {
            case DIRECT -> map.put("routingKey", binding.pattern());
            case PATTERN, LEVELS -> map.put("pattern", binding.pattern());
            case RULE -> map.put("condition", binding.pattern());
            case HASH -> map.put("weight", binding.pattern());
            case HEADERS -> map.put("arguments", binding.arguments());
            case FANOUT -> {
                return map;
            }
        }
        return map;
    }

    private static String word(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
