package dev.postroad.cli;

import dev.postroad.cli.HttpApi.Target;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code browse}: looks at messages without consuming them. */
@Command(
        name = "browse",
        header = "Look at messages without consuming them, the oldest first.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad browse orders",
            "  postroad browse orders --filter \"priority > 4\" --max 20",
            "  postroad browse orders --format json | jq '.messages[].message.id'"
        })
final class BrowseCommand implements Callable<Integer> {
    private static final int VALUE_COLUMNS = 48;
    private static final int KEY_COLUMNS = 24;

    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Parameters(paramLabel = "CHANNEL", description = "Which one.")
    private String channel = "";

    @Option(names = "--filter", paramLabel = "RULE", description = "Only messages that match.")
    private @Nullable String filter;

    @Option(
            names = {"-g", "--group"},
            paramLabel = "GROUP",
            description = "Of a stream: as this group has them.")
    private @Nullable String group;

    @Option(
            names = {"-n", "--max"},
            paramLabel = "N",
            description = "At most so many, 1 to 10,000. Default: 100.")
    private int max = 100;

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        try (Link link = broker.open()) {
            JsonNode answer = link.api()
                    .get(Target.of("channels", channel, "messages")
                            .with("max", max)
                            .with("filter", filter)
                            .with("group", group));
            if (format.json()) {
                Json.print(Terminal.out(), answer);
            } else {
                print(Terminal.out(), Json.list(answer, "messages"));
            }
            return ExitCode.OK;
        }
    }

    private void print(PrintStream out, List<JsonNode> messages) {
        if (messages.isEmpty()) {
            Terminal.err()
                    .println(
                            "postroad: no message" + (filter == null ? "" : " that matches") + " in '" + channel + "'");
            return;
        }
        Table table = new Table("id", "state", ">attempts", "place", "key", "value");
        for (JsonNode browsed : messages) {
            table.row(
                    Json.text("", browsed, "message", "id"),
                    Json.text("", browsed, "state"),
                    Json.number(browsed, "attempts"),
                    browsed.has("offset")
                            ? Json.number(browsed, "partition") + "@" + Json.number(browsed, "offset")
                            : "-",
                    Table.cut(bytes(browsed.path("message"), "key"), KEY_COLUMNS),
                    Table.cut(bytes(browsed.path("message"), "value"), VALUE_COLUMNS));
        }
        table.print(out);
        if (messages.size() == max) {
            Terminal.err().println("postroad: these are the first " + max + "; --max shows more");
        }
    }

    /** A key or value for a table. */
    static String bytes(JsonNode message, String name) {
        String text = Json.text(message, name);
        if (text != null) {
            return text;
        }
        String base64 = Json.text(message, name + "Base64");
        return base64 == null ? "-" : "(" + Units.bytes(base64.length() * 3L / 4) + " of bytes)";
    }
}
