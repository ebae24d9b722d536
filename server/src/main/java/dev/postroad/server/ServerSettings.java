package dev.postroad.server;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.protocols.http.HttpSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a server runs. Begin with {@link #DEFAULT} or {@link ConfigFile#load}, and change what differs with the {@code with…}
 * methods.
 *
 * @param data the directory of its data; null keeps everything in memory, to be lost at the end
 * @param memoryBytes how much that may be, where data is null
 * @param insecure true to listen on other addresses than loopback although nobody has to log in
 * @param http where the HTTP interface listens, and its bounds
 * @param engine the engine's bounds
 * @param drain how long closing waits for what is under way
 * @param channels declared at the start
 * @param topics declared at the start
 * @param bindings made at the start
 */
public record ServerSettings(
        @Nullable Path data,
        long memoryBytes,
        boolean insecure,
        HttpSettings http,
        EngineSettings engine,
        Duration drain,
        List<ChannelDeclaration> channels,
        List<TopicDefinition> topics,
        List<Binding> bindings) {

    /** Data in the directory {@code data}, HTTP on loopback. */
    public static final ServerSettings DEFAULT = new ServerSettings(
            Path.of("data"),
            1L << 30,
            false,
            HttpSettings.DEFAULT,
            EngineSettings.DEFAULTS,
            Duration.ofSeconds(10),
            List.of(),
            List.of(),
            List.of());

    public ServerSettings {
        channels = List.copyOf(channels);
        topics = List.copyOf(topics);
        bindings = List.copyOf(bindings);
    }

    /** These settings with another directory; null for memory. */
    public ServerSettings withData(@Nullable Path newData) {
        return new ServerSettings(newData, memoryBytes, insecure, http, engine, drain, channels, topics, bindings);
    }

    /** These settings, listening on another address. */
    public ServerSettings withBind(String host) {
        return withHttp(http.withAddress(host, http.port()));
    }

    /** These settings with another port; 0 picks a free one. */
    public ServerSettings withHttpPort(int port) {
        return withHttp(http.withAddress(http.host(), port));
    }

    /** These settings, allowing or not what is not secure. */
    public ServerSettings withInsecure(boolean newInsecure) {
        return new ServerSettings(data, memoryBytes, newInsecure, http, engine, drain, channels, topics, bindings);
    }

    /** These settings with another HTTP interface. */
    public ServerSettings withHttp(HttpSettings newHttp) {
        return new ServerSettings(data, memoryBytes, insecure, newHttp, engine, drain, channels, topics, bindings);
    }

    /** These settings with other bounds of the engine. */
    public ServerSettings withEngine(EngineSettings newEngine) {
        return new ServerSettings(data, memoryBytes, insecure, http, newEngine, drain, channels, topics, bindings);
    }

    /** These settings with another time to close in. */
    public ServerSettings withDrain(Duration newDrain) {
        return new ServerSettings(data, memoryBytes, insecure, http, engine, newDrain, channels, topics, bindings);
    }

    /** These settings with other things to declare. */
    public ServerSettings withDeclarations(
            List<ChannelDeclaration> newChannels, List<TopicDefinition> newTopics, List<Binding> newBindings) {
        return new ServerSettings(
                data, memoryBytes, insecure, http, engine, drain, newChannels, newTopics, newBindings);
    }
}
