package dev.postroad.cli;

import dev.postroad.api.Channel;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transport;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code send}: a message for each line. */
@Command(
        name = "send",
        header = "Send a message for each line of a file or of stdin.",
        description = {
            "",
            "Messages go in batches, each stored whole or not at all. A batch is confirmed when it is as safe as the"
                    + " channel promises: on disk, for a durable one. Line ends are not part of the messages; all other bytes"
                    + " are sent as they are.",
            "",
            "With --dedup a send that was killed can simply be run again on the same input: what had been stored before is"
                    + " recognised by its line number and stored no second time.",
            ""
        },
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  echo 'three books' | postroad send orders --key customer-7",
            "  postroad send orders --message 'three books' --header origin=shop",
            "  seq 1 1000000 | postroad send numbers --data ./data",
            "  postroad send orders orders.txt --key-separator : --dedup import-2026-11-21",
            "  tail -F access.log | postroad send access --create --kind event"
        })
final class SendCommand implements Callable<Integer> {
    private static final int MOST_BATCH_BYTES = 4 * 1024 * 1024;
    private static final Duration DEDUP_WINDOW = Duration.ofDays(1);
    private static final long FIRST_PAUSE_MILLIS = 20;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;

    @Mixin
    private BrokerOptions broker = new BrokerOptions();

    @Parameters(index = "0", paramLabel = "CHANNEL", description = "Where to.")
    private String channel = "";

    @Parameters(index = "1", arity = "0..1", paramLabel = "FILE", description = "The lines; - or nothing is stdin.")
    private @Nullable String file;

    @Option(
            names = {"-m", "--message"},
            paramLabel = "TEXT",
            description = "One message with this value, in place of lines.")
    private @Nullable String text;

    @Mixin
    private MessageOptions options = new MessageOptions();

    @Option(
            names = "--key-separator",
            paramLabel = "TEXT",
            description = "Each line is a key, this, and a value. A line without it has no key.")
    private @Nullable String keySeparator;

    @Option(
            names = "--dedup",
            paramLabel = "PREFIX",
            description =
                    "Message ids are PREFIX:LINE, so that a second run stores nothing twice. The channel must have a"
                            + " dedupWindow; one that this command makes has 1 day.")
    private @Nullable String dedup;

    @Option(names = "--create", description = "Declare the channel if it is missing. With --data that is done anyway.")
    private boolean create;

    @Option(
            names = "--kind",
            paramLabel = "KIND",
            description = "Kind of a channel that is declared: command, event, request or document, with its defaults."
                    + " Default: command.")
    private @Nullable String kind;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Messages in a batch at most, 1 to 10,000. Default: 5,000.")
    private int batch = 5_000;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "How long to try again while the broker is at a bound and takes nothing more. Default: 30s.")
    private Duration timeout = Duration.ofSeconds(30);

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            description = "text (the summary on stderr) or json (on stdout).")
    private OutputFormat format = OutputFormat.TEXT;

    @Option(
            names = {"-q", "--quiet"},
            description = "No progress and no summary.")
    private boolean quiet;

    private long confirmed;
    private long duplicates;

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || batch > 10_000) {
            throw new CliException(ExitCode.USAGE, "--batch is " + batch + "; it must be 1 to 10,000");
        }
        if (keySeparator != null && (keySeparator.isEmpty() || options.hasKey())) {
            throw new CliException(
                    ExitCode.USAGE,
                    keySeparator.isEmpty()
                            ? "--key-separator must not be empty"
                            : "give --key or --key-separator, not both");
        }
        if (kind != null && !create && !broker.isPrivate()) {
            throw new CliException(ExitCode.USAGE, "--kind is about a channel that is declared: give --create with it");
        }
        if (text != null && file != null) {
            throw new CliException(ExitCode.USAGE, "give --message or a file, not both");
        }
        Message<byte[], byte[]> template = options.template();
        try (InputStream in = open();
                Link link = broker.open();
                Progress progress = new Progress("messages sent", quiet)) {
            Transport transport = link.postroad().transport();
            Channel declared = declared(link);
            boolean done = false;
            try {
                Lines lines = new Lines(in, source(), declared.maxMessageBytes() + (keySeparator == null ? 0 : 1_024));
                sendAll(transport, lines, template, progress);
                done = true;
            } finally {
                progress.end();
                summary(progress.elapsed(), done);
            }
        }
        return ExitCode.OK;
    }

    private String source() {
        return file == null || file.equals("-") ? "stdin" : file;
    }

    private InputStream open() throws IOException {
        if (text != null) {
            return InputStream.nullInputStream();
        }
        if (file == null || file.equals("-")) {
            if (file == null && Terminal.is(Terminal.STDIN) && !quiet) {
                Terminal.err().println("postroad: a line is a message; Ctrl-D ends");
            }
            return System.in;
        }
        Path path = Path.of(file);
        if (!Files.isRegularFile(path) && !Files.isReadable(path)) {
            throw new CliException(ExitCode.NOT_FOUND, "there is no file '" + file + "' that can be read");
        }
        return new BufferedInputStream(Files.newInputStream(path), 1 << 16);
    }

    /** The channel; made if it is missing and that is wanted. */
    private Channel declared(Link link) {
        Channel found = link.postroad().find(channel).orElse(null);
        if (found == null) {
            if (!create && !broker.isPrivate()) {
                throw new CliException(
                        ExitCode.NOT_FOUND,
                        "there is no channel '" + channel
                                + "'; --create declares it, postroad channels lists those there are");
            }
            Channel missing = ofKind(kind == null ? "command" : kind);
            found = dedup == null ? missing : missing.withDedupWindow(DEDUP_WINDOW);
            link.postroad().declare(found);
        } else if (dedup != null && found.dedupWindow() == null) {
            throw new CliException(
                    ExitCode.FAILED,
                    "--dedup needs a channel that remembers message ids, and '" + channel
                            + "' has no dedupWindow; declare it" + " with one: postroad channels create " + channel
                            + " --set dedupWindow=1d");
        }
        return found;
    }

    private Channel ofKind(String kind) {
        return switch (kind.toLowerCase(Locale.ROOT)) {
            case "command" -> Channel.command(channel);
            case "event" -> Channel.event(channel);
            case "request" -> Channel.request(channel);
            case "document" -> Channel.document(channel);
            default ->
                throw new CliException(
                        ExitCode.USAGE, "--kind is '" + kind + "'; it must be command, event, request or document");
        };
    }

    private void sendAll(Transport transport, Lines lines, Message<byte[], byte[]> template, Progress progress)
            throws IOException {
        byte @Nullable [] separator = keySeparator == null ? null : keySeparator.getBytes(StandardCharsets.UTF_8);
        String prefix = (dedup == null ? UUID.randomUUID().toString() : dedup) + ":";
        long whole = whole();
        List<Message<byte[], byte[]>> messages = new ArrayList<>(batch);
        if (text != null) {
            messages.add(message(template, text.getBytes(StandardCharsets.UTF_8), separator)
                    .withId(prefix + 1));
        }
        long bytes = 0;
        for (byte[] line = lines.next(); line != null; line = lines.next()) {
            messages.add(message(template, line, separator).withId(prefix + lines.number()));
            bytes += line.length;
            if (messages.size() == batch || bytes >= MOST_BATCH_BYTES || !lines.ready()) {
                send(transport, messages);
                progress.at(confirmed, lines.bytes(), whole);
                messages = new ArrayList<>(batch);
                bytes = 0;
            }
        }
        if (!messages.isEmpty()) {
            send(transport, messages);
        }
    }

    private long whole() throws IOException {
        return file == null || file.equals("-") || text != null ? 0 : Files.size(Path.of(file));
    }

    private static Message<byte[], byte[]> message(
            Message<byte[], byte[]> template, byte[] line, byte @Nullable [] separator) {
        Message<byte[], byte[]> stamped = template.withTimestamp(Instant.now());
        int at = separator == null ? -1 : indexOf(line, separator);
        if (separator == null || at < 0) {
            return stamped.withKeyAndValue(template.key(), line);
        }
        return stamped.withKeyAndValue(
                Arrays.copyOf(line, at), Arrays.copyOfRange(line, at + separator.length, line.length));
    }

    private static int indexOf(byte[] line, byte[] separator) {
        for (int i = 0; i <= line.length - separator.length; i++) {
            if (Arrays.equals(line, i, i + separator.length, separator, 0, separator.length)) {
                return i;
            }
        }
        return -1;
    }

    /** Sends a batch and waits for its confirmation; tries again while the broker is at a bound. */
    private void send(Transport transport, List<Message<byte[], byte[]>> messages) {
        long end = System.nanoTime() + timeout.toNanos();
        long pause = FIRST_PAUSE_MILLIS;
        while (true) {
            try {
                List<Receipt> receipts = transport.sendBatch(channel, messages).join();
                confirmed += receipts.size();
                duplicates += receipts.stream().filter(Receipt::duplicate).count();
                return;
            } catch (CompletionException e) {
                if (!(e.getCause() instanceof MessagingException refused)) {
                    throw e;
                }
                // At a bound nothing of the batch was stored: sending it again is safe.
                if (refused.reason() != Reason.FULL || System.nanoTime() - end > 0) {
                    throw refused;
                }
            }
            pause(pause);
            pause = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.INTERRUPTED, "interrupted", e);
        }
    }

    private void summary(Duration elapsed, boolean done) {
        if (format == OutputFormat.JSON) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("channel", channel);
            map.put("confirmed", confirmed);
            map.put("duplicates", duplicates);
            map.put("complete", done);
            map.put("seconds", elapsed.toMillis() / 1e3);
            Json.print(Terminal.out(), map);
        } else if (!quiet) {
            Terminal.err()
                    .println("postroad: " + Units.count(confirmed) + (confirmed == 1 ? " message" : " messages")
                            + " confirmed on '" + channel + "' in " + Units.time(elapsed) + ", "
                            + Units.rate(confirmed, elapsed)
                            + (duplicates > 0 ? "; " + Units.count(duplicates) + " of them were there already" : "")
                            + (done ? "" : "; then it failed:"));
        }
    }
}
