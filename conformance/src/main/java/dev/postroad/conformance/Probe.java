package dev.postroad.conformance;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Durability;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.api.Receipt;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a check is written with. What it opens is closed with it, and the channels it declared are deleted. */
public final class Probe implements AutoCloseable {
    /** For the comparison of time stamps: clocks tick in milliseconds and brokers round. */
    static final Duration CLOCK_STEP = Duration.ofMillis(2);

    private static final long LONGEST_PAUSE_NANOS = 10_000_000;

    private final Bench bench;
    private final Random random;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final List<String> declared = new CopyOnWriteArrayList<>();
    private @Nullable MessageProducer<String, String> producer;

    Probe(Bench bench, Random random) {
        this.bench = bench;
        this.random = random;
    }

    /** The connection under test. */
    public Postroad postroad() {
        return bench.postroad();
    }

    Transport transport() {
        return bench.postroad().transport();
    }

    /** The administration of the connection under test. */
    public Administration administration() {
        return bench.postroad().administration();
    }

    Facts facts() {
        return bench.facts();
    }

    Random random() {
        return random;
    }

    /** How long to wait for what must come. */
    public Duration patience() {
        return bench.patience();
    }

    boolean can(Need need) {
        Capability capability = transport().capabilities().get(need);
        return capability != null && capability.support() != Capability.Support.IMPOSSIBLE;
    }

    // Channels that ask for as little as possible, so that each check tries one thing.

    /** A name for a channel that no other check has. */
    public String name() {
        return bench.nextName();
    }

    /** A queue without order, dead letters, waits between attempts, or a bound on them; not declared yet. */
    Channel queue() {
        return plain(Channel.command(name()));
    }

    /** A stream of one partition without order per key or dead letters; not declared yet. */
    Channel stream() {
        return plain(Channel.event(name()).withPartitions(1).withOrderedByKey(false));
    }

    private Channel plain(Channel channel) {
        RetryPolicy attempts = can(Need.DELIVERY_COUNT) ? RetryPolicy.NONE.withMaxAttempts(1_000) : RetryPolicy.NONE;
        return channel.withRetry(attempts)
                .withDeadLetter(null)
                .withDurability(can(Need.DURABLE) ? Durability.DURABLE : Durability.TRANSIENT);
    }

    /** With a dead-letter channel of its own name. */
    static Channel withDeadLetters(Channel channel) {
        return channel.withDeadLetter(channel.name() + ".dead");
    }

    /** Declares a channel, which is deleted after the check, with its dead letters. */
    public Channel declare(Channel channel) {
        postroad().declare(channel);
        String dead = channel.deadLetter();
        if (dead != null) {
            declared.add(dead);
        }
        declared.add(channel.name());
        return channel;
    }

    // Sending and receiving.

    /** A producer of texts. */
    public MessageProducer<String, String> producer() {
        MessageProducer<String, String> present = producer;
        if (present == null) {
            present = open(postroad().producer(Format.strings()));
            producer = present;
        }
        return present;
    }

    void send(Channel channel, String... values) {
        for (String value : values) {
            producer().send(channel.name(), Message.of(value));
        }
    }

    void sendKeyed(Channel channel, String key, String... values) {
        for (String value : values) {
            producer().send(channel.name(), Message.of(key, value));
        }
    }

    Receipt send(Channel channel, Message<String, String> message) {
        return await(producer().sendAsync(channel.name(), message), "the confirmation of a message");
    }

    Inbox inbox(Channel channel) {
        return inbox(channel, ConsumerOptions.DEFAULT);
    }

    Inbox inbox(Channel channel, ConsumerOptions options) {
        return open(new Inbox(this, transport().receive(List.of(channel.name()), options)));
    }

    Inbox group(Channel channel, String group) {
        return inbox(channel, ConsumerOptions.DEFAULT.withGroup(group));
    }

    /** Handles a channel until the check ends. */
    public Subscription listen(Channel channel, ConsumerOptions options, Handler<String, String> handler) {
        return open(postroad().listen(channel.name(), Format.strings(), options, handler));
    }

    /** Has a part closed when the check ends. */
    public <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    /** Closes the connection and opens a new one to the same broker. */
    void reopen() {
        closeOpened();
        producer = null;
        bench.reopen();
    }

    // Waiting and judging.

    /** What must hold. */
    public void that(boolean holds, String otherwise) {
        if (!holds) {
            throw new CheckFailed(otherwise);
        }
    }

    /** What must be equal. */
    public void equal(String what, @Nullable Object expected, @Nullable Object actual) {
        if (!Objects.deepEquals(expected, actual)) {
            throw new CheckFailed(what + ": expected " + shown(expected) + ", found " + shown(actual));
        }
    }

    private static String shown(@Nullable Object value) {
        String text = value instanceof byte[] bytes
                ? bytes.length + " bytes " + Arrays.toString(Arrays.copyOf(bytes, Math.min(20, bytes.length)))
                : String.valueOf(value);
        return text.length() <= 400 ? text : text.substring(0, 400) + "…";
    }

    /** The call must fail with one of these reasons. */
    MessagingException refused(String what, Runnable call, Reason... reasons) {
        try {
            call.run();
        } catch (MessagingException e) {
            that(
                    Arrays.asList(reasons).contains(e.reason()),
                    what + " was refused with reason " + e.reason() + " instead of " + Arrays.toString(reasons) + ": "
                            + e.getMessage());
            that(e.getMessage() != null && !e.getMessage().isBlank(), what + " was refused without a word");
            return e;
        }
        throw new CheckFailed(what + " was not refused; " + Arrays.toString(reasons) + " was to be expected");
    }

    /** As {@link #refused}, for a future. */
    MessagingException refusedLater(String what, Supplier<? extends CompletableFuture<?>> call, Reason... reasons) {
        return refused(what, () -> await(call.get(), what), reasons);
    }

    /** What must come. @throws MessagingException if it fails with one */
    public <T> T await(CompletableFuture<T> future, String what) {
        try {
            return future.get(patience().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new CheckFailed(what + " did not come within " + patience());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof MessagingException messaging) {
                throw messaging;
            }
            throw new CheckFailed(what + " failed with " + e.getCause() + ", which is no MessagingException");
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** What must become so. */
    public void await(String what, BooleanSupplier condition) {
        await(() -> what + " was not so within " + patience(), condition);
    }

    void await(Supplier<String> otherwise, BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience().toNanos();
        long pause = 50_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new CheckFailed(otherwise.get());
            }
            pause(pause);
            pause = Math.min(LONGEST_PAUSE_NANOS, pause * 2);
        }
    }

    /** Lets time pass, where a broker's own time is what is tried. */
    void awaitMoment(Instant moment) {
        for (Instant now = Instant.now(); now.isBefore(moment); now = Instant.now()) {
            pause(Duration.between(now, moment).toNanos());
        }
    }

    private static void pause(long nanos) {
        LockSupport.parkNanos(nanos);
        if (Thread.interrupted()) {
            throw interrupted(new InterruptedException());
        }
    }

    static CheckFailed interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        CheckFailed failed = new CheckFailed("it was interrupted");
        failed.initCause(e);
        return failed;
    }

    private void closeOpened() {
        while (!opened.isEmpty()) {
            closeQuietly(opened.pop());
        }
    }

    /** Has a channel deleted after the check that a pattern declared. */
    public void deleteLater(String channel) {
        declared.add(channel);
    }

    private static void closeQuietly(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            // What a check leaves behind says nothing about it: whatever matters it has closed and judged itself.
            System.getLogger("dev.postroad.conformance").log(System.Logger.Level.DEBUG, "closing failed", e);
        }
    }

    @Override
    public void close() {
        closeOpened();
        for (String channel : declared) {
            closeQuietly(() -> administration().delete(channel));
        }
    }
}
