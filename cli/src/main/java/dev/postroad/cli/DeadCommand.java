package dev.postroad.cli;

import dev.postroad.api.DeadLetter;
import dev.postroad.cli.HttpApi.Target;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import tools.jackson.databind.JsonNode;

/** {@code dead}: list, show and redrive dead letters. */
@Command(
        name = "dead",
        header = "List, show and redrive dead letters.",
        description = {"", "Without a command it tells where dead letters lie.", ""},
        sortOptions = false,
        subcommands = {DeadCommand.ListDead.class, DeadCommand.Show.class, DeadCommand.Redrive.class},
        footer = {
            "",
            "Examples:",
            "  postroad dead",
            "  postroad dead list orders.dead",
            "  postroad dead show orders.dead order-1234",
            "  postroad dead redrive orders.dead --filter \"type = 'OrderCreated'\" --max 100"
        })
final class DeadCommand implements Callable<Integer> {
    private static final int REASON_COLUMNS = 56;

    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        return overview(broker, format);
    }

    private static int overview(BrokerOptions broker, FormatOption format) {
        try (Link link = broker.open()) {
            JsonNode answer = link.api().get(Target.of("dead-letters"));
            if (format.json()) {
                Json.print(Terminal.out(), answer);
                return ExitCode.OK;
            }
            Table table = new Table("channel", ">messages", ">size", "of");
            for (JsonNode channel : Json.list(answer, "deadLetters")) {
                List<String> of = Json.list(channel, "of").stream()
                        .map(JsonNode::asString)
                        .toList();
                table.row(
                        Json.text("", channel, "channel"),
                        Units.count(Json.number(channel, "messages")),
                        Units.bytes(Json.number(channel, "bytes")),
                        String.join(", ", of));
            }
            if (table.isEmpty()) {
                Terminal.err().println("postroad: no channel gives up messages to another one");
            } else {
                table.print(Terminal.out());
            }
            return ExitCode.OK;
        }
    }

    private static String header(JsonNode browsed, String name) {
        return Json.text("-", browsed, "message", "headers", name);
    }

    /** {@code dead list} */
    @Command(
            name = "list",
            aliases = "ls",
            header = "List dead letters with their reasons; without a channel, where there are any.",
            sortOptions = false,
            footer = {"", "Example: postroad dead list orders.dead"})
    static final class ListDead implements Callable<Integer> {
        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(arity = "0..1", paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private @Nullable String channel;

        @Option(names = "--filter", paramLabel = "RULE", description = "Only those that match.")
        private @Nullable String filter;

        @Option(
                names = {"-n", "--max"},
                paramLabel = "N",
                description = "At most so many, 1 to 10,000. Default: 100.")
        private int max = 100;

        @Override
        public Integer call() {
            if (channel == null) {
                return overview(parent.broker, parent.format);
            }
            try (Link link = parent.broker.open()) {
                JsonNode answer = link.api()
                        .get(Target.of("channels", channel, "messages")
                                .with("max", max)
                                .with("filter", filter));
                List<JsonNode> letters = Json.list(answer, "messages");
                if (parent.format.json()) {
                    Json.print(Terminal.out(), answer);
                } else if (letters.isEmpty()) {
                    Terminal.err().println("postroad: no dead letters in '" + channel + "'");
                } else {
                    print(Terminal.out(), letters);
                }
                return ExitCode.OK;
            }
        }

        private static void print(PrintStream out, List<JsonNode> letters) {
            Table table = new Table("id", "key", "from", ">attempts", "given up", "reason");
            for (JsonNode letter : letters) {
                table.row(
                        Json.text("", letter, "message", "id"),
                        Table.cut(BrowseCommand.bytes(letter.path("message"), "key"), 24),
                        header(letter, DeadLetter.ORIGIN_HEADER),
                        header(letter, DeadLetter.ATTEMPTS_HEADER),
                        header(letter, DeadLetter.TIME_HEADER),
                        Table.cut(header(letter, DeadLetter.REASON_HEADER), REASON_COLUMNS));
            }
            table.print(out);
        }
    }

    /** {@code dead show} */
    @Command(
            name = "show",
            header = "Show one dead letter whole.",
            sortOptions = false,
            footer = {"", "Example: postroad dead show orders.dead order-1234"})
    static final class Show implements Callable<Integer> {
        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(index = "0", paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private String channel = "";

        @Parameters(index = "1", paramLabel = "ID", description = "The message's id.")
        private String id = "";

        @Override
        public Integer call() {
            try (Link link = parent.broker.open()) {
                JsonNode letter = link.api().get(Target.of("channels", channel, "messages", id));
                if (parent.format.json()) {
                    Json.print(Terminal.out(), letter);
                } else {
                    print(Terminal.out(), letter);
                }
                return ExitCode.OK;
            }
        }

        private static void print(PrintStream out, JsonNode letter) {
            line(out, "id", Json.text("", letter, "message", "id"));
            line(out, "from", header(letter, DeadLetter.ORIGIN_HEADER));
            line(out, "given up", header(letter, DeadLetter.TIME_HEADER));
            line(out, "attempts", header(letter, DeadLetter.ATTEMPTS_HEADER));
            line(out, "cause", header(letter, DeadLetter.CAUSE_HEADER));
            line(out, "reason", header(letter, DeadLetter.REASON_HEADER));
            for (String name :
                    List.of("type", "source", "correlationId", "replyTo", "contentType", "version", "timestamp")) {
                String value = Json.text(letter, "message", name);
                if (value != null) {
                    line(out, name, value);
                }
            }
            for (Map.Entry<String, JsonNode> header :
                    Json.members(letter.path("message").path("headers"))) {
                if (!header.getKey().startsWith(DeadLetter.HEADER_PREFIX)) {
                    line(out, header.getKey(), header.getValue().asString());
                }
            }
            line(out, "key", BrowseCommand.bytes(letter.path("message"), "key"));
            out.println();
            out.println(BrowseCommand.bytes(letter.path("message"), "value"));
        }

        private static void line(PrintStream out, String name, String value) {
            out.println(name + " ".repeat(Math.max(1, 14 - Table.width(name))) + Units.oneLine(value));
        }
    }

    /** {@code dead redrive} */
    @Command(
            name = "redrive",
            header = "Put dead letters back where they came from, in order per key, attempts counted anew.",
            sortOptions = false,
            footer = {
                "",
                "Examples:",
                "  postroad dead redrive orders.dead --dry-run",
                "  postroad dead redrive orders.dead --max 100"
            })
    static final class Redrive implements Callable<Integer> {
        private static final int MOST_COUNTED = 10_000;

        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private String channel = "";

        @Option(names = "--filter", paramLabel = "RULE", description = "Only those that match.")
        private @Nullable String filter;

        @Option(
                names = {"-n", "--max"},
                paramLabel = "N",
                description = "At most so many, the oldest first.")
        private @Nullable Long max;

        @Option(names = "--dry-run", description = "Tell how many would be put back, and do nothing.")
        private boolean dryRun;

        @Override
        public Integer call() {
            if (max != null && max < 1) {
                throw new CliException(ExitCode.USAGE, "--max is " + max + "; it must be 1 or more");
            }
            try (Link link = parent.broker.open()) {
                long count = dryRun ? count(link) : redrive(link);
                if (parent.format.json()) {
                    Json.print(Terminal.out(), Map.of("messages", count, "dryRun", dryRun));
                } else {
                    String some = dryRun && count == MOST_COUNTED ? "at least " : "";
                    Terminal.err()
                            .println("postroad: " + some + ChannelsCommand.plural(count) + " of '" + channel + "' "
                                    + (dryRun ? "would be" : count == 1 ? "is" : "are")
                                    + " put back where they came from");
                }
                return ExitCode.OK;
            }
        }

        private long redrive(Link link) {
            Map<String, Object> body = new LinkedHashMap<>();
            if (filter != null) {
                body.put("filter", filter);
            }
            if (max != null) {
                body.put("max", max);
            }
            return Json.number(link.api().post(Target.of("channels", channel, "redrive"), body), "messages");
        }

        private long count(Link link) {
            long most = max == null ? MOST_COUNTED : Math.min(max, MOST_COUNTED);
            JsonNode answer = link.api()
                    .get(Target.of("channels", channel, "messages")
                            .with("max", most)
                            .with("filter", filter));
            return Json.list(answer, "messages").size();
        }
    }
}
