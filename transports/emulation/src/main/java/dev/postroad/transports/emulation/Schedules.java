package dev.postroad.transports.emulation;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * Which messages wait for their time, by a {@link Log}: so that they can be counted, and cancelled although they can't be reached
 * where they wait. A cancelled one is dropped by the consumer that receives it. Safe for use by many threads.
 */
public final class Schedules implements AutoCloseable {
    private static final char SEPARATOR = '\n';
    private static final char SCHEDULED = '+';
    private static final char CANCELLED = '-';

    /** What is known of a message: when it is due, and whether it was cancelled. */
    private record Entry(String channel, long due, boolean cancelled) {}

    private static final long KEPT_AFTERWARDS_MILLIS = 3_600_000;

    private final Map<String, Entry> entries = new HashMap<>();
    private final Log log;
    private long sweepAt;

    /** Opens the log and reads what is in it. */
    public Schedules(Log.Opener opener) {
        this.log = opener.open("schedules", this::read);
        log.catchUp();
    }

    /** Notes a message before it is sent to wait. */
    public CompletableFuture<Void> schedule(String channel, String id, long dueMillis) {
        return log.append(text(SCHEDULED, channel, id, dueMillis));
    }

    /**
     * Cancels a message.
     *
     * @return false if it does not wait
     */
    public boolean cancel(String channel, String id) {
        log.catchUp();
        long due;
        synchronized (this) {
            Entry entry = entries.get(channel + SEPARATOR + id);
            if (entry == null || entry.cancelled || entry.due <= System.currentTimeMillis()) {
                return false;
            }
            due = entry.due;
        }
        Waiting.await(log.append(text(CANCELLED, channel, id, due)), "cancelling message " + id);
        log.catchUp();
        return true;
    }

    /** True if the message was cancelled before it came. */
    public synchronized boolean cancelled(String channel, String id) {
        Entry entry = entries.get(channel + SEPARATOR + id);
        return entry != null && entry.cancelled;
    }

    /** Reads what others noted until now. */
    public void refresh() {
        log.catchUp();
    }

    /** How many messages of the channel wait for their time, as far as was read. */
    public long waiting(String channel) {
        long now = System.currentTimeMillis();
        synchronized (this) {
            return entries.values().stream()
                    .filter(entry -> entry.channel.equals(channel) && !entry.cancelled && entry.due > now)
                    .count();
        }
    }

    private static byte[] text(char what, String channel, String id, long due) {
        return (what + "" + due + SEPARATOR + channel + SEPARATOR + id).getBytes(StandardCharsets.UTF_8);
    }

    private synchronized void read(byte[] entry) {
        String text = new String(entry, StandardCharsets.UTF_8);
        int first = text.indexOf(SEPARATOR);
        int second = text.indexOf(SEPARATOR, first + 1);
        if (first < 2 || second < 0) {
            return;
        }
        long due;
        try {
            due = Long.parseLong(text.substring(1, first));
        } catch (NumberFormatException e) {
            return;
        }
        if (due + KEPT_AFTERWARDS_MILLIS < System.currentTimeMillis()) {
            return;
        }
        String name = text.substring(first + 1);
        String channel = text.substring(first + 1, second);
        entries.put(name, new Entry(channel, due, text.charAt(0) == CANCELLED));
        sweep();
    }

    private void sweep() {
        long now = System.currentTimeMillis();
        if (now < sweepAt) {
            return;
        }
        sweepAt = now + KEPT_AFTERWARDS_MILLIS / 10;
        for (Iterator<Entry> each = entries.values().iterator(); each.hasNext(); ) {
            if (each.next().due + KEPT_AFTERWARDS_MILLIS < now) {
                each.remove();
            }
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
