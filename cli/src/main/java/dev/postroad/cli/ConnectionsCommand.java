package dev.postroad.cli;

import dev.postroad.cli.HttpApi.Target;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** {@code connections}: who is connected, and ending it. */
@Command(
        name = "connections",
        header = "List who is connected by AMQP, or close a connection.",
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad connections",
            "  postroad connections --format json",
            "  postroad connections --close '127.0.0.1:50312 -> 127.0.0.1:5672' --reason 'maintenance'"
        })
final class ConnectionsCommand implements Callable<Integer> {
    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Option(
            names = "--close",
            paramLabel = "CONNECTION",
            description = "Close this one; its client is told why, and may connect again.")
    private @Nullable String close;

    @Option(names = "--reason", paramLabel = "TEXT", description = "What its client is told.")
    private @Nullable String reason;

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        if (reason != null && close == null) {
            throw new CliException(ExitCode.USAGE, "--reason goes with --close");
        }
        try (Link link = broker.open()) {
            return close == null ? list(link) : close(link, close);
        }
    }

    private int close(Link link, String connection) {
        link.api().delete(Target.of("connections", connection).with("reason", reason));
        if (format.json()) {
            Json.print(Terminal.out(), Map.of("connection", connection, "closed", true));
        } else {
            Terminal.err().println("postroad: the connection '" + connection + "' is closed");
        }
        return ExitCode.OK;
    }

    private int list(Link link) {
        JsonNode answer = link.api().get(Target.of("connections"));
        if (format.json()) {
            Json.print(Terminal.out(), answer);
            return ExitCode.OK;
        }
        Table table =
                new Table("connection", "user", "vhost", "state", ">channels", ">consumers", ">unsettled", "client");
        for (JsonNode connection : Json.list(answer, "connections")) {
            int consumers = 0;
            long unsettled = 0;
            for (JsonNode channel : Json.list(connection, "channels")) {
                consumers += Json.list(channel, "consumers").size();
                unsettled += Json.number(channel, "unsettled");
            }
            JsonNode client = connection.path("clientProperties");
            table.row(
                    Json.text("", connection, "connection"),
                    Json.text("-", connection, "user"),
                    Json.text("-", connection, "vhost"),
                    Json.text("", connection, "state"),
                    Json.list(connection, "channels").size(),
                    consumers,
                    Units.count(unsettled),
                    Units.oneLine(Json.text(Json.text("-", client, "product"), client, "connection_name")));
        }
        if (table.isEmpty()) {
            Terminal.err().println("postroad: nobody is connected by AMQP");
        } else {
            table.print(Terminal.out());
        }
        return ExitCode.OK;
    }
}
