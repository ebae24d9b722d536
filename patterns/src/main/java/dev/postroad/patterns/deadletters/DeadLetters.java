package dev.postroad.patterns.deadletters;

import dev.postroad.api.Administration;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Transport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters of one channel, to be worked on. Looking touches nothing; what is put back is written down in the ledger
 * {@code CHANNEL.ledger}, which is declared with the first of it.
 *
 * <p>Takes a transport that gives its messages numbers and puts back chosen ones ({@link Administration#putBack}); all others
 * refuse by name. Safe for use by many threads.
 */
public final class DeadLetters {
    private static final int PAGE = 1_000;

    private final Postroad postroad;
    private final String channel;
    private final Ledger ledger;

    /**
     * @param postroad the connection to use
     * @param channel a declared dead-letter channel
     */
    public DeadLetters(Postroad postroad, String channel) {
        this.postroad = postroad;
        this.channel = channel;
        this.ledger = new Ledger(postroad, channel);
    }

    // ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * The letters that fit, oldest first.
     *
     * @param max at most so many, 1 or more; all of them are in memory at once
     */
    public List<Letter> search(LetterFilter filter, int max) {
        if (max < 1) {
            throw new IllegalArgumentException("max is " + max + "; it must be 1 or more");
        }
        List<Letter> found = new ArrayList<>();
        Pages pages = new Pages(filter, Long.MAX_VALUE);
        for (Letter letter = pages.next(); letter != null && found.size() < max; letter = pages.next()) {
            found.add(letter);
        }
        return found;
    }

    /** Shows the letters that fit, oldest first, one after another; no more than a page of them is in memory at once. */
    public void forEach(LetterFilter filter, Consumer<Letter> viewer) {
        Pages pages = new Pages(filter, Long.MAX_VALUE);
        for (Letter letter = pages.next(); letter != null; letter = pages.next()) {
            viewer.accept(letter);
        }
    }

    /** The letter of this number; empty if it is not there. */
    public Optional<Letter> find(long number) {
        return postroad.administration().browse(channel, null, number - 1, 1).stream()
                .filter(found -> found.number() == number)
                .findFirst()
                .flatMap(Letter::of);
    }

    /** Letters page by page. */
    final class Pages {
        private final LetterFilter filter;
        private final long until;
        private List<Administration.Browsed> page = List.of();
        private int next;
        private long after = -1;

        /** @param until the number of the last one to be found */
        Pages(LetterFilter filter, long until) {
            this.filter = filter;
            this.until = until;
        }

        @Nullable
        Letter next() {
            while (true) {
                while (next < page.size()) {
                    Administration.Browsed found = page.get(next++);
                    Letter letter = Letter.of(found).orElse(null);
                    if (letter != null && letter.number() <= until && filter.fits(letter)) {
                        return letter;
                    }
                }
                page = postroad.administration().browse(channel, filter.rule(), after, PAGE);
                next = 0;
                if (page.isEmpty()) {
                    return null;
                }
                after = page.getLast().number();
                if (after < 0) {
                    throw new MessagingException(
                            Reason.IMPOSSIBLE_NEED,
                            postroad.transport().url() + " does not number the messages of channel '" + channel
                                    + "': its dead letters can be redriven by a rule only (Administration.redrive)");
                }
            }
        }
    }

    // ── Putting back ─────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Puts one letter back as it is after the edit, in its place: where the channel it came from keeps order per key, it does
     * not go before an earlier letter of its key.
     *
     * @param number of the letter
     * @param by who does it, for the ledger
     * @param edit gets the message as it was sent and returns it as it should have been; with the same key where the channel it
     *     came from keeps order per key. Values that a channel compresses are still so
     * @return true if it went back; false if it is gone, in somebody's hands, or behind an earlier one of its key
     * @throws MessagingException {@code INVALID} if the edit is not allowed
     */
    public boolean resend(long number, String by, UnaryOperator<Message<byte[], byte[]>> edit) {
        Optional<Letter> found = find(number);
        if (found.isEmpty()) {
            return false;
        }
        Letter letter = found.get();
        Message<byte[], byte[]> edited = edit.apply(letter.message());
        boolean went = postroad.administration()
                .putBack(channel, number, edited.withHeaders(letter.told().addedTo(edited.headers())));
        ledger.resent(by, letter, went);
        return went;
    }

    /** As {@link #redrive(RedriveSettings, LongConsumer)}, without telling how far it is. */
    public Run redrive(RedriveSettings settings) throws InterruptedException {
        return redrive(settings, done -> {});
    }

    /**
     * Puts letters back where they came from, attempts counted anew, oldest first and in order per key. Only those that are
     * there as it begins: what is given up again meanwhile stays. Each batch is written down in the ledger before and after; a
     * run that was cut off before is closed in the books first. Blocks until it is done.
     *
     * @param progress is told how many have been put back, after each batch
     * @return what was done
     * @throws MessagingException {@code IN_USE} if another redrive of this channel is at work, and as the transport fails; what
     *     was begun can be {@linkplain #resume resumed} then
     * @throws InterruptedException if interrupted; it can be resumed
     */
    public Run redrive(RedriveSettings settings, LongConsumer progress) throws InterruptedException {
        Transport.Receiver lock = ledger.lock();
        try {
            for (Run open : openRuns()) {
                settle(open);
                ledger.ended(open.name(), 0, false);
            }
            long until = lastNumber();
            String run = ledger.begin(settings, until);
            return new Redriving(run, settings, until, 0, progress).carryOut();
        } finally {
            lock.close();
        }
    }

    /**
     * Goes on with the last redrive of this channel that was cut off, as it was begun: by a crash, a broken connection or an
     * interrupt. What became of its last batch is found out and written down first.
     *
     * @return what was done in all; empty if none was cut off
     * @throws MessagingException {@code IN_USE} if it is still at work
     */
    public Optional<Run> resume(LongConsumer progress) throws InterruptedException {
        if (!ledger.exists()) {
            return Optional.empty();
        }
        Transport.Receiver lock = ledger.lock();
        try {
            List<Run> open = openRuns();
            if (open.isEmpty()) {
                return Optional.empty();
            }
            for (Run former : open.subList(0, open.size() - 1)) {
                settle(former);
                ledger.ended(former.name(), 0, false);
            }
            Run last = open.getLast();
            long done = last.putBack() + settle(last);
            return Optional.of(new Redriving(last.name(), last.settings(), last.until(), done, progress).carryOut());
        } finally {
            lock.close();
        }
    }

    /** What was done to the letters of this channel, oldest first, as far as the ledger goes back. */
    public List<Run> runs() {
        return ledger.runs();
    }

    private List<Run> openRuns() {
        return ledger.runs().stream()
                .filter(run -> run.state() == Run.State.OPEN)
                .toList();
    }

    private long lastNumber() {
        long last = -1;
        Pages pages = new Pages(LetterFilter.ALL, Long.MAX_VALUE);
        for (Letter letter = pages.next(); letter != null; letter = pages.next()) {
            last = Math.max(last, letter.number());
        }
        return last;
    }

    /** Finds out what became of a batch that was cut off; returns how many of it went back. */
    private long settle(Run run) {
        Map<Long, String> cutOff = run.cutOff();
        if (cutOff == null) {
            return 0;
        }
        Map<Long, String> stayed = staying(cutOff);
        long went = (long) cutOff.size() - stayed.size();
        ledger.done(run.name(), went, stayed, true);
        return went;
    }

    /** Those of the letters that are still there. */
    private Map<Long, String> staying(Map<Long, String> letters) {
        Map<Long, String> stayed = new LinkedHashMap<>();
        letters.forEach((number, id) -> {
            if (find(number).isPresent()) {
                stayed.put(number, id);
            }
        });
        return stayed;
    }

    /** One run at work. */
    private final class Redriving {
        private final String run;
        private final RedriveSettings settings;
        private final long until;
        private final LongConsumer progress;
        private final long began = System.nanoTime();
        private final long before;
        private long done;

        Redriving(String run, RedriveSettings settings, long until, long before, LongConsumer progress) {
            this.run = run;
            this.settings = settings;
            this.until = until;
            this.before = before;
            this.done = before;
            this.progress = progress;
        }

        Run carryOut() throws InterruptedException {
            // A line that was torn apart has earlier letters behind later ones: what stays the first time may go the
            // second.
            long doneBefore;
            do {
                doneBefore = done;
            } while (pass() > 0 && done > doneBefore && done < settings.max());
            ledger.ended(run, done, true);
            return ledger.runs().stream()
                    .filter(each -> each.name().equals(run))
                    .findFirst()
                    .orElseThrow();
        }

        /** Goes through all letters once; returns how many were chosen and stayed. */
        private long pass() throws InterruptedException {
            long stayed = 0;
            Pages pages = new Pages(settings.filter(), until);
            Map<Long, String> batch = new LinkedHashMap<>();
            for (Letter letter = pages.next(); letter != null && done < settings.max(); letter = pages.next()) {
                batch.put(letter.number(), String.valueOf(letter.message().id()));
                if (batch.size() >= Math.min(settings.atOnce(), settings.max() - done)) {
                    stayed += putBack(batch);
                    batch = new LinkedHashMap<>();
                }
            }
            return batch.isEmpty() ? stayed : stayed + putBack(batch);
        }

        private long putBack(Map<Long, String> batch) throws InterruptedException {
            awaitTurn();
            ledger.chosen(run, batch);
            long count = postroad.administration().putBack(channel, List.copyOf(batch.keySet()));
            Map<Long, String> stayed = count == batch.size() ? Map.of() : staying(batch);
            ledger.done(run, (long) batch.size() - stayed.size(), stayed, false);
            done += (long) batch.size() - stayed.size();
            progress.accept(done);
            return stayed.size();
        }

        private void awaitTurn() throws InterruptedException {
            Integer perSecond = settings.perSecond();
            if (perSecond != null) {
                long due = began + (long) ((done - before) * 1e9 / perSecond);
                long left = due - System.nanoTime();
                if (left > 0) {
                    Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
                }
            }
        }
    }
}
