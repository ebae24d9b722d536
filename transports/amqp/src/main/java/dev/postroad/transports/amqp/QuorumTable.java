package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.GetResponse;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Table;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A table as the one message of a quorum queue, which survives what RabbitMQ's streams do not. Who reads or changes it holds a
 * lock, an exclusive queue that goes with its connection; takes the message, publishes what it is to be, and acknowledges what it
 * was. A crash between the two leaves both, and the one with the higher version counts. A fanout exchange tells the others.
 *
 * <pre>
 *   12                      version
 *   orders=name%3Dorders…   name and text, URL-encoded
 * </pre>
 */
final class QuorumTable implements Table, Link.User {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final long LOCK_SECONDS = 60;
    private static final long LONGEST_PAUSE_NANOS = 50_000_000;
    private static final long LONGEST_WAIT_NANOS = 200_000_000;
    private static final long CONFIRM_MILLIS = 30_000;
    private static final int LOOKS = 5;
    private static final long LOOK_NANOS = 50_000_000;
    private static final AMQP.BasicProperties PERSISTENT =
            new AMQP.BasicProperties.Builder().deliveryMode(2).build();

    private record Content(long version, Map<String, String> texts) {
        private static final Content NONE = new Content(0, Map.of());

        static Content read(byte[] body) {
            Map<String, String> texts = new TreeMap<>();
            String[] lines = new String(body, StandardCharsets.UTF_8).split("\n", -1);
            for (int i = 1; i < lines.length; i++) {
                int equals = lines[i].indexOf('=');
                if (equals >= 0) {
                    texts.put(decoded(lines[i].substring(0, equals)), decoded(lines[i].substring(equals + 1)));
                }
            }
            return new Content(Long.parseLong(lines[0]), texts);
        }

        private static String decoded(String text) {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        }

        byte[] body() {
            StringBuilder body = new StringBuilder().append(version);
            texts.forEach((name, text) -> body.append('\n')
                    .append(URLEncoder.encode(name, StandardCharsets.UTF_8))
                    .append('=')
                    .append(URLEncoder.encode(text, StandardCharsets.UTF_8)));
            return body.toString().getBytes(StandardCharsets.UTF_8);
        }
    }

    private final Link link;
    private final String queue;
    private final Reader reader;

    /** Held while the broker's lock is, and while the reader is told. */
    private final ReentrantLock ours = new ReentrantLock();

    private volatile Content known = Content.NONE;

    private final AtomicBoolean refreshing = new AtomicBoolean();
    private volatile @Nullable Channel news;

    QuorumTable(Link link, String name, Reader reader) {
        this.link = link;
        this.queue = StreamLog.PREFIX + name;
        this.reader = reader;
        try {
            open();
        } catch (IOException | RuntimeException e) {
            throw Failures.of("opening the queue '" + queue + "', where Postroad keeps its " + name, link.url(), e);
        }
        link.add(this);
    }

    private void open() throws IOException {
        Channel opened = link.channel();
        boolean listens = false;
        try {
            opened.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
            opened.exchangeDeclare(queue, BuiltinExchangeType.FANOUT, true);
            String told = queue + "-" + UUID.randomUUID();
            opened.queueDeclare(told, false, true, true, Map.of());
            opened.queueBind(told, queue, "");
            opened.basicConsume(told, true, new DefaultConsumer(opened) {
                @Override
                public void handleDelivery(
                        String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    told(Long.parseLong(new String(body, StandardCharsets.UTF_8)));
                }
            });
            listens = true;
        } finally {
            if (!listens) {
                Link.release(opened);
            }
        }
        news = opened;
    }

    /** It changed: what is not known here is read soon, for many changes at once, and not by everybody at the same moment. */
    private void told(long version) {
        if (version > known.version && refreshing.compareAndSet(false, true)) {
            Thread.startVirtualThread(this::refresh);
        }
    }

    private void refresh() {
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(LONGEST_WAIT_NANOS));
        refreshing.set(false);
        try {
            catchUp();
        } catch (MessagingException e) {
            LOG.log(Level.DEBUG, "what changed in {0} is read when it is asked for: {1}", queue, e.getMessage());
        }
    }

    @Override
    public void enter(String name, String text) {
        change("entering '" + name + "' in '" + queue + "'", texts -> {
            Map<String, String> more = new TreeMap<>(texts);
            return more.putIfAbsent(name, text) == null ? more : texts;
        });
    }

    @Override
    public void strike(String name) {
        change("striking '" + name + "' from '" + queue + "'", texts -> {
            Map<String, String> less = new TreeMap<>(texts);
            return less.remove(name) == null ? texts : less;
        });
    }

    @Override
    public void catchUp() {
        change("reading '" + queue + "'", texts -> texts);
    }

    /** @param change gives back what it was given where nothing is to change */
    private void change(String what, UnaryOperator<Map<String, String>> change) {
        ours.lock();
        try {
            Channel lock = lock(what);
            try {
                tell(carryOut(change));
            } finally {
                unlock(lock);
            }
        } catch (TimeoutException e) {
            throw new MessagingException(
                    Reason.TIMEOUT,
                    what + " was not confirmed by " + link.url().shown() + " within " + CONFIRM_MILLIS + " ms",
                    e);
        } catch (IOException | RuntimeException e) {
            throw Failures.of(what, link.url(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted: " + what, e);
        } finally {
            ours.unlock();
        }
    }

    private Channel lock(String what) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LOCK_SECONDS);
        while (true) {
            Channel channel = link.channel();
            try {
                channel.queueDeclare(queue + "-lock", false, true, false, Map.of());
                return channel;
            } catch (IOException e) {
                Link.release(channel);
                MessagingException why = Failures.of(what, link.url(), e);
                if (why.reason() != Reason.IN_USE) {
                    throw why;
                }
                if (System.nanoTime() > deadline) {
                    throw new MessagingException(
                            Reason.TIMEOUT,
                            what + ": another connection has held the lock '" + queue + "-lock' on "
                                    + link.url().shown() + " for " + LOCK_SECONDS + " s",
                            e);
                }
            }
            LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(LONGEST_PAUSE_NANOS));
        }
    }

    /** The end of the queue unlocks; where it can't be deleted, the end of the connection does. */
    private void unlock(Channel lock) {
        try {
            lock.queueDelete(queue + "-lock");
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.DEBUG, "unlocking " + queue + " failed", e);
        } finally {
            Link.release(lock);
        }
    }

    /** On a channel of its own: where this fails, what was taken is back when the lock goes. */
    private Content carryOut(UnaryOperator<Map<String, String>> change)
            throws IOException, InterruptedException, TimeoutException {
        Channel on = link.channel();
        try {
            List<GetResponse> taken = take(on);
            Content content = Content.NONE;
            for (GetResponse each : taken) {
                Content one = Content.read(each.getBody());
                content = one.version >= content.version ? one : content;
            }
            Map<String, String> after = change.apply(content.texts);
            boolean changed = after != content.texts;
            if (changed || taken.isEmpty()) {
                content = new Content(content.version + 1, after);
            }
            // Also where nothing changed: what is put back counts as delivered, and brokers drop what was delivered
            // often.
            on.confirmSelect();
            on.basicPublish("", queue, PERSISTENT, content.body());
            if (changed) {
                on.basicPublish(queue, "", null, Long.toString(content.version).getBytes(StandardCharsets.UTF_8));
            }
            if (!on.waitForConfirms(CONFIRM_MILLIS)) {
                throw new MessagingException(
                        Reason.FULL, "queue '" + queue + "' on " + link.url().shown() + " refuses what changed");
            }
            for (GetResponse each : taken) {
                on.basicAck(each.getEnvelope().getDeliveryTag(), false);
            }
            return content;
        } finally {
            Link.release(on);
        }
    }

    /** All that is there. What a holder of the lock had who died is on its way back, so an empty queue is looked at again. */
    private List<GetResponse> take(Channel on) throws IOException {
        List<GetResponse> taken = new ArrayList<>();
        for (int attempt = 0; taken.isEmpty() && attempt < LOOKS; attempt++) {
            if (attempt > 0) {
                LockSupport.parkNanos(LOOK_NANOS);
            }
            for (GetResponse got = on.basicGet(queue, false); got != null; got = on.basicGet(queue, false)) {
                taken.add(got);
            }
        }
        if (taken.isEmpty() && known.version > 0) {
            throw new MessagingException(
                    Reason.UNREACHABLE,
                    "queue '" + queue + "' on " + link.url().shown()
                            + " is empty, and what Postroad keeps in it must be there; is another program consuming it?");
        }
        return taken;
    }

    private void tell(Content content) {
        if (content.version == known.version) {
            return;
        }
        Map<String, String> before = new HashMap<>(known.texts);
        known = content;
        content.texts.forEach((name, text) -> {
            String former = before.remove(name);
            if (former != null && !former.equals(text)) {
                reader.read(name, null);
            }
            reader.read(name, text);
        });
        before.keySet().forEach(name -> reader.read(name, null));
    }

    @Override
    public void connected(Link newLink) throws IOException {
        open();
        catchUp();
    }

    @Override
    public void broken() {
        // What is under way fails with the connection.
    }

    @Override
    public void close() {
        link.remove(this);
        Link.release(news);
    }
}
