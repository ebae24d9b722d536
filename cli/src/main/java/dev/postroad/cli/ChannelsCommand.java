package dev.postroad.cli;

import dev.postroad.cli.HttpApi.Target;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import tools.jackson.databind.JsonNode;

/** {@code channels}: list, describe, create, delete, purge. */
@Command(
        name = "channels",
        header = "List, describe, create, delete and purge channels.",
        description = {"", "Without a command it lists them.", ""},
        sortOptions = false,
        subcommands = {
            ChannelsCommand.Ls.class,
            ChannelsCommand.Describe.class,
            ChannelsCommand.Create.class,
            ChannelsCommand.Delete.class,
            ChannelsCommand.Purge.class
        },
        footer = {
            "",
            "Examples:",
            "  postroad channels",
            "  postroad channels ls --format json",
            "  postroad channels describe orders",
            "  postroad channels create orders --kind command --set orderedByKey=true --set retry.maxAttempts=3",
            "  postroad channels purge orders.dead --dry-run",
            "  postroad channels delete old-orders --yes"
        })
final class ChannelsCommand implements Callable<Integer> {
    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        return list(broker, format);
    }

    private static int list(BrokerOptions broker, FormatOption format) {
        try (Link link = broker.open()) {
            JsonNode answer = link.api().get(Target.of("channels"));
            PrintStream out = Terminal.out();
            if (format.json()) {
                Json.print(out, answer);
                return ExitCode.OK;
            }
            Table table =
                    new Table("name", "kind", ">ready", ">in flight", ">delayed", ">parked", ">consumers", ">size");
            for (JsonNode channel : Json.list(answer, "channels")) {
                table.row(
                        Json.text("", channel, "name"),
                        Json.text("", channel, "settings", "kind"),
                        Units.count(Json.number(channel, "ready")),
                        Units.count(Json.number(channel, "inFlight")),
                        Units.count(Json.number(channel, "delayed")),
                        Units.count(Json.number(channel, "parked")),
                        Json.list(channel, "consumers").size(),
                        Units.bytes(Json.number(channel, "bytes")));
            }
            if (table.isEmpty()) {
                Terminal.err().println("postroad: there are no channels yet; postroad channels create NAME makes one");
            } else {
                table.print(out);
            }
            return ExitCode.OK;
        }
    }

    private int wouldBe(String what) {
        return done(Json.tree(Map.of("dryRun", true, "would", what)), "would " + what);
    }

    /** Tells what was done: the server's answer, or a sentence. */
    private int done(JsonNode answer, String sentence) {
        if (format.json()) {
            Json.print(Terminal.out(), answer);
        } else {
            Terminal.err().println("postroad: " + sentence);
        }
        return ExitCode.OK;
    }

    /** {@code channels ls} */
    @Command(
            name = "ls",
            aliases = "list",
            header = "List all channels.",
            footer = {"", "Example: postroad channels ls"})
    static final class Ls implements Callable<Integer> {
        @ParentCommand
        private ChannelsCommand parent = new ChannelsCommand();

        @Override
        public Integer call() {
            return list(parent.broker, parent.format);
        }
    }

    /** {@code channels describe} */
    @Command(
            name = "describe",
            header = "Show a channel: its settings, depth, consumers and counters.",
            footer = {"", "Example: postroad channels describe orders"})
    static final class Describe implements Callable<Integer> {
        @ParentCommand
        private ChannelsCommand parent = new ChannelsCommand();

        @Parameters(paramLabel = "CHANNEL", description = "Which one.")
        private String channel = "";

        @Override
        public Integer call() {
            try (Link link = parent.broker.open()) {
                JsonNode answer = link.api().get(Target.of("channels", channel));
                if (parent.format.json()) {
                    Json.print(Terminal.out(), answer);
                } else {
                    print(Terminal.out(), answer, "");
                }
                return ExitCode.OK;
            }
        }

        /** Members one below the other, those of an inner object further in. */
        private static void print(PrintStream out, JsonNode object, String indent) {
            int width = object.properties().stream()
                    .mapToInt(member -> Table.width(member.getKey()))
                    .max()
                    .orElse(0);
            for (Map.Entry<String, JsonNode> member : Json.members(object)) {
                JsonNode value = member.getValue();
                String name = indent + member.getKey() + " ".repeat(width - Table.width(member.getKey()));
                if (value.isObject()) {
                    out.println(indent + member.getKey());
                    print(out, value, indent + "  ");
                } else if (value.isArray()) {
                    out.println(name + "  " + value.size());
                    value.forEach(element -> out.println(indent + "  - "
                            + Units.oneLine(element.isString() ? element.asString() : inLine(element))));
                } else {
                    out.println(name + "  " + (value.isNull() ? "none" : Units.oneLine(value.asString())));
                }
            }
        }

        private static String inLine(JsonNode element) {
            List<String> parts = new ArrayList<>();
            Json.members(element)
                    .forEach(member ->
                            parts.add(member.getKey() + "=" + member.getValue().asString()));
            return String.join("  ", parts);
        }
    }

    /** {@code channels create} */
    @Command(
            name = "create",
            header = "Declare a channel. Declaring it again as it is does nothing.",
            description = {
                "",
                "Settings that are not given have the default of the kind. docs/channels.md lists all of them, among them:"
                        + " orderedByKey, retry.maxAttempts, retry.initialDelay, deadLetter, ttl, lease, prefetch,"
                        + " dedupWindow, priorities, maxMessages, maxBytes, overflow, partitions, retention, compacted,"
                        + " timeout.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  postroad channels create orders --set orderedByKey=true --set retry.maxAttempts=3",
                "  postroad channels create order-events --kind event --set partitions=8 --set retention=30d"
            })
    static final class Create implements Callable<Integer> {
        @ParentCommand
        private ChannelsCommand parent = new ChannelsCommand();

        @Parameters(paramLabel = "CHANNEL", description = "Its name.")
        private String channel = "";

        @Option(
                names = "--kind",
                paramLabel = "KIND",
                description = "command, event, request or document. Default: command.")
        private String kind = "command";

        @Option(names = "--set", paramLabel = "NAME=VALUE", description = "A setting; repeat it for more.")
        private List<String> settings = new ArrayList<>();

        @Override
        public Integer call() {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("kind", kind);
            for (String setting : settings) {
                int equals = setting.indexOf('=');
                if (equals < 1) {
                    throw new CliException(ExitCode.USAGE, "--set is '" + setting + "'; it must be NAME=VALUE");
                }
                put(body, setting.substring(0, equals), setting.substring(equals + 1));
            }
            try (Link link = parent.broker.open()) {
                JsonNode answer = link.api().put(Target.of("channels", channel), body);
                return parent.done(answer, "channel '" + channel + "' is declared, kind " + kind);
            }
        }

        /** {@code retry.maxAttempts} is a member of the object {@code retry}. */
        @SuppressWarnings("unchecked")
        private static void put(Map<String, Object> body, String name, String value) {
            int dot = name.indexOf('.');
            if (dot < 0) {
                body.put(name, typed(value));
                return;
            }
            Object inner = body.computeIfAbsent(name.substring(0, dot), key -> new LinkedHashMap<String, Object>());
            if (!(inner instanceof Map<?, ?>)) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--set gives both " + name.substring(0, dot) + " and " + name + "; give one of them");
            }
            ((Map<String, Object>) inner).put(name.substring(dot + 1), typed(value));
        }

        private static Object typed(String value) {
            if (value.equals("true") || value.equals("false")) {
                return Boolean.valueOf(value);
            }
            if (value.matches("\\d{1,18}")) {
                return Long.valueOf(value);
            }
            return value.matches("\\d{1,9}\\.\\d{1,9}") ? (Object) Double.valueOf(value) : value;
        }
    }

    /** {@code channels delete} */
    @Command(
            name = "delete",
            header = "Delete a channel and its messages; not while it has consumers.",
            footer = {"", "Example: postroad channels delete old-orders --yes"})
    static final class Delete implements Callable<Integer> {
        @ParentCommand
        private ChannelsCommand parent = new ChannelsCommand();

        @Parameters(paramLabel = "CHANNEL", description = "Which one.")
        private String channel = "";

        @Option(names = "--if-empty", description = "Only if it has no messages.")
        private boolean ifEmpty;

        @Mixin
        private Confirmation confirmation = new Confirmation();

        @Override
        public Integer call() throws IOException {
            try (Link link = parent.broker.open()) {
                String what = "delete channel '" + channel + "' with " + messages(link, channel);
                if (confirmation.dryRun()) {
                    return parent.wouldBe(what);
                }
                confirmation.ask(what);
                JsonNode answer =
                        link.api().delete(Target.of("channels", channel).with("ifEmpty", ifEmpty ? true : null));
                long messages = Json.number(answer, "messages");
                return parent.done(answer, "channel '" + channel + "' is deleted, with " + plural(messages));
            }
        }
    }

    /** {@code channels purge} */
    @Command(
            name = "purge",
            header = "Drop all messages that wait in a channel.",
            footer = {"", "Example: postroad channels purge orders.dead --dry-run"})
    static final class Purge implements Callable<Integer> {
        @ParentCommand
        private ChannelsCommand parent = new ChannelsCommand();

        @Parameters(paramLabel = "CHANNEL", description = "Which one.")
        private String channel = "";

        @Mixin
        private Confirmation confirmation = new Confirmation();

        @Override
        public Integer call() throws IOException {
            try (Link link = parent.broker.open()) {
                String what = "drop " + messages(link, channel) + " of channel '" + channel + "'";
                if (confirmation.dryRun()) {
                    return parent.wouldBe(what);
                }
                confirmation.ask(what);
                JsonNode answer = link.api().delete(Target.of("channels", channel, "messages"));
                long messages = Json.number(answer, "messages");
                return parent.done(answer, "dropped " + plural(messages) + " of '" + channel + "'");
            }
        }
    }

    private static String messages(Link link, String channel) {
        JsonNode status = link.api().get(Target.of("channels", channel));
        return plural(Json.number(status, "ready") + Json.number(status, "delayed") + Json.number(status, "parked"));
    }

    static String plural(long messages) {
        return Units.count(messages) + (messages == 1 ? " message" : " messages");
    }
}
