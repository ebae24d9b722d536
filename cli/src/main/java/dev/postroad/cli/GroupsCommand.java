package dev.postroad.cli;

import dev.postroad.cli.HttpApi.Target;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import tools.jackson.databind.JsonNode;

/** {@code groups}: consumer groups and how far behind they are. */
@Command(
        name = "groups",
        header = "List consumer groups of streams and how far behind they are.",
        sortOptions = false,
        subcommands = GroupsCommand.Delete.class,
        footer = {
            "",
            "Examples:",
            "  postroad groups",
            "  postroad groups --channel order-events --format json",
            "  postroad groups delete order-events billing --yes"
        })
final class GroupsCommand implements Callable<Integer> {
    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Option(
            names = {"-c", "--channel"},
            paramLabel = "CHANNEL",
            description = "Only those of this stream.")
    private @Nullable String channel;

    @Mixin
    private FormatOption format = new FormatOption();

    @Override
    public Integer call() {
        try (Link link = broker.open()) {
            JsonNode answer =
                    link.api().get(channel == null ? Target.of("groups") : Target.of("channels", channel, "groups"));
            if (format.json()) {
                Json.print(Terminal.out(), answer);
                return ExitCode.OK;
            }
            Table table = new Table("group", "channel", ">lag", ">in flight", ">consumers");
            for (JsonNode group : Json.list(answer, "groups")) {
                table.row(
                        Json.text("", group, "group"),
                        Json.text("-", group, "channel"),
                        Units.count(Json.number(group, "lag")),
                        Units.count(Json.number(group, "inFlight")),
                        Json.list(group, "consumers").size()
                                + Json.list(group, "members").size());
            }
            if (table.isEmpty()) {
                Terminal.err().println("postroad: there are no groups; the first consumer of a group makes it");
            } else {
                table.print(Terminal.out());
            }
            return ExitCode.OK;
        }
    }

    /** {@code groups delete} */
    @Command(
            name = "delete",
            header = "Delete a group of a stream; the stream keeps its messages.",
            footer = {"", "Example: postroad groups delete order-events billing --yes"})
    static final class Delete implements Callable<Integer> {
        @ParentCommand
        private GroupsCommand parent = new GroupsCommand();

        @Parameters(index = "0", paramLabel = "CHANNEL", description = "The stream.")
        private String channel = "";

        @Parameters(index = "1", paramLabel = "GROUP", description = "The group.")
        private String group = "";

        @Mixin
        private Confirmation confirmation = new Confirmation();

        @Override
        public Integer call() throws IOException {
            if (parent.channel != null) {
                throw new CliException(
                        ExitCode.USAGE, "groups delete takes the channel as its first argument, not --channel");
            }
            String what = "delete group '" + group + "' of channel '" + channel + "', which forgets how far it came";
            if (confirmation.dryRun()) {
                return done("would " + what, true);
            }
            confirmation.ask(what);
            try (Link link = parent.broker.open()) {
                link.api().delete(Target.of("channels", channel, "groups", group));
                return done("group '" + group + "' of '" + channel + "' is deleted", false);
            }
        }

        private int done(String sentence, boolean dryRun) {
            if (parent.format.json()) {
                Json.print(Terminal.out(), Map.of("channel", channel, "group", group, "dryRun", dryRun));
            } else {
                Terminal.err().println("postroad: " + sentence);
            }
            return ExitCode.OK;
        }
    }
}
