package dev.postroad.transports.emulation;

import dev.postroad.api.MessagingException;
import dev.postroad.api.Receipt;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Message ids as they were confirmed, by a {@link Log} that all senders read. An id is entered after its message was confirmed
 * and before the sender is told: what was confirmed is known from then on, here and, as fast as the log is read, everywhere.
 * Two senders that send one id within that time are not told apart. Safe for use by many threads.
 */
public final class DedupStore implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports");

    /** The longest window. Ids are held in memory for it, about 150 bytes each. */
    public static final Duration LONGEST_WINDOW = Duration.ofDays(1);

    private static final char SEPARATOR = '\n';

    private final Map<String, Long> until = new HashMap<>();
    private final ArrayDeque<Map.Entry<String, Long>> byAge = new ArrayDeque<>();
    private final Map<String, CompletableFuture<Receipt>> underWay = new HashMap<>();
    private final Log log;

    /** Opens the log and reads what is in it. */
    public DedupStore(Log.Opener opener) {
        this.log = opener.open("ids", this::read);
        log.catchUp();
    }

    /**
     * Sends unless the id was confirmed within the window.
     *
     * @param send sends the message
     */
    public CompletableFuture<Receipt> once(
            String channel, String id, Duration window, Supplier<CompletableFuture<Receipt>> send) {
        String name = channel + SEPARATOR + id;
        CompletableFuture<Receipt> first;
        CompletableFuture<Receipt> answer = new CompletableFuture<>();
        synchronized (this) {
            forgetOld();
            if (until.getOrDefault(name, 0L) > System.currentTimeMillis()) {
                return CompletableFuture.completedFuture(new Receipt(id, channel, -1, -1, true));
            }
            first = underWay.putIfAbsent(name, answer);
        }
        if (first != null) {
            return first.thenApply(receipt -> new Receipt(id, channel, receipt.partition(), receipt.offset(), true));
        }
        CompletableFuture<Receipt> sent;
        try {
            sent = send.get();
        } catch (RuntimeException e) {
            end(name);
            throw e;
        }
        sent.thenComposeAsync(receipt -> enter(name, window).thenApply(entered -> receipt), Thread::startVirtualThread)
                .whenComplete((receipt, failure) -> {
                    end(name);
                    if (failure == null) {
                        answer.complete(receipt);
                    } else {
                        answer.completeExceptionally(
                                failure.getCause() instanceof MessagingException cause ? cause : failure);
                    }
                });
        return answer;
    }

    private CompletableFuture<Void> enter(String name, Duration window) {
        long end = System.currentTimeMillis() + window.toMillis();
        note(name, end);
        return log.append((end + "" + SEPARATOR + name).getBytes(StandardCharsets.UTF_8));
    }

    private synchronized void end(String name) {
        underWay.remove(name);
    }

    private void read(byte[] entry) {
        String text = new String(entry, StandardCharsets.UTF_8);
        int separator = text.indexOf(SEPARATOR);
        if (separator < 1) {
            return;
        }
        try {
            note(text.substring(separator + 1), Long.parseLong(text.substring(0, separator)));
        } catch (NumberFormatException e) {
            LOG.log(Level.WARNING, "an entry of the store of message ids can''t be read: {0}", e.toString());
        }
    }

    private synchronized void note(String name, long end) {
        if (end > System.currentTimeMillis()) {
            @Nullable Long before = until.put(name, end);
            if (before == null || before != end) {
                byAge.add(Map.entry(name, end));
            }
        }
    }

    /** Windows differ from channel to channel: one that is long holds up the forgetting of shorter ones for so long. */
    private void forgetOld() {
        long now = System.currentTimeMillis();
        for (var oldest = byAge.peek(); oldest != null && oldest.getValue() <= now; oldest = byAge.peek()) {
            until.remove(oldest.getKey(), oldest.getValue());
            byAge.remove();
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
