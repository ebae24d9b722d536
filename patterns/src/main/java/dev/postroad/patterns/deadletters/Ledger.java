package dev.postroad.patterns.deadletters;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What was done to the dead letters of one channel: a queue that nobody consumes, {@code CHANNEL.ledger}, of which the latest
 * {@value #MAX_ENTRIES} entries are kept.
 *
 * <pre>
 *   BEGUN    run, by, which letters, up to which number                    once for each run
 *   CHOSEN   run, the numbers and ids that are about to be put back        before each batch
 *   DONE     run, how many of them went, the numbers that stayed           after it
 *   ENDED    run, how many in all                                          once, unless the run was interrupted
 *   RESENT   by, number and id of a letter that went back edited
 * </pre>
 *
 * A batch that was chosen and has no DONE was cut off; whoever works on the channel next looks which of its letters are still
 * there, and writes down what happened. So the books balance: the letters of CHOSEN without those that stayed are those that
 * went back. While a run is at work it holds the ledger as its exclusive consumer, so that there is one run at a time.
 */
final class Ledger {
    static final int MAX_ENTRIES = 100_000;

    private static final Duration LOCK_PATIENCE = Duration.ofSeconds(10);
    private static final int PAGE = 1_000;
    private static final String FILTER = "filter-";

    private final Postroad postroad;
    private final String channel;
    private final MessageProducer<String, String> producer;

    Ledger(Postroad postroad, String deadLetterChannel) {
        this.postroad = postroad;
        this.channel = deadLetterChannel + ".ledger";
        this.producer = postroad.producer(Format.strings());
    }

    /** What an entry says; letters are numbers with ids. */
    enum Kind {
        BEGUN,
        CHOSEN,
        DONE,
        ENDED,
        RESENT
    }

    private static Channel declaration(String name) {
        return Channel.command(name)
                .withDeadLetter(null)
                .withRetry(RetryPolicy.NONE.withMaxAttempts(1_000_000))
                .withMaxMessages((long) MAX_ENTRIES)
                .withOverflow(Channel.Overflow.DROP_OLDEST);
    }

    boolean exists() {
        return postroad.find(channel).isPresent();
    }

    private void declare() {
        if (!exists()) {
            postroad.declare(declaration(channel));
        }
    }

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    private void write(Kind kind, Map<String, String> fields, Map<Long, String> letters) {
        StringBuilder lines = new StringBuilder();
        letters.forEach(
                (number, id) -> lines.append(number).append('\t').append(id).append('\n'));
        Message<String, String> entry = Message.<String, String>of(lines.toString())
                .withType(kind.name())
                .withHeaders(fields);
        producer.send(channel, entry);
    }

    void resent(String by, Letter letter, boolean went) {
        declare();
        write(
                Kind.RESENT,
                Map.of("by", by, "count", went ? "1" : "0"),
                Map.of(letter.number(), String.valueOf(letter.message().id())));
    }

    String begin(RedriveSettings settings, long until) {
        String run = UUID.randomUUID().toString();
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("run", run);
        fields.put("by", settings.by());
        fields.put("until", Long.toString(until));
        fields.put("max", Long.toString(settings.max()));
        fields.put("batch", Integer.toString(settings.batch()));
        if (settings.perSecond() != null) {
            fields.put("per-second", settings.perSecond().toString());
        }
        settings.filter().toMap().forEach((name, value) -> fields.put(FILTER + name, value));
        write(Kind.BEGUN, fields, Map.of());
        return run;
    }

    void chosen(String run, Map<Long, String> letters) {
        write(Kind.CHOSEN, Map.of("run", run), letters);
    }

    void done(String run, long count, Map<Long, String> stayed, boolean afterwards) {
        write(
                Kind.DONE,
                Map.of("run", run, "count", Long.toString(count), "reckoned-afterwards", Boolean.toString(afterwards)),
                stayed);
    }

    void ended(String run, long count, boolean whole) {
        write(
                Kind.ENDED,
                Map.of("run", run, "count", Long.toString(count), "interrupted", Boolean.toString(!whole)),
                Map.of());
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** An entry as it lies in the ledger. */
    private record Entry(Kind kind, Map<String, String> fields, Map<Long, String> letters, Instant time) {
        String field(String name) {
            return fields.getOrDefault(name, "");
        }

        long number(String name) {
            String text = fields.get(name);
            return text == null ? 0 : Long.parseLong(text);
        }
    }

    private List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        if (!exists()) {
            return entries;
        }
        long after = -1;
        while (true) {
            List<Administration.Browsed> page = postroad.administration().browse(channel, null, after, PAGE);
            if (page.isEmpty()) {
                return entries;
            }
            page.forEach(found -> entries.add(entry(found.message())));
            after = page.getLast().number();
        }
    }

    private static Entry entry(Message<byte[], byte[]> message) {
        Map<Long, String> letters = new LinkedHashMap<>();
        byte[] value = message.value();
        String text = value == null ? "" : new String(value, java.nio.charset.StandardCharsets.UTF_8);
        text.lines().forEach(line -> {
            int tab = line.indexOf('\t');
            letters.put(Long.parseLong(line.substring(0, tab)), line.substring(tab + 1));
        });
        return new Entry(Kind.valueOf(String.valueOf(message.type())), message.headers(), letters, message.timestamp());
    }

    /** The runs, oldest first, of which the ledger still has the beginning; and letters that were sent back edited. */
    List<Run> runs() {
        Map<String, Run> runs = new LinkedHashMap<>();
        int resent = 0;
        for (Entry entry : entries()) {
            if (entry.kind == Kind.RESENT) {
                runs.put(
                        "resent " + resent++,
                        Run.resent(entry.field("by"), entry.time, entry.letters, entry.number("count")));
            } else if (entry.kind == Kind.BEGUN) {
                runs.put(entry.field("run"), begun(entry));
            } else {
                runs.computeIfPresent(entry.field("run"), (name, run) -> advanced(run, entry));
            }
        }
        return List.copyOf(runs.values());
    }

    private static Run begun(Entry entry) {
        Map<String, String> filter = new LinkedHashMap<>();
        entry.fields.forEach((name, value) -> {
            if (name.startsWith(FILTER)) {
                filter.put(name.substring(FILTER.length()), value);
            }
        });
        String rate = entry.fields.get("per-second");
        RedriveSettings settings = RedriveSettings.DEFAULT
                .withFilter(LetterFilter.of(filter))
                .withMax(entry.number("max"))
                .withBatch((int) entry.number("batch"))
                .withPerSecond(rate == null ? null : Integer.valueOf(rate))
                .withBy(entry.field("by"));
        return Run.begun(entry.field("run"), settings, entry.number("until"), entry.time);
    }

    private static Run advanced(Run run, Entry entry) {
        return switch (entry.kind) {
            case CHOSEN -> run.choosing(entry.letters);
            case DONE -> run.having(entry.number("count"), entry.letters.keySet(), entry.time);
            case ENDED -> run.ended(entry.time, Boolean.parseBoolean(entry.field("interrupted")));
            case BEGUN, RESENT -> run;
        };
    }

    // ── One at a time ────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Takes the ledger for one run, until what is returned is closed.
     *
     * @throws MessagingException {@code IN_USE} if another run is at work
     */
    Transport.Receiver lock() {
        declare();
        if (postroad.administration().browse(channel, null, 1).isEmpty()) {
            // To hold the ledger is to hold an entry of it.
            write(Kind.ENDED, Map.of("run", "none"), Map.of());
        }
        Transport.@Nullable Receiver receiver = null;
        try {
            receiver = postroad.transport()
                    .receive(
                            List.of(channel),
                            ConsumerOptions.DEFAULT
                                    .withExclusive(true)
                                    .withPrefetch(1)
                                    .withName("redrive"));
            if (!receiver.receive(1, LOCK_PATIENCE).isEmpty()) {
                return receiver;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (MessagingException e) {
            close(receiver);
            throw e.reason() == Reason.IN_USE ? inUse(e) : e;
        }
        close(receiver);
        throw inUse(null);
    }

    private static void close(Transport.@Nullable Receiver receiver) {
        if (receiver != null) {
            receiver.close();
        }
    }

    private MessagingException inUse(@Nullable MessagingException cause) {
        String why = "the ledger '" + channel + "' is held by another redrive; wait for its end";
        return cause == null
                ? new MessagingException(Reason.IN_USE, why)
                : new MessagingException(Reason.IN_USE, why, cause);
    }
}
