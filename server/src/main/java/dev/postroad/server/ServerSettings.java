package dev.postroad.server;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.protocols.amqp091.AmqpSettings;
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
 * @param insecure true to listen on other addresses than loopback although nobody has to log in, or passwords go over the
 *     network in the clear
 * @param access who may come in
 * @param http where the HTTP interface listens, and its bounds
 * @param amqp where AMQP 0-9-1 is spoken, and its bounds; null for nowhere
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
        AccessSettings access,
        HttpSettings http,
        @Nullable AmqpSettings amqp,
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
            AccessSettings.OPEN,
            HttpSettings.DEFAULT,
            AmqpSettings.DEFAULT,
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
        return new ServerSettings(
                newData, memoryBytes, insecure, access, http, amqp, engine, drain, channels, topics, bindings);
    }

    /** These settings, listening on another address. */
    public ServerSettings withBind(String host) {
        ServerSettings bound = withHttp(http.withAddress(host, http.port()));
        return amqp == null ? bound : bound.withAmqp(amqp.withAddress(host, amqp.port()));
    }

    /** These settings with another AMQP port; 0 picks a free one. */
    public ServerSettings withAmqpPort(int port) {
        AmqpSettings basis = amqp == null ? AmqpSettings.DEFAULT : amqp;
        return withAmqp(basis.withAddress(http.host(), port));
    }

    /** These settings with AMQP spoken otherwise; null for not at all. */
    public ServerSettings withAmqp(@Nullable AmqpSettings newAmqp) {
        return new ServerSettings(
                data, memoryBytes, insecure, access, http, newAmqp, engine, drain, channels, topics, bindings);
    }

    /** These settings with another port; 0 picks a free one, for AMQP too where that has its usual port. */
    public ServerSettings withHttpPort(int port) {
        ServerSettings moved = withHttp(http.withAddress(http.host(), port));
        return port == 0 && amqp != null && amqp.port() == AmqpSettings.DEFAULT_PORT ? moved.withAmqpPort(0) : moved;
    }

    /** These settings, allowing or not what is not secure. */
    public ServerSettings withInsecure(boolean newInsecure) {
        return new ServerSettings(
                data, memoryBytes, newInsecure, access, http, amqp, engine, drain, channels, topics, bindings);
    }

    /** These settings, letting others in. */
    public ServerSettings withAccess(AccessSettings newAccess) {
        return new ServerSettings(
                data, memoryBytes, insecure, newAccess, http, amqp, engine, drain, channels, topics, bindings);
    }

    /** These settings with another HTTP interface. */
    public ServerSettings withHttp(HttpSettings newHttp) {
        return new ServerSettings(
                data, memoryBytes, insecure, access, newHttp, amqp, engine, drain, channels, topics, bindings);
    }

    /** These settings with other bounds of the engine. */
    public ServerSettings withEngine(EngineSettings newEngine) {
        return new ServerSettings(
                data, memoryBytes, insecure, access, http, amqp, newEngine, drain, channels, topics, bindings);
    }

    /** These settings with another time to close in. */
    public ServerSettings withDrain(Duration newDrain) {
        return new ServerSettings(
                data, memoryBytes, insecure, access, http, amqp, engine, newDrain, channels, topics, bindings);
    }

    /** These settings with other things to declare. */
    public ServerSettings withDeclarations(
            List<ChannelDeclaration> newChannels, List<TopicDefinition> newTopics, List<Binding> newBindings) {
        return new ServerSettings(
                data, memoryBytes, insecure, access, http, amqp, engine, drain, newChannels, newTopics, newBindings);
    }
}
