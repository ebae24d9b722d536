package dev.postroad.cli;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.ConsumerOptions.Start;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.Transport;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code receive}: prints messages, and acknowledges them once they are printed. */
@Command(
        name = "receive",
        header = "Print messages as they come, and acknowledge them.",
        description = {
            "",
            "From a queue (command, request) each message goes to one receiver. From a stream (event, document) it reads all"
                    + " that is kept and leaves no trace; with --group it goes on where the group stands.",
            "",
            "A message is acknowledged after it was written to stdout: what was not yet printed when the command ends is"
                    + " delivered again. Without -n and --follow it ends when nothing more comes.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  postroad receive orders",
            "  postroad receive orders -n 1 --format json",
            "  postroad receive order-events --group billing --follow",
            "  postroad receive order-events --from 2026-11-21T09:00:00Z --filter \"type = 'OrderCreated'\"",
            "  postroad receive numbers --data ./data -n 1000000 | sha256sum"
        })
final class ReceiveCommand implements Callable<Integer> {
    private static final int MOST_PREFETCHED = 8_192;

    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Parameters(index = "0", paramLabel = "CHANNEL", description = "Where from.")
    private String channel = "";

    @Option(
            names = {"-g", "--group"},
            paramLabel = "GROUP",
            description = "Consumer group of a stream; made if it is new.")
    private @Nullable String group;

    @Option(
            names = {"-n", "--count"},
            paramLabel = "N",
            description = "End after so many messages.")
    private @Nullable Long count;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on waiting for messages until Ctrl-C.")
    private boolean follow;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description =
                    "How long to wait for the next message. Default: 1s; with -n 30s, and running out of it is exit"
                            + " code 124.")
    private @Nullable Duration timeout;

    @Option(
            names = "--from",
            paramLabel = "PLACE",
            description =
                    "Where a stream is read from, or a new group begins: earliest, latest, an offset, or a time like"
                            + " 2026-11-21T09:00:00Z. Default: earliest.")
    private @Nullable String from;

    @Option(
            names = "--filter",
            paramLabel = "RULE",
            description = "Only messages that match: \"amount > 100\", \"type = 'X'\".")
    private @Nullable String filter;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "value: each value on a line, or json: a JSON object on each line. Default: value.")
    private MessageFormat format = MessageFormat.VALUE;

    @Option(names = "--key-separator", paramLabel = "TEXT", description = "Print KEY, this, and the value.")
    private @Nullable String keySeparator;

    @Option(
            names = {"-q", "--quiet"},
            description = "No progress.")
    private boolean quiet;

    /** How a message is printed. */
    enum MessageFormat {
        VALUE,
        JSON
    }

    @Override
    public Integer call() throws InterruptedException {
        check();
        ConsumerOptions options = ConsumerOptions.DEFAULT
                .withGroup(group)
                .withFilter(filter)
                .withPrefetch((int) Math.min(count == null ? MOST_PREFETCHED : count, MOST_PREFETCHED))
                .withStart(from == null ? null : start(from));
        try (Link link = broker.open()) {
            Channel declared = link.postroad()
                    .find(channel)
                    .orElseThrow(() -> new CliException(
                            ExitCode.NOT_FOUND,
                            "there is no channel '" + channel + "'; postroad channels lists those there are"));
            if (declared.kind().isStream() && group == null && from == null) {
                options = options.withStart(new Start.Earliest());
            }
            try (Transport.Receiver receiver = link.postroad().transport().receive(List.of(channel), options);
                    Progress progress = new Progress("messages received", quiet || Terminal.is(Terminal.STDOUT))) {
                return receive(receiver, progress);
            }
        }
    }

    private void check() {
        if (count != null && count < 1) {
            throw new CliException(ExitCode.USAGE, "-n is " + count + "; it must be 1 or more");
        }
        if (follow && timeout != null) {
            throw new CliException(ExitCode.USAGE, "give --follow or --timeout, not both");
        }
        if (keySeparator != null && format == MessageFormat.JSON) {
            throw new CliException(ExitCode.USAGE, "--key-separator is for --format value; JSON has the key anyway");
        }
    }

    static Start start(String place) {
        switch (place) {
            case "earliest":
                return new Start.Earliest();
            case "latest":
                return new Start.Latest();
            default:
                break;
        }
        if (place.matches("\\d{1,18}")) {
            return new Start.Offset(Long.parseLong(place));
        }
        try {
            return new Start.Timestamp(Instant.parse(place));
        } catch (DateTimeException e) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--from is '" + place
                            + "'; it must be earliest, latest, an offset, or a time like 2026-11-21T09:00:00Z",
                    e);
        }
    }

    private int receive(Transport.Receiver receiver, Progress progress) throws InterruptedException {
        Duration patience = timeout != null ? timeout : Duration.ofSeconds(count == null ? 1 : 30);
        OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
        Printing printing = new Printing(receiver, out, this::print);
        long wanted = count == null ? Long.MAX_VALUE : count;
        while (printing.printed() < wanted) {
            if (!printing.next(wanted - printing.printed(), patience) && !follow) {
                break;
            }
            if (printing.unheard()) {
                break;
            }
            progress.at(printing.printed(), printing.printed(), count == null ? 0 : wanted);
        }
        printing.finish();
        progress.end();
        if (count != null && printing.printed() < count && !printing.unheard()) {
            Terminal.err()
                    .println("postroad: received " + Units.count(printing.printed()) + " of " + Units.count(count)
                            + "; no more came within " + Units.time(patience));
            return ExitCode.TIMEOUT;
        }
        return ExitCode.OK;
    }

    private void print(OutputStream out, Delivery<byte[], byte[]> delivery) throws IOException {
        if (format == MessageFormat.JSON) {
            out.write(Json.write(MessageJson.of(delivery)));
        } else {
            value(out, delivery.message());
        }
        out.write('\n');
    }

    private void value(OutputStream out, Message<byte[], byte[]> message) throws IOException {
        if (keySeparator != null && message.key() != null) {
            out.write(message.key());
            out.write(keySeparator.getBytes(StandardCharsets.UTF_8));
        }
        byte @Nullable [] value = message.value();
        if (value != null) {
            out.write(value);
        }
    }
}
