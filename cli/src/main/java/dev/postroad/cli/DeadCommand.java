package dev.postroad.cli;

import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.cli.HttpApi.Target;
import dev.postroad.patterns.deadletters.DeadLetters;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.deadletters.Run;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import tools.jackson.databind.JsonNode;

/** {@code dead}: list, show, edit and redrive dead letters, and tell what was done to them. */
@Command(
        name = "dead",
        header = "List, show, edit and redrive dead letters.",
        description = {"", "Without a command it tells where dead letters lie.", ""},
        sortOptions = false,
        subcommands = {
            DeadCommand.ListDead.class,
            DeadCommand.Show.class,
            DeadCommand.Edit.class,
            DeadCommand.Redrive.class,
            DeadCommand.LedgerOf.class
        },
        footer = {
            "",
            "Examples:",
            "  postroad dead",
            "  postroad dead list orders.dead",
            "  postroad dead show orders.dead order-1234",
            "  postroad dead edit orders.dead order-1234 --value-file mended.json",
            "  postroad dead redrive orders.dead --reason timeout --since 2h --rate 50",
            "  postroad dead ledger orders.dead"
        })
final class DeadCommand implements Callable<Integer> {
    private static final int REASON_COLUMNS = 56;
    private static final int MOST_LISTED = 10_000;
    private static final Pattern NUMBER = Pattern.compile("#\\d{1,18}");

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

    /** The letter of this number, as the HTTP interface shows it; none if it is gone. */
    private static List<JsonNode> byNumber(Link link, String channel, long number) {
        return Json.list(
                        link.api()
                                .get(Target.of("channels", channel, "messages")
                                        .with("max", 1)
                                        .with("after", number - 1)),
                        "messages")
                .stream()
                .filter(found -> Json.number(found, "number") == number)
                .toList();
    }

    /** The letter of this id, or of {@code #number}. */
    private static JsonNode letter(Link link, String channel, String id) {
        if (NUMBER.matcher(id).matches()) {
            List<JsonNode> found = byNumber(link, channel, Long.parseLong(id.substring(1)));
            if (found.isEmpty()) {
                throw new CliException(
                        ExitCode.NOT_FOUND,
                        "there is no message of number " + id.substring(1) + " in '" + channel + "'");
            }
            return found.getFirst();
        }
        return link.api().get(Target.of("channels", channel, "messages", id));
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

        @Mixin
        private LetterOptions which = new LetterOptions();

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
                List<JsonNode> letters = letters(link, channel);
                if (parent.format.json()) {
                    Json.print(Terminal.out(), Map.of("messages", letters));
                } else if (letters.isEmpty()) {
                    Terminal.err().println("postroad: no dead letters in '" + channel + "'");
                } else {
                    print(Terminal.out(), letters);
                }
                return ExitCode.OK;
            }
        }

        private List<JsonNode> letters(Link link, String from) {
            if (max < 1 || max > MOST_LISTED) {
                throw new CliException(ExitCode.USAGE, "--max is " + max + "; it must be 1 to 10,000");
            }
            if (which.ruleAlone()) {
                return Json.list(
                        link.api()
                                .get(Target.of("channels", from, "messages")
                                        .with("max", max)
                                        .with("filter", which.rule())),
                        "messages");
            }
            return new DeadLetters(link.postroad(), from)
                    .search(which.toFilter(), max).stream()
                            .flatMap(letter -> byNumber(link, from, letter.number()).stream())
                            .toList();
        }

        private static void print(PrintStream out, List<JsonNode> letters) {
            Table table = new Table(">number", "id", "key", "from", ">attempts", "given up", "reason");
            for (JsonNode letter : letters) {
                table.row(
                        Long.toString(Json.number(letter, "number")),
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

        @Parameters(index = "1", paramLabel = "ID", description = "The message's id, or #NUMBER.")
        private String id = "";

        @Override
        public Integer call() {
            try (Link link = parent.broker.open()) {
                JsonNode letter = letter(link, channel, id);
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
            line(out, "exception", header(letter, DeadLetter.EXCEPTION_HEADER));
            line(out, "first failure", header(letter, DeadLetter.FIRST_FAILURE_HEADER));
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

    /** {@code dead edit} */
    @Command(
            name = "edit",
            header = "Put one dead letter back where it came from, edited; attempts counted anew.",
            sortOptions = false,
            footer = {
                "",
                "Examples:",
                "  postroad dead edit orders.dead order-1234 --value '{\"amount\": 12}'",
                "  postroad dead edit orders.dead '#17' --value-file mended.json --header mended=yes"
            })
    static final class Edit implements Callable<Integer> {
        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(index = "0", paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private String channel = "";

        @Parameters(index = "1", paramLabel = "ID", description = "The message's id, or #NUMBER.")
        private String id = "";

        @Option(names = "--value", paramLabel = "TEXT", description = "The new value.")
        private @Nullable String value;

        @Option(names = "--value-file", paramLabel = "FILE", description = "A file with the new value.")
        private @Nullable Path valueFile;

        @Option(names = "--header", paramLabel = "NAME=VALUE", description = "A header, new or instead of the old one.")
        private Map<String, String> headers = new LinkedHashMap<>();

        @Option(names = "--remove-header", paramLabel = "NAME", description = "A header to leave out.")
        private List<String> removed = List.of();

        @Option(names = "--by", paramLabel = "NAME", description = "Who does it, for the ledger. Default: the user.")
        private String by = RedriveSettings.DEFAULT.by();

        @Override
        public Integer call() {
            if (value != null && valueFile != null) {
                throw new CliException(ExitCode.USAGE, "give --value or --value-file, not both");
            }
            if (value == null && valueFile == null && headers.isEmpty() && removed.isEmpty()) {
                throw new CliException(
                        ExitCode.USAGE, "nothing is edited; give --value, --value-file, --header or --remove-header");
            }
            byte[] newValue = value != null ? value.getBytes(StandardCharsets.UTF_8) : read(valueFile);
            try (Link link = parent.broker.open()) {
                long number = Json.number(letter(link, channel, id), "number");
                boolean went = new DeadLetters(link.postroad(), channel)
                        .resend(number, by, message -> edited(message, newValue));
                if (parent.format.json()) {
                    Json.print(Terminal.out(), Map.of("messages", went ? 1 : 0));
                } else {
                    Terminal.err()
                            .println(
                                    went
                                            ? "postroad: the message is put back where it came from, edited"
                                            : "postroad: the message stays: it is in somebody's hands, or behind an"
                                                    + " earlier one of its key");
                }
                return went ? ExitCode.OK : ExitCode.FAILED;
            }
        }

        private static byte @Nullable [] read(@Nullable Path file) {
            if (file == null) {
                return null;
            }
            try {
                return Files.readAllBytes(file);
            } catch (NoSuchFileException e) {
                throw new CliException(ExitCode.NOT_FOUND, "there is no file " + file);
            } catch (IOException e) {
                throw new CliException(ExitCode.FAILED, "file " + file + " can't be read: " + e.getMessage());
            }
        }

        private Message<byte[], byte[]> edited(Message<byte[], byte[]> message, byte @Nullable [] newValue) {
            Map<String, String> all = new LinkedHashMap<>(message.headers());
            removed.forEach(all::remove);
            all.putAll(headers);
            Message<byte[], byte[]> edited = message.withHeaders(all);
            return newValue == null ? edited : edited.withKeyAndValue(message.key(), newValue);
        }
    }

    /** {@code dead redrive} */
    @Command(
            name = "redrive",
            header = "Put dead letters back where they came from, in order per key, attempts counted anew.",
            description = {
                "",
                "What is put back is written down in the ledger, CHANNEL.ledger. A redrive that was cut off goes on with"
                        + " --resume.",
                ""
            },
            sortOptions = false,
            footer = {
                "",
                "Examples:",
                "  postroad dead redrive orders.dead --dry-run",
                "  postroad dead redrive orders.dead --reason timeout --since 2h --rate 50",
                "  postroad dead redrive orders.dead --resume"
            })
    static final class Redrive implements Callable<Integer> {
        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private String channel = "";

        @Mixin
        private LetterOptions which = new LetterOptions();

        @Option(
                names = {"-n", "--max"},
                paramLabel = "N",
                description = "At most so many, the oldest first.")
        private @Nullable Long max;

        @Option(names = "--rate", paramLabel = "N", description = "At most so many in a second.")
        private @Nullable Integer rate;

        @Option(names = "--by", paramLabel = "NAME", description = "Who does it, for the ledger. Default: the user.")
        private String by = RedriveSettings.DEFAULT.by();

        @Option(names = "--resume", description = "Go on with the redrive that was cut off, as it was begun.")
        private boolean resume;

        @Option(names = "--dry-run", description = "Tell how many would be put back, and do nothing.")
        private boolean dryRun;

        @Override
        public Integer call() throws InterruptedException {
            if (max != null && max < 1) {
                throw new CliException(ExitCode.USAGE, "--max is " + max + "; it must be 1 or more");
            }
            if (rate != null && rate < 1) {
                throw new CliException(ExitCode.USAGE, "--rate is " + rate + "; it must be 1 or more");
            }
            if (resume && (dryRun || max != null || rate != null || !which.ruleAlone() || which.rule() != null)) {
                throw new CliException(
                        ExitCode.USAGE, "--resume goes on as the redrive was begun; give no other option with it");
            }
            try (Link link = parent.broker.open()) {
                DeadLetters letters = new DeadLetters(link.postroad(), channel);
                if (dryRun) {
                    return dryRun(letters);
                }
                Run run = resume ? resumed(letters) : letters.redrive(settings());
                if (parent.format.json()) {
                    Json.print(
                            Terminal.out(),
                            Map.of(
                                    "messages",
                                    run.putBack(),
                                    "stayed",
                                    run.stayed(),
                                    "run",
                                    run.name(),
                                    "dryRun",
                                    false));
                } else {
                    Terminal.err()
                            .println("postroad: " + ChannelsCommand.plural(run.putBack()) + " of '" + channel + "' "
                                    + (run.putBack() == 1 ? "is" : "are") + " put back where they came from"
                                    + (run.stayed() == 0
                                            ? ""
                                            : "; " + ChannelsCommand.plural(run.stayed())
                                                    + " stayed: in somebody's hands, or behind an earlier one of"
                                                    + " its key"));
                }
                return ExitCode.OK;
            }
        }

        private RedriveSettings settings() {
            return RedriveSettings.DEFAULT
                    .withFilter(which.toFilter())
                    .withMax(max == null ? Long.MAX_VALUE : max)
                    .withPerSecond(rate)
                    .withBy(by);
        }

        private Run resumed(DeadLetters letters) throws InterruptedException {
            return letters.resume(done -> {})
                    .orElseThrow(() -> new CliException(
                            ExitCode.NOT_FOUND,
                            "no redrive of '" + channel + "' was cut off; there is nothing to resume"));
        }

        private int dryRun(DeadLetters letters) {
            AtomicLong fitting = new AtomicLong();
            letters.forEach(which.toFilter(), letter -> fitting.incrementAndGet());
            long count = max == null ? fitting.get() : Math.min(max, fitting.get());
            if (parent.format.json()) {
                Json.print(Terminal.out(), Map.of("messages", count, "dryRun", true));
            } else {
                Terminal.err()
                        .println("postroad: " + ChannelsCommand.plural(count) + " of '" + channel
                                + "' would be put back where they came from");
            }
            return ExitCode.OK;
        }
    }

    /** {@code dead ledger} */
    @Command(
            name = "ledger",
            header = "Tell what was put back of a dead-letter channel, when and by whom.",
            sortOptions = false,
            footer = {"", "Example: postroad dead ledger orders.dead"})
    static final class LedgerOf implements Callable<Integer> {
        @ParentCommand
        private DeadCommand parent = new DeadCommand();

        @Parameters(paramLabel = "CHANNEL", description = "A dead-letter channel.")
        private String channel = "";

        @Override
        public Integer call() {
            try (Link link = parent.broker.open()) {
                List<Run> runs = new DeadLetters(link.postroad(), channel).runs();
                if (parent.format.json()) {
                    Json.print(
                            Terminal.out(),
                            Map.of("runs", runs.stream().map(LedgerOf::map).toList()));
                } else if (runs.isEmpty()) {
                    Terminal.err().println("postroad: nothing of '" + channel + "' was put back by a redrive");
                } else {
                    Table table = new Table("begun", "by", "state", ">put back", ">stayed");
                    runs.forEach(run -> table.row(
                            run.begun().toString(),
                            run.settings().by(),
                            word(run),
                            Units.count(run.putBack()),
                            Units.count(run.stayed())));
                    table.print(Terminal.out());
                }
                return ExitCode.OK;
            }
        }

        private static String word(Run run) {
            return run.state().name().toLowerCase(Locale.ROOT);
        }

        private static Map<String, Object> map(Run run) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("run", run.name());
            map.put("begun", run.begun().toString());
            map.put("changed", run.changed().toString());
            map.put("by", run.settings().by());
            map.put("state", word(run));
            map.put("messages", run.putBack());
            map.put("stayed", run.stayed());
            map.put("ids", run.ids());
            return map;
        }
    }
}
