package dev.postroad.server;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ChannelSettings;
import dev.postroad.engine.channel.Words;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.routing.RuleSyntaxException;
import dev.postroad.journal.JournalSettings;
import dev.postroad.patterns.settings.PatternSettings;
import dev.postroad.protocols.amqp091.AmqpSettings;
import dev.postroad.protocols.http.HttpSettings;
import dev.postroad.security.Secret;
import dev.postroad.security.TlsSettings;
import dev.postroad.security.TlsSettings.ClientCertificates;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code postroad.yaml}. Every key is known or an error; {@code docs/configuration.md} lists them with their units and
 * defaults. A variable {@code POSTROAD_HTTP_PORT} of the environment goes before {@code server.http-port}, and so for every
 * key of {@code server}.
 */
public final class ConfigFile {
    private static final String PREFIX = "POSTROAD_";
    /** Variables of that prefix that mean something elsewhere. */
    private static final List<String> FOREIGN = List.of(
            "POSTROAD_JAVA_OPTS",
            "POSTROAD_URL",
            "POSTROAD_CONFIG",
            "POSTROAD_LOG_LEVEL",
            "POSTROAD_USER",
            "POSTROAD_PASSWORD");

    private static final List<String> TOP = List.of("server", "channels", "topics");
    private static final List<String> SERVER = List.of(
            "data",
            "memory-bytes",
            "bind",
            "http-port",
            "insecure",
            "users",
            "tls",
            "on-damage",
            "disk-low-water",
            "durability",
            "drain",
            "memory",
            "limits",
            "amqp");
    private static final List<String> AMQP = List.of(
            "enabled",
            "port",
            "event-loops",
            "connections",
            "channels",
            "frame",
            "message",
            "unacknowledged",
            "heartbeat",
            "handshake",
            "virtual-hosts");
    private static final List<String> TLS =
            List.of("certificate", "key", "password", "client-certificates", "trusted", "trusted-password");
    private static final List<String> MEMORY = List.of("cache", "indexes");
    private static final List<String> LIMITS = List.of(
            "connections",
            "waiting",
            "body",
            "batch-body",
            "batch-messages",
            "buffered-bodies",
            "pending-requests",
            "message",
            "channels",
            "consumers-per-channel",
            "unsettled-per-consumer");
    private static final List<String> CHANNEL =
            Stream.concat(ChannelSettings.NAMES.stream(), Stream.of("patterns")).toList();
    private static final List<String> TOPIC = List.of("routing", "alternate", "autoDelete", "bindings");
    private static final List<String> BINDING =
            List.of("destination", "topic", "routingKey", "pattern", "condition", "weight", "arguments");

    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;

    private final List<String> problems;
    private final Map<String, String> environment;
    private final Yaml.Place start;
    private final Map<String, PatternSettings> patterns = new LinkedHashMap<>();
    private @Nullable Durability durability;

    private ConfigFile(List<String> problems, Map<String, String> environment, Yaml.Place start) {
        this.problems = problems;
        this.environment = environment;
        this.start = start;
    }

    /**
     * Reads a file.
     *
     * @throws ConfigException with all its problems, or that it can't be read
     */
    public static ServerSettings load(Path file) {
        return parse(file.toString(), text(file), System.getenv());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ConfigException(List.of(file + ": there is no such file"));
        } catch (CharacterCodingException e) {
            throw new ConfigException(List.of(file + ": is no UTF-8 text"));
        } catch (IOException e) {
            throw new ConfigException(List.of(file + ": can't be read: " + e.getMessage()));
        }
    }

    /**
     * The patterns of the channels of a file, for the program that handles them. The whole file is read and checked; what it
     * says of the server has no effect.
     *
     * @return by channel, those that have any, in the order of the file
     * @throws ConfigException with all its problems, or that it can't be read
     */
    public static Map<String, PatternSettings> patterns(Path file) {
        return patterns(file.toString(), text(file), System.getenv());
    }

    /** As {@link #patterns(Path)}, of a text. */
    public static Map<String, PatternSettings> patterns(String name, String text, Map<String, String> environment) {
        ConfigFile read = read(name, text, environment, settings -> {});
        return Collections.unmodifiableMap(read.patterns);
    }

    /** The settings that the environment alone gives, without a file. @throws ConfigException with all problems */
    public static ServerSettings fromEnvironment(Map<String, String> environment) {
        return parse("environment", "", environment);
    }

    /**
     * Reads a text.
     *
     * @param name the file's name, for messages
     * @param text YAML
     * @param environment variables
     * @throws ConfigException with all problems
     */
    public static ServerSettings parse(String name, String text, Map<String, String> environment) {
        List<ServerSettings> settings = new ArrayList<>();
        read(name, text, environment, settings::add);
        return settings.getFirst();
    }

    private static ConfigFile read(
            String name, String text, Map<String, String> environment, Consumer<ServerSettings> taker) {
        List<String> problems = new ArrayList<>();
        Yaml.Item root = Yaml.read(name, text, environment, problems);
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        ConfigFile file = new ConfigFile(problems, new TreeMap<>(environment), new Yaml.Place(name, 1, 1));
        taker.accept(file.settings(root));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return file;
    }

    private ServerSettings settings(Yaml.@Nullable Item root) {
        Section top = Section.of("", root, start, TOP, problems);
        ServerSettings settings = server(top);
        List<ChannelDeclaration> channels = channels(top);
        List<TopicDefinition> topics = new ArrayList<>();
        List<Binding> bindings = new ArrayList<>();
        topics(top, topics, bindings);
        return settings.withDeclarations(channels, topics, bindings);
    }

    // ── server ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private ServerSettings server(Section top) {
        Section server = Section.of("server.", top.item("server"), start, SERVER, problems);
        Section memory = Section.of("server.memory.", server.item("memory"), server.place(), MEMORY, problems);
        Section limits = Section.of("server.limits.", server.item("limits"), server.place(), LIMITS, problems);
        Section amqp = Section.of("server.amqp.", server.item("amqp"), server.place(), AMQP, problems);
        Section tls = Section.of("server.tls.", server.item("tls"), server.place(), TLS, problems);
        override(server, memory, limits, amqp, tls);

        ServerSettings basis = ServerSettings.DEFAULT;
        String data = server.text("data");
        boolean inMemory = "memory".equals(data);
        durability = server.choice("durability", Durability.class);
        EngineSettings engine = engine(basis.engine(), server, memory, limits);
        HttpSettings http = http(basis.http(), server, limits);
        return new ServerSettings(
                inMemory ? null : data == null ? basis.data() : Path.of(data),
                server.size("memory-bytes", 16 * MIB, 1024 * GIB, basis.memoryBytes()),
                server.flag("insecure", false),
                access(server, tls),
                http,
                amqp(AmqpSettings.DEFAULT, amqp, http, engine.maxMessageBytes() - 64 * 1024),
                engine,
                Duration.ofMillis(
                        server.time("drain", 0, 3_600_000, basis.drain().toMillis())),
                List.of(),
                List.of(),
                List.of());
    }

    private EngineSettings engine(EngineSettings basis, Section server, Section memory, Section limits) {
        JournalSettings journal = basis.journal();
        JournalSettings.OnDamage onDamage = server.choice("on-damage", JournalSettings.OnDamage.class);
        if (onDamage != null) {
            journal = journal.withOnDamage(onDamage);
        }
        journal = journal.withLowWaterBytes(server.size("disk-low-water", 0, 1024 * GIB, journal.lowWaterBytes()));
        int perChannel = (int) limits.whole("consumers-per-channel", 1, 1_000_000, basis.maxConsumersPerQueue());
        EngineSettings engine = basis.withJournal(journal)
                .withCacheBytes(memory.size("cache", MIB, 64 * GIB, basis.cacheBytes()))
                .withIndexBytes(memory.size("indexes", 8 * MIB, 64 * GIB, basis.indexBytes()))
                .withMaxMessageBytes((int) limits.size("message", KIB, 16 * MIB, 16 * MIB) + 64 * 1024)
                .withMaxConsumers(perChannel, basis.maxConsumersPerOwner())
                .withMaxChannels((int) limits.whole("channels", 1, 10_000_000, basis.maxChannels()));
        return new EngineSettings(
                engine.journal(),
                engine.cacheBytes(),
                engine.indexBytes(),
                engine.maxMessageBytes(),
                engine.maxBatchMessages(),
                engine.maxChannels(),
                engine.maxConsumersPerQueue(),
                engine.maxConsumersPerOwner(),
                (int) limits.whole("unsettled-per-consumer", 1, 1_000_000, basis.maxUnsettledPerConsumer()),
                engine.maxHeaders(),
                engine.checkpointBytes(),
                engine.checkpointMillis(),
                engine.bufferedMillis());
    }

    private static AccessSettings access(Section server, Section tls) {
        String users = server.text("users");
        return new AccessSettings(users == null || users.equals("none") ? null : Path.of(users), tls(tls));
    }

    private static @Nullable TlsSettings tls(Section tls) {
        String certificate = tls.text("certificate");
        if (certificate == null) {
            if (!tls.entries().isEmpty()) {
                tls.problem("certificate", "is missing; it must name the file of the server's certificate");
            }
            return null;
        }
        ClientCertificates clients = tls.choice("client-certificates", ClientCertificates.class);
        try {
            return new TlsSettings(
                    Path.of(certificate),
                    path(tls.text("key")),
                    secret(tls.text("password")),
                    clients == null ? ClientCertificates.NONE : clients,
                    path(tls.text("trusted")),
                    secret(tls.text("trusted-password")));
        } catch (IllegalArgumentException e) {
            tls.problem("certificate", "can't be used so: " + e.getMessage());
            return null;
        }
    }

    private static @Nullable Path path(@Nullable String text) {
        return text == null ? null : Path.of(text);
    }

    private static @Nullable Secret secret(@Nullable String text) {
        return text == null ? null : Secret.of(text);
    }

    private static @Nullable AmqpSettings amqp(AmqpSettings basis, Section amqp, HttpSettings http, int message) {
        int usual = http.port() == 0 ? 0 : basis.port();
        int port = (int) amqp.whole("port", 0, 65_535, usual);
        AmqpSettings settings = basis.withAddress(http.host(), port)
                .withEventLoops((int) amqp.whole("event-loops", 1, 1024, basis.eventLoops()))
                .withConnections((int) amqp.whole("connections", 1, 1_000_000, basis.maxConnections()), (int)
                        amqp.whole("channels", 1, 65_535, basis.maxChannels()))
                .withSizes(
                        (int) amqp.size("frame", 8 * KIB, 16 * MIB, basis.maxFrameBytes()),
                        (int) amqp.size("message", KIB, message, Math.min(message, basis.maxMessageBytes())),
                        (int) amqp.whole("unacknowledged", 1, 100_000_000, basis.maxUnacknowledged()))
                .withTimes(
                        Duration.ofMillis(amqp.time(
                                "heartbeat", 0, 65_535_000, basis.heartbeat().toMillis())),
                        Duration.ofMillis(amqp.time(
                                "handshake", 10, 3_600_000, basis.handshake().toMillis())));
        List<String> hosts = virtualHosts(amqp, basis.virtualHosts());
        return amqp.flag("enabled", true) ? settings.withVirtualHosts(hosts) : null;
    }

    /** Names, of which {@code /} is always one. */
    private static List<String> virtualHosts(Section amqp, List<String> basis) {
        Yaml.Item item = amqp.item("virtual-hosts");
        if (item == null || item.value() == null) {
            return basis;
        }
        List<String> hosts = new ArrayList<>(List.of("/"));
        if (item.value() instanceof List<?> items) {
            for (Object each : items) {
                if (each instanceof Yaml.Item host && host.value() instanceof String name && !name.isEmpty()) {
                    if (!hosts.contains(name)) {
                        hosts.add(name);
                    }
                } else {
                    amqp.problem("virtual-hosts", "must be a list of names");
                }
            }
        } else {
            amqp.problem("virtual-hosts", "must be a list of names");
        }
        return hosts;
    }

    private HttpSettings http(HttpSettings basis, Section server, Section limits) {
        String bind = server.text("bind");
        int port = (int) server.whole("http-port", 0, 65_535, basis.port());
        int body = (int) limits.size("body", KIB, 64 * MIB, basis.maxBodyBytes());
        int batch = (int) limits.size("batch-body", KIB, 256 * MIB, basis.maxBatchBytes());
        if (batch < body) {
            limits.problem("batch-body", "is " + batch + " bytes; it must be at least 'server.limits.body', " + body);
            batch = body;
        }
        long buffered = limits.size("buffered-bodies", KIB, 64 * GIB, basis.maxBufferedBytes());
        if (buffered < batch) {
            limits.problem(
                    "buffered-bodies",
                    "is " + buffered + " bytes; it must be at least 'server.limits.batch-body', " + batch);
            buffered = batch;
        }
        return basis.withAddress(bind == null ? basis.host() : bind, port)
                .withConnections((int) limits.whole("connections", 1, 1_000_000, basis.maxConnections()), (int)
                        limits.whole("waiting", 1, 1_000_000, basis.maxWaiting()))
                .withBodies(
                        body,
                        batch,
                        (int) limits.whole("batch-messages", 1, 100_000, basis.maxBatchMessages()),
                        buffered)
                .withMaxPendingRequests(
                        (int) limits.whole("pending-requests", 1, 10_000_000, basis.maxPendingRequests()));
    }

    /** Variables go before the file: POSTROAD_HTTP_PORT, POSTROAD_LIMITS_BODY. */
    private void override(Section server, Section memory, Section limits, Section amqp, Section tls) {
        if (environment.keySet().stream().noneMatch(variable -> variable.startsWith(PREFIX))) {
            return;
        }
        Map<String, Runnable> known = new LinkedHashMap<>();
        variables("", server, SERVER, known);
        variables("MEMORY_", memory, MEMORY, known);
        variables("LIMITS_", limits, LIMITS, known);
        variables("AMQP_", amqp, AMQP, known);
        variables("TLS_", tls, TLS, known);
        known.remove(PREFIX + "AMQP");
        known.remove(PREFIX + "TLS");
        known.remove(PREFIX + "AMQP_VIRTUAL_HOSTS");
        known.remove(PREFIX + "MEMORY");
        known.remove(PREFIX + "LIMITS");
        for (String variable : environment.keySet()) {
            if (!variable.startsWith(PREFIX) || FOREIGN.contains(variable)) {
                continue;
            }
            Runnable take = known.get(variable);
            if (take == null) {
                problems.add("environment: the variable " + variable + " is not known"
                        + Words.nearest(variable, known.keySet())
                                .map(near -> "; did you mean " + near + "?")
                                .orElse("; those that begin with " + PREFIX + " are settings of the server"));
            } else {
                take.run();
            }
        }
    }

    private void variables(String prefix, Section section, List<String> keys, Map<String, Runnable> known) {
        for (String key : keys) {
            String variable = PREFIX + prefix + key.toUpperCase(Locale.ROOT).replace('-', '_');
            known.put(variable, () -> {
                String text = environment.getOrDefault(variable, "");
                Yaml.Item item = Yaml.read(variable, text, Map.of(), problems);
                if (item != null) {
                    section.entries().put(key, new Yaml.Entry(item.place(), item));
                }
            });
        }
    }

    // ── channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private List<ChannelDeclaration> channels(Section top) {
        Section section = Section.of("channels.", top.item("channels"), start, List.of(), problems);
        List<ChannelDeclaration> channels = new ArrayList<>();
        section.entries().forEach((name, entry) -> {
            String path = "channels." + name + ".";
            Section settings = Section.of(path, entry.item(), entry.place(), CHANNEL, problems);
            Section retry =
                    Section.of(path + "retry.", retry(settings), settings.place(), ChannelSettings.RETRY, problems);
            Map<String, @Nullable Object> map = settings.plainMap();
            map.remove("patterns");
            if (map.get("retry") instanceof Map) {
                map.put("retry", retry.plainMap());
            }
            if (durability != null && !map.containsKey("durability")) {
                map.put("durability", durability.name());
            }
            int before = problems.size();
            ChannelDeclaration channel = ChannelSettings.fromMap(name, map, (setting, what) -> {
                Yaml.Place place = setting.startsWith("retry.")
                        ? retry.place(setting.substring("retry.".length()))
                        : setting.isEmpty() ? entry.place() : settings.place(setting);
                problems.add(place + ": " + (setting.isEmpty() ? what : "'" + path + setting + "' " + what));
            });
            boolean declared = channel != null && problems.size() == before;
            if (declared) {
                channels.add(channel);
            }
            Yaml.Item own = settings.item("patterns");
            if (own != null && own.value() != null) {
                patterns.put(name, PatternSection.read(path, own, declared ? channel : null, problems));
            }
        });
        return channels;
    }

    private static Yaml.@Nullable Item retry(Section settings) {
        Yaml.Item item = settings.item("retry");
        return item != null && item.value() instanceof Map ? item : null;
    }

    // ── topics ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void topics(Section top, List<TopicDefinition> topics, List<Binding> bindings) {
        Section section = Section.of("topics.", top.item("topics"), start, List.of(), problems);
        section.entries().forEach((name, entry) -> {
            String path = "topics." + name + ".";
            Section settings = Section.of(path, entry.item(), entry.place(), TOPIC, problems);
            TopicDefinition.Routing routing = settings.choice("routing", TopicDefinition.Routing.class);
            TopicDefinition.Routing by = routing == null ? TopicDefinition.Routing.PATTERN : routing;
            try {
                ChannelDeclaration.checkName("topic", name);
                topics.add(new TopicDefinition(
                        name, by, settings.text("alternate"), settings.flag("autoDelete", false), null));
            } catch (EngineException e) {
                problems.add(entry.place() + ": " + e.getMessage());
            }
            bindings(name, path, by, settings, bindings);
        });
    }

    private void bindings(
            String topic, String path, TopicDefinition.Routing routing, Section settings, List<Binding> bindings) {
        Yaml.Item list = settings.item("bindings");
        if (list == null || list.value() == null) {
            return;
        }
        if (!(list.value() instanceof List<?> items)) {
            settings.problem("bindings", "must be a list");
            return;
        }
        for (int i = 0; i < items.size(); i++) {
            Yaml.Item item = (Yaml.Item) items.get(i);
            Section binding = Section.of(path + "bindings[" + i + "].", item, item.place(), BINDING, problems);
            String channel = binding.text("destination");
            String toTopic = binding.text("topic");
            if ((channel == null) == (toTopic == null)) {
                problems.add(item.place() + ": '" + path + "bindings[" + i
                        + "]' must have one of 'destination' (a channel) and 'topic': where the messages go");
                continue;
            }
            String pattern = pattern(routing, binding);
            bindings.add(new Binding(
                    topic,
                    channel == null ? String.valueOf(toTopic) : channel,
                    toTopic != null,
                    pattern,
                    arguments(binding)));
        }
    }

    private String pattern(TopicDefinition.Routing routing, Section binding) {
        String wanted = switch (routing) {
            case DIRECT -> "routingKey";
            case PATTERN, LEVELS -> "pattern";
            case RULE -> "condition";
            case HASH -> "weight";
            case FANOUT, HEADERS -> "";
        };
        for (String key : List.of("routingKey", "pattern", "condition", "weight")) {
            if (binding.item(key) != null && !key.equals(wanted)) {
                binding.problem(
                        key,
                        "does not belong to routing = "
                                + routing.name().toLowerCase(Locale.ROOT)
                                + (wanted.isEmpty() ? "" : "; write '" + wanted + "'"));
            }
        }
        String pattern = wanted.isEmpty() ? null : binding.text(wanted);
        if (pattern == null) {
            if (!wanted.isEmpty()) {
                binding.problem(wanted, "is missing");
            }
            return "";
        }
        if (routing == TopicDefinition.Routing.RULE) {
            try {
                Rule.parse(pattern);
            } catch (RuleSyntaxException e) {
                binding.problem("condition", "is no rule: " + e.getMessage());
            }
        }
        return pattern;
    }

    private Map<String, Object> arguments(Section binding) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        Yaml.Item item = binding.item("arguments");
        if (item == null) {
            return arguments;
        }
        if (!(item.value() instanceof Map<?, ?> map)) {
            binding.problem("arguments", "must have names and values");
            return arguments;
        }
        map.forEach((name, entry) -> {
            Object value = ((Yaml.Entry) entry).item().value();
            if (value instanceof String
                    || value instanceof Long
                    || value instanceof Double
                    || value instanceof Boolean) {
                arguments.put(String.valueOf(name), value);
            } else {
                binding.problem("arguments", "." + name + " must be a text, a number, true or false");
            }
        });
        return arguments;
    }
}
