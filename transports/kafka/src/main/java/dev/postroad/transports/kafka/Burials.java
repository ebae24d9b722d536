package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Held;
import dev.postroad.transports.emulation.Waiting;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Settles messages of a member together with records that are written, one behind the other as they were given, many in one
 * transaction: dead letters, and what is kept of dead keys. What fails is tried again while the member has the partition. How much
 * waits here is bounded by what the member reads ahead. Safe for use by many threads.
 */
final class Burials {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.kafka");
    private static final int MOST_AT_ONCE = 200;
    private static final long FIRST_PAUSE_MILLIS = 200;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    /** Tells what is written as a message is settled. May block. */
    @FunctionalInterface
    interface Work {
        void addTo(List<ProducerRecord<byte[], byte[]>> records);
    }

    private record Burial(Held held, Work work, CompletableFuture<Void> done) {}

    private final Transactions transactions;
    private final Member member;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Burial> waiting = new ArrayDeque<>();
    private boolean working;
    private boolean closed;

    Burials(Transactions transactions, Member member) {
        this.transactions = transactions;
        this.member = member;
    }

    /** Completes when the message is settled; fails if it is no longer the member's, or can't be buried. Does not block. */
    CompletableFuture<Void> add(Held held, Work work) {
        Burial burial = new Burial(held, work, new CompletableFuture<>());
        lock.lock();
        try {
            waiting.add(burial);
            if (!working) {
                working = true;
                Thread.ofVirtual().name("postroad-kafka-burials").start(this::work);
            }
        } finally {
            lock.unlock();
        }
        return burial.done;
    }

    /** Waits until nothing is under way, for so long at most; then nothing is tried again. */
    void close(long seconds) {
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(seconds);
            while (working && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closed = true;
            changed.signalAll();
            lock.unlock();
        }
    }

    private void work() {
        long pause = FIRST_PAUSE_MILLIS;
        int most = MOST_AT_ONCE;
        for (List<Burial> batch = next(most); !batch.isEmpty(); batch = next(most)) {
            MessagingException failure = settle(batch);
            if (failure == null) {
                pause = FIRST_PAUSE_MILLIS;
                most = MOST_AT_ONCE;
            } else if (batch.size() > 1 && hopeless(failure)) {
                // One of them is to blame.
                most = 1;
            } else if (hopeless(failure)) {
                member.notBuried(batch.getFirst().held, failure);
                remove(batch, failure);
            } else {
                LOG.log(
                        Level.WARNING,
                        "dead letters of channel {0} wait, and are tried again: {1}",
                        member.channel(),
                        failure.getMessage());
                pause(pause);
                pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
            }
        }
    }

    private static boolean hopeless(MessagingException failure) {
        return switch (failure.reason()) {
            case TOO_LARGE, INVALID -> true;
            default -> false;
        };
    }

    /** The first of those that wait, which stay there; none when there is nothing more to do. */
    private List<Burial> next(int most) {
        List<Burial> batch = new ArrayList<>();
        List<Burial> lost = new ArrayList<>();
        lock.lock();
        try {
            waiting.removeIf(burial -> (closed || !member.has(burial.held)) && lost.add(burial));
            for (Burial burial : waiting) {
                if (batch.size() == most) {
                    break;
                }
                batch.add(burial);
            }
            if (batch.isEmpty()) {
                working = false;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        lost.forEach(burial -> burial.done.completeExceptionally(new MessagingException(
                Reason.LEASE_LOST,
                "a message of channel '" + member.channel()
                        + "' could not be settled and comes again: its partition went to another consumer, or the receiver"
                        + " was closed")));
        return batch;
    }

    private @Nullable MessagingException settle(List<Burial> batch) {
        try {
            List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
            batch.forEach(burial -> burial.work.addTo(records));
            transactions.write(records, batch.stream().map(Burial::held).toList());
        } catch (MessagingException e) {
            return e;
        }
        remove(batch, null);
        return null;
    }

    private void remove(List<Burial> batch, @Nullable MessagingException failure) {
        lock.lock();
        try {
            batch.forEach(burial -> waiting.poll());
        } finally {
            lock.unlock();
        }
        for (Burial burial : batch) {
            if (failure == null) {
                Waiting.complete(burial.done);
            } else {
                burial.done.completeExceptionally(failure);
            }
        }
    }

    private void pause(long millis) {
        lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!closed && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
